// Which tasks have been in trouble for so long that people should see it.
"use strict";

const ILL = ["unreachable", "stalled"];

/** `told(task)` is called when a trouble has lasted for `lasting` ms, and when it is over. */
class Troubles {
  #lasting;
  #told;
  #waiting = new Map();
  #shown = new Set();

  constructor(lasting, told) {
    this.#lasting = lasting;
    this.#told = told;
  }

  /** Whether this task's trouble has been told, and is not over. */
  has(id) {
    return this.#shown.has(id);
  }

  /** Takes a task as it is now. */
  see(task) {
    const ill = ILL.includes(task.health) && (task.status === "in-progress" || task.status === "complete");
    if (!ill) return this.#over(task);
    if (this.#shown.has(task.id) || this.#waiting.has(task.id)) return undefined;
    const since = Date.parse(task.healthSince ?? "") || Date.now();
    const left = Math.min(this.#lasting, Math.max(0, since + this.#lasting - Date.now()));
    const timer = setTimeout(() => {
      this.#waiting.delete(task.id);
      this.#shown.add(task.id);
      this.#told(task);
    }, left);
    this.#waiting.set(task.id, timer.unref());
    return undefined;
  }

  forget(id) {
    clearTimeout(this.#waiting.get(id));
    this.#waiting.delete(id);
    return this.#shown.delete(id);
  }

  clear() {
    for (const id of [...this.#waiting.keys()]) this.forget(id);
    this.#shown.clear();
  }

  #over(task) {
    if (this.forget(task.id) && task.status === "in-progress") this.#told(task);
  }
}

exports.Troubles = Troubles;
