// A daemon that answers as a test says, on a real socket.
"use strict";

const fs = require("node:fs");
const net = require("node:net");
const os = require("node:os");
const path = require("node:path");
const { once } = require("node:events");
const { after } = require("node:test");

const place = fs.mkdtempSync(path.join(os.tmpdir(), "taskd-"));
after(() => fs.rmSync(place, { recursive: true }));
let made = 0;

/** A daemon whose answers are functions of the parameters; what they throw is an error. */
class Daemon {
  path = path.join(place, `${(made += 1)}.sock`);
  lines = new Set();
  asked = [];
  answers = {};
  chunks = 0;

  constructor(answers = {}) {
    Object.assign(this.answers, { ping: () => ({ pong: true }), ...answers });
  }

  async start() {
    fs.rmSync(this.path, { force: true });
    this.server = net.createServer((line) => this.serve(line)).listen(this.path);
    await once(this.server, "listening");
    return this;
  }

  serve(line) {
    this.lines.add(line);
    line.on("error", () => {}).on("close", () => this.lines.delete(line));
    let text = "";
    line.on("data", (chunk) => {
      this.chunks += 1;
      text += chunk;
      const whole = text.split("\n");
      text = whole.pop();
      for (const one of whole) this.answer(line, JSON.parse(one));
    });
  }

  answer(line, { id, method, params }) {
    this.asked.push({ method, params });
    const say = (message) => line.write(`${JSON.stringify({ jsonrpc: "2.0", id, ...message })}\n`);
    try {
      const result = (this.answers[method] ?? no(-32601, "no such method"))(params, line);
      if (result !== undefined) say({ result });
      if (method === "subscribe") line.subscribed = true;
    } catch (error) {
      say({ error: error.body });
    }
  }

  tell(seq, event, data = {}) {
    const params = { seq, event, data: { seq, timestamp: `t${seq}`, ...data } };
    for (const line of this.lines) if (line.subscribed) line.write(`${JSON.stringify({ method: "event", params })}\n`);
  }

  drop() {
    for (const line of this.lines) line.destroy();
  }

  stop() {
    this.server.close();
    this.drop();
  }
}

function no(code, message, data) {
  return () => {
    throw Object.assign(new Error(message), { body: { code, message, data } });
  };
}

Object.assign(exports, { Daemon, no, place });
