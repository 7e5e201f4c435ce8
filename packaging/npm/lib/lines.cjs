// Bytes into JSON texts, one a line.
"use strict";

const { pieced, released } = require("./pieces.cjs");

const LONGEST = 64 * 1024 * 1024; // bytes of an answer: ten thousand tasks are 20 MiB
const ROOM = 128 * 1024; // bytes that are kept for a line that has not ended; more is given back
const END = 10;

/** What came is no line of the daemon's. */
class BadLine extends Error {}

/**
 * Cuts what comes into lines. `take` is called with each, parsed; `feed` throws BadLine, and keeps no
 * chunk: its buffer may be read into again.
 */
class Lines {
  #kept = null; // of a line that has not ended: bytes, which do not burden the heap
  #length = 0;
  #take;

  constructor(take) {
    this.#take = take;
  }

  feed(chunk) {
    const last = chunk.lastIndexOf(END);
    if (last < 0) return this.#keep(chunk);
    let from = 0;
    if (this.#length) {
      from = chunk.indexOf(END) + 1;
      this.#keep(chunk.subarray(0, from - 1));
      this.#whole();
    }
    // At once: many small texts cost more than one.
    if (from <= last) for (const line of chunk.toString("utf8", from, last).split("\n")) this.#take(parsed(line));
    if (last + 1 < chunk.length) this.#keep(chunk.subarray(last + 1));
    return undefined;
  }

  #whole() {
    const bytes = this.#kept.subarray(0, this.#length);
    this.#length = 0;
    const list = piecewise(bytes);
    if (list || bytes.length > ROOM) this.#kept = null; // it is the list's, or not worth keeping
    this.#take(list ?? parsed(bytes.toString("utf8")));
  }

  #keep(part) {
    const length = this.#length + part.length;
    if (length > LONGEST) throw new BadLine("an endless line");
    if (length > (this.#kept?.length ?? 0)) this.#grow(length);
    part.copy(this.#kept, this.#length);
    this.#length = length;
  }

  #grow(length) {
    const old = this.#kept;
    this.#kept = Buffer.allocUnsafeSlow(length <= ROOM ? ROOM : 2 * length);
    if (!old) return;
    old.copy(this.#kept, 0, 0, this.#length);
    released(old);
  }
}

function piecewise(bytes) {
  try {
    return pieced(bytes);
  } catch {
    return null; // as a whole it is judged
  }
}

function parsed(line) {
  let message = null;
  try {
    message = JSON.parse(line);
  } catch (error) {
    throw new BadLine(error.message);
  }
  if (message === null || typeof message !== "object") throw new BadLine("no JSON object");
  return message;
}

exports.BadLine = BadLine;
exports.Lines = Lines;
