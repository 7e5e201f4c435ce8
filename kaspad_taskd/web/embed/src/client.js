// Tasks without any picture: for a browser page, or for a program in Node.
import { Emitter } from "./emitter.js";
import { failure, TaskdError } from "./errors.js";
import { Journal } from "./journal.js";
import { Mirror } from "./mirror.js";
import { openSocket, shutOut, usualBridge } from "./socket.js";

const DEADLINE_MS = 10_000;
const LOOK_MS = 65_000; // a look may take as long as its definition allows
const AGAIN_MS = 2_000;
const KNOCK_MS = 15_000; // after a refusal, which Socket.IO takes for the end
const MANY = "sync:progress:many"; // the same of many tasks, as a line of ours asks for it
const ENDED = ["complete", "error", "cancelled"];

/** The event of one task's changes: with many elements, each hears its own alone. */
export const changeOf = (taskId) => `change ${taskId}`;

/**
 * What kaspad-taskd knows, kept true over reconnections.
 *
 * `url`: the bridge, "" for the one that served this file; `ws:` is websocket only. `socket`: a
 * connected Socket.IO socket to use instead. `token`: for changes. `after`: the last event known,
 * `journal`: whose number that is.
 */
export class TaskdClient {
  #emitter = new Emitter();
  #mirror;
  #journal;
  #socket;
  #own;
  #url;
  #token;
  #hello = null;
  #clock = null; // [daemon's ms since 1970, performance.now() of then]
  #connection;
  #readied;
  #missed = 0;
  #closed = false;
  #offs = [];
  #switches = new Map();

  constructor({ url, socket, token, after, journal } = {}) {
    this.#token = token ?? null;
    this.#connection = Object.freeze({ state: "connecting", since: new Date().toISOString() });
    this.ready = new Promise((resolve) => (this.#readied = resolve));
    this.#mirror = new Mirror((id) => this.get(id), (before, after_) => this.#changed(before, after_));
    this.#journal = new Journal(after ?? null, {
      getEvents: (page) => this.call("getEvents", page),
      take: (name, data) => this.#take(name, data),
      gap: (gap) => {
        this.#switches.clear(); // how they ended may lie in between
        this.#emitter.emit("gap", gap);
      },
    }, journal ?? null);
    this.#own = !socket;
    this.#url = url || usualBridge();
    this.#socket = socket ?? openSocket(this.#url, (give) => give(this.#auth()));
    this.#listen();
  }

  /** Frozen tasks by id, in order of registration; what `change` told last. */
  get tasks() {
    return this.#mirror.tasks;
  }

  /** What was told last of each service's switch, by service; frozen. */
  get switches() {
    return this.#switches;
  }

  /** `{state: connecting|live|lost|stopping|closed, since, ...}`, frozen. */
  get connection() {
    return this.#connection;
  }

  /** Last event known, null before the first snapshot. */
  get seq() {
    return this.#journal.seq;
  }

  /** The identity of the journal that `seq` is of; null before it is known. */
  get journal() {
    return this.#journal.name;
  }

  /** Whether this connection may change anything. */
  get canChange() {
    return this.#hello?.canChange ?? true;
  }

  get token() {
    return this.#token;
  }

  /** A new token counts from a new connection on, which is made at once. */
  set token(token) {
    if (token === this.#token) return;
    this.#token = token;
    if (this.#own) this.#socket.disconnect().connect();
  }

  /** The daemon's clock, in ms since 1970; this machine's until it is known. */
  serverNow() {
    return this.#clock ? this.#clock[0] + performance.now() - this.#clock[1] : Date.now();
  }

  /** Calls `listener` with each event `name`; returns what ends that. */
  on(name, listener) {
    return this.#emitter.on(name, listener);
  }

  off(name, listener) {
    this.#emitter.off(name, listener);
  }

  /** Lets go of the daemon; a socket that was handed over stays connected. */
  close() {
    this.#closed = true;
    for (const off of this.#offs.splice(0)) off();
    this.#mirror.rest();
    if (this.#own) this.#socket.disconnect();
    this.#state("closed");
  }

  /** Any method of the API by its name. Rejects with TaskdError: a no, or none within `deadline`. */
  async call(method, params = {}, deadline = DEADLINE_MS) {
    const answer = await this.#ask("rpc", { method, params }, deadline);
    if (answer?.error) throw new TaskdError(answer.error);
    return answer?.result;
  }

  list({ type, service, status } = {}) {
    if (type) return this.call("getTasksByType", given({ type, status }));
    if (service) return this.call("getTasksByService", given({ service, status }));
    return this.call("getAllTasks", given({ status }));
  }

  get(taskId) {
    return this.call("getTask", { taskId });
  }

  register(definition) {
    return this.#act("registerTask", definition);
  }

  start(taskId) {
    return this.#act("startMonitoring", { taskId });
  }

  pause(taskId) {
    return this.#act("pauseTask", { taskId });
  }

  resume(taskId) {
    return this.#act("resumeTask", { taskId });
  }

  cancel(taskId) {
    return this.#act("cancelTask", { taskId });
  }

  retry(taskId) {
    return this.#act("retryTask", { taskId });
  }

  remove(taskId) {
    return this.#act("removeTask", { taskId });
  }

  check(taskId) {
    return this.#act("checkTaskStatus", { taskId }, LOOK_MS);
  }

  history(taskId, { from, to, points } = {}) {
    return this.call("getHistory", given({ taskId, from, to, points }));
  }

  record(taskId, { days } = {}) {
    return this.call("getRecord", given({ taskId, days }));
  }

  incidents(page = {}) {
    return this.call("getIncidents", given(page));
  }

  events(page = {}) {
    return this.call("getEvents", given(page));
  }

  strategy(taskId) {
    return this.call("getSyncStrategy", { taskId });
  }

  recordDecision(decision, context = {}) {
    return this.call("recordDecision", { decision, context });
  }

  decisions() {
    return this.call("getDecisions");
  }

  services() {
    return this.call("getServices");
  }

  switchService(service, to) {
    return this.call("switchService", { service, to });
  }

  /** Asks for one task anew, soon; `change` tells what came. */
  refresh(taskId) {
    this.#mirror.refresh(taskId);
  }

  /**
   * The task once it is as `until` says: a status, or a function of the task. Over reconnections.
   * Rejects with TaskdError `not-reached` when it ends otherwise, `not-found` when it goes, and
   * with the signal's reason when `signal` aborts.
   */
  async wait(taskId, { until = "complete", signal } = {}) {
    const reached = typeof until === "function" ? until : (task) => task.status === until;
    signal?.throwIfAborted();
    return new Promise((resolve, reject) => {
      const offs = [];
      const end = (settle, value) => {
        for (const off of offs) off();
        settle(value);
      };
      const look = (task) => {
        if (!task) end(reject, failure("not-found", `there is no task ${taskId}`));
        else if (reached(task)) end(resolve, task);
        else if (ENDED.includes(task.status)) end(reject, failure("not-reached", endedAs(task), { task }));
      };
      const aborted = () => end(reject, signal.reason);
      signal?.addEventListener("abort", aborted);
      offs.push(() => signal?.removeEventListener("abort", aborted));
      offs.push(this.on("change", ({ id, after }) => id === taskId && look(after)));
      this.#known(taskId).then(look, (error) => end(reject, error));
    });
  }

  async #known(taskId) {
    await this.ready;
    return this.tasks.get(taskId) ?? this.get(taskId);
  }

  /** A change, whose outcome is shown before its event comes. */
  async #act(method, params, deadline) {
    const answer = await this.call(method, params, deadline);
    if (method === "removeTask") this.#mirror.put(params.taskId, null);
    else if (answer.task) this.#mirror.put(answer.task.id, answer.task);
    else this.#mirror.refresh(answer.taskId);
    return answer;
  }

  #auth() {
    const { seq, name } = this.#journal;
    const since = { since: seq ?? undefined, journal: name ?? undefined };
    return given({ token: this.#token ?? undefined, ...since, gather: true });
  }

  #listen() {
    const socket = this.#socket;
    this.#hear("connect", () => this.#greet());
    this.#hear("disconnect", () => this.#lost());
    this.#hear("connect_error", (error) => this.#refused(error));
    this.#hear("hello", (hello) => this.#greeted(hello));
    this.#hear("server:stopping", (why) => this.#state("stopping", { reason: why?.reason ?? null }));
    const told = (name, data) => this.#told(name, data);
    socket.onAny(told);
    this.#offs.push(() => socket.offAny(told));
    if (socket.connected) this.#greet();
  }

  #hear(name, listener) {
    this.#socket.on(name, listener);
    this.#offs.push(() => this.#socket.off(name, listener));
  }

  #greeted(hello) {
    this.#hello = hello;
    this.#clock = null;
    this.#isNow(hello.serverTime);
  }

  #isNow(time) {
    const at = Date.parse(time);
    if (!this.#clock || at > this.serverNow()) this.#clock = [at, performance.now()];
  }

  /** Makes snapshot and journal whole again after a connection came about. */
  async #greet() {
    const line = this.#socket.id;
    const current = () => this.#socket.connected && this.#socket.id === line;
    this.#missed = 0;
    this.#journal.doubt();
    try {
      const { tasks, seq } = await this.#ask("tasks:list", {}, DEADLINE_MS);
      if (!current()) return;
      this.#mirror.replace(tasks);
      await this.#journal.reached(seq, await this.#whose());
      if (!current()) return;
    } catch {
      if (current()) setTimeout(() => current() && this.#greet(), AGAIN_MS);
      return;
    }
    const { host = null, version = null, canChange = true } = this.#hello ?? {};
    this.#state("live", { host, version, canChange, missed: this.#missed });
    this.#readied(this);
  }

  /** The journal's identity: greeted with, or asked for, over a line that was there before us. */
  async #whose() {
    if (this.#hello) return this.#hello.journal ?? null;
    try {
      return (await this.call("getInfo")).journal ?? null;
    } catch (error) {
      if (error.reason === "no-answer") throw error;
      return null; // an older daemon, or one that does not say
    }
  }

  #lost() {
    this.#mirror.rest();
    if (this.#connection.state === "live") this.#state("lost");
  }

  /** The daemon did not let us in, and says why; a network that fails is tried anew by itself. */
  #refused(error) {
    if (this.#socket.active !== false) return void this.#shutOut();
    const { state, since } = this.#connection;
    this.#state(state, { refused: error.message }, since);
    if (this.#own) setTimeout(() => this.#closed || this.#socket.connect(), KNOCK_MS);
  }

  /** Not let in looks the same to a socket as nobody there. */
  async #shutOut() {
    const foreign = this.#own ? await shutOut(this.#url) : null;
    const { state, since, foreign: known = null } = this.#connection;
    if (foreign !== known && !["live", "closed"].includes(state)) this.#state(state, foreign ? { foreign } : {}, since);
  }

  #state(state, more = {}, since = new Date().toISOString()) {
    this.#connection = Object.freeze({ ...more, state, since });
    this.#emitter.emit("connection", this.#connection);
  }

  #told(name, data) {
    if (name === MANY) return void data.tasks.forEach((each) => this.#told("sync:progress", each));
    if (!Number.isInteger(data?.seq) || data.taskId === undefined) return;
    if (name !== "sync:progress") {
      this.#switched(name, data); // who comes late is told of one that runs, as state
      this.#journal.told(name, data);
      return;
    }
    this.#isNow(data.timestamp);
    this.#mirror.moved(data);
    this.#emitter.emit("event", { seq: data.seq, event: name, data });
  }

  #take(event, data) {
    this.#missed += 1;
    this.#emitter.emit("event", { seq: data.seq, event, data });
    this.#switched(event, data);
    if (event.startsWith("switch:")) this.#emitter.emit("switch", { event, ...data });
    if (event === "node:ready") this.#emitter.emit("node-ready", data);
    if (data.taskId !== null) this.#mirror.refresh(data.taskId); // somebody's switch has no task
  }

  #switched(event, data) {
    if (!event.startsWith("switch:") || this.#switches.get(data.service)?.seq >= data.seq) return;
    this.#switches.set(data.service, Object.freeze({ event, ...data }));
    this.#emitter.emit("switches");
  }

  #changed(before, after) {
    const change = { id: (after ?? before).id, before, after };
    this.#emitter.emit("change", change);
    this.#emitter.emit(changeOf(change.id), change);
  }

  #ask(name, payload, deadline) {
    return new Promise((resolve, reject) => {
      this.#socket.timeout(deadline).emit(name, payload, (late, answer) => {
        if (late) reject(failure("no-answer", `no answer to ${payload.method ?? name}`));
        else resolve(answer);
      });
    });
  }
}

function given(params) {
  return Object.fromEntries(Object.entries(params).filter(([, value]) => value !== undefined));
}

function endedAs(task) {
  return task.error ?? `${task.id} is ${task.status}`;
}
