// The events, each once and in order: what the line did not bring is asked for.

const PAGE = 1000;
const HELD = 5000; // events that may wait for those before them

/**
 * A place in the journal, `seq`.
 *
 * `getEvents(after)` asks for what follows; `take(name, data)` is called with each event; `gap`
 * with `{from, to}` when what lies between is not kept any more.
 */
export class Journal {
  seq;
  #ask;
  #take;
  #gap;
  #held = [];
  #filling = null;

  constructor(seq, { getEvents, take, gap }) {
    this.seq = seq;
    this.#ask = getEvents;
    this.#take = take;
    this.#gap = gap;
  }

  /** An event came over the line, perhaps again, perhaps too early. */
  told(name, data) {
    if (this.seq !== null && data.seq <= this.seq) return;
    if (this.seq !== null && data.seq === this.seq + 1) this.#pass(name, data);
    else this.#hold(name, data);
  }

  /** A snapshot is true at `seq`: what lies between is fetched. */
  async reached(seq) {
    if (this.seq === null) this.seq = seq;
    else if (seq < this.seq) this.#jump(seq);
    else if (seq > this.seq) await this.#fill();
    this.#drain();
  }

  #hold(name, data) {
    this.#held.push([name, data]);
    if (this.seq === null) return;
    if (this.#held.length > HELD) this.#jump(this.#held.at(-1)[1].seq - 1);
    else this.#fill();
  }

  #fill() {
    this.#filling ??= this.#fetchAll().finally(() => {
      this.#filling = null;
      this.#drain();
    });
    return this.#filling;
  }

  async #fetchAll() {
    for (let more = true; more; ) {
      let page;
      try {
        page = await this.#ask({ after: this.seq, limit: PAGE });
      } catch (error) {
        if (error.reason === "gap") this.#jump(error.data?.seq ?? this.#held.at(-1)?.[1].seq);
        return; // else no answer: the next event, or the next snapshot, asks again
      }
      for (const { seq, event, data } of page.events) {
        if (seq === this.seq + 1 || this.seq === 0) this.#pass(event, { ...data, seq });
      }
      more = page.events.length === PAGE;
    }
  }

  #jump(seq) {
    const from = this.seq;
    this.seq = seq ?? from;
    this.#gap({ from, to: this.seq });
  }

  #drain() {
    const held = this.#held.sort(([, a], [, b]) => a.seq - b.seq);
    this.#held = [];
    for (const [name, data] of held) {
      if (data.seq === this.seq + 1) this.#pass(name, data);
      else if (data.seq > this.seq) this.#held.push([name, data]);
    }
  }

  #pass(name, data) {
    this.seq = data.seq;
    this.#take(name, data);
  }
}
