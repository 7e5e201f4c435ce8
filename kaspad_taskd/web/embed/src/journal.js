// The events, each once and in order: what the line did not bring is asked for.

const PAGE = 1000;

/**
 * A place in the journal, `seq`, and whose journal that is, `name`.
 *
 * `getEvents(page)` asks for what follows; `take(name, data)` is called with each event; `gap` with
 * `{from, to}` when what lies between is not kept any more, or the journal is another one.
 */
export class Journal {
  seq;
  name;
  #ask;
  #take;
  #gap;
  #newest = 0; // told or known of; an event is on record before it is told
  #filling = null;
  #last = null; // the event `seq`, if it came to us
  #unsure = false; // on a new line nothing is taken until it is known whose journal it tells
  #line = 0;

  constructor(seq, { getEvents, take, gap }, name = null) {
    this.seq = seq;
    this.name = name;
    this.#ask = getEvents;
    this.#take = take;
    this.#gap = gap;
  }

  /** A new line: perhaps of a daemon that was restored or rolled back meanwhile. */
  doubt() {
    this.#line += 1;
    this.#newest = 0;
    this.#unsure = this.seq !== null;
  }

  /** An event came over the line, perhaps again, perhaps too early. */
  told(name, data) {
    this.#newest = Math.max(this.#newest, data.seq);
    if (this.seq === null || this.#unsure) return;
    if (data.seq === this.seq + 1) this.#pass(name, data);
    else if (data.seq > this.seq) this.#fill();
  }

  /**
   * A snapshot of the journal `name` is true at `seq`: what lies between is fetched. One behind us
   * is an answer that an event overtook, or of a daemon that lost its past: that one says so when
   * it is asked.
   */
  async reached(seq, name = null) {
    const line = this.#line;
    const other = name !== null && this.name !== null && name !== this.name;
    const same = !other && (!this.#unsure || (await this.#isSame()));
    if (line !== this.#line) return; // another one by now, of which we shall hear
    this.name = name ?? this.name;
    this.#unsure = false;
    if (this.seq !== null && !same) this.#jump(seq);
    this.seq ??= seq;
    this.#newest = Math.max(this.#newest, seq);
    if (this.#newest > this.seq || seq < this.seq) await this.#fill();
  }

  /** Whether the daemon knows our last event as we do; a host rolled back has told others since. */
  async #isSame() {
    const mine = this.#last;
    if (mine === null) return true;
    try {
      const { events, oldest } = await this.#ask({ after: mine.seq - 1, limit: 1 });
      const its = events[0];
      const same = its?.event === mine.name && its.data.timestamp === mine.timestamp;
      return same || mine.seq < oldest;
    } catch (error) {
      if (error.reason === "gap") return mine.seq < error.data.oldest;
      throw error; // no answer: whoever asked asks again
    }
  }

  #fill() {
    this.#filling ??= this.#fetchAll().finally(() => (this.#filling = null));
    return this.#filling;
  }

  async #fetchAll() {
    let before = null;
    do {
      before = this.seq;
      try {
        const { events } = await this.#ask({ after: before, limit: PAGE });
        for (const { seq, event, data } of events) {
          if (seq === this.seq + 1 || this.seq === 0) this.#pass(event, { ...data, seq });
        }
      } catch (error) {
        if (error.reason === "gap") this.#jump((this.#newest = error.data.seq));
        // else no answer: the next event, or the next snapshot, asks again
      }
    } while (before !== this.seq && this.seq < this.#newest);
  }

  #jump(seq) {
    const from = this.seq;
    this.seq = seq;
    this.#last = null;
    this.#gap({ from, to: seq });
  }

  #pass(name, data) {
    this.seq = data.seq;
    this.#last = { seq: data.seq, name, timestamp: data.timestamp };
    this.#take(name, data);
  }
}
