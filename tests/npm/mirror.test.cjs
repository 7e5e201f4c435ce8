// The mirror of the daemon's tasks: what changes a task's state reaches it, with each event that tells of it.
"use strict";

const assert = require("node:assert/strict");
const { test } = require("node:test");
const { Mirror } = require(`${process.env.PACKAGE}/lib/mirror.cjs`);
const { Renewals } = require(`${process.env.PACKAGE}/lib/renewals.cjs`);

const AT = "2026-01-01T00:00:00.000Z", LATER = "2026-01-01T00:10:00.000Z";
const TASK = {
  id: "n", type: "node-sync", service: "node", config: {}, checkInterval: 1000, timeout: 5000, status: "in-progress",
  watch: "none", health: "ok", healthSince: AT, reason: null, note: null, phase: "blocks", behind: 7, attempt: 1,
  revision: 1, origin: "api", autoSwitch: true, switches: [], createdAt: AT, startedAt: AT, lastChecked: AT, lastUpdate: AT,
  progress: 40, estimatedTimeRemaining: 60, formattedTimeRemaining: "1 minute", syncRate: 2, error: null, metadata: {},
};
const COMPLETE = { status: "complete", watch: "on", progress: 100, completedAt: LATER };

/** A mirror that knows one task, and which tasks it has asked for. */
function mirrored(more = {}) {
  const asked = [];
  const mirror = new Mirror(new Map(), (id) => asked.push(id));
  const task = mirror.put({ ...TASK, ...more });
  return { mirror, task, asked };
}

const progress = (more) => ({
  seq: 2, timestamp: LATER, taskId: "n", service: "node", type: "node-sync", status: "in-progress", health: "ok",
  phase: "blocks", progress: 50, percentage: 50, estimatedTimeRemaining: 30, formattedTimeRemaining: "30 seconds",
  syncRate: 3, connected: true, synced: false, ...more,
});

test("a watched task takes the health's begin, the lag and the look of its sync:progress", () => {
  const { mirror, task } = mirrored(COMPLETE);
  const known = { status: "complete", progress: 100, health: "behind", healthSince: LATER, lastChecked: AT, behind: 300 };
  mirror.moved(progress(known));
  for (const [key, value] of Object.entries(known)) assert.equal(task[key], value, key);
  assert.deepEqual(Object.keys(task.metadata).filter((key) => key in known), []);
  const { behind: _none, ...unknown } = known;
  mirror.moved(progress({ ...unknown, health: "ok" }));
  assert.deepEqual([task.health, task.behind], ["ok", null]);
});

test("what explains a health goes with it", () => {
  const { mirror, task } = mirrored({ ...COMPLETE, health: "unreachable", reason: "refused", note: "it refuses" });
  mirror.moved(progress({ status: "complete", health: "unreachable", healthSince: AT, lastChecked: AT }));
  assert.deepEqual([task.reason, task.note], ["refused", "it refuses"]);
  mirror.moved(progress({ status: "complete", health: "ok", healthSince: LATER, lastChecked: LATER }));
  assert.deepEqual([task.reason, task.note], [null, null]);
});

test("a paused watch stays one, whatever is told of its state", () => {
  const { mirror, task } = mirrored({ ...COMPLETE, watch: "paused" });
  mirror.moved(progress({ status: "complete", health: "unknown", healthSince: LATER, lastChecked: LATER }));
  assert.equal(task.watch, "paused");
});

test("facts of a task that have a field's name stay facts", () => {
  const { mirror, task } = mirrored({ type: "report", metadata: { behind: 1 } });
  mirror.moved(progress({ type: "report", behind: 2, lastChecked: "never" }));
  assert.deepEqual([task.metadata.behind, task.metadata.lastChecked, task.watch, task.lastChecked], [2, "never", "none", LATER]);
});

for (const [event, data] of [
  ["sync:start", { attempt: 2 }], ["sync:complete", { completedAt: LATER }], ["sync:error", { error: "x", erroredAt: LATER }],
  ["sync:paused", {}], ["sync:resumed", {}], ["sync:health", { health: "stalled", since: LATER, reason: "no-movement", note: "x" }],
  ["sync:epoch", {}], ["task:changed", {}],
]) {
  test(`after ${event} the rest is asked for`, () => {
    const { mirror, asked } = mirrored();
    mirror.told(event, { seq: 2, timestamp: LATER, taskId: "n", ...data });
    assert.deepEqual(asked, ["n"]);
  });
}

test("sync:health brings the lag", () => {
  const { mirror, task } = mirrored(COMPLETE);
  mirror.told("sync:health", { taskId: "n", timestamp: LATER, health: "behind", since: LATER, reason: "behind", note: "late", behind: 240 });
  assert.deepEqual([task.health, task.healthSince, task.behind], ["behind", LATER, 240]);
});

test("an answer that a move has overtaken is asked for again, a bounded number of times", async () => {
  const answers = [{ n: 1 }, { n: 2 }, { n: 3 }, { n: 4 }, { n: 5 }];
  const put = [];
  let overtake = 1, asked = 0;
  const renewals = new Renewals(
    async (id) => {
      if (asked < overtake) renewals.moved(id);
      return answers[asked++];
    },
    (task) => put.push(task.n),
  );
  await Promise.all([renewals.ask("a"), renewals.ask("a")]);
  assert.deepEqual([put, asked], [[2], 2]);
  overtake = 99;
  asked = 0;
  renewals.ask("a");
  await renewals.settled(1_000);
  assert.deepEqual([put, asked], [[2, 3], 3]);
});

test("an answer that does not know what has happened never counts", async () => {
  const put = [];
  let asked = 0;
  const renewals = new Renewals(
    async (id) => {
      asked += 1;
      if (asked < 6) renewals.happened(id);
      return { n: asked };
    },
    (task) => put.push(task.n),
  );
  renewals.happened("a"); // nothing is under way that this would make old
  await renewals.ask("a");
  assert.deepEqual([put, asked], [[6], 6]);
});
