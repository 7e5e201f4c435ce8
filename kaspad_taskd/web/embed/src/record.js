// The record of a task in a component: a strip of ninety days and a sentence.
import { draw, make, write } from "./dom.js";
import { columns, line, part, placesOf } from "./past.js";
import { readable } from "../../static/read.js";
import { say, secondsOf, when } from "../../static/words.js";

const DAYS = 90;
const EVERY_MS = 60_000;

/** The part of `<kaspad-task variant="record">` that is the record. */
export class Record {
  #at = -EVERY_MS;
  #shown = "";
  #said = make("p", { part: "record", hidden: "" });
  #strip = make("div", { hidden: "" });
  node = make("div", { class: "stack" }, this.#said, this.#strip);

  /** Asks anew each minute, and at once where the health is another one. */
  async stayTrue(client, task, now) {
    const shown = `${task.id} ${task.status} ${task.health} ${task.healthSince}`;
    const due = performance.now() - this.#at >= EVERY_MS || shown !== this.#shown;
    if (!due || client.connection.state !== "live") return;
    [this.#at, this.#shown] = [performance.now(), shown];
    try {
      const record = await client.record(task.id, { days: DAYS });
      if (this.#shown === shown) this.#draw(record, now);
    } catch {
      // what was drawn stays; it is asked for again in a minute, or with the next change
    }
  }

  #draw(record, now) {
    write(this.#said, record.since ? line(record) : say("record.nothing"));
    this.#strip.hidden = !record.series.length;
    const focused = this.#strip.contains(this.#strip.getRootNode().activeElement);
    this.#strip.replaceChildren(...(record.series.length ? strip(record, now) : []));
    if (focused) this.#strip.firstChild?.focus();
  }
}

function strip(record, now) {
  const places = placesOf(record), first = places - record.series.length;
  const drawn = draw("svg", {
    class: "past", part: "strip", role: "img", "aria-label": say("record.label.day"),
    viewBox: "0 0 720 40", preserveAspectRatio: "none",
  }, ...columns(record).map(([state, d]) => draw("path", { class: state, d })));
  const value = make("p", { class: "value" });
  const points = record.series.map(({ from, to, seconds }, at) => ({
    at: secondsOf(from), end: secondsOf(to), seconds, x: (first + at + 0.4) / places,
  }));
  const text = ({ at, end, seconds }) =>
    say("page.past.part", { when: when(at, now()), end: when(end, now()), told: part(seconds) });
  readable(drawn, points, text, (said) => (value.textContent = said));
  return [drawn, value];
}
