// Durations as wizards show them, and texts made safe for a page that puts them into innerHTML.
"use strict";

/** `59 seconds`, `1 minute 30s`, `2 hours 30 min`; a second is "1 seconds", as it always was there. */
function formatDuration(seconds) {
  if (seconds < 60) return `${seconds} seconds`;
  if (seconds < 3600) return joined(Math.floor(seconds / 60), "minute", Math.floor(seconds % 60), "s");
  return joined(Math.floor(seconds / 3600), "hour", Math.floor((seconds % 3600) / 60), " min");
}

function joined(whole, unit, rest, mark) {
  const head = `${whole} ${unit}${whole === 1 ? "" : "s"}`;
  return rest > 0 ? `${head} ${rest}${mark}` : head;
}

/** `{seconds, minutes, hours, formatted}`, each the floor of the total. */
function durationOf(whole) {
  const minutes = Math.floor(whole / 60);
  return { seconds: whole, minutes, hours: Math.floor(whole / 3600), formatted: formatDuration(whole) };
}

/** The same between two moments, ISO 8601. */
function calculateDuration(start, end) {
  return durationOf(Math.floor((new Date(end) - new Date(start)) / 1000));
}

const MARKS = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#39;" };
const MARK = /[&<>"']/;
const EACH = /[&<>"']/g;

/** A text of the outside, as HTML shows it. */
function escaped(text) {
  return typeof text === "string" && MARK.test(text) ? text.replace(EACH, (mark) => MARKS[mark]) : text;
}

/** The same of all texts in an object, in a new one. */
function escapedFacts(facts) {
  const safe = {};
  for (const key of Object.keys(facts ?? {})) safe[key] = escapedDeep(facts[key]);
  return safe;
}

function escapedDeep(value) {
  if (Array.isArray(value)) return value.map(escapedDeep);
  return value !== null && typeof value === "object" ? escapedFacts(value) : escaped(value);
}

/** Facts as JSON has them, in a copy: what it has not is left out; throws where they go round. */
function plainFacts(facts) {
  const whole = (value) => (Number.isSafeInteger(Number(value)) ? Number(value) : String(value));
  const text = JSON.stringify(facts, (_, value) => (typeof value === "bigint" ? whole(value) : value));
  const plain = text === undefined ? null : JSON.parse(text);
  return typeof plain === "object" && plain !== null ? plain : {};
}

/** The text of whatever was thrown: of these fields the first that it has, else itself. */
function textOf(fault, ...fields) {
  try {
    return String([...fields, "message"].map((field) => fault?.[field]).find((one) => one != null) ?? fault);
  } catch {
    return "it threw what is no text";
  }
}

/** Of facts those that are no plain values: the daemon keeps them as text, who has them keeps them whole. */
function richOf(facts) {
  const rich = Object.entries(facts).filter(([, value]) => value !== null && typeof value === "object");
  return rich.length ? Object.fromEntries(rich) : null;
}

Object.assign(exports, { calculateDuration, durationOf, escaped, escapedFacts, formatDuration, plainFacts, richOf, textOf });
