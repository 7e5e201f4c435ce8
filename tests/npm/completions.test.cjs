// `onComplete`: for which attempts it is called, by what is on record.
"use strict";

const assert = require("node:assert/strict");
const { test } = require("node:test");
const { Completions } = require(`${process.env.PACKAGE}/lib/completions.cjs`);

/** What becomes of a completed attempt: whether it is called, and what is on record afterwards. */
async function completed({ attempt = 1, because, decisions = [], events = [], onRelapse = false, throws = false, times = 1 }) {
  const record = decisions.map((decision) => (typeof decision === "string" ? { decision, context: {} } : decision));
  const calls = [], wrong = [];
  const call = async (method, params) => {
    if (method === "recordDecision") record.push(params);
    return { getDecisions: record, getEvents: { events }, recordDecision: {} }[method];
  };
  const onComplete = (_task, { attempt: of }) => {
    calls.push(of);
    if (throws) throw new Error("x");
  };
  const completions = new Completions(call, (error) => wrong.push(error.message));
  const task = { id: "a", attempt, createdAt: "now" };
  for (let n = 0; n < times; n += 1) await completions.due({ onComplete, onRelapse }, task, because);
  return { calls, record: record.map((one) => one.decision), wrong };
}

const begun = (attempt, because) => ({ event: "sync:start", data: { attempt, because } });

test("an attempt is called once, and put on record when it has returned", async () => {
  assert.deepEqual(await completed({ times: 3 }), { calls: [1], record: ["on-complete a 1"], wrong: [] });
});

test("one that is on record is not called, its next attempt is", async () => {
  assert.deepEqual((await completed({ decisions: ["on-complete a 1"] })).calls, []);
  assert.deepEqual((await completed({ attempt: 2, decisions: ["on-complete a 1"], events: [begun(2)] })).calls, [2]);
});

test("one of a task of that name that was removed since does not count", async () => {
  const decision = { decision: "on-complete a 1", context: { createdAt: "before" } };
  assert.deepEqual((await completed({ decisions: [decision] })).calls, [1]);
});

test("what throws is told, and not put on record", async () => {
  assert.deepEqual(await completed({ throws: true }), { calls: [1], record: [], wrong: ["x"] });
});

test("an attempt begun by a relapse is called only where that was asked for", async () => {
  const decisions = ["on-complete a 1"];
  const relapse = { attempt: 2, decisions, because: "far-behind" };
  assert.deepEqual((await completed(relapse)).calls, []);
  assert.deepEqual((await completed({ ...relapse, onRelapse: true })).calls, [2]);
  assert.deepEqual((await completed({ ...relapse, because: undefined, events: [begun(2, "db-reset")] })).calls, []);
  assert.deepEqual((await completed({ ...relapse, decisions: [] })).calls, [2]); // it never was called before
});
