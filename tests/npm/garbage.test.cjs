// What a wizard's own functions may give, or throw, that nobody can read: it costs no process and no other
// task. On a real daemon (KASPAD_TASKD_SOCKET).
"use strict";

const assert = require("node:assert/strict");
const { test } = require("node:test");
const { BackgroundTaskManager } = require(process.env.PACKAGE);
const { until } = require("./until.cjs");

const circle = {};
circle.itself = circle;
const bare = Object.create(null);
const hostile = (key) => Object.defineProperty({}, key, { enumerable: true, get: () => { throw new Error(`no ${key}`); } });
const revoked = () => {
  const { proxy, revoke } = Proxy.revocable({}, {});
  revoke();
  return proxy;
};

const GIVEN = {
  nothing: undefined, "a text": "done", "a number": 7, "a list": [], "a function": () => {},
  "progress that is no number": { progress: Symbol("half") },
  "progress without a value": { progress: bare },
  "progress that throws": hostile("progress"),
  "an end that throws": hostile("completed"),
  "an error that is no text": { error: bare },
  "facts that go round": { progress: 5, metadata: circle },
  "facts of an end that go round": { completed: true, metadata: circle },
  "facts that throw": { metadata: hostile("rows") },
  "facts that JSON has not": { metadata: { big: 1n, deep: { big: 1n }, run: () => {}, at: new Date(NaN), sign: Symbol("x") } },
  "a proxy that is revoked": revoked(),
};
const THROWN = { "an error": new Error("down"), null: null, "a symbol": Symbol("x"), "an object without a text": bare, "a proxy": revoked() };
const CHECKERS = [
  ...Object.entries(GIVEN).map(([name, given]) => [name, () => given]),
  ...Object.entries(THROWN).map(([name, thrown]) => [`throws ${name}`, () => { throw thrown; }]),
  ["throws later", async () => { throw bare; }],
  ["never answers", () => new Promise(() => {})],
  ["is no promise, though it looks like one", () => ({ then: () => { throw bare; } })],
];
const faults = [];
process.on("unhandledRejection", (fault) => faults.push(fault));

test("a checker that gives what nobody can read costs its own task alone", async () => {
  const told = [];
  const manager = new BackgroundTaskManager({ emit: (name, payload) => told.push([name, JSON.parse(JSON.stringify(payload))]) });
  const looks = new Map(CHECKERS.map(([name]) => [name, 0]));
  for (const [n, [name, checker]] of CHECKERS.entries()) {
    const statusChecker = () => {
      looks.set(name, looks.get(name) + 1);
      return checker();
    };
    const id = `garbage-${n}`;
    const answer = await manager.registerTask({ id, type: "custom", service: "s", checkInterval: 50, timeout: 100, statusChecker });
    assert.equal(answer.success, true, `${name}: ${answer.error}`);
    assert.equal((await manager.startMonitoring(id)).success, true, name);
  }
  const sound = await manager.registerTask({ id: "sound", type: "custom", service: "s", checkInterval: 50, statusChecker: () => ({ progress: 40 }) });
  assert.equal(sound.success, true);
  await manager.startMonitoring("sound");
  const ends = ["an error that is no text", "facts of an end that go round"];
  await until(() => [...looks].every(([name, count]) => count > 2 || ends.includes(name)));
  await until(() => manager.getTask("sound").progress === 40);
  for (const [n, [name]] of CHECKERS.entries()) {
    const answer = await manager.checkTaskStatus(`garbage-${n}`);
    assert.equal(typeof answer.success, "boolean", name);
    if (!answer.success) assert.equal(typeof answer.error, "string", name);
  }
  assert.deepEqual(faults, []);
  manager.shutdown();
});

test("an onComplete that throws anything is called again by the next process, and costs nothing", async () => {
  const manager = new BackgroundTaskManager();
  for (const [n, thrown] of Object.values(THROWN).entries()) {
    const called = [];
    const onComplete = () => {
      called.push(n);
      throw thrown;
    };
    await manager.registerTask({ id: `thrower-${n}`, type: "custom", service: "s", onComplete });
    await manager.startMonitoring(`thrower-${n}`);
    assert.equal((await manager.completeTask(`thrower-${n}`)).success, true);
    assert.deepEqual(called, [n]);
    assert.equal((await manager.errorTask(`thrower-${n}`, thrown)).success, false);
  }
  assert.deepEqual(faults, []);
  manager.shutdown();
});

test("an interval or a deadline that is no time is refused by its name", async () => {
  const manager = new BackgroundTaskManager();
  const statusChecker = () => ({ progress: 1 });
  const given = { id: "pace", type: "custom", service: "s", statusChecker };
  for (const key of ["checkInterval", "timeout"]) {
    for (const wrong of [NaN, Infinity, -1, 0, "soon", {}, 2 ** 40]) {
      const { success, error } = await manager.registerTask({ ...given, [key]: wrong });
      assert.equal(success, false, String(wrong));
      assert.match(error, new RegExp(`^${key} must be a time in ms`));
    }
  }
  const answer = await manager.registerTask({ ...given, checkInterval: "500", timeout: null });
  assert.equal(answer.success, true, answer.error);
  manager.shutdown();
});
