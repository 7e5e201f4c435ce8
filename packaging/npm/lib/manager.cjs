// A wizard's BackgroundTaskManager, whose tasks are kaspad-taskd's.
"use strict";

const { EventEmitter } = require("node:events");
const { calculateDuration, escaped, escapedFacts, formatDuration, plainFacts, textOf } = require("./formats.cjs");
const { Keeping } = require("./keeping.cjs");
const { factsOf, indexerSync, nodeSync, ownOf, Plain } = require("./registrations.cjs");
const { serve } = require("./serving.cjs");
const { endOf, isKept, isLive, learn } = require("./shapes.cjs");
const { TaskdSocket } = require("./socket.cjs");

const LOOK = 65_000; // ms that a look may take
const LASTING = 30_000; // ms after which a trouble is told to browsers
const HOUR = 3_600_000;

/**
 * `io`: a Socket.IO server, or anything with `emit`. `options`: `path` of the daemon's socket, or a
 * `socket` (TaskdSocket) for this manager alone; `lasting`, ms after which a task that is not reachable
 * or stalled is told as such to browsers that know no health (30000).
 */
class BackgroundTaskManager extends EventEmitter {
  nodeSyncManager = null;
  stateManager = null;
  intervals = new Map(); // what this process began to monitor, as the class of old kept it
  defaultCheckInterval = 10_000;
  #kept;
  #stopping = new Map();

  constructor(io = null, { path, socket, lasting = LASTING } = {}) {
    super();
    this.io = io;
    const client = socket ?? new TaskdSocket({ path });
    this.ready = new Promise((resolve) => client.once("snapshot", () => resolve(this)));
    this.#kept = new Keeping(this, client, lasting);
    this.tasks = this.#kept.tasks;
    this.#kept.telling.greet(io);
  }

  /** The client underneath, for what wizards did not know: `socket.call("getHistory", ...)`. */
  get socket() {
    return this.#kept.socket;
  }

  setSocketIO(io) {
    this.io = io;
    this.#kept.telling.greet(io);
  }

  registerTask(config) {
    return this.#answer(async () => {
      const own = ownOf(config);
      if (this.#kept.own.has(own.id)) throw new Plain(`Task ${own.id} already registered`);
      this.#kept.own.set(own.id, own);
      try {
        await this.#kept.there();
        this.#kept.mirror.hidden.delete(own.id);
        const from = await this.#kept.enroll(own);
        own.waits = from.status === "cancelled";
        own.begun = from.status === "in-progress";
        const task = this.#kept.mirror.put(from);
        if (task.status === "complete") setImmediate(() => this.#kept.telling.completed(task));
        this.#kept.follow(task);
        return { success: true, taskId: own.id, task };
      } catch (error) {
        this.#kept.own.delete(own.id);
        throw error;
      }
    });
  }

  registerNodeSyncTask(config) {
    return this.registerTask(nodeSync(config));
  }

  registerIndexerSyncTask(config) {
    return this.registerTask(indexerSync(config));
  }

  startMonitoring(taskId) {
    return this.#answer(async () => {
      const task = await this.#kept.found(taskId);
      if (this.intervals.has(taskId)) throw new Plain(`Task ${taskId} already being monitored`);
      this.#kept.hold(taskId, true);
      try {
        await this.#stopping.get(taskId);
        await this.#kept.begin(task);
      } catch (error) {
        this.#kept.hold(taskId, false);
        throw error;
      }
      await this.#kept.caught();
      if (!isLive(task) && task.status !== "error") this.#kept.hold(taskId, false);
      return { success: true, taskId, checkInterval: task.checkInterval };
    });
  }

  checkTaskStatus(taskId) {
    return this.#answer(async () => {
      const task = await this.#kept.found(taskId);
      const own = this.#kept.own.get(taskId);
      const ends = task.status !== "complete"; // else `onComplete`, which may ask, would wait for itself
      const answer = await this.#look(taskId, own);
      if (ends && answer.completed) await this.#kept.telling.concluded(task);
      return answer;
    });
  }

  async #look(taskId, own) {
    if (own?.statusChecker) return this.#kept.looks.now(own);
    if (own?.reports) return unasked(own);
    const { task, status, completed } = await this.#kept.call("checkTaskStatus", { taskId }, { deadline: LOOK });
    const shown = this.#kept.mirror.put(task);
    await this.#kept.caught();
    if (task.health === "unreachable") return { success: false, error: shown?.note ?? task.health };
    return completed ? { success: true, completed, status } : { success: true, status };
  }

  completeTask(taskId, finalStatus = {}) {
    return this.#answer(async () => {
      const task = await this.#kept.found(taskId);
      if (task.status === "complete") return { success: true, taskId, completedAt: task.completedAt };
      const metadata = plainFacts(finalStatus?.metadata);
      const own = this.#kept.own.get(taskId);
      learn(task, metadata, own);
      const params = { taskId, finalStatus: { metadata: factsOf(metadata, own) } };
      const { completedAt } = await this.#kept.call("completeTask", params);
      await this.#kept.caught();
      await this.#kept.telling.concluded(task);
      return { success: true, taskId, completedAt };
    });
  }

  errorTask(taskId, error) {
    return this.#answer(async () => {
      await this.#kept.found(taskId);
      const text = textOf(error);
      await this.#kept.call("errorTask", { taskId, error: text.slice(0, 2000) });
      await this.#kept.caught();
      return { success: true, taskId, error: text };
    });
  }

  stopMonitoring(taskId) {
    const task = this.tasks.get(taskId);
    if (!this.intervals.has(taskId) && task?.status !== "in-progress") {
      return { success: false, error: escaped(`No monitoring interval found for task ${taskId}`) };
    }
    this.#kept.hold(taskId, false);
    this.#kept.looks.stop(taskId);
    const stopping = this.#kept.call("stopMonitoring", { taskId }).catch((error) => this.#kept.wrong(error, { id: taskId }));
    this.#stopping.set(taskId, stopping);
    stopping.then(() => this.#stopping.get(taskId) === stopping && this.#stopping.delete(taskId));
    return { success: true };
  }

  getTask(taskId) {
    return this.tasks.get(taskId) ?? null;
  }

  getAllTasks() {
    return [...this.tasks.values()];
  }

  getTasksByType(type) {
    return this.getAllTasks().filter((task) => task.type === type);
  }

  getTasksByService(service) {
    return this.getAllTasks().filter((task) => task.service === service);
  }

  cancelTask(taskId) {
    return this.#answer(async () => {
      const task = await this.#kept.found(taskId);
      const own = this.#kept.own.get(taskId);
      const ended = own?.waits || !isLive({ status: await this.#kept.statusOf(task) });
      if (!ended) {
        await this.#kept.call("cancelTask", { taskId });
        await this.#kept.caught();
      } else await this.#kept.forgetEnded(task, own);
      this.#kept.drop(taskId);
      return { success: true, taskId };
    });
  }

  cleanupOldTasks(maxAge = HOUR) {
    const before = Date.now() - maxAge;
    const ours = ({ origin }) => origin === undefined; // put into the map by the wizard
    const ended = (task) => (ours(task) || task.origin === "api") && !isLive(task) && !isKept(task);
    const old = this.getAllTasks().filter((task) => ended(task) && endOf(task) < before);
    for (const { id, origin } of old) {
      this.#kept.drop(id);
      if (origin === undefined) continue;
      this.#kept.call("removeTask", { taskId: id }).catch((error) => this.#kept.wrong(error, { id }));
    }
    return { success: true, cleaned: old.length };
  }

  /** Lets go of the daemon; its tasks go on. */
  shutdown() {
    const tasksCleaned = this.tasks.size;
    this.#kept.close();
    this.intervals.clear();
    return { success: true, tasksCleaned };
  }

  emitTaskEvent(event, data) {
    this.#kept.telling.emit(event, { ...data });
  }

  calculateDuration(start, end) {
    return calculateDuration(start, end);
  }

  formatDuration(seconds) {
    return formatDuration(seconds);
  }

  /** What a look at a task gives: `{completed, progress, metadata, error?}`. */
  async getDefaultStatusChecker(task) {
    const known = ["node-sync", "indexer-sync", "database-migration"].includes(task?.type);
    if (!known) return { completed: false, progress: 0, error: escaped(`Unknown task type: ${task?.type}`) };
    if (!this.tasks.has(task.id) && task.type !== "node-sync") return unasked(task).status;
    const { success, status, error } = await this.checkTaskStatus(task.id);
    return success ? status : { completed: false, progress: task.progress ?? 0, error };
  }

  checkNodeSyncStatus(task) {
    return this.getDefaultStatusChecker(task);
  }

  checkIndexerSyncStatus(task) {
    return this.getDefaultStatusChecker(task);
  }

  checkDatabaseMigrationStatus(task) {
    return this.getDefaultStatusChecker(task);
  }

  /** Brings the services that the settings declare for a node to it; the daemon does so by itself, too. */
  switchServicesToLocalNode(task) {
    return this.#answer(async () => {
      const services = task.switches ?? [];
      for (const service of services) await this.#kept.call("switchService", { service, to: "local" });
      const { host, port } = task.config ?? {};
      const timestamp = new Date().toISOString();
      this.#kept.telling.event("node:ready", task, { timestamp, host, port, switched: services });
      return { success: true, service: task.service };
    });
  }

  /** Handlers on a browser's socket for what nobody handled: pause, resume, the chosen strategy. */
  serve(socket) {
    return serve(socket, this);
  }

  pauseTask(taskId) {
    return this.#changed("pauseTask", { taskId });
  }

  resumeTask(taskId) {
    return this.#changed("resumeTask", { taskId });
  }

  recordDecision(decision, context) {
    return this.#answer(() => this.#kept.call("recordDecision", { decision, context }));
  }

  getSyncStrategy(taskId) {
    return this.#answer(async () => ({ success: true, ...escapedFacts(await this.#kept.call("getSyncStrategy", { taskId })) }));
  }

  #changed(method, params) {
    return this.#answer(async () => {
      const { task } = await this.#kept.call(method, params);
      const shown = this.#kept.mirror.put(task);
      await this.#kept.caught(); // what has happened since is newer
      return { success: true, taskId: params.taskId, task: shown };
    });
  }

  /** `{success: false, error}` in the place of a throw. */
  async #answer(act) {
    try {
      return await act();
    } catch (error) {
      return { success: false, error: escaped(textOf(error, "text")) };
    }
  }
}

/** A task at which nobody can look, and that has not been reported on. */
function unasked({ type }) {
  if (type !== "indexer-sync" && type !== "database-migration") {
    return { success: false, error: escaped(`Unknown task type: ${type}`) };
  }
  const message = `How this ${type} is to be looked at is not known`;
  return { success: true, status: { completed: false, progress: 0, metadata: { message } } };
}

exports.BackgroundTaskManager = BackgroundTaskManager;
