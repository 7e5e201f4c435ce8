// The tasks as the daemon has them: a snapshot, kept true by asking anew what events name.
import { seenBy } from "../../static/view.js";

const AT_ONCE = 10; // tasks asked for together
const PAUSE_MS = 1000; // between two rounds for what only moved; what happened is asked for at once
const MOVES = [
  "status", "health", "phase", "progress", "estimatedTimeRemaining", "formattedTimeRemaining",
];

/**
 * Frozen tasks by id, in order of registration.
 *
 * `fetch(id)` gives a task or null; `changed(before, after)` is called with each change, null
 * standing for a task that is not there.
 */
export class Mirror {
  tasks = new Map();
  #fetch;
  #changed;
  #urgent = new Set();
  #routine = new Set();
  #pumping = false;
  #wake = () => {};

  constructor(fetch, changed) {
    this.#fetch = fetch;
    this.#changed = changed;
  }

  /** Makes the tasks those of a snapshot. */
  replace(list) {
    const ids = new Set(list.map((task) => task.id));
    for (const id of [...this.tasks.keys()]) if (!ids.has(id)) this.#set(id, null);
    for (const task of list) this.#set(task.id, task);
  }

  /** Takes an answer, unless what is known is newer; null: the task is gone. */
  put(id, task) {
    if (!older(task, this.tasks.get(id))) this.#set(id, task);
  }

  /** Takes the fields of a `sync:progress`, and asks for the rest when there is time. */
  moved(data) {
    const known = this.tasks.get(data.taskId);
    const after = known && data.progress >= known.progress ? patched(known, data) : known;
    if (after !== known) this.#become(known.id, known, after);
    this.refresh(data.taskId, false);
  }

  /** Asks for a task anew. */
  refresh(id, urgent = true) {
    (urgent ? this.#urgent : this.#routine).add(id);
    if (!this.#pumping) this.#pump();
    else if (urgent) this.#wake();
  }

  /** Forgets what was to be asked: the line is lost, or closed. */
  rest() {
    this.#urgent.clear();
    this.#routine.clear();
  }

  async #pump() {
    this.#pumping = true;
    while (this.#urgent.size || this.#routine.size) {
      const ids = [...(this.#urgent.size ? this.#urgent : this.#routine)].slice(0, AT_ONCE);
      for (const id of ids) for (const due of [this.#urgent, this.#routine]) due.delete(id);
      await Promise.all(ids.map((id) => this.#renew(id)));
      if (!this.#urgent.size) await this.#pause();
    }
    this.#pumping = false;
  }

  #pause() {
    return new Promise((resolve) => {
      this.#wake = resolve;
      setTimeout(resolve, PAUSE_MS);
    });
  }

  async #renew(id) {
    let task;
    try {
      task = await this.#fetch(id);
    } catch {
      return; // no answer: the next event, or the next snapshot, asks again
    }
    this.put(id, task);
  }

  #set(id, task) {
    const before = this.tasks.get(id) ?? null;
    if (JSON.stringify(before) !== JSON.stringify(task)) this.#become(id, before, task);
  }

  #become(id, before, task) {
    if (task) this.tasks.set(id, frozen(task));
    else this.tasks.delete(id);
    this.#changed(before, task && this.tasks.get(id));
  }
}

/** The task with what an event says of it; itself, where that is nothing new. */
function patched(known, data) {
  const after = { ...known, ...seenBy(data, known) };
  for (const field of MOVES) if (field in data) after[field] = data[field];
  if (after.estimatedTimeRemaining !== null) after.etaReason = null;
  if (data.syncRate > 0) after.syncRate = data.syncRate;
  return Object.keys(after).every((key) => same(after[key], known[key])) ? known : after;
}

function same(one, other) {
  return one === other || (typeof one === "object" && JSON.stringify(one) === JSON.stringify(other));
}

/** Whether an answer was overtaken by a later one. */
function older(task, known) {
  return Boolean(task && known) && task.createdAt === known.createdAt
    && task.revision < known.revision;
}

function frozen(value) {
  if (value && typeof value === "object" && !Object.isFrozen(value)) {
    Object.freeze(value);
    Object.values(value).forEach(frozen);
  }
  return value;
}
