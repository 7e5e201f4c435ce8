// A wizard of old: one Socket.IO connection carries the installation and the tasks. Its task manager is
// kaspad-taskd's; nothing else changes, its page (page.js) not at all.
//   npm install socket.io /usr/share/nodejs/kaspad-taskd/kaspad-taskd.tgz
//   node server.cjs --port 3000
"use strict";

const { readFileSync } = require("node:fs");
const { createServer } = require("node:http");
const { join } = require("node:path");
const { parseArgs } = require("node:util");
const { Server } = require("socket.io");
const { BackgroundTaskManager } = require("kaspad-taskd"); // was: require("./utils/background-task-manager")

const { values: options } = parseArgs({
  options: { port: { type: "string", default: "3000" }, lasting: { type: "string", default: "30000" } },
});
const FILES = { "/": ["index.html", "text/html"], "/page.js": ["page.js", "text/javascript"] };
const POLICY = "default-src 'none'; script-src 'self'; connect-src 'self' ws: wss:; img-src 'self' data:; style-src 'self'";

const server = createServer((request, answer) => {
  const [file, type] = FILES[request.url.split("?")[0]] ?? [];
  if (!file) return answer.writeHead(404).end();
  answer.writeHead(200, { "content-type": type, "content-security-policy": POLICY });
  return answer.end(readFileSync(join(__dirname, file)));
});
const io = new Server(server);
const manager = new BackgroundTaskManager(io, { lasting: Number(options.lasting) });

/** Registers a task that a page asks for, says so, then begins to watch. */
async function register({ type, service, config }) {
  if (type === "node-sync") return manager.registerNodeSyncTask({ service, ...config, onComplete: ready });
  if (type === "indexer-sync") return manager.registerIndexerSyncTask({ service, ...config });
  return { success: false, error: `Unknown task type: ${type}` };
}

function ready(task, { attempt }) {
  console.log(`ready: ${task.id} ${attempt}`); // here a wizard points its services to the node
}

io.on("connection", (socket) => {
  socket.on("install:start", async ({ profiles }) => {
    for (const [n, profile] of profiles.entries()) {
      io.emit("install:progress", { stage: profile, progress: (100 * (n + 1)) / profiles.length });
    }
    io.emit("install:complete", { profiles });
  });
  socket.on("task:register", async (data) => {
    const { success, error, taskId, task } = await register(data);
    if (!success) return socket.emit("task:error", { error });
    socket.emit("task:registered", { taskId, task });
    const begun = await manager.startMonitoring(taskId);
    if (!begun.success) return socket.emit("task:error", { error: begun.error });
    const strategy = await manager.getSyncStrategy(taskId);
    return strategy.success && socket.emit("sync:required", strategy);
  });
  socket.on("task:status", ({ taskId }) => {
    const task = manager.getTask(taskId);
    if (task) socket.emit("task:status:response", { task });
    else socket.emit("task:error", { error: `Task ${taskId} not found` });
  });
  socket.on("tasks:list", () => socket.emit("tasks:list:response", { tasks: manager.getAllTasks() }));
  socket.on("task:cancel", async ({ taskId }) => {
    const { success, error } = await manager.cancelTask(taskId);
    socket.emit(success ? "task:cancelled" : "task:error", success ? { taskId } : { error });
  });
  manager.serve(socket); // new: the buttons of the sync dialog, which nobody heard
});

server.listen(Number(options.port), "127.0.0.1", () => console.log(`http://127.0.0.1:${server.address().port}/`));
