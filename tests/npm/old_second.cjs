// The second such program: what a whole server does with its manager.
"use strict";

const assert = require("node:assert/strict");
const { BackgroundTaskManager } = require(process.env.PACKAGE);
const { run } = require("./old_first.cjs");
const { until } = require("./until.cjs");

const events = [];
const manager = new BackgroundTaskManager();
const names = (id) => events.filter(([, data]) => data.taskId === id).map(([event]) => event);
const custom = (id, statusChecker, more) => ({ id, type: "custom", service: id, checkInterval: 100, statusChecker, ...more });

run({
  "its io comes later": () => {
    manager.setSocketIO({ emit: (event, data) => events.push([event, data]) });
    manager.emitTaskEvent("test:event", { a: 1 });
    assert.deepEqual([events[0][0], events[0][1].a, typeof events[0][1].timestamp], ["test:event", 1, "string"]);
  },
  "several at once": async () => {
    let looks = 0;
    const ids = ["one", "two", "three", "four"];
    const answers = await Promise.all(ids.map((id) => manager.registerTask(custom(id, async () => ({ completed: (looks += 1) > 9, progress: 10 * looks })))));
    assert.deepEqual(answers.map(({ success }) => success), ids.map(() => true));
    assert.deepEqual(ids.map((id) => manager.getTask(id).status), ids.map(() => "pending"));
    assert.deepEqual((await Promise.all(ids.map((id) => manager.startMonitoring(id)))).map(({ success }) => success), ids.map(() => true));
    await until(() => ids.every((id) => names(id).includes("sync:complete")));
  },
  "a checker that throws is seen": async () => {
    await manager.registerTask(custom("throws", async () => { throw new Error("Checker failed"); }));
    await manager.startMonitoring("throws");
    await until(() => names("throws").includes("sync:error"));
    assert.deepEqual([manager.getTask("throws").status, manager.getTask("throws").error], ["error", "Checker failed"]);
    assert.equal((await manager.checkTaskStatus("throws")).error, "Checker failed");
    assert.equal((await manager.cancelTask("throws")).success, true);
  },
  "onComplete has run when a look by hand that ends it returns": async () => {
    const called = [];
    await manager.registerTask(custom("ends", async () => ({ completed: true, progress: 100 }), { checkInterval: 60_000, onComplete: (task) => void called.push(task.id) }));
    await manager.startMonitoring("ends");
    assert.equal((await manager.checkTaskStatus("ends")).completed, true);
    assert.deepEqual(called, ["ends"]);
  },
  "an indexer's, and looks of the usual kinds at what is not registered": async () => {
    const { success, taskId } = await manager.registerIndexerSyncTask({ service: "some-indexer", indexerUrl: "http://localhost:3999" });
    assert.deepEqual([success, taskId.startsWith("indexer-sync-some-indexer")], [true, true]);
    for (const [method, type] of [["checkIndexerSyncStatus", "indexer-sync"], ["checkDatabaseMigrationStatus", "database-migration"]]) {
      const status = await manager[method]({ id: "none", type, service: "x", config: {} });
      assert.deepEqual([status.completed, status.progress, typeof status.metadata?.message], [false, 0, "string"]);
    }
  },
  "stopped, it is not looked at": async () => {
    await manager.registerTask(custom("stops", async () => ({ completed: false, progress: 1 })));
    await manager.startMonitoring("stops");
    assert.deepEqual(manager.stopMonitoring("stops"), { success: true });
    assert.equal(manager.getTask("stops").status, "in-progress");
    assert.equal(manager.stopMonitoring("none").success, false);
  },
  "shutdown": () => assert.equal(manager.shutdown().success, true),
});
