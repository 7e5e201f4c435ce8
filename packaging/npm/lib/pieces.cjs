// A long list in an answer, parsed piece by piece: thousands of tasks at once would stay in the heap of
// a process for minutes, though each of them is needed for a moment only.
"use strict";

const LONG = 128 * 1024; // bytes of a line from which on it is worth it
const HEAD = 512; // bytes in which such a list begins
const STARTS = ['"tasks":[', '"result":['].map((text) => Buffer.from(text));
const [QUOTE, BACKSLASH, OPEN, CLOSE, LIST, END, COMMA] = [...Buffer.from('"\\{}[],')];

/** Objects of a list, made when they are asked for, once: the bytes are its own, and go with the last. */
class Pieces {
  #bytes;
  #ranges;

  constructor(bytes, ranges) {
    this.#bytes = bytes;
    this.#ranges = ranges;
  }

  *[Symbol.iterator]() {
    for (let n = 0; n < this.#ranges.length; n += 2) {
      yield JSON.parse(this.#bytes.toString("utf8", this.#ranges[n], this.#ranges[n + 1]));
    }
    this.#ranges = [];
    released(this.#bytes);
  }
}

/**
 * Gives the bytes of a buffer back. Else megabytes stay until the next great collection, which may be
 * minutes away: handed on, they are of a young object, which goes at once.
 */
function released(bytes) {
  structuredClone(null, { transfer: [bytes.buffer] });
}

/** A line's message, its long list as Pieces, whose the bytes are then; null where it has none. */
function pieced(bytes) {
  if (bytes.length < LONG) return null;
  const found = STARTS.map((start) => [bytes.subarray(0, HEAD).indexOf(start), start.length]).find(([at]) => at >= 0);
  if (!found) return null;
  const begin = found[0] + found[1];
  const ranges = [];
  const end = objects(bytes, begin, ranges);
  if (end < 0) return null;
  const message = JSON.parse(bytes.toString("utf8", 0, begin) + bytes.toString("utf8", end));
  const list = new Pieces(bytes, ranges);
  if (Array.isArray(message.result)) message.result = list;
  else message.result.tasks = list;
  return message;
}

/** Notes where each object of a list begins and ends; returns where the list does, or -1: it is none. */
function objects(bytes, begin, ranges) {
  let depth = 0, inText = false;
  for (let at = begin; at < bytes.length; at += 1) {
    const byte = bytes[at];
    if (inText) {
      if (byte === BACKSLASH) at += 1;
      else if (byte === QUOTE) inText = false;
    } else if (byte === QUOTE) inText = true;
    else if (byte === OPEN || byte === LIST) {
      if (depth === 0) ranges.push(at);
      depth += 1;
    } else if (byte === CLOSE || byte === END) {
      if (depth === 0) return at;
      depth -= 1;
      if (depth === 0) ranges.push(at + 1);
    } else if (depth === 0 && byte !== COMMA) return -1; // not of objects alone
    if (inText && depth === 0) return -1;
  }
  return -1;
}

/** The result of a request, its list whole. */
function whole(result) {
  if (result instanceof Pieces) return [...result];
  if (result?.tasks instanceof Pieces) result.tasks = [...result.tasks];
  return result;
}

exports.pieced = pieced;
exports.released = released;
exports.whole = whole;
