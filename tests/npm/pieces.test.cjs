// A long list in an answer, piece by piece: the same as at once.
"use strict";

const assert = require("node:assert/strict");
const { test } = require("node:test");
const { Lines } = require(`${process.env.PACKAGE}/lib/lines.cjs`);
const { pieced, whole } = require(`${process.env.PACKAGE}/lib/pieces.cjs`);

const task = (n) => ({ id: `ä${n}`, note: 'a "]}{[\\" text, \\\\', phases: [{ key: "x" }, {}], config: { list: [1, [2]] } });
const tasks = Array.from({ length: 2_000 }, (_, n) => task(n));
const bytesOf = (message) => Buffer.from(JSON.stringify(message));

for (const [name, message] of [
  ["a list in a result", { jsonrpc: "2.0", id: 7, result: { seq: 1, tasks, journal: "j" } }],
  ["a result that is a list", { jsonrpc: "2.0", result: tasks, id: 7 }],
]) {
  test(`${name} is what it was`, () => {
    const bytes = bytesOf(message);
    const found = pieced(bytes);
    assert.notEqual(found, null);
    assert.ok(!Array.isArray(found.result.tasks ?? found.result));
    assert.deepEqual({ ...found, result: whole(found.result) }, message);
    assert.equal(bytes.buffer.byteLength, 0, "what it is made of is given back at once");
  });
}

for (const [name, message] of [
  ["a short one", { id: 1, result: [task(1)] }],
  ["one of other things than objects", { id: 1, result: ["x".repeat(200_000), 4] }],
  ["a long text", { id: 1, result: { text: "x".repeat(200_000) } }],
  ["one far behind", { id: 1, result: { text: "x".repeat(200_000), tasks } }],
]) {
  test(`${name} is taken as a whole`, () => {
    assert.equal(pieced(bytesOf(message)), null);
    const taken = [];
    const lines = new Lines((one) => taken.push(one));
    const bytes = Buffer.concat([bytesOf(message), Buffer.from("\n")]);
    for (let at = 0; at < bytes.length; at += 1000) lines.feed(bytes.subarray(at, at + 1000));
    assert.deepEqual(taken, [message]);
  });
}

test("an empty list stays one", () => {
  const message = { id: 1, result: { tasks: [], text: "x".repeat(200_000) } };
  assert.deepEqual(whole(pieced(bytesOf(message)).result), message.result);
});

test("what is read into one buffer over and over is kept as long as it is needed", () => {
  const message = { id: 1, result: { text: "ä".repeat(5_000) } };
  const bytes = Buffer.concat([bytesOf(message), Buffer.from("\n"), bytesOf(message), Buffer.from("\n")]);
  const taken = [], lines = new Lines((one) => taken.push(one));
  const buffer = Buffer.alloc(777);
  for (let at = 0; at < bytes.length; at += buffer.length) {
    const size = bytes.copy(buffer, 0, at);
    lines.feed(buffer.subarray(0, size));
    buffer.fill(0);
  }
  assert.deepEqual(taken, [message, message]);
});
