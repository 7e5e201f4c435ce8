// The headless client on a line of our own making: each order in which things may come.
// node --test client.test.mjs, with SCRIPT naming the module.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

const source = readFileSync(new URL(process.env.SCRIPT), "utf8");
const { TaskdClient, TaskdError } = await import(
  `data:text/javascript;base64,${Buffer.from(source).toString("base64")}`
);

// Time passes when there is nothing else to do: what is due earlier comes first, however slow we are.
let now = 0, timers = 0, passing = false;
const due = new Map();

globalThis.setTimeout = (run, ms = 0) => {
  due.set((timers += 1), { at: now + ms, run });
  if (!passing) setImmediate(pass);
  passing = true;
  return timers;
};
globalThis.clearTimeout = (timer) => due.delete(timer);

function pass() {
  const earliest = (one, other) => (other[1].at < one[1].at ? other : one);
  passing = due.size > 0;
  if (!passing) return;
  const [timer, { at, run }] = [...due].reduce(earliest);
  due.delete(timer);
  now = at;
  run();
  setImmediate(pass);
}

/** A daemon and the socket to it: events on record, tasks, and who is connected. */
class Daemon {
  connected = false;
  id = undefined;
  seq = 0;
  oldest = 1;
  name = undefined; // of the journal
  journal = [];
  tasks = new Map();
  calls = [];
  deaf = new Set(); // requests that get no answer
  slow = 0; // ms that an answer is under way
  #listeners = new Map();
  #any = new Set();
  #lines = 0;

  on(name, listener) {
    this.#listeners.set(name, [...(this.#listeners.get(name) ?? []), listener]);
  }
  off(name, listener) {
    this.#listeners.set(name, (this.#listeners.get(name) ?? []).filter((one) => one !== listener));
  }
  onAny(listener) {
    this.#any.add(listener);
  }
  offAny(listener) {
    this.#any.delete(listener);
  }
  get listeners() {
    return [...this.#listeners.values()].flat().length + this.#any.size;
  }
  say(name, data) {
    for (const listener of this.#listeners.get(name) ?? []) listener(data);
    for (const listener of this.#any) listener(name, data);
  }
  timeout(ms) {
    const emit = (name, payload, answer) => {
      const called = payload.method ?? name;
      this.calls.push(called);
      if (this.deaf.has(called) || !this.connected) setTimeout(() => answer(new Error("late")), Math.min(ms, 20));
      else {
        const given = this.answer(name, payload);
        setTimeout(() => answer(null, given), this.slow);
      }
    };
    return { emit };
  }
  answer(name, { method, params }) {
    if (name === "tasks:list") return { tasks: [...this.tasks.values()], seq: this.seq };
    if (method === "getTask") return { result: this.tasks.get(params.taskId) ?? null };
    if (method === "resumeTask") return { result: { success: true, taskId: "a", task: this.tasks.get("a") } };
    if (method === "getEvents") return this.events(params);
    return { error: { code: -32003, message: "not possible", data: { reason: "not-allowed", status: "complete" } } };
  }
  events({ after, limit }) {
    if (after && (after < this.oldest - 1 || after > this.seq)) {
      const data = { reason: "gap", oldest: this.oldest, seq: this.seq };
      return { error: { code: -32007, message: "gap", data } };
    }
    const events = this.journal.filter((one) => one.seq > after && one.seq >= this.oldest);
    return { result: { events: events.slice(0, limit), seq: this.seq, oldest: this.oldest } };
  }

  connect() {
    this.connected = true;
    this.id = `line-${(this.#lines += 1)}`;
    this.say("connect");
    const serverTime = new Date(Date.now() + 3_600_000).toISOString();
    this.say("hello", { seq: this.seq, serverTime, host: "h", version: "1", canChange: true, journal: this.name });
  }
  /** Puts another story in the place of this one, so long. */
  rewrite(seq) {
    const timestamp = "another time";
    this.seq = seq;
    this.journal = Array.from({ length: seq }, (_, at) => ({
      seq: at + 1, event: "sync:health", data: { seq: at + 1, timestamp, taskId: "a", service: "s", type: "report" },
    }));
  }
  disconnect() {
    this.connected = false;
    this.say("disconnect", "transport close");
  }
  /** Puts an event on record; `tell` false: the line does not bring it. */
  happen(event, change = {}, tell = true, more = {}) {
    const known = this.tasks.get("a") ?? task();
    this.tasks.set("a", { ...known, ...change, revision: known.revision + 1 });
    this.seq += 1;
    const data = { seq: this.seq, timestamp: new Date().toISOString(), taskId: "a", service: "s", type: "report", ...more };
    this.journal.push({ seq: this.seq, event, data });
    if (tell) this.say(event, data);
    return [event, data];
  }
}

function task(more = {}) {
  return { id: "a", service: "s", status: "in-progress", health: "ok", progress: 1, createdAt: "c",
    revision: 1, estimatedTimeRemaining: null, etaReason: "warming-up", ...more };
}

function begin(options = {}) {
  const daemon = new Daemon();
  daemon.tasks.set("a", task());
  const client = new TaskdClient({ socket: daemon, ...options });
  const heard = [];
  const gaps = [];
  client.on("event", ({ seq, event }) => event === "sync:progress" || heard.push(seq));
  client.on("gap", (gap) => gaps.push(gap));
  return { daemon, client, heard, gaps };
}

const settle = (ms = 60) => new Promise((resolve) => setTimeout(resolve, ms));

test("the snapshot comes first, frozen, and ready resolves with it", async () => {
  const { daemon, client } = begin();
  assert.equal(client.connection.state, "connecting");
  daemon.connect();
  assert.equal(await client.ready, client);
  assert.equal(client.connection.state, "live");
  assert.equal(client.tasks.get("a").progress, 1);
  assert.throws(() => (client.tasks.get("a").progress = 2), TypeError);
  assert.ok(Math.abs(client.serverNow() - Date.now() - 3_600_000) < 1_800_000);
});

test("an event that the snapshot knows of is not told again", async () => {
  const { daemon, client, heard } = begin();
  const [event, data] = daemon.happen("sync:paused", { status: "paused" }, false);
  daemon.connect();
  daemon.say(event, data);
  await client.ready;
  await settle();
  assert.deepEqual(heard, []);
  assert.equal(client.seq, 1);
  assert.equal(client.tasks.get("a").status, "paused");
});

test("a switch that belongs to no task is told in its place, and no task is asked for", async () => {
  const { daemon, client, heard } = begin();
  const told = [];
  client.on("switch", ({ event, service, step }) => told.push([event, service, step]));
  daemon.connect();
  await client.ready;
  const more = { taskId: null, type: null, service: "indexer", step: "step 1 of 4" };
  daemon.happen("switch:progress", {}, true, more);
  daemon.happen("switch:complete", {}, false, { ...more, step: undefined });
  daemon.happen("sync:paused");
  await settle();
  assert.deepEqual(heard, [1, 2, 3]);
  assert.deepEqual(told, [
    ["switch:progress", "indexer", "step 1 of 4"], ["switch:complete", "indexer", undefined],
  ]);
  assert.equal(daemon.calls.filter((name) => name === "getTask").length, 1);
});

test("who comes late knows of a switch that runs, and not of one whose end was missed", async () => {
  const { daemon, client, heard } = begin();
  daemon.seq = daemon.oldest = 7;
  daemon.connect();
  const told = { taskId: "a", type: "node-sync", service: "indexer", timestamp: "t" };
  daemon.say("switch:progress", { ...told, seq: 7, step: "step 3 of 4" });
  await client.ready;
  assert.equal(client.switches.get("indexer").step, "step 3 of 4");
  daemon.say("switch:progress", { ...told, seq: 6, step: "step 2 of 4" }); // once more, too late
  assert.equal(client.switches.get("indexer").step, "step 3 of 4");
  assert.deepEqual(heard, []);
  daemon.disconnect();
  daemon.seq = 3; // another past
  daemon.connect();
  await settle();
  assert.equal(client.switches.size, 0);
});

test("doubled and late events are told once and in order", async () => {
  const { daemon, client, heard } = begin();
  daemon.connect();
  await client.ready;
  const first = daemon.happen("sync:paused", {}, false);
  const second = daemon.happen("sync:resumed", {}, false);
  daemon.say(...second);
  daemon.say(...first);
  daemon.say(...second);
  await settle();
  assert.deepEqual(heard, [1, 2]);
  assert.equal(daemon.calls.filter((name) => name === "getEvents").length, 1);
  daemon.say(...first); // and once more: it is known, so nobody asks
  await settle();
  assert.deepEqual(heard, [1, 2]);
  assert.equal(daemon.calls.filter((name) => name === "getEvents").length, 1);
});

test("an event that comes while others are fetched is told after them", async () => {
  const { daemon, client, heard } = begin();
  daemon.connect();
  await client.ready;
  daemon.happen("sync:paused", {}, false);
  const [event, data] = daemon.happen("sync:resumed", {}, false);
  const { events } = daemon;
  daemon.events = (page) => {
    const answer = events.call(daemon, page);
    daemon.events = events;
    daemon.happen("sync:health"); // after the answer was made, before it comes
    return answer;
  };
  daemon.say(event, data);
  await settle();
  assert.deepEqual(heard, [1, 2, 3]);
});

test("an event later than the snapshot, told before it came, is not lost", async () => {
  const { daemon, client, heard } = begin();
  const { answer } = daemon;
  daemon.answer = (name, payload) => {
    const given = answer.call(daemon, name, payload);
    daemon.answer = answer;
    daemon.happen("sync:paused", { status: "paused" });
    return given;
  };
  daemon.connect();
  await client.ready;
  await settle();
  assert.deepEqual(heard, [1]);
  assert.equal(client.tasks.get("a").status, "paused");
});

test("what the line did not bring is asked for, thousands of it", async () => {
  const { daemon, client, heard, gaps } = begin();
  daemon.connect();
  await client.ready;
  for (let n = 0; n < 2500; n += 1) daemon.happen("sync:health", {}, false);
  daemon.happen("sync:paused");
  await settle(150);
  assert.deepEqual(heard, Array.from({ length: 2501 }, (_, n) => n + 1));
  assert.deepEqual(gaps, []);
});

test("a hole that cannot be filled now is filled with the next event", async () => {
  const { daemon, client, heard } = begin();
  daemon.connect();
  await client.ready;
  daemon.deaf.add("getEvents");
  daemon.happen("sync:paused", {}, false);
  daemon.happen("sync:resumed");
  await settle(150);
  assert.equal(daemon.calls.filter((name) => name === "getEvents").length, 1);
  daemon.deaf.clear();
  daemon.happen("sync:health");
  await settle();
  assert.deepEqual(heard, [1, 2, 3]);
});

test("over a reconnection nothing is lost and nothing told twice", async () => {
  const { daemon, client, heard } = begin();
  daemon.connect();
  await client.ready;
  daemon.happen("sync:paused");
  daemon.disconnect();
  assert.equal(client.connection.state, "lost");
  daemon.happen("sync:resumed", {}, false);
  daemon.happen("sync:complete", { status: "complete" }, false);
  daemon.connect();
  daemon.happen("node:ready");
  await settle();
  assert.deepEqual(heard, [1, 2, 3, 4]);
  assert.equal(client.connection.state, "live");
  assert.equal(client.connection.missed, 3);
  assert.equal(client.tasks.get("a").status, "complete");
});

test("too long away is a gap, said once; the tasks are right all the same", async () => {
  const { daemon, client, heard, gaps } = begin();
  daemon.connect();
  await client.ready;
  daemon.happen("sync:paused");
  daemon.disconnect();
  for (let n = 0; n < 5; n += 1) daemon.happen("sync:health", { progress: 50 }, false);
  daemon.oldest = 5;
  daemon.connect();
  await settle();
  assert.deepEqual(gaps, [{ from: 1, to: 6 }]);
  assert.equal(client.tasks.get("a").progress, 50);
  daemon.happen("sync:complete");
  await settle();
  assert.deepEqual(heard, [1, 7]);
});

test("a snapshot that an event overtook tells nothing twice", async () => {
  const { daemon, client, heard, gaps } = begin();
  daemon.happen("task:added", {}, false);
  daemon.connect();
  await client.ready;
  daemon.disconnect();
  daemon.slow = 20; // the answer is made before the event, and comes after it
  daemon.connect();
  daemon.happen("sync:start");
  await settle(150);
  daemon.slow = 0;
  daemon.happen("sync:paused");
  await settle();
  assert.deepEqual([heard, gaps], [[2, 3], []]);
});

test("a daemon that lost its past is a gap too", async () => {
  const { daemon, client, gaps, heard } = begin({ after: 900 });
  daemon.seq = 3;
  daemon.connect();
  await client.ready;
  assert.deepEqual(gaps, [{ from: 900, to: 3 }]);
  daemon.happen("sync:paused");
  await settle();
  assert.deepEqual(heard, [4]);
});

test("another journal is a gap, whatever its numbers are", async () => {
  for (const seq of [1, 3, 9]) {
    const { daemon, client, gaps, heard } = begin();
    daemon.name = "first";
    daemon.connect();
    await client.ready;
    for (let n = 0; n < 3; n += 1) daemon.happen("sync:health");
    assert.equal(client.journal, "first");
    daemon.disconnect();
    daemon.name = "second";
    daemon.rewrite(seq);
    daemon.connect();
    daemon.happen("sync:paused"); // before it is known whose that is
    await settle();
    assert.deepEqual(gaps, [{ from: 3, to: seq }]);
    assert.equal(client.journal, "second");
    daemon.happen("sync:resumed");
    await settle();
    assert.deepEqual(heard, [1, 2, 3, seq + 1, seq + 2]);
  }
});

test("a host that was rolled back is asked for the last event: it may be another one by now", async () => {
  for (const seq of [1, 3, 9]) {
    const { daemon, client, gaps, heard } = begin();
    daemon.name = "same";
    daemon.connect();
    await client.ready;
    for (let n = 0; n < 3; n += 1) daemon.happen("sync:health");
    daemon.disconnect();
    daemon.rewrite(seq);
    daemon.connect();
    daemon.happen("sync:paused");
    await settle();
    assert.deepEqual(gaps, [{ from: 3, to: seq }]);
    daemon.happen("sync:resumed");
    await settle();
    assert.deepEqual(heard, [1, 2, 3, seq + 1, seq + 2]);
  }
});

test("a restart under the same journal is none", async () => {
  const { daemon, client, gaps, heard } = begin();
  daemon.name = "same";
  daemon.connect();
  await client.ready;
  daemon.happen("sync:paused");
  daemon.disconnect();
  daemon.happen("sync:resumed", {}, false);
  daemon.connect();
  daemon.happen("sync:paused");
  await settle();
  assert.deepEqual([heard, gaps], [[1, 2, 3], []]);
});

test("`after` of another journal is a gap", async () => {
  const { daemon, client, gaps } = begin({ after: 2, journal: "old" });
  for (let n = 0; n < 4; n += 1) daemon.happen("sync:health", {}, false);
  daemon.name = "new";
  daemon.connect();
  await client.ready;
  assert.deepEqual(gaps, [{ from: 2, to: 4 }]);
});

test("with `after` what followed is told", async () => {
  const { daemon, client, heard } = begin({ after: 2 });
  for (let n = 0; n < 4; n += 1) daemon.happen("sync:health", {}, false);
  daemon.connect();
  await client.ready;
  assert.deepEqual(heard, [3, 4]);
});

test("a snapshot without an answer is asked for again", async () => {
  const { daemon, client } = begin();
  daemon.deaf.add("tasks:list");
  daemon.connect();
  await settle();
  assert.equal(client.connection.state, "connecting");
  daemon.deaf.clear();
  await client.ready;
  assert.equal(client.connection.state, "live");
});

test("progress shows at once, and never falls by an answer that was overtaken", async () => {
  const { daemon, client } = begin();
  const shown = [];
  daemon.connect();
  await client.ready;
  client.on("change", ({ after }) => shown.push(after.progress));
  for (const progress of [10, 20, 15, 30, 25]) {
    const known = daemon.tasks.get("a");
    daemon.tasks.set("a", { ...known, progress: Math.max(known.progress, progress) });
    daemon.say("sync:progress", { seq: 0, taskId: "a", status: "in-progress", health: "ok", progress,
      estimatedTimeRemaining: 60, formattedTimeRemaining: "1 minute", syncRate: 0 });
    await settle(5);
  }
  await settle(400);
  assert.deepEqual(shown, [...shown].sort((a, b) => a - b));
  assert.equal(shown.at(-1), 30);
});

test("an answer that a later one has overtaken is dropped", async () => {
  const { daemon, client } = begin();
  daemon.connect();
  await client.ready;
  daemon.slow = 40;
  daemon.happen("sync:paused", { status: "paused" });
  daemon.slow = 0;
  daemon.happen("sync:resumed", { status: "in-progress" }, false);
  await client.resume("a");
  assert.equal(client.tasks.get("a").revision, 3);
  await settle();
  assert.equal(client.tasks.get("a").status, "in-progress");
});

test("what is kept watch on is shown as its progress tells, before it is asked for", async () => {
  const { daemon, client } = begin();
  const well = { status: "complete", watch: "on", progress: 100, healthSince: "1", behind: null, reason: null, hints: [] };
  daemon.tasks.set("a", task(well));
  daemon.connect();
  await client.ready;
  daemon.deaf.add("getTask");
  const told = { seq: 0, timestamp: "t", service: "s", type: "node-sync", taskId: "a", status: "complete", progress: 100, lastChecked: "3" };
  daemon.say("sync:progress", { ...told, health: "behind", healthSince: "2", behind: 840 });
  const { health, healthSince, behind, lastChecked, watch } = client.tasks.get("a");
  assert.deepEqual([health, healthSince, behind, lastChecked, watch], ["behind", "2", 840, "3", "on"]);
  daemon.say("sync:progress", { ...told, health: "ok", healthSince: "4" });
  assert.deepEqual([client.tasks.get("a").health, client.tasks.get("a").behind], ["ok", null]);
});

test("why something was wrong is not told of what is wrong now", async () => {
  const { daemon, client } = begin();
  const why = { reason: "no-peers", note: "It has no peers.", hints: [{ code: "no-peers", params: {} }] };
  daemon.tasks.set("a", task({ status: "complete", watch: "on", progress: 100, health: "behind", ...why }));
  daemon.connect();
  await client.ready;
  daemon.deaf.add("getTask");
  const told = { seq: 0, timestamp: "t", service: "s", type: "node-sync", taskId: "a", status: "complete", progress: 100, lastChecked: "3", healthSince: "2" };
  daemon.say("sync:progress", { ...told, health: "behind", behind: 900 });
  assert.equal(client.tasks.get("a").reason, "no-peers");
  daemon.say("sync:progress", { ...told, health: "unreachable" });
  const { reason, note, hints } = client.tasks.get("a");
  assert.deepEqual([reason, note, hints], [null, null, []]);
});

test("a task that is removed goes, one that is added comes", async () => {
  const { daemon, client } = begin();
  daemon.connect();
  await client.ready;
  const changes = [];
  client.on("change", ({ id, before, after }) => changes.push([id, Boolean(before), Boolean(after)]));
  const [event, data] = daemon.happen("task:removed", {}, false);
  daemon.tasks.delete("a");
  daemon.say(event, data);
  await settle();
  assert.equal(client.tasks.size, 0);
  assert.deepEqual(changes, [["a", true, false]]);
});

test("wait: reached, ended otherwise, gone, given up", async () => {
  const { daemon, client } = begin();
  daemon.connect();
  const half = client.wait("a", { until: (one) => one.progress >= 50 });
  const done = client.wait("a");
  const late = new AbortController();
  setTimeout(() => late.abort(new DOMException("late", "TimeoutError")), 10);
  const never = client.wait("a", { signal: late.signal });
  await assert.rejects(client.wait("nobody"), { reason: "not-found" });
  await assert.rejects(never, { name: "TimeoutError" });
  daemon.happen("sync:health", { progress: 50 });
  assert.equal((await half).progress, 50);
  daemon.disconnect();
  daemon.happen("sync:error", { status: "error", error: "disk full" }, false);
  daemon.connect();
  await assert.rejects(done, (error) => error.reason === "not-reached" && error.message === "disk full");
});

test("a no is an error with its reason, and no answer is one too", async () => {
  const { daemon, client } = begin();
  daemon.connect();
  await client.ready;
  await assert.rejects(client.pause("a"), (error) =>
    error instanceof TaskdError && error.code === -32003 && error.reason === "not-allowed");
  daemon.deaf.add("getDecisions");
  await assert.rejects(client.decisions(), { reason: "no-answer" });
});

test("a listener that fails costs the others nothing", async () => {
  const { daemon, client, heard } = begin();
  const thrown = [];
  const others = process.listeners("uncaughtException");
  process.removeAllListeners("uncaughtException");
  process.on("uncaughtException", (error) => thrown.push(error.message));
  client.on("event", () => {
    throw new Error("mine");
  });
  const later = [];
  client.on("event", ({ seq }) => later.push(seq));
  daemon.connect();
  await client.ready;
  daemon.happen("sync:paused");
  await settle();
  process.removeAllListeners("uncaughtException");
  for (const one of others) process.on("uncaughtException", one);
  assert.deepEqual([heard, later, thrown], [[1], [1], ["mine"]]);
});

test("after close nothing is heard, and a socket handed over has no listener left", async () => {
  const { daemon, client, heard } = begin();
  daemon.connect();
  await client.ready;
  client.close();
  daemon.happen("sync:paused");
  assert.deepEqual(heard, []);
  assert.equal(client.connection.state, "closed");
  assert.equal(daemon.listeners, 0);
  assert.equal(daemon.connected, true);
});

test("the progress of many tasks in one packet is that of each", async () => {
  const { daemon, client } = begin();
  daemon.tasks.set("b", task({ id: "b" }));
  daemon.connect();
  await client.ready;
  const events = [], changed = [];
  client.on("event", ({ event, data }) => events.push([event, data.taskId]));
  client.on("change", ({ id, after }) => changed.push([id, after.progress]));
  const told = { seq: 0, status: "in-progress", health: "ok", estimatedTimeRemaining: null, syncRate: 0 };
  const tasks = [{ ...told, taskId: "a", progress: 2 }, { ...told, taskId: "b", progress: 3 }];
  daemon.say("sync:progress:many", { seq: 0, tasks });
  assert.deepEqual(events, [["sync:progress", "a"], ["sync:progress", "b"]]);
  assert.deepEqual(changed, [["a", 2], ["b", 3]]);
  daemon.say("sync:progress:many", { seq: 0, tasks });
  assert.equal(events.length, 4);
  assert.equal(changed.length, 2); // nothing new is no change
  assert.ok(Object.isFrozen(client.tasks.get("b")));
  client.close();
});
