// What browsers are told: the wizard's payloads, and beside them what the daemon knows.
"use strict";

const { durationOf, escaped } = require("./formats.cjs");
const { isLive, TYPE } = require("./shapes.cjs");

const READY = "Local node is synced and ready for use";

const headOf = (task, timestamp) => ({ timestamp, taskId: task.id, service: task.service, type: task.type });

/** A `sync:progress` as the daemon told it: made safe, in the wizard's words. Changes `data`. */
function progress(task, data) {
  for (const key in data) if (typeof data[key] === "string") data[key] = escaped(data[key]);
  data.type = task.type;
  data.service = task.service;
  delete data.id; // it would replace the key of the browser's list
  delete data[TYPE];
  return data;
}

/** The same out of what is known of a task. */
function state(task, timestamp = new Date().toISOString()) {
  const { id: _key, ...facts } = task.metadata;
  const { status, health, phase = null } = task;
  return {
    ...facts, ...headOf(task, timestamp), status, health, phase, progress: task.progress,
    percentage: task.progress,
  };
}

/**
 * Says of a payload that its task is in trouble: browsers of old know no health, and show a task that
 * nobody reaches as one that goes on.
 */
function troubled(payload, task) {
  const message = task.note ?? task.health;
  return Object.assign(payload, { message }, isLive(task) ? { status: "error" } : {});
}

const start = (task, { timestamp, attempt, because }) => ({
  ...headOf(task, timestamp), attempt, ...(because ? { because } : {}),
});

function complete(task, { timestamp, completedAt, duration, because }) {
  const { id: _key, message: _old, ...facts } = task.metadata;
  return {
    ...facts, ...headOf(task, timestamp), completedAt, duration: durationOf(duration.seconds),
    status: "complete", progress: 100, ...(because ? { because } : {}),
  };
}

const failed = (task, { timestamp, error, erroredAt, reason }) => ({
  ...headOf(task, timestamp), error: escaped(error), erroredAt, status: "error", reason: reason ?? null,
});

const cancelled = (task, { timestamp, cancelledAt }) => ({ ...headOf(task, timestamp), cancelledAt, status: "cancelled" });

const ready = (task, { timestamp, host, port, switched = [], failed: left = [] }) => ({
  timestamp, service: task.service, host, port, message: READY, switched, failed: left,
});

Object.assign(exports, { cancelled, complete, failed, progress, ready, start, state, troubled });
