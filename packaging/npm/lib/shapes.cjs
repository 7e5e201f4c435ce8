// A task as a wizard knows it, out of one as the daemon has it.
"use strict";

const { escaped, escapedFacts, richOf } = require("./formats.cjs");

const TYPE = "wizardType"; // the metadata that keeps a wizard's own type of a `report` task
const MOVES = [
  "connected", "synced", "currentBlock", "targetBlock", "blocksRemaining", "estimatedTimeRemaining",
  "syncRate", "formattedTimeRemaining",
];
const KEPT = [
  "health", "healthSince", "reason", "phase", "behind", "attempt", "revision", "origin", "watch",
  "autoSwitch", "switches", "createdAt", "estimatedTimeRemaining", "formattedTimeRemaining",
];
const ENDS = ["completedAt", "erroredAt", "cancelledAt"];
const ADDRESS = /^[a-z+]+:\/\/(\[[^\]]*\]|[^/:?#]*)(?::(\d+))?/i; // URL would do, and costs ten times as much
const LIVE = ["pending", "in-progress", "paused"];

const isLive = (task) => LIVE.includes(task.status);

/** Whether there is a watch over what is complete, be it paused. */
const isKept = (task) => task.status === "complete" && (task.watch === "on" || task.watch === "paused");

/** When it ended, in ms; NaN where it did not. */
const endOf = (task) => Date.parse(task.completedAt ?? task.erroredAt ?? task.cancelledAt ?? "");

/** A wizard's task that knows nothing yet, its fields in their order. */
function blank(id) {
  return {
    id, type: "", service: "", config: {}, checkInterval: 10_000, status: "pending", progress: 0,
    startedAt: null, lastChecked: null, lastUpdate: null, error: null, metadata: {},
  };
}

/** Brings a wizard's task to what the daemon says; `own`: what this process registered, or undefined. */
function fill(task, from, own) {
  const begun = task.attempt !== undefined && task.attempt !== from.attempt;
  for (const key of KEPT) task[key] = from[key];
  const { [TYPE]: kept, ...facts } = from.metadata;
  task.type = own?.type ?? escaped(kept) ?? from.type;
  task.service = own?.service ?? from.service;
  task.config = own?.config ?? configOf(from);
  task.checkInterval = own?.checkInterval ?? from.checkInterval;
  task.status = own?.waits ? "pending" : from.status;
  task.progress = own?.waits ? 0 : from.progress;
  task.startedAt = from.startedAt ?? from.createdAt;
  task.lastChecked = from.lastChecked;
  task.lastUpdate = from.lastUpdate;
  task.error = escaped(from.error);
  task.note = escaped(from.note);
  task.metadata = { ...(begun ? {} : task.metadata), ...escapedFacts(facts), ...moves(from) };
  for (const key of ENDS) {
    if (from[key] && !own?.waits) task[key] = from[key];
    else delete task[key];
  }
  return task;
}

/** Takes the metadata that this process has of a task: as it is, where the daemon keeps texts of it. */
function learn(task, metadata, own) {
  const facts = escapedFacts(metadata);
  if (own) own.rich = richOf(facts) ?? own.rich;
  Object.assign(task.metadata, facts);
}

function moves(from) {
  if (from.lastUpdate === null || !["node-sync", "indexer-sync"].includes(from.type)) return {};
  const { health, estimatedTimeRemaining, formattedTimeRemaining } = from;
  const connected = health !== "unreachable" && health !== "unknown";
  return { connected, estimatedTimeRemaining, syncRate: from.syncRate ?? 0, formattedTimeRemaining };
}

/** The `config` that a wizard would have registered it with. */
function configOf({ type, config, timeout, autoSwitch }) {
  if (type === "node-sync" && typeof config.url === "string") {
    const [, host = "", port = ""] = ADDRESS.exec(config.url) ?? [];
    return { host, port: Number(port), useHttps: false, timeout, autoSwitch };
  }
  if (type === "indexer-sync" && config.url) return { indexerUrl: config.url };
  return config;
}

Object.assign(exports, { blank, endOf, fill, isKept, isLive, learn, MOVES, TYPE });
