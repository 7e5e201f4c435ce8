// A program as wizards of old test their manager with: by plain node, one check after the other, each seen
// right after the call that it is of. The first of two; they share a daemon.
"use strict";

const assert = require("node:assert/strict");
const { BackgroundTaskManager } = require(process.env.PACKAGE);
const { until } = require("./until.cjs");

const events = [];
const io = { emit: (event, data) => events.push({ event, data }) };
const names = (id) => events.filter(({ data }) => data.taskId === id).map(({ event }) => event);
const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
let manager, node, completed = 0;

const CHECKS = {
  "it is made with an io, and without": () => {
    manager = new BackgroundTaskManager(io);
    assert.ok(manager.tasks instanceof Map && manager.intervals instanceof Map);
    assert.deepEqual([manager.tasks.size, manager.intervals.size, manager.io, manager.getAllTasks()], [0, 0, io, []]);
    assert.equal(manager.getTask("none"), null);
    const bare = new BackgroundTaskManager();
    assert.deepEqual([bare.io, bare.shutdown()], [null, { success: true, tasksCleaned: 0 }]);
  },
  "a node's sync is registered": async () => {
    const answer = await manager.registerNodeSyncTask({
      service: "kaspa-node", host: "localhost", port: 16197, checkInterval: 1000, onComplete: () => sleep(300).then(() => (completed += 1)),
    });
    assert.equal(answer.success, true, answer.error);
    node = answer.taskId;
    assert.ok(node.startsWith("node-sync-kaspa-node"));
    assert.deepEqual([answer.task.status, answer.task.progress, answer.task.config.autoSwitch], ["pending", 0, true]);
  },
  "a task with its own checker is registered": async () => {
    const statusChecker = async () => ({ completed: false, progress: 50, metadata: { step: "half" } });
    const answer = await manager.registerTask({ id: "custom", type: "custom", service: "test", checkInterval: 1000, statusChecker });
    assert.deepEqual([answer.success, answer.taskId, answer.task.type], [true, "custom", "custom"]);
  },
  "all, by type, by service, by id": () => {
    assert.equal(manager.getAllTasks().length, 2);
    assert.deepEqual(manager.getAllTasks().map(({ id }) => id), [node, "custom"]);
    assert.deepEqual([manager.getTasksByType("node-sync").length, manager.getTasksByType("custom").length], [1, 1]);
    assert.deepEqual(manager.getTasksByService("test"), [manager.getTask("custom")]);
    assert.equal(manager.tasks.get("custom"), manager.getTask("custom"));
  },
  "twice is refused, and so is what is not whole": async () => {
    assert.deepEqual(await manager.registerTask({ id: "custom", type: "custom", service: "test" }), { success: false, error: "Task custom already registered" });
    assert.equal((await manager.registerTask({ id: "x" })).error, "Missing required fields: id, type, service");
  },
  "monitoring starts, and is told": async () => {
    for (const id of [node, "custom"]) assert.equal((await manager.startMonitoring(id)).success, true);
    assert.deepEqual([names(node)[0], names("custom")], ["sync:start", ["sync:start"]]);
    assert.deepEqual([manager.getTask("custom").status, manager.intervals.has("custom"), manager.intervals.size], ["in-progress", true, 2]);
    assert.equal((await manager.startMonitoring("custom")).success, false);
  },
  "progress is told within the interval": async () => {
    await until(() => names("custom").includes("sync:progress"));
    const { data } = events.find(({ event, data: { taskId } }) => event === "sync:progress" && taskId === "custom");
    assert.deepEqual([data.progress, data.step, data.service], [50, "half", "test"]);
    assert.ok(manager.getTask("custom").lastChecked && manager.getTask("custom").lastUpdate);
  },
  "it is looked at by hand": async () => {
    const { success, status } = await manager.checkTaskStatus("custom");
    assert.deepEqual([success, status.progress], [true, 50]);
    assert.equal((await manager.checkTaskStatus(node)).success, false); // nobody is there
    assert.equal((await manager.checkTaskStatus("none")).success, false);
  },
  "complete: onComplete has run and the node is ready when it returns": async () => {
    assert.equal((await manager.completeTask(node)).success, true);
    assert.deepEqual([manager.getTask(node).status, completed], ["complete", 1]);
    assert.equal(events.filter(({ event }) => event === "sync:complete").length, 1);
    const ready = events.filter(({ event }) => event === "node:ready").map(({ data }) => data);
    assert.deepEqual(ready.map(({ service, host, port }) => [service, host, port]), [["kaspa-node", "localhost", 16197]]);
  },
  "an error is told": async () => {
    await manager.registerTask({ id: "wrong", type: "custom", service: "test" });
    assert.deepEqual(await manager.errorTask("wrong", "Test error"), { success: true, taskId: "wrong", error: "Test error" });
    assert.deepEqual([manager.getTask("wrong").status, manager.getTask("wrong").error, names("wrong").at(-1)], ["error", "Test error", "sync:error"]);
  },
  "cancelled it is gone": async () => {
    assert.equal((await manager.cancelTask("custom")).success, true);
    assert.deepEqual([manager.getTask("custom"), manager.intervals.has("custom"), names("custom").at(-1)], [null, false, "sync:cancelled"]);
  },
  "durations": () => {
    assert.deepEqual(manager.calculateDuration("2024-01-01T00:00:00Z", "2024-01-01T02:30:45Z"), { seconds: 9045, minutes: 150, hours: 2, formatted: "2 hours 30 min" });
    assert.deepEqual([30, 90, 3660].map((s) => manager.formatDuration(s)), ["30 seconds", "1 minute 30s", "1 hour 1 min"]);
  },
  "what is old is cleaned up": () => {
    const at = new Date(Date.now() - 7_200_000).toISOString();
    manager.getTask("wrong").erroredAt = at;
    manager.tasks.set("put", { id: "put", type: "custom", service: "test", status: "complete", completedAt: at });
    assert.deepEqual(manager.cleanupOldTasks(3_600_000), { success: true, cleaned: 2 });
    assert.deepEqual([manager.getTask("put"), manager.getTask("wrong")], [null, null]);
  },
  "shutdown lets go of all": () => {
    assert.deepEqual(manager.shutdown(), { success: true, tasksCleaned: 1 });
    assert.deepEqual([manager.tasks.size, manager.intervals.size], [0, 0]);
  },
};

exports.run = async (checks) => {
  for (const [name, check] of Object.entries(checks)) {
    await check();
    console.log(name);
  }
  process.exit(0);
};

if (require.main === module) exports.run(CHECKS);
