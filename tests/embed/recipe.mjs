// node recipe.mjs SCRIPT ADDRESS MODULES: what a client is told that comes through a proxy, by each
// transport; and that it may change something without a token of its own.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";

const [script, address, modules] = process.argv.slice(2);
const source = readFileSync(new URL(script), "utf8");
const { TaskdClient } = await import(
  `data:text/javascript;base64,${Buffer.from(source).toString("base64")}`
);
const { io } = createRequire(`${modules}/`)("socket.io-client");
const seen = {};
for (const transport of ["websocket", "polling"]) {
  const extraHeaders = { Origin: address };
  const path = "/taskd/socket.io/";
  const socket = io(address, { path, transports: [transport], extraHeaders, reconnection: false });
  const client = new TaskdClient({ socket });
  socket.on("connect_error", (error) => console.error(transport, error));
  await client.ready;
  const { decision } = await client.recordDecision("recipe", { transport });
  seen[transport] = [client.connection.canChange, decision.context.transport];
  socket.disconnect();
}
console.log(JSON.stringify(seen));
process.exit(0);
