// Events of the daemon into those of a wizard: its names, its order, to all browsers and to listeners here.
"use strict";

const payloads = require("./payloads.cjs");
const { endOf, isKept, isLive } = require("./shapes.cjs");
const { within } = require("./within.cjs");

const DAY = 86_400_000;
const HOLD = 60_000; // ms for which `node:ready` waits for `onComplete`
const READY = 5_000; // ms for which an answer waits for `node:ready`: switches may take minutes

/** What of the manager it needs: `io`, `emit`, `listenerCount`, tasks, own, troubles, completions. */
class Telling {
  #of;
  early = false; // a browser came before anything was known
  #greeted = new WeakSet();
  #ends = new Map(); // id -> `onComplete` under way
  #readied = new Map(); // id -> the attempt whose `node:ready` has been told
  #awaited = new Map(); // id -> who waits for it

  constructor(of) {
    this.#of = of;
  }

  /** To all browsers, with the time; to listeners here without it. */
  emit(name, { timestamp = new Date().toISOString(), ...data }) {
    this.#out(name, { timestamp, ...data });
  }

  #out(name, payload) {
    const { manager } = this.#of;
    try {
      manager.io?.emit(name, payload);
      if (!manager.listenerCount(name)) return;
      const { timestamp: _now, ...data } = payload;
      manager.emit(name, data);
    } catch (error) {
      console.error(`kaspad-taskd: a listener of ${name} has thrown:`, error); // it is no fault of a task's
    }
  }

  /** Who connects is told how everything is: browsers of old never ask. */
  greet(io) {
    if (typeof io?.on !== "function" || this.#greeted.has(io)) return;
    this.#greeted.add(io);
    io.on("connection", (socket) => {
      if (this.#of.manager.io !== io || typeof socket?.emit !== "function") return;
      this.early ||= this.#of.tasks.size === 0;
      for (const task of this.#worthTelling()) socket.emit("sync:progress", this.#state(task));
    });
  }

  *#worthTelling() {
    for (const task of this.#of.tasks.values()) {
      if (task.status !== "pending" && (isLive(task) || isKept(task) || Date.now() - endOf(task) < DAY)) yield task;
    }
  }

  /** Tells how everything is: after a snapshot. */
  all() {
    for (const task of this.#worthTelling()) this.state(task);
  }

  /** Tells how one task is. */
  state(task) {
    this.#out("sync:progress", this.#state(task));
  }

  #state(task) {
    return this.#dressed(payloads.state(task), task);
  }

  #dressed(payload, task) {
    return this.#of.troubles.has(task.id) ? payloads.troubled(payload, task) : payload;
  }

  /** A `sync:progress` of a task at which the daemon looks. */
  progress(task, data) {
    this.#out("sync:progress", this.#dressed(payloads.progress(task, data), task));
  }

  /** Any other event of a task, which has it already. */
  event(name, task, data) {
    Telling.#told[name]?.call(this, task, data);
  }

  /** What happened to a task while nobody could tell: between two snapshots. */
  missed(task, before) {
    const timestamp = new Date().toISOString();
    if (task.status === "complete" && (before.status !== "complete" || before.attempt !== task.attempt)) {
      const seconds = Math.max(0, Math.floor((Date.parse(task.completedAt) - Date.parse(task.startedAt)) / 1000));
      this.event("sync:complete", task, { timestamp, completedAt: task.completedAt, duration: { seconds } });
    } else if (task.status === "error" && before.status !== "error") {
      const { error, erroredAt } = task;
      this.#out("sync:error", { ...payloads.failed(task, { timestamp, erroredAt }), error });
    }
  }

  /** `onComplete`, then what waits for it. */
  async completed(task, because) {
    const own = this.#of.own.get(task.id);
    if (!own) return;
    const ended = this.#of.completions.due(own, task, because).catch((error) => this.#of.wrong(error, own));
    this.#ends.set(task.id, ended);
    await ended;
    if (this.#ends.get(task.id) === ended) this.#ends.delete(task.id);
    if (!own.reports || own.type !== "node-sync" || own.config.autoSwitch !== true || own.readied === task.attempt) return;
    own.readied = task.attempt; // the daemon does not know it for a node
    const { host, port } = own.config;
    this.#ready(task, { timestamp: new Date().toISOString(), host, port });
  }

  /** Returns when what follows a completion has been told, as the class of old did; it has its bounds. */
  async concluded(task) {
    await within(HOLD, this.#ends.get(task.id));
    const none = task.type !== "node-sync" || task.config.autoSwitch === false || task.status !== "complete";
    if (none || this.#readied.get(task.id) === task.attempt) return;
    await within(READY, new Promise((resolve) => this.#awaited.set(task.id, resolve)));
    this.#awaited.delete(task.id);
  }

  async #readyAfter(task, data) {
    await within(HOLD, this.#ends.get(task.id));
    this.#ready(task, data);
  }

  #ready(task, data) {
    this.#readied.set(task.id, task.attempt);
    this.#awaited.get(task.id)?.();
    if (task.config.autoSwitch !== false) this.#out("node:ready", payloads.ready(task, data));
  }

  static #told = {
    "sync:start"(task, data) {
      this.#out("sync:start", payloads.start(task, data));
    },
    "sync:complete"(task, data) {
      this.#out("sync:complete", payloads.complete(task, data));
      this.completed(task, data.because ?? null);
    },
    "sync:error"(task, data) {
      this.#out("sync:error", payloads.failed(task, data));
    },
    "sync:cancelled"(task, data) {
      this.#out("sync:cancelled", payloads.cancelled(task, data));
    },
    "sync:paused"(task) {
      if (task.status === "paused") this.state(task);
    },
    "sync:resumed"(task) {
      if (task.status === "in-progress") this.state(task);
    },
    "node:ready"(task, data) {
      if (this.#ends.has(task.id)) this.#readyAfter(task, data);
      else this.#ready(task, data);
    },
  };
}

exports.Telling = Telling;
