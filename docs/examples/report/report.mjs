// A long job that reports to kaspad-taskd how far it is, and how it ended, whatever ends it:
//   node report.mjs TASK PARTS COMMAND [ARG...]
// runs COMMAND ARG... 1, then 2, up to PARTS. TASK is the id of a task of type report.
// Over the socket of this host; from another one over the bridge, with socket.io-client 4:
//   TASKD=http://node-1:3080 TASKD_TOKEN_FILE=token node report.mjs ...
import { spawn } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { connect } from "node:net";

const [task, parts, command, ...args] = process.argv.slice(2);
if (!command) {
  console.error("usage: node report.mjs TASK PARTS COMMAND [ARG...]");
  process.exit(2);
}
const { TASKD, TASKD_TOKEN_FILE, XDG_RUNTIME_DIR } = process.env;
const PATIENCE = 5000; // ms

// Both ways answer with { result } or { error }.
async function overSocket() {
  const path = ["/run/kaspad-taskd/rpc.sock", `${XDG_RUNTIME_DIR}/kaspad-taskd/rpc.sock`].find(existsSync);
  return (method, params) =>
    new Promise((resolve, reject) => {
      const socket = connect(path ?? "/run/kaspad-taskd/rpc.sock").on("error", reject);
      socket.setTimeout(PATIENCE, () => socket.destroy(new Error("no answer")));
      let answer = "";
      socket.setEncoding("utf8").on("data", (part) => {
        answer += part;
        if (!answer.endsWith("\n")) return;
        socket.end();
        resolve(JSON.parse(answer));
      });
      socket.write(JSON.stringify({ jsonrpc: "2.0", id: 1, method, params }) + "\n");
    });
}

async function overBridge() {
  const { io } = await import("socket.io-client");
  const token = () => readFileSync(TASKD_TOKEN_FILE, "utf8").trim();
  const socket = io(TASKD, { auth: (tell) => tell(existsSync(TASKD_TOKEN_FILE) ? { token: token() } : {}) });
  return (method, params) => socket.timeout(PATIENCE).emitWithAck("rpc", { method, params });
}

const ask = await (TASKD ? overBridge() : overSocket());

// The job does not depend on kaspad-taskd: what is not taken is made up for by the next report.
async function call(method, params) {
  const { error } = await ask(method, { taskId: task, ...params }).catch((error) => ({ error }));
  if (error) console.error(`${method}: ${error.message}`);
}

let child;
let stopped; // the signal that ends the job
for (const signal of ["SIGTERM", "SIGINT", "SIGHUP"])
  process.on(signal, () => {
    stopped = signal;
    child?.kill();
  });

function run(part) {
  return new Promise((resolve, reject) => {
    child = spawn(command, [...args, String(part)], { stdio: "inherit" })
      .on("error", reject)
      .on("exit", (code, signal) =>
        code === 0 ? resolve() : reject(new Error(`ended with ${stopped ?? signal ?? code}`)));
  });
}

let part = 0;
let code = 0;
await call("retryTask"); // after a failure a new attempt; else refused, which is fine
await call("reportTask", { progress: 0 });
try {
  while (part < parts && !stopped) {
    part += 1;
    await run(part);
    await call("reportTask", { progress: Math.floor((100 * part) / parts), metadata: { part } });
  }
  if (stopped) throw new Error(`ended with ${stopped}`);
  await call("reportTask", { completed: true });
} catch (fault) {
  code = 1;
  await call("reportTask", { error: `${fault.message} at part ${part} of ${parts}` });
}
process.exit(code);
