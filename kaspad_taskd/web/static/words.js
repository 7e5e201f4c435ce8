// The table of sentences (en.js) and how a sentence is made from it: words/table.py, spans.py,
// plain.py and moment.py in JavaScript. A golden file holds both to the same text.
import table from "./en.js";

/** How times of day and numbers are shown; the tests set UTC and English. */
export const form = { utc: false, numbers: new Intl.NumberFormat(navigatorLanguage()) };

function navigatorLanguage() {
  return globalThis.document ? navigator.language : "en";
}

export const isNumber = (value) => typeof value === "number" && Number.isFinite(value);

/** One line of visible text, at most 300 characters. */
export function safe(value, limit = 300) {
  const points = [...visible(String(value).slice(0, 8 * limit))];
  return points.length <= limit ? points.join("") : points.slice(0, limit - 1).join("") + "…";
}

function visible(text) {
  if (/^[ -~]*$/.test(text)) return text;
  return text
    .replace(/[\t\n\r\p{Z}]/gu, " ")
    .replace(/[\p{Cc}\p{Cs}\p{Co}\p{Cn}]/gu, "?")
    .replace(/\p{Cf}/gu, "")
    .replace(/([\p{Mn}\p{Me}]{2})[\p{Mn}\p{Me}]+/gu, "$1")
    .replace(/[\ufe00-\ufe0f]/g, "");
}

export function entry(key) {
  let found = table;
  for (const part of key.split(".")) {
    found = found !== null && typeof found === "object" ? found[part] : undefined;
  }
  return found ?? null;
}

/** The sentence with its places filled; never fails. */
export function say(key, params = {}) {
  return maybe(key, params) ?? poor(entry(key), params) ?? safe(key);
}

/** The sentence, or null: there is none, or its places cannot all be filled. */
export function maybe(key, params = {}) {
  return fill(entry(key), params);
}

function fill(found, params) {
  if (found !== null && typeof found === "object" && !Array.isArray(found)) {
    found = found[params.n === 1 ? "one" : "other"];
  }
  for (const template of typeof found === "string" ? [found] : (found ?? [])) {
    const text = put(template, params, null);
    if (text !== null) return text;
  }
  return null;
}

function poor(found, params) {
  if (Array.isArray(found)) found = found.at(-1);
  else if (found !== null && typeof found === "object") found = found.other;
  return typeof found === "string" ? put(found, params, "?") : null;
}

function put(template, params, missing) {
  let poorer = false;
  const text = template.replace(/\{([^}:]*):?([^}]*)\}/g, (_, name, format) => {
    const value = params[name] ?? missing;
    if (value === null) poorer = true;
    if (format === "step") return phase(value);
    if (format === "yes") { // shows nothing: picks a sentence that is said only where that is so
      if (!value) poorer = true;
      return "";
    }
    return format && typeof value === "number" ? FORMATS[format](value) : safe(value);
  });
  return poorer ? null : text;
}

/** A step's name; an unknown one by its key. */
export const phase = (key) => maybe(`phase.${key}.label`) ?? safe(key.replaceAll("_", " "), 60);

const FORMATS = { number, above, span, left: timeLeft, late, lag, bytes: size };

const MINUTE = 60, HOUR = 3600, DAY = 86400;

export function timeLeft(seconds) {
  if (!isNumber(seconds)) return say("time.calculating");
  const whole = Math.max(1, Math.trunc(seconds));
  if (whole < MINUTE) return say("time.second", { n: whole });
  if (whole < HOUR) return say("time.minute", { n: Math.trunc(whole / MINUTE) });
  if (whole < DAY) {
    const hours = say("time.hour", { n: Math.trunc(whole / HOUR) });
    const minutes = Math.trunc((whole % HOUR) / MINUTE);
    return minutes ? say("time.hour-minute", { hours, minutes }) : hours;
  }
  const days = say("time.day", { n: Math.trunc(whole / DAY) });
  const hours = Math.trunc((whole % DAY) / HOUR);
  return hours ? say("time.day-hour", { days, hours }) : days;
}

export function span(seconds) {
  if (!isNumber(seconds)) return say("unknown");
  seconds = Math.max(0, seconds);
  if (seconds > 0 && seconds < 1) return `${Math.max(1, Math.trunc(seconds * 1000))} ms`;
  if (seconds < MINUTE) return `${Math.trunc(seconds)} s`;
  if (seconds < HOUR) return `${Math.trunc(seconds / MINUTE)} min`;
  const [unit, one] = seconds < DAY ? ["hour", HOUR] : ["day", DAY];
  return say(`time.${unit}`, { n: Math.trunc(seconds / one) });
}

export function percent(value, basis, mark = "about") {
  value = isNumber(value) ? Math.min(100, Math.max(0, value)) : 0;
  if (value === 100) return say("percent.exact", { p: "100" });
  if (basis !== "exact") return say(`percent.${mark}`, { p: String(Math.trunc(value)) });
  return say("percent.exact", { p: fixed(down(value)) });
}

let made = {};

function fixed(value) {
  if (made.of !== form.numbers) {
    const { locale } = form.numbers.resolvedOptions();
    made = { of: form.numbers, one: new Intl.NumberFormat(locale, { minimumFractionDigits: 1 }) };
  }
  return made.one.format(value);
}

export function number(value) {
  if (!isNumber(value)) return say("unknown");
  const few = Math.abs(value) < 10 && value !== Math.trunc(value);
  return few ? fixed(down(value)) : form.numbers.format(Math.floor(value));
}

/** A number that is still to be reached, rounded up as `number` rounds down. */
export function above(value) {
  if (!isNumber(value)) return say("unknown");
  return number(Math.abs(value) < 10 ? -down(-value) : Math.ceil(value));
}

/** How late something is, rounded up where a time left is rounded down. */
export function late(seconds) {
  if (!isNumber(seconds)) return say("unknown");
  const unit = seconds <= MINUTE ? 1 : seconds <= DAY ? MINUTE : HOUR;
  return timeLeft(Math.ceil(seconds / unit) * unit);
}

/** How late something is in one unit, rounded up. */
export function lag(seconds) {
  if (!isNumber(seconds)) return say("unknown");
  seconds = Math.max(0, seconds);
  if (seconds <= MINUTE) return `${Math.ceil(seconds)} s`;
  if (seconds < 100 * MINUTE) return `${Math.ceil(seconds / MINUTE)} min`;
  const [unit, one] = seconds <= 2 * DAY ? ["hour", HOUR] : ["day", DAY];
  return say(`time.${unit}`, { n: Math.ceil(seconds / one) });
}

/** A number with one decimal at most, never more than it is. */
export function down(value) {
  if (Math.abs(value) >= 2 ** 52) return value;
  const count = Math.floor(value * 10);
  if ((count + 1) / 10 <= value) return (count + 1) / 10;
  return (count / 10 > value ? count - 1 : count) / 10;
}

export function size(value) {
  if (!isNumber(value)) return say("unknown");
  for (const [name, unit] of [["TB", 1e12], ["GB", 1e9], ["MB", 1e6]]) {
    if (value >= unit / 10) return `${fixed(down(value / unit))} ${name}`;
  }
  return `${Math.trunc(value / 1e3)} kB`;
}

/** Seconds since 1970 of a time of the wire, or null. */
export function secondsOf(text) {
  const ms = typeof text === "string" && text.endsWith("Z") ? Date.parse(text) : NaN;
  return Number.isNaN(ms) ? null : ms / 1000;
}

const two = (value) => String(value).padStart(2, "0");

function parts(seconds) {
  const at = new Date(seconds * 1000);
  return form.utc
    ? [at.getUTCFullYear(), at.getUTCMonth(), at.getUTCDate(), at.getUTCHours(), at.getUTCMinutes()]
    : [at.getFullYear(), at.getMonth(), at.getDate(), at.getHours(), at.getMinutes()];
}

/** `15:32` on the day of `now`, else `22 Nov 15:32`; local time, or UTC and said so. */
export function when(seconds, now) {
  const there = parts(seconds), here = parts(now);
  const clock = `${two(there[3])}:${two(there[4])}`;
  const sameDay = [0, 1, 2].every((place) => there[place] === here[place]);
  const text = sameDay ? clock : `${day(seconds)} ${clock}`;
  return form.utc ? say("page.utc", { when: text }) : text;
}

/** `22 Nov`. */
export function day(seconds) {
  const there = parts(seconds);
  return `${there[2]} ${entry("months").split(" ")[there[1]]}`;
}

/** `14:12:09`, local. */
export function clock(seconds) {
  const at = new Date(seconds * 1000);
  return `${two(at.getHours())}:${two(at.getMinutes())}:${two(at.getSeconds())}`;
}
