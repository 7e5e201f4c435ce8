// A Socket.IO client that is driven by lines of JSON and tells by lines of JSON.
// node socketio_client.mjs FOLDER PACKAGE TRANSPORTS URL PATH TOKEN
import { createRequire } from "node:module";
import { createInterface } from "node:readline";

const [, , folder, name, transports, url, path, token] = process.argv;
const { io } = createRequire(`${folder}/`)(name);
const say = (what) => process.stdout.write(`${JSON.stringify(what)}\n`);

let since; // the last event known: what follows it is asked for on connecting again
const socket = io(url, {
  path,
  transports: transports.split(","),
  auth: (answer) => answer({ token: token || undefined, since }),
  reconnectionDelay: 50,
  reconnectionDelayMax: 100,
  randomizationFactor: 0,
});
socket.onAny((event, data) => {
  if (event === "hello") since ??= data.seq;
  else if (typeof data?.seq === "number" && event !== "task:error") since = Math.max(since ?? 0, data.seq);
  say({ event, data });
});
socket.on("connect", () => {
  socket.io.engine.once("upgrade", (to) => say({ upgraded: to.name }));
  say({ connected: socket.io.engine.transport.name });
});
socket.on("connect_error", (error) => say({ refused: error.message, data: error.data }));
socket.on("disconnect", (reason) => say({ disconnected: reason }));
createInterface({ input: process.stdin })
  .on("line", (line) => {
    const [request, ...args] = JSON.parse(line);
    socket.emit(request, ...args, (answer) => say({ answer, request }));
  })
  .on("close", () => process.exit());
