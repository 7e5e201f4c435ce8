// The manager on a scripted daemon whose answers and events come in an order of the test's: what is older
// undoes nothing that is newer.
"use strict";

const assert = require("node:assert/strict");
const { test } = require("node:test");
const { BackgroundTaskManager } = require(process.env.PACKAGE);
const { Daemon, no } = require("./scripted.cjs");
const { until } = require("./until.cjs");

const AT = "2026-01-01T00:00:00.000Z";
const OF = { id: "job", type: "custom", service: "job", checkInterval: 50 };

/** The daemon, with one task of type `report`, whose state its answers tell. */
class One extends Daemon {
  task = null;
  seq = 0;
  late = []; // requests that are answered later

  constructor(held) {
    super();
    this.held = held;
    const changed = (task) => {
      Object.assign(this.task, task, { revision: this.task.revision + 1 });
      return { success: true, task: { ...this.task } };
    };
    Object.assign(this.answers, {
      ping: () => ({ pong: true, seq: this.seq }),
      subscribe: () => ({ seq: 0, journal: "j", tasks: [] }),
      getTask: () => this.task && { ...this.task },
      registerTask: () => {
        this.task = blank();
        return { success: true, taskId: "job", task: { ...this.task } };
      },
      startMonitoring: () => changed({ status: "in-progress", startedAt: AT }),
      pauseTask: () => changed({ status: "paused" }),
      resumeTask: () => changed({ status: "in-progress" }),
      reportTask: ({ completed }) => (completed ? changed({ status: "complete", completedAt: AT }) : changed({})),
    });
  }

  answer(line, request) {
    if (request.method === this.held) this.late.push([line, request]);
    else super.answer(line, request);
  }

  /** All that is said in `act` comes at once. */
  together(act) {
    const lines = [...this.lines];
    for (const line of lines) line.cork();
    act();
    for (const line of lines) line.uncork();
  }

  happens(event, data = {}) {
    this.seq += 1;
    this.tell(this.seq, event, { timestamp: AT, taskId: "job", ...data });
  }
}

function blank() {
  return {
    ...OF, type: "report", config: {}, status: "pending", watch: "none", health: "unknown", healthSince: AT,
    reason: null, note: null, phase: null, behind: null, attempt: 1, revision: 1, origin: "api", autoSwitch: false,
    switches: [], createdAt: AT, startedAt: null, lastChecked: null, lastUpdate: null, progress: 0,
    estimatedTimeRemaining: null, formattedTimeRemaining: "", error: null, metadata: {},
  };
}

async function managed(held, run) {
  const daemon = await new One(held).start();
  const told = [];
  const manager = new BackgroundTaskManager({ emit: (event) => told.push(event) }, { path: daemon.path });
  try {
    await run(manager, daemon, told);
  } finally {
    manager.shutdown();
    daemon.stop();
  }
}

test("a start is not undone by an answer from before it that comes with it: its looks go on to the end", () =>
  managed("getTask", async (manager, daemon, told) => {
    let looks = 0;
    const statusChecker = async () => ({ completed: (looks += 1) > 1, progress: 10 });
    assert.equal((await manager.registerTask({ ...OF, statusChecker })).success, true);
    daemon.happens("task:added");
    daemon.happens("task:changed");
    await until(() => daemon.late.length);
    const before = { ...daemon.task };
    const start = daemon.answers.startMonitoring;
    daemon.answers.startMonitoring = (params, line) => {
      const [, { id }] = daemon.late.shift();
      daemon.held = null;
      start(params);
      daemon.together(() => {
        line.write(`${JSON.stringify({ jsonrpc: "2.0", id, result: before })}\n`);
        daemon.happens("sync:start", { attempt: 1 });
      });
      return { success: true, task: { ...daemon.task } };
    };
    daemon.answers.reportTask = ({ completed }) => {
      if (completed) Object.assign(daemon.task, { status: "complete", completedAt: AT });
      if (completed) daemon.happens("sync:complete", { status: "complete", progress: 100, completedAt: AT, duration: { seconds: 1 } });
      return { success: true, task: { ...daemon.task } };
    };
    assert.equal((await manager.startMonitoring("job")).success, true);
    assert.equal(manager.getTask("job").status, "in-progress");
    await until(() => told.includes("sync:complete"));
    assert.equal(looks, 2);
  }));

test("an answer to a change is older than what happens while it is waited for", () =>
  managed(null, async (manager, daemon) => {
    await manager.registerTask({ ...OF, checkInterval: 60_000, statusChecker: async () => ({ completed: false }) });
    daemon.happens("task:added");
    await manager.startMonitoring("job");
    daemon.happens("sync:start", { attempt: 1 });
    const resume = daemon.answers.resumeTask;
    daemon.answers.resumeTask = (params) => {
      const answer = resume(params);
      setImmediate(() => {
        Object.assign(daemon.task, { status: "complete", completedAt: AT });
        daemon.happens("sync:complete", { status: "complete", progress: 100, completedAt: AT, duration: { seconds: 1 } });
      });
      daemon.seq += 1; // of the resumption, which is told
      daemon.tell(daemon.seq, "sync:resumed", { timestamp: AT, taskId: "job" });
      daemon.answers.ping = () => ({ pong: true, seq: 4 });
      return answer;
    };
    const { success, task } = await manager.resumeTask("job");
    assert.deepEqual([success, task.status], [true, "complete"]);
    assert.equal(manager.getTask("job").status, "complete");
  }));

test("what happens to a task before anything is known of it is told", () =>
  managed(null, async (manager, daemon, told) => {
    await manager.ready;
    daemon.task = { ...blank(), status: "complete", startedAt: AT, completedAt: AT };
    daemon.together(() => {
      daemon.happens("task:added");
      daemon.happens("sync:start", { attempt: 1 });
      daemon.happens("sync:complete", { status: "complete", progress: 100, completedAt: AT, duration: { seconds: 1 } });
    });
    await until(() => told.includes("sync:complete"));
    assert.deepEqual(told.filter((event) => event.startsWith("sync:")), ["sync:start", "sync:complete"]);
  }));

test("a pause is not undone by the answer to a report that comes with it", () =>
  managed(null, async (manager, daemon) => {
    await manager.registerTask({ ...OF, statusChecker: async () => ({ completed: false, progress: 30 }) });
    daemon.happens("task:added");
    daemon.held = "reportTask";
    await manager.startMonitoring("job");
    daemon.happens("sync:start", { attempt: 1 });
    await until(() => daemon.late.length);
    const [line, request] = daemon.late.shift();
    const before = { ...daemon.task, progress: 30 };
    daemon.answers.pauseTask();
    daemon.together(() => {
      line.write(`${JSON.stringify({ jsonrpc: "2.0", id: request.id, result: { success: true, task: before } })}\n`);
      daemon.happens("sync:paused");
    });
    await until(() => manager.getTask("job").progress === 30); // the look is over
    assert.equal(manager.getTask("job").status, "paused");
  }));

test("an end that the daemon cannot take now is brought again, though the checker says it once", () =>
  managed(null, async (manager, daemon, told) => {
    const said = [{ completed: true, progress: 100 }];
    await manager.registerTask({ ...OF, statusChecker: async () => said.shift() ?? { completed: false } });
    daemon.happens("task:added");
    await manager.startMonitoring("job");
    const refusals = ["busy", "store-unavailable"];
    daemon.answers.reportTask = ({ completed }) => {
      const reason = refusals.shift();
      if (reason) no(-32011, "not now", { reason })();
      Object.assign(daemon.task, completed ? { status: "complete", completedAt: AT } : {});
      if (completed) daemon.happens("sync:complete", { status: "complete", progress: 100, completedAt: AT, duration: { seconds: 1 } });
      return { success: true, task: { ...daemon.task } };
    };
    daemon.happens("sync:start", { attempt: 1 });
    await until(() => told.includes("sync:complete"));
    assert.equal(refusals.length, 0);
  }));
