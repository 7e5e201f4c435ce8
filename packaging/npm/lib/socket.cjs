// A client of the daemon's Unix socket: calls, and one subscription that misses nothing.
"use strict";

const { EventEmitter } = require("node:events");
const { refused, TaskdError, unreachable } = require("./faults.cjs");
const { Following } = require("./following.cjs");
const { Line } = require("./line.cjs");
const { mostTelling, placesOf, readersOf } = require("./places.cjs");

const DEADLINE = 30_000; // ms for an answer
const PATIENCE = 1_000; // ms for which connecting is tried again: a daemon that restarts is back by then
const FIRST_PAUSE = 50;
const LAST_PAUSE = 5_000;
const READS = /^(get|list|explain|ping$|waitTask$|rpc\.discover$)/;

/**
 * `path`: of the socket, else KASPAD_TASKD_SOCKET, else the system's, then this user's own.
 * `deadline`: ms for an answer. `patience`: ms that a call waits for a daemon that is not there.
 *
 * Emits `connect {path}`, `disconnect (TaskdError)`, `event {seq, event, data}`, `snapshot {seq,
 * journal, tasks}`, `gap (TaskdError)`, `resume {seq}` and `close`; never `error`.
 */
class TaskdSocket extends EventEmitter {
  #paths;
  #deadline;
  #patience;
  #stuck;
  #line = null;
  #following = null;
  #connecting = null;
  #waiting = new Set();
  #pause = FIRST_PAUSE;
  #rest = null;
  #fault = null;
  #closed = false;
  #held = true;

  constructor({ path, deadline = DEADLINE, patience = PATIENCE, stuck } = {}) {
    super();
    this.#paths = placesOf(path);
    this.#deadline = deadline;
    this.#patience = patience;
    this.#stuck = stuck;
  }

  /** The socket in use, or the first that is tried. */
  get path() {
    return this.#line?.path ?? this.#paths[0];
  }

  /** Whether there is a daemon on the other end, and its events are told, where that was wanted. */
  get connected() {
    return this.#line !== null;
  }

  /** Why there is none: what the last try ended with; null where there is one. */
  get fault() {
    return this.#line ? null : this.#fault;
  }

  /** Of the last event told; null before the first snapshot. */
  get seq() {
    return this.#following?.seq ?? null;
  }

  /** The identity of the journal that `seq` is of. */
  get journal() {
    return this.#following?.journal ?? null;
  }

  /**
   * A method's result. Rejects with TaskdError: the daemon's no, or none of its answers; whether a
   * change was made is then not known if the reason is `timeout` or `closed`.
   */
  async call(method, params, { deadline = this.#deadline, lazy } = {}) {
    const until = Date.now() + deadline;
    for (let tries = 1; ; tries += 1) {
      const line = await this.#ready(Math.min(this.#patience, deadline));
      try {
        return await line.request(method, params, Math.max(1, until - Date.now()), lazy);
      } catch (error) {
        const again = error.unsent || (error.reason === "closed" && READS.test(method));
        if (!again || tries > 2 || Date.now() >= until) throw error;
      }
    }
  }

  /**
   * Tells events from now on, or those that followed `after`, for ever. Resolves with `{seq, journal,
   * tasks}` as soon as there is a daemon; `tasks` are all tasks as they were at `seq` (not with `after`);
   * with `lazy` they may be gone through once, which spares memory.
   */
  subscribe({ after, journal, tasks, lazy } = {}) {
    if (this.#closed) return Promise.reject(closed());
    if (this.#following) return Promise.reject(new TaskdError({ message: "it is subscribed already", reason: "conflict" }));
    this.#following = new Following({ after, journal, tasks, lazy }, {
      told: (event) => this.emit("event", event),
      snapshot: (snapshot) => this.emit("snapshot", snapshot),
      gap: (why) => this.emit("gap", why),
    });
    const first = new Promise((resolve) => {
      const off = () => this.off("snapshot", begun).off("resume", begun);
      const begun = (now) => resolve(now) ?? off();
      this.on("snapshot", begun).on("resume", begun);
    });
    if (this.#line) this.#line.end(unreachable("closed", this.path)); // a line of its own: the old one goes
    else this.#connect();
    return first;
  }

  /** Lets go of the daemon, for good. */
  close() {
    if (this.#closed) return;
    this.#closed = true;
    clearTimeout(this.#rest);
    for (const one of [...this.#waiting]) one.reject(closed());
    this.#connecting?.end(closed());
    this.#line?.end(closed());
    this.emit("close");
  }

  /** The process ends though this is open; a call under way still holds it. */
  unref() {
    return this.#hold(false);
  }

  ref() {
    return this.#hold(true);
  }

  #hold(held) {
    this.#held = held;
    this.#line?.hold(held);
    this.#connecting?.hold(held);
    if (this.#rest) held ? this.#rest.ref() : this.#rest.unref();
    return this;
  }

  /** A line that may be used; rejects with why there is none after `patience` ms. */
  #ready(patience) {
    if (this.#closed) return Promise.reject(closed());
    if (this.#line?.open) return Promise.resolve(this.#line);
    return new Promise((resolve, reject) => {
      const waiting = { resolve: (line) => end(resolve, line), reject: (fault) => end(reject, fault) };
      const timer = setTimeout(() => {
        waiting.reject(this.#fault ?? unreachable("timeout", this.path, { timeout: patience }));
      }, patience);
      const end = (settle, value) => {
        clearTimeout(timer);
        this.#waiting.delete(waiting);
        settle(value);
      };
      this.#waiting.add(waiting);
      this.#connect();
    });
  }

  #connect() {
    if (this.#connecting || this.#line || this.#closed) return;
    clearTimeout(this.#rest);
    this.#rest = null;
    this.#connecting = { end() {}, hold() {} };
    this.#try().then((line) => this.#have(line), (fault) => this.#haveNot(fault));
  }

  async #try() {
    const faults = [];
    for (const path of this.#paths) {
      try {
        return await this.#either(path);
      } catch (fault) {
        faults.push(fault);
      }
    }
    throw mostTelling(faults);
  }

  /** Who may not use a daemon's socket, but may read, gets the one for reading beside it. */
  async #either(path) {
    try {
      return await this.#open(path);
    } catch (fault) {
      const readers = fault.reason === "forbidden" ? readersOf(path) : null;
      if (!readers) throw fault;
      return this.#open(readers).catch(() => {
        throw fault; // the first no is the one that counts
      });
    }
  }

  async #open(path) {
    if (this.#closed) throw closed();
    const line = new Line(path, {
      told: (message) => this.#told(line, message),
      ended: (fault) => this.#lost(line, fault),
      stuck: this.#stuck,
      held: this.#held,
    });
    this.#connecting = line;
    await line.opened;
    if (!this.#following) return line;
    try {
      line.resumed = await this.#following.over(line);
    } catch (fault) {
      line.end(fault);
      throw fault;
    }
    return line;
  }

  #have(line) {
    this.#connecting = null;
    if (!line.open || this.#closed) return this.#haveNot(this.#fault ?? unreachable("closed", line.path));
    this.#line = line;
    this.#pause = FIRST_PAUSE;
    this.emit("connect", { path: line.path });
    if (line.resumed) this.emit("resume", { seq: this.seq, journal: this.journal, tasks: [] });
    for (const one of [...this.#waiting]) one.resolve(line);
    return undefined;
  }

  #haveNot(fault) {
    this.#connecting = null;
    this.#fault = fault;
    if (this.#closed) return;
    if (fault.reason === "forbidden" || fault.reason === "bad-path") {
      for (const one of [...this.#waiting]) one.reject(fault); // waiting does not help
    }
    this.emit("disconnect", fault);
    this.#again();
  }

  #again() {
    if (this.#closed || !(this.#following || this.#waiting.size)) return;
    this.#rest = setTimeout(() => this.#connect(), this.#pause * (0.75 + Math.random() / 2));
    if (!this.#held) this.#rest.unref();
    this.#pause = Math.min(this.#pause * 2, LAST_PAUSE);
  }

  #lost(line, fault) {
    this.#fault = fault;
    if (this.#line !== line) return; // it never was in use: who opens it hears of it
    this.#line = null;
    if (this.#closed) return;
    this.emit("disconnect", fault);
    this.#again();
  }

  #told(line, message) {
    try {
      this.#following?.take(message);
      if (!this.#following && message.error) throw message.error;
    } catch (error) {
      if (error instanceof Error) throw error; // a listener's own
      const fault = refused(error, "subscribe", line.path);
      if (fault.reason === "gap") this.#following.forget(fault); // too slow: it begins anew
      line.end(fault);
    }
  }
}

function closed() {
  return new TaskdError({ message: "this TaskdSocket was closed", reason: "closed" });
}

exports.TaskdSocket = TaskdSocket;
