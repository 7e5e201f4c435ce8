// What a wizard's manager keeps of the daemon: the mirror, what this process registered, and what follows
// from each event.
"use strict";

const { checked } = require("./checking.cjs");
const { Completions } = require("./completions.cjs");
const { textOf } = require("./formats.cjs");
const { Looks } = require("./looks.cjs");
const { Mirror } = require("./mirror.cjs");
const { definitionOf, lacksHow, Plain } = require("./registrations.cjs");
const { Renewals } = require("./renewals.cjs");
const { isLive } = require("./shapes.cjs");
const { Telling } = require("./telling.cjs");
const { Troubles } = require("./troubles.cjs");

const CATCH_UP = 5_000; // ms until what happened has been told

class Keeping {
  own = new Map(); // what this process registered, by id
  #manager;
  #catching = new Set();
  #known = false;
  #closed = false;

  constructor(manager, socket, lasting) {
    this.#manager = manager;
    this.socket = socket.unref();
    this.renewals = new Renewals((taskId) => this.call("getTask", { taskId }), (from) => this.#seen(this.mirror.put(from)));
    this.mirror = new Mirror(this.own, (id) => this.renewals.ask(id));
    this.tasks = this.mirror.tasks;
    const call = (method, params) => socket.call(method, params);
    const wrong = (error, own) => this.wrong(error, own);
    this.completions = new Completions(call, wrong);
    this.troubles = new Troubles(lasting, (task) => this.telling.state(task));
    const { tasks, own, troubles, completions } = this;
    this.telling = new Telling({ manager, tasks, own, troubles, completions, wrong });
    const { telling } = this;
    const checking = { tasks, telling, call, put: (task) => this.mirror.put(task), caught: () => this.caught() };
    this.looks = new Looks((one) => checked(one, checking));
    socket.on("event", (event) => this.#told(event));
    socket.on("snapshot", (snapshot) => this.#snapshot(snapshot.tasks));
    socket.on("resume", () => this.#resumed());
    socket.subscribe({ lazy: true }).catch(() => {}); // it was closed before there was a daemon
  }

  call(method, params, options) {
    return this.socket.call(method, params, options);
  }

  close() {
    this.#closed = true;
    this.completions.closed = true;
    this.looks.stopAll();
    this.troubles.clear();
    this.tasks.clear();
    this.own.clear();
    this.socket.close();
  }

  /** The same, asked again where the daemon went away meanwhile: for what may be done twice. */
  async surely(method, params) {
    try {
      return await this.call(method, params);
    } catch (error) {
      if (error.reason !== "closed" || this.#closed) throw error;
      return this.call(method, params);
    }
  }

  /** Returns when the tasks are known; rejects with why they are not. */
  async there() {
    if (!this.#known) await this.call("ping");
  }

  async found(taskId) {
    await this.there();
    const task = this.tasks.get(taskId);
    if (!task) throw new Plain(`Task ${taskId} not found`);
    return task;
  }

  /** Returns when everything that is on record by now has been told here, and what follows is known. */
  async caught() {
    const { seq } = await this.call("ping");
    if (this.socket.seq < seq) await this.#reached(seq);
    await this.renewals.settled(CATCH_UP);
  }

  #reached(seq) {
    return new Promise((resolve) => {
      const one = { seq, resolve: () => resolve(this.#catching.delete(one)) };
      one.timer = setTimeout(one.resolve, CATCH_UP);
      this.#catching.add(one);
    });
  }

  async enroll(own) {
    const definition = definitionOf(own);
    try {
      return (await this.surely("registerTask", definition)).task;
    } catch (error) {
      if (error.reason === "conflict") return this.#taken(own, definition, error);
      if (!lacksHow(own, error)) throw error;
      own.reports = true; // nobody can look at it; it is there, and whoever does the work may report
      return (await this.surely("registerTask", definitionOf(own))).task;
    }
  }

  /** The id is another definition's: a file's of the same service stands, what has ended makes room. */
  async #taken(own, definition, conflict) {
    const taskId = own.id;
    const there = await this.call("getTask", { taskId });
    const same = there && there.type === definition.type && there.service === definition.service;
    const { host, port } = own.config;
    const ours = same && there.origin !== "api" && there.endpoint?.endsWith(`//${host}:${port}`);
    if (ours) return there;
    if (!same || there.origin !== "api" || there.status === "in-progress" || there.status === "paused") throw conflict;
    await this.call("removeTask", { taskId });
    return (await this.surely("registerTask", definition)).task;
  }

  async begin(task) {
    const own = this.own.get(task.id);
    const status = await this.statusOf(task);
    if (own?.waits || status === "error") {
      await this.call("retryTask", { taskId: task.id });
    } else if (status !== "complete" || task.watch === "paused") {
      await this.surely("startMonitoring", { taskId: task.id });
    }
  }

  /** What the daemon says, where a look of this process is shown in its place. */
  async statusOf(task) {
    if (!this.own.get(task.id)?.failing) return task.status;
    return (await this.call("getTask", { taskId: task.id }))?.status ?? task.status;
  }

  async forgetEnded(task, own) {
    const { id: taskId, origin } = task;
    this.mirror.hidden.add(taskId);
    if (origin === "api" && !own?.waits) await this.call("removeTask", { taskId });
    const timestamp = new Date().toISOString();
    task.status = "cancelled";
    this.telling.event("sync:cancelled", task, { timestamp, cancelledAt: timestamp });
  }

  drop(taskId) {
    this.hold(taskId, false);
    this.looks.stop(taskId);
    this.troubles.forget(taskId);
    this.own.delete(taskId);
    this.tasks.delete(taskId);
  }

  /** Notes that a task is monitored, for which the process stays, as it always did. */
  hold(taskId, held) {
    if (held) this.#manager.intervals.set(taskId, true);
    else this.#manager.intervals.delete(taskId);
    if (this.#manager.intervals.size) this.socket.ref();
    else this.socket.unref();
  }

  /** Looks go on while the task does; its troubles are watched. */
  #seen(task) {
    if (!task) return;
    this.follow(task);
    this.troubles.see(task);
  }

  follow(task) {
    const own = this.own.get(task.id);
    if (!own) return;
    if (!own.failing) own.begun = task.status === "in-progress";
    if (!own.statusChecker) return;
    if (own.begun) this.looks.start(own);
    else this.looks.stop(own.id);
  }

  #told({ event, data }) {
    if (event === "sync:progress") this.#moved(data);
    else if (data.taskId !== null) this.#happened(event, data);
    for (const one of this.#catching) {
      if (one.seq > this.socket.seq) continue;
      clearTimeout(one.timer);
      one.resolve();
    }
  }

  #moved(data) {
    this.renewals.moved(data.taskId);
    const task = this.mirror.moved(data);
    if (task && !this.own.get(task.id)?.statusChecker) this.telling.progress(task, data);
  }

  #happened(event, data) {
    this.renewals.happened(data.taskId);
    const own = this.own.get(data.taskId);
    if (own) own.news += 1;
    if (own && event.startsWith("sync:") && event !== "sync:health") own.failing = null;
    const task = this.mirror.told(event, data);
    if (!task) return void this.#later(event, data);
    if (event === "task:removed" || event === "sync:cancelled") this.drop(task.id);
    else if (!isLive(task)) this.hold(task.id, false);
    this.telling.event(event, task, data);
    if (this.tasks.has(task.id)) this.#seen(task);
  }

  /** What happened to a task that is only now asked for is told when it is here. */
  async #later(event, data) {
    await this.renewals.under(data.taskId);
    const task = this.tasks.get(data.taskId);
    if (task) this.telling.event(event, task, data);
  }

  #snapshot(list) {
    const before = new Map([...this.tasks].map(([id, { status, attempt }]) => [id, { status, attempt }]));
    const again = this.#known;
    this.#known = true;
    this.mirror.replace(list);
    for (const task of this.tasks.values()) {
      const was = before.get(task.id);
      if (was) this.telling.missed(task, was);
      this.#seen(task);
    }
    if (again || this.telling.early) this.telling.all(); // else nobody has been told anything
    if (again) this.#lost([...this.own.values()].filter(({ id }) => before.has(id) && !this.tasks.has(id)));
  }

  /** Its state was lost, and with it what this process had registered: it is there again. */
  async #lost(owns) {
    for (const own of owns) {
      const monitored = this.#manager.intervals.delete(own.id);
      try {
        this.#seen(this.mirror.put(await this.enroll(own)));
        if (monitored) await this.#manager.startMonitoring(own.id);
      } catch (error) {
        this.wrong(error, own);
      }
    }
  }

  /** After a break the events come by themselves; what only moved is asked for. */
  async #resumed() {
    try {
      await this.caught();
      for (const from of await this.call("getAllTasks", {}, { lazy: true })) this.#seen(this.mirror.put(from));
      this.telling.all();
    } catch {
      // it has gone again
    }
  }

  wrong(error, { id }) {
    if (this.#closed) return;
    console.error(`kaspad-taskd: ${id}: ${textOf(error, "text", "stack")}`);
  }
}

exports.Keeping = Keeping;
