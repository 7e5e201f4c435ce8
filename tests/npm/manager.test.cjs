// The manager in the place of a wizard's own, on a real daemon (KASPAD_TASKD_SOCKET): what the seed's
// programs do with theirs, in the order in which they do it, and what ours promises beyond.
"use strict";

const assert = require("node:assert/strict");
const { EventEmitter, once } = require("node:events");
const { test } = require("node:test");
const { BackgroundTaskManager, TaskdSocket } = require(process.env.PACKAGE);
const { until } = require("./until.cjs");

const daemon = new TaskdSocket().unref();

/** A pretended Socket.IO server: what was told to all browsers. */
class Io {
  told = [];
  emit(name, payload) {
    this.told.push([name, JSON.parse(JSON.stringify(payload))]);
  }
  names(id) {
    return this.told.filter(([, payload]) => !id || payload.taskId === id).map(([name]) => name);
  }
  of(name, id) {
    return this.told.filter(([one, { taskId }]) => one === name && (!id || taskId === id)).map(([, payload]) => payload);
  }
}

let made = 0;
const fresh = (name) => `${name}-${(made += 1)}`;

/** A manager for one test; what it registered does not stay. */
function managed(name, run, io = new Io()) {
  test(name, async () => {
    const manager = new BackgroundTaskManager(io);
    try {
      await run(manager, io);
    } finally {
      manager.shutdown();
    }
  });
}

/** A checker that goes through these answers, and stays at the last; what is an Error is thrown. */
function saying(...answers) {
  const checker = async () => {
    const answer = answers.length > 1 ? answers.shift() : answers[0];
    checker.calls += 1;
    if (answer instanceof Error) throw answer;
    return answer;
  };
  checker.calls = 0;
  return checker;
}

managed("a manager is made with an io, and without", async (manager) => {
  assert.ok(manager instanceof EventEmitter);
  assert.equal(manager.tasks.size, manager.getAllTasks().length);
  assert.equal(manager.defaultCheckInterval, 10_000);
  const bare = new BackgroundTaskManager();
  assert.equal(bare.io, null);
  const io = new Io();
  assert.equal(bare.setSocketIO(io), undefined);
  assert.equal(bare.io, io);
  assert.equal(bare.shutdown().success, true);
});

managed("a node's sync is registered under the daemon's id, and read back at once", async (manager) => {
  const service = fresh("node");
  const answer = await manager.registerNodeSyncTask({ service, host: "localhost", port: 16199, autoSwitch: true, checkInterval: 1_000 });
  assert.equal(answer.success, true, answer.error);
  assert.equal(answer.taskId, `node-sync-${service}`);
  assert.equal(answer.task, manager.getTask(answer.taskId));
  assert.deepEqual(answer.task.config, { host: "localhost", port: 16199, useHttps: false, timeout: 5000, autoSwitch: true });
  const { type, status, progress, checkInterval, lastChecked, error, metadata } = answer.task;
  assert.deepEqual([type, answer.task.service, status, progress, checkInterval, lastChecked, error, metadata],
    ["node-sync", service, "pending", 0, 1_000, null, null, {}]);
  assert.equal(new Date(answer.task.startedAt).toISOString(), answer.task.startedAt);
  assert.ok(manager.getTasksByType("node-sync").includes(answer.task));
  assert.deepEqual(manager.getTasksByService(service), [answer.task]);
  assert.ok(manager.getAllTasks().includes(answer.task));
  const again = await manager.registerNodeSyncTask({ service });
  assert.deepEqual(again, { success: false, error: `Task ${answer.taskId} already registered` });
});

managed("what is missing is said", async (manager) => {
  const error = "Missing required fields: id, type, service";
  for (const wrong of [{}, { id: "a" }, { id: "a", type: "b" }, undefined]) {
    assert.deepEqual(await manager.registerTask(wrong), { success: false, error });
  }
  assert.deepEqual(await manager.registerNodeSyncTask({}), { success: false, error });
  for (const method of ["startMonitoring", "checkTaskStatus", "completeTask", "cancelTask"]) {
    assert.deepEqual(await manager[method]("none"), { success: false, error: "Task none not found" });
  }
  assert.deepEqual(await manager.errorTask("none", "x"), { success: false, error: "Task none not found" });
  assert.deepEqual(manager.stopMonitoring("none"), { success: false, error: "No monitoring interval found for task none" });
  assert.equal(manager.getTask("none"), null);
});

managed("a wizard's own checker runs: start, progress, complete, in the seed's order", async (manager, io) => {
  const id = fresh("custom");
  const local = [];
  for (const name of ["sync:start", "sync:progress", "sync:complete"]) manager.on(name, (data) => local.push([name, data]));
  const statusChecker = saying(
    { completed: false, progress: 25, metadata: { step: "one", list: [1] } },
    { completed: false, progress: 50, metadata: { step: "two" } },
    { completed: true, progress: 100, metadata: { step: "done" } },
  );
  const ended = [];
  const answer = await manager.registerTask({
    id, type: "custom", service: "import", config: { a: { b: 1 } }, checkInterval: 300, statusChecker,
    onComplete: (task, { attempt }) => void ended.push([task.id, attempt, io.names(id).at(-1)]),
  });
  assert.equal(answer.success, true, answer.error);
  assert.deepEqual([answer.task.type, answer.task.config], ["custom", { a: { b: 1 } }]);
  assert.deepEqual(io.names(id), []);
  assert.deepEqual(await manager.startMonitoring(id), { success: true, taskId: id, checkInterval: 300 });
  assert.deepEqual(io.names(id), ["sync:start"]);
  assert.equal(statusChecker.calls, 0);
  assert.deepEqual(await manager.startMonitoring(id), { success: false, error: `Task ${id} already being monitored` });
  assert.equal(answer.task.status, "in-progress");
  await until(() => ended.length);
  assert.deepEqual(io.names(id), ["sync:start", "sync:progress", "sync:progress", "sync:complete"]);
  const [begun] = io.of("sync:start", id), moved = io.of("sync:progress", id), [done] = io.of("sync:complete", id);
  for (const { timestamp, taskId, service, type } of [begun, ...moved, done]) {
    assert.deepEqual([taskId, service, type, new Date(timestamp).toISOString()], [id, "import", "custom", timestamp]);
  }
  assert.deepEqual(moved.map(({ progress, status, step }) => [progress, status, step]), [[25, "in-progress", "one"], [50, "in-progress", "two"]]);
  assert.deepEqual([done.status, done.progress, done.step], ["complete", 100, "done"]);
  assert.deepEqual(done.duration, { ...done.duration, minutes: 0, hours: 0, formatted: `${done.duration.seconds} seconds` });
  assert.ok(done.completedAt);
  assert.deepEqual(local.map(([name]) => name), io.names(id));
  assert.ok(local.every(([, data]) => !("timestamp" in data)));
  assert.deepEqual(ended, [[id, 1, "sync:complete"]]);
  assert.deepEqual([answer.task.status, answer.task.progress, answer.task.metadata.list], ["complete", 100, [1]]);
  assert.equal((await daemon.call("getTask", { taskId: id })).metadata.wizardType, "custom");
  await until(async () => (await daemon.call("getDecisions")).some(({ decision }) => decision === `on-complete ${id} 1`));
});

managed("a look is taken when it is asked for, before monitoring and within", async (manager, io) => {
  const id = fresh("manual");
  const status = { completed: false, progress: 10, metadata: { note: "x" } };
  await manager.registerTask({ id, type: "custom", service: "s", checkInterval: 60_000, statusChecker: saying(status) });
  assert.deepEqual(await manager.checkTaskStatus(id), { success: true, status });
  assert.deepEqual([manager.getTask(id).progress, manager.getTask(id).status], [10, "pending"]);
  await manager.startMonitoring(id);
  assert.deepEqual(await manager.checkTaskStatus(id), { success: true, status });
  assert.equal((await daemon.call("getTask", { taskId: id })).progress, 10);
  assert.deepEqual(io.names(id), ["sync:progress", "sync:start", "sync:progress"]);
});

managed("a look that finds it complete says so", async (manager, io) => {
  const id = fresh("manual");
  const status = { completed: true, progress: 100, metadata: { rows: 4 } };
  await manager.registerTask({ id, type: "custom", service: "s", checkInterval: 60_000, statusChecker: saying(status) });
  await manager.startMonitoring(id);
  assert.deepEqual(await manager.checkTaskStatus(id), { success: true, completed: true, status });
  assert.deepEqual(io.names(id), ["sync:start", "sync:complete"]);
  assert.equal(manager.getTask(id).status, "complete");
  assert.equal(manager.intervals.has(id), false);
});

managed("looks never overlap, and one without an answer has its deadline", async (manager) => {
  const id = fresh("slow");
  let open = 0, most = 0, calls = 0;
  const statusChecker = async (_task, { signal }) => {
    calls += 1;
    most = Math.max(most, (open += 1));
    await new Promise((resolve) => (calls === 3 ? signal.addEventListener("abort", resolve) : setTimeout(resolve, 120)));
    open -= 1;
    return { completed: false, progress: calls };
  };
  await manager.registerTask({ id, type: "custom", service: "s", checkInterval: 50, timeout: 400, statusChecker });
  await manager.startMonitoring(id);
  const both = await Promise.all([manager.checkTaskStatus(id), manager.checkTaskStatus(id)]);
  assert.equal(both[0], both[1]);
  await until(() => calls > 4);
  assert.equal(most, 1);
});

managed("a checker that throws gives an error that is seen, and is not the end", async (manager, io) => {
  const id = fresh("throws");
  const statusChecker = saying(new Error("<b>boom</b>"), new Error("again"), { completed: false, progress: 5 }, { completed: true, progress: 100 });
  await manager.registerTask({ id, type: "custom", service: "s", checkInterval: 200, statusChecker });
  await manager.startMonitoring(id);
  assert.deepEqual(await manager.checkTaskStatus(id), { success: false, error: "&lt;b&gt;boom&lt;/b&gt;" });
  assert.deepEqual([manager.getTask(id).error, manager.getTask(id).health], ["&lt;b&gt;boom&lt;/b&gt;", "unreachable"]);
  assert.equal((await daemon.call("getTask", { taskId: id })).status, "in-progress");
  await until(() => manager.getTask(id).status === "complete");
  assert.deepEqual(io.names(id), ["sync:start", "sync:error", "sync:progress", "sync:complete"]);
  assert.equal(io.of("sync:progress", id)[0].status, "in-progress");
  assert.equal(manager.getTask(id).error, null);
});

managed("an error that a checker tells is the end, told once", async (manager, io) => {
  const id = fresh("fails");
  await manager.registerTask({ id, type: "custom", service: "s", checkInterval: 100, statusChecker: saying({ completed: false, error: "a <bad> row" }) });
  await manager.startMonitoring(id);
  await until(() => manager.getTask(id).status === "error");
  assert.deepEqual(io.names(id), ["sync:start", "sync:error"]);
  assert.equal(io.of("sync:error")[0].error, "a &lt;bad&gt; row");
  assert.equal((await daemon.call("getTask", { taskId: id })).error, "a <bad> row");
  assert.equal((await manager.startMonitoring(id)).success, true); // a next attempt
  assert.equal(manager.getTask(id).attempt, 2);
});

managed("cancelled: told first, then gone; registered anew it is there, and runs", async (manager, io) => {
  const id = fresh("cancel");
  const registration = { id, type: "custom", service: "s", checkInterval: 100, statusChecker: saying({ completed: false, progress: 1 }) };
  await manager.registerTask(registration);
  await manager.startMonitoring(id);
  assert.deepEqual(await manager.cancelTask(id), { success: true, taskId: id });
  assert.equal(io.names(id).at(-1), "sync:cancelled");
  assert.ok(io.of("sync:cancelled")[0].cancelledAt);
  assert.equal(manager.getTask(id), null);
  const again = await manager.registerTask(registration);
  assert.deepEqual([again.success, again.task.status, again.task.progress], [true, "pending", 0]);
  assert.equal((await manager.startMonitoring(id)).success, true);
  assert.equal(manager.getTask(id).status, "in-progress");
  await until(() => manager.getTask(id).progress === 1);
  assert.equal((await manager.cancelTask(id)).success, true);
});

managed("completed by hand, in error by hand; what has ended may be cancelled", async (manager, io) => {
  const [one, other] = [fresh("hand"), fresh("hand")];
  for (const id of [one, other]) await manager.registerTask({ id, type: "custom", service: "s" });
  await manager.startMonitoring(one);
  const done = await manager.completeTask(one, { metadata: { rows: 9, nested: { a: 1 } } });
  assert.deepEqual(done, { success: true, taskId: one, completedAt: manager.getTask(one).completedAt });
  assert.deepEqual([io.of("sync:complete", one)[0].rows, io.of("sync:complete", one)[0].nested], [9, { a: 1 }]);
  assert.deepEqual(await manager.errorTask(other, new Error("no")), { success: true, taskId: other, error: "no" });
  assert.equal(io.of("sync:error", other)[0].error, "no");
  for (const id of [one, other]) {
    assert.deepEqual(await manager.cancelTask(id), { success: true, taskId: id });
    assert.equal(io.names(id).at(-1), "sync:cancelled");
    assert.equal(manager.getTask(id), null);
  }
});

managed("stopped and started again", async (manager) => {
  const id = fresh("stop");
  const statusChecker = saying({ completed: false, progress: 3 });
  await manager.registerTask({ id, type: "custom", service: "s", checkInterval: 60, statusChecker });
  await manager.startMonitoring(id);
  await until(() => statusChecker.calls > 1);
  assert.deepEqual(manager.stopMonitoring(id), { success: true });
  assert.deepEqual(manager.stopMonitoring("x"), { success: false, error: "No monitoring interval found for task x" });
  assert.equal((await manager.startMonitoring(id)).success, true);
  await until(() => manager.getTask(id).status === "in-progress");
  const { calls } = statusChecker;
  await until(() => statusChecker.calls > calls + 1);
});

managed("a type that nobody knows is registered all the same", async (manager) => {
  const id = fresh("odd");
  assert.equal((await manager.registerTask({ id, type: "odd", service: "A service!" })).success, true);
  assert.equal(manager.getTask(id).service, "A service!");
  assert.deepEqual(await manager.checkTaskStatus(id), { success: false, error: "Unknown task type: odd" });
  assert.deepEqual(await manager.getDefaultStatusChecker({ type: "odd" }), { completed: false, progress: 0, error: "Unknown task type: odd" });
  for (const type of ["indexer-sync", "database-migration"]) {
    const stub = fresh("stub");
    const answer = await manager.registerTask({ id: stub, type, service: "thing", config: type === "indexer-sync" ? { indexerUrl: "http://127.0.0.1:8080" } : {} });
    assert.equal(answer.success, true, answer.error);
    const { success, status } = await manager.checkTaskStatus(stub);
    assert.deepEqual([success, status.completed, status.progress, typeof status.metadata.message], [true, false, 0, "string"]);
  }
  const known = await manager.registerIndexerSyncTask({ service: fresh("kasia-indexer"), indexerUrl: "http://127.0.0.1:9" });
  assert.deepEqual([known.success, known.task.config], [true, { indexerUrl: "http://127.0.0.1:9" }]);
});

managed("durations in the seed's words", async (manager) => {
  const table = [
    [0, "0 seconds"], [1, "1 seconds"], [30, "30 seconds"], [59, "59 seconds"], [60, "1 minute"], [61, "1 minute 1s"],
    [90, "1 minute 30s"], [120, "2 minutes"], [3599, "59 minutes 59s"], [3600, "1 hour"], [3660, "1 hour 1 min"],
    [5400, "1 hour 30 min"], [7260, "2 hours 1 min"], [86399, "23 hours 59 min"], [86400, "24 hours"], [90000, "25 hours"],
    [172800, "48 hours"], [59.6, "59.6 seconds"], [-5, "-5 seconds"], [NaN, "NaN hours"], [null, "null seconds"], [undefined, "NaN hours"],
  ];
  for (const [seconds, text] of table) assert.equal(manager.formatDuration(seconds), text);
  const duration = manager.calculateDuration("2026-01-01T00:00:00.000Z", "2026-01-01T02:30:45.900Z");
  assert.deepEqual(duration, { seconds: 9045, minutes: 150, hours: 2, formatted: "2 hours 30 min" });
});

managed("what ended long ago is cleaned up, of what ended just now nothing", async (manager) => {
  const id = fresh("old");
  await manager.registerTask({ id, type: "custom", service: "s" });
  await manager.completeTask(id);
  assert.deepEqual(manager.cleanupOldTasks(), { success: true, cleaned: 0 });
  manager.getTask(id).completedAt = new Date(Date.now() - 7_200_000).toISOString();
  assert.deepEqual(manager.cleanupOldTasks(3_600_000), { success: true, cleaned: 1 });
  assert.equal(manager.getTask(id), null);
  await until(async () => (await daemon.call("getTask", { taskId: id })) === null);
});

managed("a node that does not answer is told as one that browsers of old can show", async (_manager, io) => {
  const manager = new BackgroundTaskManager(io, { lasting: 50 });
  const service = fresh("node");
  const { taskId } = await manager.registerNodeSyncTask({ service, port: 16198, checkInterval: 500, timeout: 30_000 });
  await manager.startMonitoring(taskId);
  const shown = await until(() => io.of("sync:progress", taskId).find(({ status }) => status === "error"));
  assert.match(shown.message, /localhost:16198 refuses/);
  assert.deepEqual([shown.progress, shown.service], [0, service]);
  assert.equal(manager.getTask(taskId).status, "in-progress");
  const { success, error } = await manager.checkTaskStatus(taskId);
  assert.deepEqual([success, /refuses/.test(error)], [false, true]);
  manager.shutdown();
});

managed("after a restart of the wizard the task stands, and onComplete is not called twice", async (manager, io) => {
  const id = fresh("again");
  const calls = [];
  const registration = (name) => ({
    id, type: "custom", service: "s", checkInterval: 100, statusChecker: saying({ completed: false, progress: 40 }, { completed: true }),
    onComplete: (_task, { attempt }) => void calls.push(`${name} ${attempt}`),
  });
  await manager.registerTask(registration("first"));
  await manager.startMonitoring(id);
  await until(() => manager.getTask(id).progress === 40);
  manager.shutdown();
  const second = new BackgroundTaskManager(io);
  await second.ready;
  assert.deepEqual([second.getTask(id).progress, second.getTask(id).type, second.getTasksByType("custom").length > 0], [40, "custom", true]);
  const answer = await second.registerTask(registration("second"));
  assert.deepEqual([answer.success, answer.task.status], [true, "in-progress"]);
  assert.equal((await second.startMonitoring(id)).success, true);
  await until(() => calls.length);
  await until(async () => (await daemon.call("getDecisions")).some(({ decision }) => decision === `on-complete ${id} 1`));
  second.shutdown();
  const third = new BackgroundTaskManager(io);
  assert.equal((await third.registerTask(registration("third"))).task.status, "complete");
  assert.equal((await third.startMonitoring(id)).success, true);
  await daemon.call("retryTask", { taskId: id });
  await until(() => calls.length === 2);
  assert.deepEqual(calls, ["second 1", "third 2"]);
  third.shutdown();
});

managed("an onComplete that did not return is called again by the next process", async (manager, io) => {
  const id = fresh("broke");
  const wrong = console.error;
  console.error = () => {};
  let calls = 0;
  const registration = { id, type: "custom", service: "s" };
  await manager.registerTask({ ...registration, onComplete: () => { calls += 1; throw new Error("broke"); } });
  await manager.completeTask(id);
  await until(() => calls === 1);
  const second = new BackgroundTaskManager(io);
  await second.registerTask({ ...registration, onComplete: () => void (calls += 1) });
  await until(() => calls === 2);
  console.error = wrong;
  second.shutdown();
});

managed("buttons that nobody handled are served", async (manager, io) => {
  const browser = new EventEmitter();
  manager.serve(browser);
  const errors = [];
  browser.on("task:error", (error) => errors.push(error));
  const service = fresh("node");
  const { taskId } = await manager.registerNodeSyncTask({ service, port: 16197 });
  await manager.startMonitoring(taskId);
  const ask = (event, ...given) => new Promise((answer) => browser.emit(event, ...given, answer));
  assert.equal((await ask("sync:pause", { taskId })).success, true);
  assert.equal(manager.getTask(taskId).status, "paused");
  assert.equal(io.of("sync:progress", taskId).at(-1).status, "paused");
  assert.ok((await ask("sync:resume")).taskIds.includes(taskId));
  assert.equal(manager.getTask(taskId).status, "in-progress");
  assert.equal((await ask("sync:strategy-chosen", { choice: "wait", nodeKey: service })).success, true);
  const decision = (await daemon.call("getDecisions")).findLast((one) => one.decision === "sync-strategy");
  assert.deepEqual(decision.context, { choice: "wait", nodeKey: service });
  assert.equal((await ask("sync:pause", { taskId: "none" })).success, false);
  assert.deepEqual(errors.map(({ request, taskId }) => [request, taskId]), [["sync:pause", "none"]]);
});

managed("who connects is told how everything is", async (manager) => {
  class Server extends EventEmitter {}
  const io = new Server();
  manager.setSocketIO(io);
  manager.setSocketIO(io);
  const id = fresh("greeted");
  await manager.registerTask({ id, type: "custom", service: "s" });
  await manager.completeTask(id, { metadata: { text: "<i>" } });
  const told = [];
  io.emit("connection", { emit: (name, payload) => told.push([name, payload]) });
  const mine = told.filter(([, { taskId }]) => taskId === id);
  assert.equal(mine.length, 1);
  assert.deepEqual([mine[0][0], mine[0][1].status, mine[0][1].progress], ["sync:progress", "complete", 100]);
});

test("who connects before anything is known is told as soon as it is", async () => {
  const id = fresh("early");
  await daemon.call("registerTask", { id, type: "report", service: "s" });
  const told = [];
  const io = Object.assign(new EventEmitter(), {
    emit: (name, ...given) => (name === "connection" ? EventEmitter.prototype.emit.call(io, name, ...given) : told.push(given[0].taskId)),
  });
  const manager = new BackgroundTaskManager(io);
  io.emit("connection", { emit: () => assert.fail("nothing is known yet") });
  await manager.ready;
  await until(() => told.includes(id));
  manager.shutdown();
});

test("without a daemon each answer says so, with the cure; it goes on trying", async () => {
  const manager = new BackgroundTaskManager(new Io(), { path: "/nowhere/rpc.sock" });
  const { success, error } = await manager.registerTask({ id: "a", type: "b", service: "c" });
  assert.equal(success, false);
  assert.match(error, /cannot reach kaspad-taskd: it has no socket at \/nowhere\/rpc.sock. Start it: /);
  assert.equal((await manager.cancelTask("a")).error, error);
  assert.deepEqual(manager.getAllTasks(), []);
  assert.deepEqual(manager.cleanupOldTasks(), { success: true, cleaned: 0 });
  assert.equal(manager.stopMonitoring("a").success, false);
  const stay = setInterval(() => {}, 1_000); // a manager without tasks holds no process
  await once(manager.socket, "disconnect");
  clearInterval(stay);
  assert.deepEqual(manager.shutdown(), { success: true, tasksCleaned: 0 });
});

test("shutdown lets go of the daemon, not of its tasks, and says how many", async () => {
  const manager = new BackgroundTaskManager(new Io());
  const id = fresh("stays");
  await manager.registerTask({ id, type: "custom", service: "s" });
  await manager.startMonitoring(id);
  const count = manager.tasks.size;
  assert.deepEqual(manager.shutdown(), { success: true, tasksCleaned: count });
  assert.equal(manager.tasks.size, 0);
  assert.equal((await daemon.call("getTask", { taskId: id })).status, "in-progress");
  assert.equal((await manager.registerTask({ id: "x", type: "y", service: "z" })).success, false);
});
