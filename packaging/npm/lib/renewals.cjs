// Tasks that are asked for anew, each once at a time: events name what happened, and not all that follows.
"use strict";

const { within } = require("./within.cjs");

const TRIES = 3; // after which an answer counts though the task has moved meanwhile

/** `get(id)` asks, and gives a task or null; `put(task)` takes one that nothing has overtaken. */
class Renewals {
  #get;
  #put;
  #under = new Map(); // id -> what is under way
  #moved = new Set(); // of these: what has moved since it was asked for
  #happened = new Set(); // and to what something has happened

  constructor(get, put) {
    this.#get = get;
    this.#put = put;
  }

  /** Asks for a task, or for what was asked for already once more, if something was told since. */
  ask(id) {
    this.happened(id);
    const under = this.#under.get(id);
    if (under) return under;
    const asking = this.#renew(id).finally(() => this.#under.delete(id));
    this.#under.set(id, asking);
    return asking;
  }

  /** A task has moved: an answer under way may be older. It moves on and on, so that is borne at last. */
  moved(id) {
    if (this.#under.has(id)) this.#moved.add(id);
  }

  /** Something has happened to a task: an answer that does not know of it never counts. */
  happened(id) {
    if (this.#under.has(id)) this.#happened.add(id);
  }

  /** Returns when a task that is asked for has come, if one is. */
  async under(id) {
    await this.#under.get(id);
  }

  /** Returns when what is under way has come, or after `patience` ms. */
  async settled(patience) {
    if (this.#under.size) await within(patience, Promise.all(this.#under.values()));
  }

  async #renew(id) {
    await null; // what happens in one go is asked for once
    for (let tries = 1; ; tries += 1) {
      this.#moved.delete(id);
      this.#happened.delete(id);
      let task;
      try {
        task = await this.#get(id);
      } catch {
        return; // there will be another event, or a snapshot
      }
      if (this.#happened.has(id) || (this.#moved.has(id) && tries < TRIES)) continue;
      if (task) this.#put(task);
      return;
    }
  }
}

exports.Renewals = Renewals;
