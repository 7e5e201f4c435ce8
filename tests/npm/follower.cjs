// Follows the daemon at a path, and answers by lines: what it heard, what a call gave.
"use strict";

const { createInterface } = require("node:readline");
const { TaskdSocket } = require("../../packaging/npm");

const say = (what) => console.log(JSON.stringify(what));
const taskd = new TaskdSocket({ path: process.argv[2], patience: 60_000 });
const events = [];
let gaps = 0, tasks = null, wake = () => {};
taskd.on("event", ({ seq, event }) => event !== "sync:progress" && events.push([seq, event]) && wake());
taskd.on("gap", () => (gaps += 1));
taskd.on("snapshot", (snapshot) => (tasks = snapshot.tasks.map((task) => task.id)) && wake());

const until = async (holds) => {
  while (!holds()) await new Promise((more) => (wake = more));
};

async function answer({ call, heard, anew, ...params }) {
  if (call) return taskd.call(call, params);
  if (heard) await until(() => taskd.seq >= heard);
  if (anew) await until(() => gaps && (tasks.length || events.at(-1)?.[1] === "task:added"));
  if (anew && !tasks.length) tasks = (await taskd.call("getAllTasks")).map((task) => task.id);
  return { events, gaps, tasks };
}

taskd.subscribe().then(({ seq, journal }) => say({ seq, journal }));
createInterface({ input: process.stdin }).on("line", async (line) => say(await answer(JSON.parse(line))));
