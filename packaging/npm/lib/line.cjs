// One connection to the daemon: requests out, answers and events in, each wait with a deadline.
"use strict";

const net = require("node:net");
const { refused, TaskdError, unreachable } = require("./faults.cjs");
const { BadLine, Lines } = require("./lines.cjs");
const { whole } = require("./pieces.cjs");
const { badPath, reasonOf } = require("./places.cjs");

const IN_FLIGHT = 64; // requests that the daemon answers at once; further ones wait here
const WAITING = 10_000; // requests that may wait here
const READ = 64 * 1024; // bytes at once
const UNSENT = 32 * 1024 * 1024; // bytes that the daemon has still to take

/**
 * `told(message)` is called with what is no answer; `ended(error)` once, when it is over.
 * `stuck`: ms after which a daemon that takes nothing of what is written is let go of.
 */
class Line {
  #socket;
  #lines = new Lines((message) => this.#take(message));
  #told;
  #ended;
  #requests = new Map();
  #queue = [];
  #out = [];
  #lastId = 0;
  #sent = 0;
  #fault = null;
  #over = false;
  #stuckAfter;
  #stuck = null;
  #held;

  constructor(path, { told, ended, connect = 5_000, stuck = 20_000, held = true }) {
    this.path = path;
    this.#told = told;
    this.#ended = ended;
    this.#stuckAfter = stuck;
    this.#held = held;
    this.opened = this.#open(connect);
  }

  #open(deadline) {
    const problem = badPath(this.path);
    if (problem) {
      this.#over = true;
      return Promise.reject(unreachable("bad-path", this.path, { detail: problem }));
    }
    return new Promise((resolve, reject) => {
      const socket = (this.#socket = net.connect({ path: this.path, onread: this.#reading() }));
      const late = setTimeout(() => this.end(unreachable("timeout", this.path)), deadline);
      socket.on("error", (error) => (this.#fault ??= this.#why(error)));
      socket.on("connect", () => {
        clearTimeout(late);
        this.hold(this.#held);
        resolve(this);
      });
      // A restart is `end` and `close`, or ECONNRESET and `close`: `close` comes always, and once.
      socket.on("close", () => {
        clearTimeout(late);
        this.#close();
        reject(this.#fault);
      });
    });
  }

  /** Whether requests may be made. */
  get open() {
    return !this.#over;
  }

  /** Whether the process stays for it; what is asked for holds it in any case. */
  hold(held) {
    this.#held = held;
    if (held || this.#requests.size) this.#socket?.ref();
    else this.#socket?.unref();
  }

  /**
   * The result; rejects with TaskdError. `deadline`: ms, and after it `timeout`. `lazy`: a long list in
   * it may be one that can be gone through once, and is made on the way.
   */
  request(method, params, deadline, lazy = false) {
    if (this.#over) return Promise.reject(this.#fault ?? unreachable("closed", this.path));
    const full = this.#queue.length >= WAITING || this.#socket.writableLength > UNSENT;
    if (full) return Promise.reject(tooMany());
    return new Promise((resolve, reject) => {
      const id = (this.#lastId += 1);
      const request = { id, method, params, lazy, resolve, reject, sent: false };
      request.timer = setTimeout(() => {
        const fault = unreachable("timeout", this.path, { timeout: deadline });
        this.#settle(request, () => reject(fault));
      }, deadline);
      this.#requests.set(id, request);
      this.#queue.push(request);
      this.hold(this.#held);
      this.#pump();
    });
  }

  /** Lets go of it, for this reason. */
  end(fault) {
    this.#fault ??= fault;
    this.#socket?.destroy();
  }

  #why(error) {
    return unreachable(reasonOf(error), this.path, { detail: error.message });
  }

  #pump() {
    while (this.#sent < IN_FLIGHT && this.#queue.length) {
      const request = this.#queue.shift();
      if (!this.#requests.has(request.id)) continue; // nobody waits for it any more
      const { id, method, params } = request;
      const body = params === undefined ? { jsonrpc: "2.0", id, method } : { jsonrpc: "2.0", id, method, params };
      request.sent = true;
      this.#sent += 1;
      // Joined: a kernel's buffer holds a few hundred small writes only, whatever their size.
      if (this.#out.push(JSON.stringify(body)) === 1) setImmediate(() => this.#write());
    }
  }

  #write() {
    const text = this.#out.splice(0).join("\n");
    if (this.#over || !text) return;
    this.#socket.write(`${text}\n`);
    this.#watch();
  }

  // write() never refuses, and a socket's own timer does not see a reader that stopped.
  #watch() {
    if (this.#stuck || !this.#socket.writableLength) return;
    const left = this.#socket.writableLength;
    this.#stuck = setTimeout(() => {
      this.#stuck = null;
      if (this.#socket.writableLength >= left) this.end(unreachable("timeout", this.path));
      else this.#watch();
    }, this.#stuckAfter);
    this.#stuck.unref();
  }

  /** One buffer for all that comes: one for each read would lie about until the garbage is collected. */
  #reading() {
    return { buffer: Buffer.allocUnsafeSlow(READ), callback: (size, buffer) => this.#feed(buffer.subarray(0, size)) ?? true };
  }

  #feed(chunk) {
    try {
      this.#lines.feed(chunk);
    } catch (error) {
      if (!(error instanceof BadLine)) throw error;
      this.end(unreachable("not-taskd", this.path, { detail: error.message }));
    }
  }

  #take(message) {
    const request = this.#requests.get(message.id);
    if (message.method !== undefined) this.#told(message);
    else if (request) this.#settle(request, () => this.#answer(request, message));
    else if ((message.id ?? null) === null && message.error) this.#told(message);
  }

  #answer({ method, lazy, resolve, reject }, message) {
    if (message.error) reject(refused(message.error, method, this.path));
    else if ("result" in message) resolve(lazy ? message.result : whole(message.result));
    else reject(unreachable("not-taskd", this.path));
  }

  #settle(request, settle) {
    clearTimeout(request.timer);
    this.#requests.delete(request.id);
    if (request.sent) this.#sent -= 1;
    settle();
    if (this.#over) return;
    this.hold(this.#held);
    if (this.#queue.length) this.#pump();
  }

  #close() {
    this.#over = true;
    clearTimeout(this.#stuck);
    this.#fault ??= unreachable("closed", this.path);
    for (const request of [...this.#requests.values()]) {
      const fault = request.sent ? this.#fault : Object.assign(unreachable("closed", this.path), { unsent: true });
      this.#settle(request, () => request.reject(fault));
    }
    this.#ended(this.#fault);
  }
}

function tooMany() {
  return new TaskdError({ message: "too many requests wait for kaspad-taskd", reason: "busy" });
}

exports.Line = Line;
