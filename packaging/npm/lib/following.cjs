// One reader of the journal, who knows where it is and whose journal that is: events once each and in
// order, over restarts of the daemon. The same rules as kaspad_taskd/client/following.py.
"use strict";

const { TaskdError } = require("./faults.cjs");

const DEADLINE = 30_000; // ms for the answer to `subscribe`

/**
 * `seq`: of the last event told, null before the first snapshot; `journal`: whose number that is.
 *
 * Calls `told({seq, event, data})`, `snapshot({seq, journal, tasks})` where it begins (again), and
 * `gap(TaskdError)` before it has to begin again: what was known of the tasks counts no more.
 */
class Following {
  #tasks;
  #lazy;
  #on;
  #last = null; // on record, as it was told
  #held = null; // events that came before it is known whose they are

  constructor({ after = null, journal = null, tasks = null, lazy = false } = {}, on) {
    this.seq = after;
    this.journal = journal;
    this.#tasks = tasks;
    this.#lazy = lazy;
    this.#on = on;
  }

  /** Goes on over a new line; whether it did, and has not begun (again). Rejects with what keeps it from both. */
  async over(line) {
    this.#held = [];
    try {
      const { seq } = this;
      const result = await this.#subscribe(line, { after: seq ?? undefined, journal: this.journal ?? undefined });
      const other = seq === null ? null : await this.#other(line);
      if (other) throw other;
      this.#begin(result, seq === null);
      return seq !== null;
    } catch (error) {
      if (error.reason !== "gap" || this.seq === null) throw error;
      this.forget(error);
      if (error.other) throw error; // on this line the other journal is being told: a new one
      this.#held = [];
      this.#begin(await this.#subscribe(line, {}), true);
      return false;
    }
  }

  /** Takes what is no answer to a request. Throws what ends the line. */
  take(message) {
    if (message.method === "event") {
      if (this.#held) this.#held.push(message.params);
      else this.#tell(message.params);
    } else if (message.error) throw message.error;
  }

  /** Nothing that was known counts any more. */
  forget(why) {
    this.seq = this.journal = this.#last = null;
    this.#on.gap(why);
  }

  #subscribe(line, from) {
    const tasks = this.#tasks ? { tasks: this.#tasks } : {};
    return line.request("subscribe", { ...from, ...tasks }, DEADLINE, this.#lazy);
  }

  #begin(result, anew) {
    const { seq, tasks = [] } = result;
    this.journal = result.journal || null;
    if (anew) {
      this.seq = seq;
      this.#on.snapshot({ seq, journal: this.journal, tasks });
    }
    const held = this.#held ?? [];
    this.#held = null;
    for (const event of held) this.#tell(event);
  }

  #tell(event) {
    const state = event.event === "sync:progress"; // that is no history, and stands in no journal
    if (!state && event.seq <= this.seq) return;
    if (event.seq > this.seq) this.seq = event.seq;
    if (!state) this.#last = event;
    this.#on.told(event);
  }

  /** Why the daemon, whose host was rolled back perhaps, knows our last event otherwise; or null. */
  async #other(line) {
    const mine = this.#last;
    if (!mine) return null;
    let page;
    try {
      page = await line.request("getEvents", { after: mine.seq - 1, limit: 1 }, DEADLINE);
    } catch (error) {
      if (error.reason !== "gap") throw error;
      return mine.seq >= (error.data.oldest ?? 0) ? Object.assign(error, { other: true }) : null;
    }
    const [known] = page.events;
    const same = known?.event === mine.event && known.data.timestamp === mine.data.timestamp;
    if (same || mine.seq < page.oldest) return null;
    const { oldest, seq } = page;
    return Object.assign(
      new TaskdError({
        message: `event ${mine.seq} is another one than was told: the journal was put back`,
        reason: "gap", code: -32007, data: { reason: "gap", journal: this.journal ?? "", oldest, seq },
      }),
      { other: true },
    );
  }
}

exports.Following = Following;
