// `onComplete`, once for each attempt that completes, over restarts of both sides: when it has returned,
// that is put on record, and what is on record is not called again.
"use strict";

const { passes } = require("./faults.cjs");

const AGAIN = 1_000; // ms until the daemon is asked again
const NEWEST = Number.MAX_SAFE_INTEGER;

const nameOf = (id, attempt) => `on-complete ${id} ${attempt}`;

/** `call` asks the daemon; `wrong(error, own)` hears of an `onComplete` that threw. */
class Completions {
  #call;
  #wrong;
  #begun = new Map(); // "id attempt createdAt" -> what is under way, or was

  constructor(call, wrong) {
    this.#call = call;
    this.#wrong = wrong;
    this.closed = false;
  }

  /** An attempt is complete: returns when its `onComplete`, if it is to be called, has ended. */
  due(own, task, because) {
    if (!own.onComplete) return Promise.resolve();
    const key = `${task.id} ${task.attempt} ${task.createdAt}`;
    let under = this.#begun.get(key);
    if (!under) this.#begun.set(key, (under = this.#run(own, task, task.attempt, because)));
    return under;
  }

  async #run(own, task, attempt, because) {
    const { createdAt } = task;
    if (await this.#isDone(own, task.id, attempt, createdAt, because)) return;
    try {
      await own.onComplete(task, { attempt });
    } catch (error) {
      this.#wrong(error, own);
      return; // the next start of this process calls it again
    }
    const context = { taskId: task.id, attempt, createdAt };
    await this.#surely("recordDecision", { decision: nameOf(task.id, attempt), context });
  }

  async #isDone(own, id, attempt, createdAt, because) {
    const decisions = (await this.#surely("getDecisions")) ?? [];
    const known = new Set(decisions.filter((one) => ofThis(one, createdAt)).map((one) => one.decision));
    if (known.has(nameOf(id, attempt))) return true;
    if (own.onRelapse || attempt === 1) return false;
    const cause = because === undefined ? await this.#cause(id, attempt) : because;
    const before = Array.from({ length: attempt - 1 }, (_, n) => nameOf(id, n + 1));
    return Boolean(cause) && before.some((name) => known.has(name));
  }

  /** Why an attempt began, where it began by itself. */
  async #cause(id, attempt) {
    const page = await this.#surely("getEvents", { taskId: id, before: NEWEST, limit: 1000 });
    const begun = page?.events.filter(({ event, data }) => event === "sync:start" && data.attempt === attempt);
    return begun?.at(-1)?.data.because ?? null;
  }

  /** Asks until the daemon answers. */
  async #surely(method, params) {
    while (!this.closed) {
      try {
        return await this.#call(method, params);
      } catch (error) {
        if (!passes(error)) throw error;
      }
      await new Promise((more) => setTimeout(more, AGAIN).unref());
    }
    return null;
  }
}

/** Whether a decision is of this task, and not of one with its name that was removed since. */
function ofThis({ context }, createdAt) {
  const of = context?.createdAt;
  return of === undefined || of === createdAt;
}

exports.Completions = Completions;
