// A wizard's server with very many tasks and as many managers as it is told; whatever it calls or is told goes
// into a file at once, so that nothing is forgotten when it is killed.
"use strict";

const { appendFileSync } = require("node:fs");
const { createInterface } = require("node:readline");
const { BackgroundTaskManager } = require("../../packaging/npm");

const [path, file, count, managers] = process.argv.slice(2);
const note = (...what) => appendFileSync(file, `${JSON.stringify([process.pid, ...what])}\n`);
process.on("unhandledRejection", (fault) => note("fault", String(fault?.stack ?? fault)));

const all = Array.from({ length: Number(managers) }, (_, n) => {
  const io = { emit: (name, { taskId }) => name === "sync:progress" || note("told", n, name, taskId) };
  return new BackgroundTaskManager(io, { path });
});
const ids = Array.from({ length: Number(count) }, (_, n) => `work-${n}`);

/** Each task is the first manager's, or in turn one of theirs. */
async function register(n) {
  const manager = all[n % all.length], id = ids[n];
  const onComplete = async (task, { attempt }) => {
    note("called", id, attempt);
    await new Promise((more) => setTimeout(more, n % 5));
    note("returned", id, attempt);
  };
  for (;;) {
    const { success, error, task } = await manager.registerTask({ id, type: "custom", service: "many", onComplete });
    if (success && task.status !== "pending") return;
    if (success && (await manager.startMonitoring(id)).success) return;
    if (/already (registered|being)/.test(error)) return;
    await new Promise((more) => setTimeout(more, 50));
  }
}

const DO = {
  register: async () => (await Promise.all(ids.map((_, n) => register(n)))).length,
  states: () => all.map((manager) => ids.filter((id) => manager.getTask(id)?.status === "complete").length),
  events: () => all.map((manager) => manager.socket.seq),
  shutdown: () => all.map((manager) => manager.shutdown()),
};

createInterface({ input: process.stdin }).on("line", async (line) => {
  console.log(JSON.stringify(await DO[JSON.parse(line).what]()));
});
