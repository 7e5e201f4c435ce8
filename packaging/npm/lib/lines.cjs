// Bytes into JSON texts, one a line.
"use strict";

const { pieced } = require("./pieces.cjs");

const LONGEST = 64 * 1024 * 1024; // bytes of an answer: ten thousand tasks are 20 MiB
const END = 10;

/** What came is no line of the daemon's. */
class BadLine extends Error {}

/**
 * Cuts what comes into lines. `take` is called with each, parsed; `feed` throws BadLine, and keeps no
 * chunk: its buffer may be read into again.
 */
class Lines {
  #parts = []; // of a line that has not ended: bytes, which do not burden the heap
  #length = 0;
  #take;

  constructor(take) {
    this.#take = take;
  }

  feed(chunk) {
    const last = chunk.lastIndexOf(END);
    if (last < 0) return this.#keep(chunk);
    let from = 0;
    if (this.#parts.length) {
      from = chunk.indexOf(END) + 1;
      this.#parts.push(chunk.subarray(0, from - 1));
      this.#whole();
    }
    // At once: many small texts cost more than one.
    if (from <= last) for (const line of chunk.toString("utf8", from, last).split("\n")) this.#take(parsed(line));
    if (last + 1 < chunk.length) this.#keep(chunk.subarray(last + 1));
    return undefined;
  }

  #whole() {
    const bytes = Buffer.concat(this.#parts);
    this.#parts = [];
    this.#length = 0;
    this.#take(piecewise(bytes) ?? parsed(bytes.toString("utf8")));
  }

  #keep(part) {
    this.#length += part.length;
    if (this.#length > LONGEST) throw new BadLine("an endless line");
    this.#parts.push(Buffer.from(part));
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
