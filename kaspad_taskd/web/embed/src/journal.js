// The events, each once and in order: what the line did not bring is asked for.

const PAGE = 1000;

/**
 * A place in the journal, `seq`.
 *
 * `getEvents(page)` asks for what follows; `take(name, data)` is called with each event; `gap` with
 * `{from, to}` when what lies between is not kept any more.
 */
export class Journal {
  seq;
  #ask;
  #take;
  #gap;
  #newest = 0; // told or known of; an event is on record before it is told
  #filling = null;

  constructor(seq, { getEvents, take, gap }) {
    this.seq = seq;
    this.#ask = getEvents;
    this.#take = take;
    this.#gap = gap;
  }

  /** An event came over the line, perhaps again, perhaps too early. */
  told(name, data) {
    this.#newest = Math.max(this.#newest, data.seq);
    if (this.seq === null) return;
    if (data.seq === this.seq + 1) this.#pass(name, data);
    else if (data.seq > this.seq) this.#fill();
  }

  /**
   * A snapshot is true at `seq`: what lies between is fetched. One behind us is an answer that an
   * event overtook, or of a daemon that lost its past: that one says so when it is asked.
   */
  async reached(seq) {
    this.seq ??= seq;
    this.#newest = Math.max(this.#newest, seq);
    if (this.#newest > this.seq || seq < this.seq) await this.#fill();
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
        if (error.reason === "gap") this.#jump(error.data.seq);
        // else no answer: the next event, or the next snapshot, asks again
      }
    } while (before !== this.seq && this.seq < this.#newest);
  }

  #jump(seq) {
    const from = this.seq;
    this.seq = this.#newest = seq;
    this.#gap({ from, to: seq });
  }

  #pass(name, data) {
    this.seq = data.seq;
    this.#take(name, data);
  }
}
