// What went wrong, with the sentence and the cure that kaspad-taskctl gives.
"use strict";

const { dirname } = require("node:path");
const { candidates } = require("./places.cjs");
const { beside, startedBy } = require("./unit.cjs");
const words = require("./words.json"); // out of kaspad_taskd/words/en.json; a test compares

/**
 * A "no" of the daemon, or none of its answers.
 *
 * `reason`: of the daemon's closed list (not-found, conflict, not-allowed ...), or missing, refused,
 * forbidden, timeout, closed, not-taskd, bad-path, busy. `code`: of JSON-RPC, null where nobody
 * answered. `data`: for programs. `cure`: what to do about it, may be null.
 */
class TaskdError extends Error {
  constructor({ message, reason = null, code = null, data = {}, cure = null }) {
    super(message);
    this.name = "TaskdError";
    this.reason = reason;
    this.code = code;
    this.data = data;
    this.cure = cure;
  }

  /** Message and cure as one text. */
  get text() {
    return this.cure ? `${this.message.replace(/[.:]$/, "")}. ${this.cure}` : this.message;
  }
}

/** Whether it may be asked the same again a moment later: nobody answered, or it cannot take it now. */
function passes({ code, reason }) {
  return code === null || reason === "store-unavailable" || reason === "busy";
}

/** There is no daemon to talk to, or it went away. */
function unreachable(reason, path, { detail = "", timeout = null } = {}) {
  const known = { path, detail, timeout, ...commands(path) };
  const said = words.unreachable[reason] ?? words.unreachable.closed;
  const message = fill(said.what, known);
  return new TaskdError({ message, reason, data: { reason, path, detail }, cure: fill(said.cure, known) });
}

/** The daemon's error as it came over the wire. */
function refused(error, method, path) {
  const data = error.data ?? {};
  if (error.code === -32601) return tooOld(method, path);
  const faults = (data.faults ?? []).map((one) => `${one.key}: ${one.problem}`);
  const what = faults.length ? error.message.split(":")[0] : error.message;
  const message = faults.length ? `${what}: ${faults.join("; ")}` : String(what);
  const known = { ...commands(path), ...data, task: data.taskId ?? null };
  const reason = data.reason ?? null;
  const table = words.refused;
  const cure = data.incident ? words.incident : table[method]?.[reason] ?? table[reason];
  return new TaskdError({ message, reason, code: error.code, data, cure: cure ? fill(cure, known) : null });
}

function tooOld(method, path) {
  const { version } = require("../package.json");
  const known = { method, version, ...commands(path) };
  const { what, cure } = words["too-old"];
  const data = { reason: "no-such-method" };
  return new TaskdError({
    message: fill(what, known), reason: "no-such-method", code: -32601, data, cure: fill(cure, known),
  });
}

/** What to type to start or see the daemon of a socket. */
function commands(path) {
  const table = words.manager[startedBy(path)];
  const directory = candidates().includes(beside(path)) ? null : dirname(path);
  return Object.fromEntries(Object.entries(table).map(([key, text]) => [key, fill(text, { directory })]));
}

/** A sentence; of several the first of which all is known; null where there is none. */
function fill(template, known) {
  for (const one of [template].flat()) {
    const names = [...one.matchAll(/\{(\w+)(?::\w+)?\}/g)].map((match) => match[1]);
    if (names.some((name) => known[name] === null || known[name] === undefined)) continue;
    return one.replace(/\{(\w+)(:span)?\}/g, (_, name, span) => (span ? spanOf(known[name]) : known[name]));
  }
  return null;
}

function spanOf(ms) {
  return ms < 1000 ? `${ms} ms` : `${Math.floor(ms / 1000)} s`;
}

Object.assign(exports, { passes, refused, TaskdError, unreachable });
