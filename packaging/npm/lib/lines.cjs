// Bytes into JSON texts, one a line.
"use strict";

const { StringDecoder } = require("node:string_decoder");

const LONGEST = 64 * 1024 * 1024; // characters of an answer: ten thousand tasks are 20 MiB

/** What came is no line of the daemon's. */
class BadLine extends Error {}

/** Cuts what comes into lines. `take` is called with each, parsed; `feed` throws BadLine. */
class Lines {
  #decoder = new StringDecoder("utf8");
  #parts = [];
  #length = 0;
  #take;

  constructor(take) {
    this.#take = take;
  }

  feed(chunk) {
    const text = this.#decoder.write(chunk);
    let from = 0;
    for (let end = text.indexOf("\n"); end >= 0; end = text.indexOf("\n", from)) {
      this.#line(text.slice(from, end));
      from = end + 1;
    }
    if (from < text.length) this.#keep(from ? text.slice(from) : text);
  }

  #line(end) {
    const line = this.#parts.length ? this.#parts.join("") + end : end;
    this.#parts = [];
    this.#length = 0;
    this.#take(parsed(line));
  }

  #keep(part) {
    this.#length += part.length;
    if (this.#length > LONGEST) throw new BadLine("an endless line");
    this.#parts.push(part);
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
