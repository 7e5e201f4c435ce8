// Ours against the table of what it replaces: on a real daemon and a node that is in sync (NODE, host:port).
"use strict";

const assert = require("node:assert/strict");
const { EventEmitter } = require("node:events");
const { after, before, test } = require("node:test");
const { BackgroundTaskManager } = require(process.env.PACKAGE);
const { FIELDS, METHODS, NODE, PAYLOADS, READ, TASK } = require("./table.cjs");
const { until } = require("./until.cjs");

const told = [];
const io = { emit: (name, payload) => told.push([name, JSON.parse(JSON.stringify(payload))]) };
const manager = new BackgroundTaskManager(io);
const [host, port] = process.env.NODE.split(":");
const of = (name, id) => told.find(([one, payload]) => one === name && (!id || payload.taskId === id))?.[1];
const came = (holds) => until(holds, () => JSON.stringify(told.slice(-3)));

const custom = (id, statusChecker) => ({ id, type: "custom", service: "work", config: {}, checkInterval: 100, statusChecker });
const answers = {};

/** Calls a method, and keeps what it gave. */
function ask(method, ...given) {
  const answer = manager[method](...given);
  (answers[method] ??= []).push(answer);
  return answer;
}

before(async () => {
  ask("setSocketIO", io);
  const { taskId } = await ask("registerNodeSyncTask", { service: "kaspa-node", host, port: Number(port), autoSwitch: true, checkInterval: 250 });
  await ask("startMonitoring", taskId);
  await came(() => of("node:ready"));
  const indexer = await ask("registerIndexerSyncTask", { service: "thing", indexerUrl: "http://127.0.0.1:9" });
  const migration = await manager.registerTask({ id: "migration", type: "database-migration", service: "db" });
  await ask("registerTask", custom("moves", async () => ({ completed: false, progress: 4 })));
  await ask("startMonitoring", "moves");
  await ask("checkTaskStatus", "moves");
  for (const id of ["completes", "fails", "goes"]) await manager.registerTask(custom(id));
  await ask("completeTask", "completes");
  await ask("errorTask", "fails", "it <failed>");
  await ask("cancelTask", "goes");
  ask("stopMonitoring", "moves");
  ask("getTask", "moves");
  ask("getAllTasks");
  ask("getTasksByType", "custom");
  ask("getTasksByService", "work");
  ask("cleanupOldTasks");
  ask("emitTaskEvent", "own", { a: 1 });
  await ask("switchServicesToLocalNode", manager.getTask(taskId));
  ask("calculateDuration", "2026-01-01T00:00:00Z", "2026-01-01T00:00:01Z");
  ask("formatDuration", 1);
  await ask("getDefaultStatusChecker", { type: "odd" });
  await ask("checkNodeSyncStatus", { id: "none", type: "node-sync" });
  await ask("checkIndexerSyncStatus", indexer.task);
  await ask("checkDatabaseMigrationStatus", migration.task);
});
after(() => ask("shutdown"));

for (const [method, { sync = false, answers: fields, ...row }] of Object.entries(METHODS)) {
  test(`${method}: ${sync ? "at once" : "a promise"}${row.differs ? ` (${row.differs})` : ""}`, async () => {
    if (method === "shutdown") return; // the last of all: manager.test.cjs has it
    assert.ok(answers[method]?.length, "it was not asked");
    for (const answer of answers[method]) {
      assert.equal(answer instanceof Promise, !sync);
      const given = await answer;
      if (Array.isArray(fields)) assert.deepEqual(Object.keys(given).sort(), [...fields].sort());
      else if ("answers" in METHODS[method]) assert.equal(given, undefined);
    }
  });
}

test("each public method is in the table, or is ours", () => {
  const ours = ["constructor", "socket", "serve", "pauseTask", "resumeTask", "recordDecision", "getSyncStrategy"];
  const names = Object.getOwnPropertyNames(BackgroundTaskManager.prototype).filter((name) => !ours.includes(name));
  assert.deepEqual(names.sort(), Object.keys(METHODS).sort());
  assert.ok(manager instanceof EventEmitter);
});

test("its fields", () => {
  const bare = new BackgroundTaskManager();
  for (const [name, what] of Object.entries(FIELDS)) {
    const [value] = [what].flat();
    if (typeof value === "function") assert.ok(bare[name] instanceof value, name);
    else assert.equal(bare[name], value, name);
  }
  bare.shutdown();
});

test(`a task (${TASK.differs})`, () => {
  for (const task of manager.getAllTasks()) {
    hasTypes(task, TASK.fields);
    const ends = { complete: ["completedAt"], error: ["erroredAt"] }[task.status] ?? [];
    assert.deepEqual(Object.keys(task).sort(), [...Object.keys(TASK.fields), ...TASK.more, ...ends].sort(), task.id);
  }
});

for (const [name, { fields, more, differs }] of Object.entries(PAYLOADS)) {
  test(`${name}: ${fields.join(", ")}; and ${more.join(", ")} (${differs})`, () => {
    const { timestamp } = of(name);
    assert.equal(new Date(timestamp).toISOString(), timestamp);
    for (const payload of told.filter(([one]) => one === name).map(([, payload]) => payload)) {
      for (const field of fields) assert.ok(field in payload, `${field} of ${JSON.stringify(payload)}`);
      for (const field of READ[name] ?? []) assert.notEqual(payload[field], undefined, field);
    }
    const plain = { "sync:complete": "completes", "sync:error": "fails", "sync:cancelled": "goes", "sync:start": "moves", "sync:progress": "moves" }[name];
    assert.deepEqual(Object.keys(of(name, plain)).sort(), [...fields, ...more].sort());
  });
}

test("the events of a node's sync, in their order, with the numbers that a page formats", () => {
  const id = "node-sync-kaspa-node";
  const names = told.filter(([name, { taskId, service }]) => taskId === id || (name === "node:ready" && service === "kaspa-node")).map(([name]) => name);
  const once = names.filter((name, n) => name !== names[n - 1]);
  assert.deepEqual(once.slice(0, 4), ["sync:start", "sync:progress", "sync:complete", "node:ready"]);
  const moved = told.filter(([name, { taskId }]) => name === "sync:progress" && taskId === id).map(([, payload]) => payload);
  assert.ok(moved.every((payload) => typeof payload.syncRate === "number" && payload.currentBlock !== null));
  hasTypes(moved.at(-1), NODE);
  hasTypes(of("sync:complete", id), NODE);
  hasTypes(manager.getTask(id).metadata, NODE);
  const { service, host: where, port: at, message } = of("node:ready");
  assert.deepEqual([service, where, at, message], ["kaspa-node", host, Number(port), "Local node is synced and ready for use"]);
});

test("a node that is complete is kept watch on: it is not cleaned up, and the buttons mean it too", async () => {
  const id = "node-sync-kaspa-node", browser = new EventEmitter();
  manager.serve(browser);
  const press = (event) => new Promise((answer) => browser.emit(event, answer));
  const shown = async () => [manager.getTask(id).watch, (await manager.socket.call("getTask", { taskId: id })).watch];
  await came(() => manager.getTask(id).watch === "on");
  assert.deepEqual(await shown(), ["on", "on"]);
  assert.deepEqual(await press("sync:pause"), { success: true, taskIds: [id] });
  assert.deepEqual(await shown(), ["paused", "paused"]);
  assert.deepEqual(await press("sync:resume"), { success: true, taskIds: [id] });
  assert.deepEqual(await shown(), ["on", "on"]);
  manager.cleanupOldTasks(-60_000);
  assert.deepEqual(await shown(), ["on", "on"]);
  const begun = new Promise((told) => manager.once("sync:start", () => told(manager.getTask(id).watch)));
  await manager.socket.call("retryTask", { taskId: id });
  assert.equal(await begun, "none");
});

function hasTypes(found, types) {
  for (const [name, type] of Object.entries(types)) {
    if (type.endsWith("?") && found[name] === null) continue;
    assert.equal(typeof found[name], type.replace("?", ""), `${name} of ${JSON.stringify(found)}`);
  }
}
