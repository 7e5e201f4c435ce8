// The client in Node, over the real bridge, the daemon killed in the middle.
// node node.mjs SCRIPT BRIDGE TOKEN MODULES HOW; says "kill", goes on at a line on its input; tells
// at the end what it heard. HOW: "own" socket, or a wizard's old client's, handed over.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { createInterface } from "node:readline";

const [script, bridge, token, modules, how] = process.argv.slice(2);
const source = readFileSync(new URL(script), "utf8");
const { TaskdClient } = await import(
  `data:text/javascript;base64,${Buffer.from(source).toString("base64")}`
);
const input = createInterface({ input: process.stdin })[Symbol.asyncIterator]();

let socket;
if (how !== "own") {
  const { io } = createRequire(`${modules}/`)("socket.io-client");
  socket = io(bridge, { transports: [how], auth: { token }, reconnectionDelay: 100 });
}
const client = new TaskdClient(socket ? { socket } : { url: bridge, token });
const heard = [];
client.on("event", ({ seq, event }) => event === "sync:progress" || heard.push(seq));
await client.ready;
const from = client.seq;

const { taskId } = await client.register({ type: "report", service: "work", id: "work" });
const done = client.wait(taskId);
await client.call("reportTask", { taskId, progress: 25 });
await client.wait(taskId, { until: (task) => task.progress === 25 });
console.log("kill");
await input.next();
await client.wait(taskId, { until: (task) => task.progress === 75 });
await client.pause(taskId);
await client.wait(taskId, { until: "paused" });
await client.resume(taskId);
await client.call("reportTask", { taskId, completed: true });
const { status, progress } = await done;
const { events } = await client.events({ after: from });
const told = events.map((one) => one.seq);
while (heard.at(-1) < told.at(-1)) await new Promise((heardMore) => client.on("event", heardMore));
console.log(JSON.stringify({ status, progress, heard, told, host: client.connection.host }));
client.close();
socket?.disconnect();
