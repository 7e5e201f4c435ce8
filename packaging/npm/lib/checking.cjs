// One look that a wizard's own function takes, and what becomes of it.
"use strict";

const { passes } = require("./faults.cjs");
const { escaped, plainFacts, textOf } = require("./formats.cjs");
const { asked } = require("./looks.cjs");
const { factsOf, percentOf } = require("./registrations.cjs");
const { learn } = require("./shapes.cjs");

const REPORT = 1_000; // ms between two reports of a task that only moves

/**
 * Looks at a task of this process: `{success, status, completed?}` or `{success: false, error}`.
 * `of`: tasks, telling, call, put(task), caught().
 */
async function checked(own, of) {
  const task = of.tasks.get(own.id);
  if (!task) return { success: false, error: `Task ${own.id} not found` };
  task.lastChecked = new Date().toISOString();
  let said = own.ended; // it has said so already, and the daemon has not taken it
  try {
    said ??= read((await asked(own, task)) ?? {});
  } catch (error) {
    return thrown(own, task, error, of);
  }
  task.lastUpdate = new Date().toISOString();
  learn(task, said.metadata, own);
  if (said.completed) return completed(own, task, said, of);
  if (said.error !== null) return ended(own, task, said, of);
  recovers(own, task);
  if (task.status !== "in-progress" || !(await reported(own, task, said, of))) task.progress = said.progress;
  if (of.tasks.get(own.id) === task && ["in-progress", "pending"].includes(task.status)) of.telling.state(task);
  return { success: true, status: said.status };
}

/** What an answer says; throws where nobody can read it. */
function read(status) {
  const { completed, error, progress, metadata } = status;
  return {
    status, completed: Boolean(completed), error: error ? String(error) : null,
    progress: percentOf(progress), metadata: plainFacts(metadata),
  };
}

/** A throw is health, and not the end: it is said, and the looks go on. */
function thrown(own, task, error, of) {
  const text = escaped(textOf(error));
  const first = own.failing === null;
  own.failing = { text };
  Object.assign(task, { error: text, status: "error", health: "unreachable" });
  if (first) {
    const erroredAt = new Date().toISOString();
    const { id: taskId, service, type } = task;
    of.telling.emit("sync:error", { taskId, service, type, error: text, erroredAt, status: "error", lasting: false });
  }
  return { success: false, error: text };
}

function recovers(own, task) {
  if (!own.failing) return;
  own.failing = null;
  const status = own.begun ? "in-progress" : "pending";
  Object.assign(task, { error: null, status, health: "ok" });
}

/** Tells the daemon, not more often than it has any use for; whether it knows of this look. */
async function reported(own, task, { progress, metadata }, of) {
  const now = Date.now();
  if (own.reportedAt !== undefined && now - own.reportedAt < REPORT) return false;
  own.reportedAt = now;
  try {
    const { news } = own;
    const facts = factsOf(metadata, own);
    const answer = await of.call("reportTask", { taskId: own.id, progress, metadata: facts });
    if (news !== own.news) return false; // what has happened may be newer than the answer
    of.put(answer.task);
    return true;
  } catch {
    own.reportedAt = undefined; // it is not there, or does not take it now: the next look tells more
    return false;
  }
}

async function completed(own, task, said, of) {
  own.ended = said;
  recovers(own, task);
  const metadata = factsOf(said.metadata, own);
  const live = task.status === "in-progress";
  const [method, params] = live
    ? ["reportTask", { completed: true, progress: 100, metadata }]
    : ["completeTask", { finalStatus: { metadata } }];
  return closing(own, method, params, { success: true, completed: true, status: said.status }, of);
}

async function ended(own, task, said, of) {
  own.ended = said;
  recovers(own, task);
  const error = said.error.slice(0, 2000);
  return closing(own, "errorTask", { error }, { success: false, error: escaped(error) }, of);
}

/** Brings the end to the daemon; where it is not there, or cannot take it now, the next look does. */
async function closing(own, method, params, answer, of) {
  try {
    await of.call(method, { taskId: own.id, ...params });
    own.ended = null;
    await of.caught();
  } catch (error) {
    if (passes(error)) return { success: false, error: escaped(error.text) };
    own.ended = null; // it has ended otherwise meanwhile
    if (error.reason !== "not-allowed") return { success: false, error: escaped(error.text) };
  }
  return answer;
}

exports.checked = checked;
