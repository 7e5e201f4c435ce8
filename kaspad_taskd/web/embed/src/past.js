// How it was: web/past.py and words/record.py in JavaScript. A test holds both to the same.
import { percent, say, secondsOf } from "../../static/words.js";

const [WIDTH, HEIGHT] = [720, 40];
const NOTCH = 5; // of a trouble, however short
const DASH = 2; // of what nobody saw
const MINUTE = 60, DAY = 86_400;
const STACK = ["ok", "unknown", "behind", "stalled", "unreachable"]; // from foot to head
const WIDTHS = { ok: 0.75, unknown: 0.25, behind: 0.75, stalled: 0.5, unreachable: 0.75 };
const LEAST = { ok: 0, unknown: DASH, behind: NOTCH, stalled: NOTCH, unreachable: NOTCH };
const TROUBLES = ["behind", "stalled", "unreachable"];

const sum = (numbers) => numbers.reduce((all, one) => all + one, 0);

/** How high each state is in a column: a Map. */
export function heights(seconds) {
  const total = sum(STACK.map((state) => seconds[state])) || 1;
  const found = new Map();
  for (const state of STACK) {
    const spent = seconds[state];
    if (!spent || (state === "unknown" && spent < Math.min(MINUTE, total))) continue;
    found.set(state, Math.max(LEAST[state], Math.floor((HEIGHT * spent) / total + 0.5)));
  }
  const spare = (state) => found.get(state) - LEAST[state];
  for (let room; found.size && (room = HEIGHT - sum([...found.values()]));) {
    const highest = [...found.keys()].reduce((one, two) => (spare(two) > spare(one) ? two : one));
    found.set(highest, found.get(highest) + Math.sign(room));
  }
  return found;
}

/** How many columns a strip has: a day each, of one day an hour each. */
export const placesOf = (record) => (record.days === 1 ? 24 : record.days);

/** The path data of each state that was, as [state, path]. */
export function columns(record) {
  const places = placesOf(record);
  const wide = WIDTH / places, first = places - record.series.length;
  const paths = Object.fromEntries(STACK.map((state) => [state, ""]));
  record.series.forEach(({ seconds }, at) => {
    let foot = HEIGHT;
    for (const [state, tall] of heights(seconds)) {
      const width = wide * WIDTHS[state];
      const left = (first + at) * wide + (wide * WIDTHS.ok - width) / 2;
      paths[state] += `M${left.toFixed(2)} ${foot}v-${tall}h${width.toFixed(2)}v${tall}z`;
      foot -= tall;
    }
  });
  return Object.entries(paths).filter(([, path]) => path);
}

/** A record in a line. */
export function line(record) {
  const { seconds, incidents } = record;
  const known = sum(Object.values(seconds)) - seconds.unknown;
  const span = spanOf(record);
  if (!known) return `${say("record.unseen", { span })}.`;
  const share = percent((100 * seconds.ok) / known, "exact");
  const many = { n: incidents.count, longest: incidents.longest };
  const told = incidents.count ? say("record.incidents", many) : say("record.none");
  const { unknown } = seconds;
  const rest = unknown >= MINUTE ? `; ${say("record.unknown", { unknown })}` : "";
  return `${say("record.share", { percent: share, span })}, ${told}${rest}.`;
}

/** The days that were asked for, or how long there is a record. */
function spanOf({ from, to, since, days }) {
  const [first, last] = [secondsOf(from), secondsOf(to)];
  return from !== since || first === null || last === null ? days * DAY : last - first;
}

/** How it was in a part of the time. */
export function part(seconds) {
  const { unknown } = seconds;
  const known = sum(Object.values(seconds)) - unknown;
  if (!known) return say("record.part.unseen");
  const told = [say("record.part.ok", { percent: percent((100 * seconds.ok) / known, "exact") })];
  for (const state of TROUBLES) {
    if (seconds[state]) told.push(say(`record.part.${state}`, { span: seconds[state] }));
  }
  if (unknown >= MINUTE) told.push(say("record.part.unknown", { span: unknown }));
  return told.join(", ");
}
