// What a call of the client rejects with.

/** A "no" of the daemon, or none of its answers: `code`, `reason`, `data`. */
export class TaskdError extends Error {
  constructor({ code = null, message, data = {} }) {
    super(message);
    this.name = "TaskdError";
    this.code = code;
    this.data = data ?? {};
    this.reason = this.data.reason ?? null;
  }
}

/** One that the client itself has the reason for. */
export function failure(reason, message, data = {}) {
  return new TaskdError({ message, data: { reason, ...data } });
}
