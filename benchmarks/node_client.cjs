// One process of the benchmark: `node node_client.cjs ROLE TASKS SECONDS [SOCKET | PORT]`. After a warm-up
// it says what SECONDS have cost: CPU seconds, MiB resident (on average: at one moment they are what the
// collector of garbage has left), and how many changes browsers were told.
"use strict";

const { EventEmitter } = require("node:events");
require("node:net");

const [role, tasks, seconds, where] = process.argv.slice(2);
const WARM_UP = 30_000; // by then each has taken what it takes for long
let told = 0;
const io = { emit: () => (told += 1) };

/** A wizard's manager as of old: a timer, an object and a look for each task. */
class Old extends EventEmitter {
  tasks = new Map();

  begin(id, look) {
    const at = new Date().toISOString();
    const task = {
      id, type: "node-sync", service: id, config: { host: "localhost", port: where, autoSwitch: true, timeout: 5000 },
      checkInterval: 1000, status: "in-progress", progress: 0, startedAt: at, lastChecked: null, lastUpdate: null,
      error: null, metadata: {},
    };
    this.tasks.set(id, task);
    setTimeout(() => setInterval(() => this.look(task, look), 1000), Math.random() * 1000);
  }

  async look(task, look) {
    task.lastChecked = new Date().toISOString();
    const status = await look(task);
    task.progress = status.progress || 0;
    task.metadata = { ...task.metadata, ...status.metadata };
    task.lastUpdate = new Date().toISOString();
    const data = { taskId: task.id, service: task.service, type: task.type, progress: task.progress, ...task.metadata };
    io.emit("sync:progress", { timestamp: new Date().toISOString(), ...data });
    this.emit("sync:progress", data);
  }
}

/** Of old: each of the tasks with this look. */
function manage(look) {
  const old = new Old();
  for (let id = 0; id < tasks; id += 1) old.begin(`node-${id}`, look);
}

const metadataOf = (n) => ({
  connected: true, synced: false, currentBlock: 4e8 + n, targetBlock: 4e8 + 1e6, blocksRemaining: 1e6 - n,
  estimatedTimeRemaining: 3600 - n, syncRate: 412.5, formattedTimeRemaining: "59 minutes",
});

const ROLES = {
  bare: () => setInterval(() => {}, 1000),
  ours: () => {
    const { BackgroundTaskManager } = require("../packaging/npm");
    new BackgroundTaskManager(io, { path: where }).socket.ref();
  },
  // what a look answers is there already: nothing is asked
  timers: () => {
    let n = 0;
    manage(async () => ({ completed: false, progress: (n += 1) % 100, metadata: metadataOf(n) }));
  },
  // each look asks over HTTP, as the one of old did; the other side answers at once
  looks: () => {
    const { get } = require("node:http");
    manage(() =>
      new Promise((resolve) => {
        get({ host: "127.0.0.1", port: where, timeout: 5000 }, (answer) => {
          let text = "";
          answer.on("data", (chunk) => (text += chunk));
          answer.on("end", () => resolve({ completed: false, progress: 42, metadata: JSON.parse(text) }));
        }).on("error", (error) => resolve({ completed: false, progress: 0, metadata: { message: error.message } }));
      }));
  },
};

ROLES[role]();
setTimeout(() => {
  told = 0;
  const before = process.cpuUsage(), resident = [];
  setInterval(() => resident.push(process.memoryUsage.rss()), 250);
  setTimeout(() => {
    const { user, system } = process.cpuUsage(before);
    const mib = resident.reduce((sum, one) => sum + one, 0) / resident.length / 2 ** 20;
    console.log(JSON.stringify({ cpu: (user + system) / 1e6, mib, told }));
    process.exit(0);
  }, seconds * 1000);
}, WARM_UP);
