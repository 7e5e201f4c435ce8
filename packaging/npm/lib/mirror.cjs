// The daemon's tasks as a wizard knows them, kept true by what the subscription tells. Objects live as
// long as their tasks: who holds one sees it change.
"use strict";

const { escaped } = require("./formats.cjs");
const { blank, fill, isKept, isLive, MOVES, TYPE } = require("./shapes.cjs");

const NOT_FACTS = new Set([
  "seq", "timestamp", "taskId", "service", "type", "status", "health", "phase", "progress", "percentage", "id", TYPE,
]);
const OF_WATCHES = new Set(["healthSince", "lastChecked", "behind"]); // said of what is kept watch on alone

const OF_NODES = new Set(MOVES);
const SAME = ["status", "health", "phase", "progress", "estimatedTimeRemaining", "formattedTimeRemaining"];

/** `own`: what this process registered, by id; `fetch(id)`: asks for a task, and puts it here. */
class Mirror {
  tasks = new Map();
  hidden = new Set(); // cancelled here after they had ended
  #own;
  #fetch;
  #now = "";

  constructor(own, fetch) {
    this.#own = own;
    this.#fetch = fetch;
  }

  /** Takes a task as the daemon says it is; returns the wizard's, or null: it is not there for it. */
  put(from) {
    const own = this.#own.get(from.id);
    if (this.hidden.has(from.id)) return null;
    if (from.status === "cancelled" && !own?.waits) {
      this.tasks.delete(from.id);
      return null;
    }
    let task = this.tasks.get(from.id);
    if (!task) this.tasks.set(from.id, (task = blank(from.id)));
    return ours(fill(task, from, own), own);
  }

  /** Makes the tasks those of a snapshot. */
  replace(list) {
    const ids = new Set();
    for (const from of list) {
      ids.add(from.id);
      this.put(from);
    }
    for (const id of [...this.tasks.keys()]) if (!ids.has(id)) this.tasks.delete(id);
  }

  /** Takes a `sync:progress`. */
  moved(data) {
    const task = this.tasks.get(data.taskId);
    if (!task) return null;
    if (this.#now === data.timestamp) data.timestamp = this.#now; // one text for all of that moment
    else this.#now = data.timestamp;
    if (task.health !== data.health) task.reason = task.note = null; // an event says the new ones, if there are any
    for (const key of SAME) if (task[key] !== data[key]) task[key] = data[key];
    task.lastChecked = data.timestamp;
    if (data.connected) task.lastUpdate = data.timestamp;
    const watched = data.status === "complete" && "lastChecked" in data;
    if (watched) watchedIs(task, data);
    const { metadata } = task;
    const reported = data.type === "report"; // of which the rest says nothing
    for (const key in data) {
      if (NOT_FACTS.has(key) || (reported && OF_NODES.has(key)) || (watched && OF_WATCHES.has(key))) continue;
      const value = escaped(data[key]);
      if (metadata[key] !== value) metadata[key] = value; // what stays is not held a second time
    }
    return ours(task, this.#own.get(task.id));
  }

  /** Takes any other event; returns the task that it is of, or null. */
  told(event, data) {
    const id = data.taskId;
    if (event === "task:removed") return this.#gone(id);
    const task = this.tasks.get(id);
    if (!task || event === "task:changed") {
      if (id !== null && !this.hidden.has(id) && event !== "sync:cancelled") this.#fetch(id);
      return task ?? null;
    }
    const own = this.#own.get(id);
    CHANGES[event]?.(task, data, own);
    if (event === "sync:cancelled") this.tasks.delete(id);
    else if (event.startsWith("sync:") && !(own?.statusChecker && isLive(task))) this.#fetch(id); // what follows from it
    return task;
  }

  #gone(id) {
    const task = this.tasks.get(id) ?? null;
    this.tasks.delete(id);
    this.hidden.delete(id);
    return task;
  }
}

/** What a `sync:progress` says of a watch alone. */
function watchedIs(task, { healthSince, lastChecked, behind = null }) {
  if (!isKept(task)) task.watch = "on"; // it has just begun
  Object.assign(task, { healthSince, lastChecked, behind });
}

/** What this process knows better: a look that failed, shown though the task goes on; whole facts. */
function ours(task, own) {
  if (own?.failing) Object.assign(task, { status: "error", health: "unreachable", error: own.failing.text });
  if (own?.rich) Object.assign(task.metadata, own.rich);
  return task;
}

const CHANGES = {
  "sync:start": (task, { attempt, timestamp }, own) => {
    if (attempt < task.attempt) return;
    if (attempt !== task.attempt || own?.waits) {
      task.metadata = {};
      task.progress = 0;
    }
    if (own) own.waits = false;
    Object.assign(task, {
      status: "in-progress", attempt, startedAt: timestamp, error: null, health: "unknown", note: null, watch: "none",
    });
    for (const key of ["completedAt", "erroredAt", "cancelledAt"]) delete task[key];
  },
  "sync:complete": (task, { completedAt }) => {
    Object.assign(task, { status: "complete", progress: 100, completedAt, error: null, note: null });
    if (MOVES.some((key) => key in task.metadata)) {
      Object.assign(task.metadata, { estimatedTimeRemaining: 0, formattedTimeRemaining: "Complete" });
    }
  },
  "sync:error": (task, { error, erroredAt }) => Object.assign(task, { status: "error", error: escaped(error), erroredAt }),
  "sync:cancelled": (task, { cancelledAt }) => Object.assign(task, { status: "cancelled", cancelledAt }),
  "sync:paused": (task) => Object.assign(task, task.status === "complete" ? { watch: "paused" } : { status: "paused" }),
  "sync:resumed": (task) => Object.assign(task, task.status === "complete" ? { watch: "on" } : { status: "in-progress" }),
  "sync:health": (task, { health, since, reason, note, behind = task.behind }) =>
    Object.assign(task, { health, healthSince: since, reason, note: escaped(note), behind }),
};

exports.Mirror = Mirror;
