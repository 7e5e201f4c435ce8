// Who wants to be told what.

/** Named listeners; a listener that fails costs the others nothing. */
export class Emitter {
  #listeners = new Map();

  /** Calls `listener` with each `name`; returns what ends that. */
  on(name, listener) {
    const listeners = this.#listeners.get(name) ?? new Set();
    this.#listeners.set(name, listeners.add(listener));
    return () => this.off(name, listener);
  }

  /** Ends what `on` began. */
  off(name, listener) {
    this.#listeners.get(name)?.delete(listener);
  }

  /** Tells all listeners of `name`. */
  emit(name, detail) {
    for (const listener of [...(this.#listeners.get(name) ?? [])]) {
      try {
        listener(detail);
      } catch (error) {
        queueMicrotask(() => {
          throw error; // it is the listener's own: seen by whoever watches for errors
        });
      }
    }
  }
}
