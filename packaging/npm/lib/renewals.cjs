// Tasks that are asked for anew, each once at a time: events name what happened, and not all that follows.
"use strict";

const TRIES = 3; // after which an answer counts though something was told meanwhile

/** `get(id)` asks, and gives a task or null; `put(task)` takes one that nothing has overtaken. */
class Renewals {
  #get;
  #put;
  #under = new Map(); // id -> what is under way
  #overtaken = new Set();

  constructor(get, put) {
    this.#get = get;
    this.#put = put;
  }

  /** Asks for a task, or for what was asked for already once more, if something was told since. */
  ask(id) {
    const under = this.#under.get(id);
    if (under) {
      this.#overtaken.add(id);
      return under;
    }
    const asking = this.#renew(id).finally(() => this.#under.delete(id));
    this.#under.set(id, asking);
    return asking;
  }

  /** Something was told of a task: an answer under way may be older. */
  overtaken(id) {
    if (this.#under.has(id)) this.#overtaken.add(id);
  }

  /** Returns when what is under way has come, or after `patience` ms. */
  async settled(patience) {
    if (!this.#under.size) return;
    let timer;
    const late = new Promise((resolve) => {
      timer = setTimeout(resolve, patience);
    });
    await Promise.race([Promise.all(this.#under.values()), late]);
    clearTimeout(timer);
  }

  async #renew(id) {
    await null; // what happens in one go is asked for once
    for (let tries = 1; tries <= TRIES; tries += 1) {
      this.#overtaken.delete(id);
      let task;
      try {
        task = await this.#get(id);
      } catch {
        return; // there will be another event, or a snapshot
      }
      if (this.#overtaken.has(id) && tries < TRIES) continue;
      if (task) this.#put(task);
      return;
    }
  }
}

exports.Renewals = Renewals;
