// The bar: a segment a step, as wide as its weight; and the strip of an hour's rates.
import { draw, mark } from "./dom.js";

const GAP = 0.4; // percent of the bar's width
const HATCH = 6; // pixels; a hatch moves on by a quarter of it with each reading that rose
const CREEP = 1; // percent of the bar: what moves less is put there, an animation would not be seen
const CLASSES = { done: "past", now: "past", next: "next", hatch: null };

/** A bar that is empty until `show` is called. */
export class Bar {
  #hatch;
  #body = draw("g");
  #kinds = "";
  #steps = 0;
  #done = null;

  constructor() {
    this.#hatch = draw("pattern", {
      id: "hatch", width: HATCH, height: HATCH, patternUnits: "userSpaceOnUse",
    }, draw("path", { d: "M-1 7L7 -1M-1 1L1 -1M5 7L7 5", class: "half" }));
    this.node = draw("svg", {
      class: "bar quiet", part: "bar", role: "progressbar", "aria-valuemin": 0, "aria-valuemax": 100,
    }, draw("defs", {}, this.#hatch), this.#body);
  }

  /** Draws segments (begin, width, kind); none is the empty track. */
  show(segments, { tone = "quiet", label, value = null, text = null, done = null } = {}) {
    mark(this.node, "aria-label", label);
    mark(this.node, "aria-valuetext", text);
    mark(this.node, "aria-valuenow", value);
    const shown = (segments.length ? segments : [[0, 100, "next"]]).filter(([, width]) => width > 0);
    mark(this.node, "class", `bar ${tone}${this.#leaps(shown) ? "" : " creep"}`);
    this.#draw(shown);
    if (this.#done !== null && done > this.#done) this.#step();
    this.#done = done;
  }

  #leaps(segments) {
    const rects = this.#body.children;
    return segments.some(([, width], at) => (
      Math.abs(width - Number.parseFloat(rects[at]?.getAttribute("width") ?? 0)) >= CREEP
    ));
  }

  #draw(segments) {
    const kinds = segments.map(([, , kind]) => kind).join(" ");
    if (kinds !== this.#kinds) this.#body.replaceChildren(...segments.map(segment));
    this.#kinds = kinds;
    segments.forEach(([x, width, kind], at) => {
      const last = at === segments.length - 1;
      const gap = last || kind === "now" ? 0 : GAP;
      mark(this.#body.children[at], "x", `${x}%`);
      mark(this.#body.children[at], "width", `${Math.max(0.1, width - gap).toFixed(2)}%`);
    });
  }

  #step() {
    this.#steps = (this.#steps + 1) % 4;
    mark(this.#hatch, "patternTransform", `translate(${this.#steps * (HATCH / 4)} 0)`);
  }
}

function segment([, , kind]) {
  const fill = kind === "hatch" ? "url(#hatch)" : null;
  return draw("rect", { y: 0, height: 10, rx: 2, class: CLASSES[kind], fill });
}

/** The strip: a bar a minute, a dash where nothing answered, nothing where nobody looked. */
export function strip(points, label) {
  const most = Math.max(...points.map((point) => point.rate ?? 0)) || 1;
  const marks = points.flatMap((point, at) => {
    if (point.health === null) return [];
    const tall = point.rate > 0 ? Math.max(1.5, (point.rate / most) * 26) : 0;
    const place = { x: at * 4, width: 3 };
    return tall
      ? draw("rect", { ...place, y: 28 - tall, height: tall })
      : draw("rect", { ...place, y: 26.6, height: 1, class: "none" });
  });
  const width = Math.max(60, points.length) * 4;
  return draw("svg", {
    class: "strip", part: "strip", role: "img", "aria-label": label,
    viewBox: `0 0 ${width} 28`, preserveAspectRatio: "none",
  }, ...marks);
}
