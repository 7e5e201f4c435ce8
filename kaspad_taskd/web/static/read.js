// The value of a drawing under the pointer, a finger or the arrow keys, with its time.
import { say, when } from "./words.js";

const SVG = "http://www.w3.org/2000/svg";
let kept = null; // the time that was read last: a drawing that is made anew goes on there

/** What is said of a minute of rates. */
export function minute({ at, rate, health }, unit, now) {
  const key = rate > 0 ? "rate" : { null: "nobody", unreachable: "silent" }[health] ?? "still";
  return say(`page.minute.${key}`, { when: when(at, now), rate, unit });
}

/**
 * Let a drawing be read. `points`: `{at, x}`, s and 0 to 1, in order; `text(point)`: what is said of
 * one; `show(text)`: where; "" takes it away. Screen readers hear it as a slider's value.
 */
export function readable(svg, points, text, show) {
  const last = points.length - 1;
  if (last < 0 || svg.hasAttribute("tabindex")) return;
  const set = (name, value) => svg.setAttribute(name, value);
  const [, , width, height] = svg.getAttribute("viewBox").split(" ");
  const mark = svg.appendChild(document.createElementNS(SVG, "path"));
  mark.setAttribute("class", "cursor");
  let place = last;

  const value = () => {
    set("aria-valuenow", place);
    set("aria-valuetext", text(points[place]));
  };
  const go = (to) => {
    place = Math.min(last, Math.max(0, to));
    kept = points[place].at;
    mark.setAttribute("d", `M${points[place].x * width} 0v${height}`);
    value();
    show(text(points[place]));
  };
  const nearest = (distance) => points.reduce(
    (best, each, at) => (distance(each) < distance(points[best]) ? at : best), 0,
  );
  const leave = () => {
    if (svg.matches(":focus-visible")) return;
    mark.setAttribute("d", "");
    show("");
  };
  const point = ({ clientX }) => {
    const box = svg.getBoundingClientRect(), x = (clientX - box.left) / box.width;
    go(nearest((each) => Math.abs(each.x - x)));
  };

  set("role", "slider");
  set("tabindex", 0);
  set("aria-valuemin", 0);
  set("aria-valuemax", last);
  value();
  svg.addEventListener("pointermove", point);
  svg.addEventListener("pointerdown", point);
  svg.addEventListener("pointerleave", (event) => event.pointerType === "touch" || leave());
  svg.addEventListener("blur", leave);
  svg.addEventListener("focus", () => {
    const from = points[0].at <= kept ? nearest((each) => Math.abs(each.at - kept)) : last;
    if (svg.matches(":focus-visible")) go(from);
  });
  svg.addEventListener("keydown", (event) => {
    const steps = { ArrowLeft: -1, ArrowRight: 1, ArrowDown: -1, ArrowUp: 1, PageDown: -10, PageUp: 10, Home: -last, End: last };
    if (!(event.key in steps) || event.altKey || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    go(place + steps[event.key]);
  });
}
