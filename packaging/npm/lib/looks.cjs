// Looks that a wizard's own functions take, in its process: one at a time for each task, each with a
// deadline, the interval counted from the end of a look.
"use strict";

const DEADLINE = 30_000; // ms, where the registration names no timeout
const SHORTEST = 50; // ms between two looks

/** `look(own)` takes one, and never rejects. */
class Looks {
  #look;
  #timers = new Map();
  #under = new Map();

  constructor(look) {
    this.#look = look;
  }

  /** Looks from now on, the first time after one interval. */
  start(own) {
    if (this.#timers.has(own.id)) return;
    this.#timers.set(own.id, null);
    this.#next(own);
  }

  stop(id) {
    clearTimeout(this.#timers.get(id));
    this.#timers.delete(id);
  }

  stopAll() {
    for (const id of [...this.#timers.keys()]) this.stop(id);
  }

  /** Looks now, or waits for the look under way: what it gave. */
  now(own) {
    let under = this.#under.get(own.id);
    if (!under) {
      under = this.#look(own).finally(() => this.#under.delete(own.id));
      this.#under.set(own.id, under);
    }
    return under;
  }

  #next(own) {
    const timer = setTimeout(async () => {
      await this.now(own);
      if (this.#timers.get(own.id) === timer) this.#next(own);
    }, Math.max(SHORTEST, own.checkInterval));
    this.#timers.set(own.id, timer);
  }
}

/** What a status checker says; rejects with what it threw, or because it says nothing in time. */
async function asked(own, task) {
  const deadline = own.timeout ?? DEADLINE;
  const control = new AbortController();
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => {
      control.abort();
      reject(new Error(`statusChecker has not answered within ${deadline} ms`));
    }, deadline);
  });
  try {
    return await Promise.race([(async () => own.statusChecker(task, { signal: control.signal }))(), late]);
  } finally {
    clearTimeout(timer);
  }
}

exports.asked = asked;
exports.Looks = Looks;
