// A wizard's server without a network: its manager, a pretended io, and a file that says how far the work
// is. It is told what to do by lines, and answers with what came of it.
"use strict";

const { readFileSync } = require("node:fs");
const { createInterface } = require("node:readline");
const { BackgroundTaskManager } = require("../../packaging/npm");

const [path, file] = process.argv.slice(2);
const told = [], ended = [];
const io = { emit: (name, payload) => told.push([name, payload]) };
const manager = new BackgroundTaskManager(io, { path });
const statusChecker = () => JSON.parse(readFileSync(file, "utf8"));
const onComplete = (task, { attempt }) => void ended.push([task.id, attempt]);

const DO = {
  ready: async () => Boolean(await manager.ready),
  register: ({ id, looks }) =>
    manager.registerTask({ id, type: "custom", service: "work", checkInterval: 100, onComplete, ...(looks ? { statusChecker } : {}) }),
  start: ({ id }) => manager.startMonitoring(id),
  get: ({ id }) => manager.getTask(id),
  told: () => ({ told, ended }),
};

createInterface({ input: process.stdin }).on("line", async (line) => {
  const { what, ...given } = JSON.parse(line);
  console.log(JSON.stringify(await DO[what](given)));
});
