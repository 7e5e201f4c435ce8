// The client in Node: says where it is whenever that changes, for ever.
// node follower.mjs SCRIPT BRIDGE TOKEN
import { readFileSync } from "node:fs";

const [script, bridge, token] = process.argv.slice(2);
const source = readFileSync(new URL(script), "utf8");
const { TaskdClient } = await import(
  `data:text/javascript;base64,${Buffer.from(source).toString("base64")}`
);

const client = new TaskdClient({ url: bridge, token });
const say = (what) => console.log(JSON.stringify({ ...what, journal: client.journal, seq: client.seq, tasks: [...client.tasks.keys()] }));
client.on("gap", (gap) => say({ gap }));
client.on("event", ({ seq, event }) => event === "sync:progress" || say({ event: seq }));
client.on("connection", ({ state }) => say({ state }));
