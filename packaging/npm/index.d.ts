/** What is thrown and told: the daemon's "no", or none of its answers. */
export class TaskdError extends Error {
  constructor(what: { message: string; reason?: string | null; code?: number | null; data?: object; cure?: string | null });
  /** The daemon's (not-found, conflict, not-allowed, gap ...), or missing, refused, forbidden, timeout, closed, not-taskd, bad-path, busy. */
  readonly reason: string | null;
  /** Of JSON-RPC; null where nobody answered. */
  readonly code: number | null;
  readonly data: Record<string, unknown>;
  /** What to do about it. */
  readonly cure: string | null;
  /** Message and cure. */
  readonly text: string;
}

/** An event as the daemon tells it; `data` is that of the contract, section 4. */
export interface TaskdEvent {
  seq: number;
  event: string;
  data: { seq: number; timestamp: string; taskId: string | null; service: string | null; type: string | null } & Record<string, unknown>;
}

export type Status = "pending" | "in-progress" | "paused" | "complete" | "error" | "cancelled";
export type Health = "unknown" | "ok" | "stalled" | "unreachable" | "behind";

/** A task as the daemon has it: the contract, section 2. */
export interface DaemonTask extends Record<string, unknown> {
  id: string;
  type: string;
  service: string;
  status: Status;
  health: Health;
  progress: number;
  attempt: number;
  revision: number;
  error: string | null;
  note: string | null;
  estimatedTimeRemaining: number | null;
  formattedTimeRemaining: string;
  metadata: Record<string, string | number | boolean>;
}

export interface Snapshot {
  /** Of the last event before those that will be told. */
  seq: number;
  journal: string | null;
  /** All tasks at `seq`; empty where `after` was named. */
  tasks: DaemonTask[];
}

export interface SocketEvents {
  connect: [{ path: string }];
  disconnect: [TaskdError];
  event: [TaskdEvent];
  snapshot: [Snapshot];
  resume: [Snapshot];
  gap: [TaskdError];
  close: [];
}

export interface SocketOptions {
  /** Of the socket; else KASPAD_TASKD_SOCKET, the system's, this user's own. */
  path?: string;
  /** ms for an answer: 30000. */
  deadline?: number;
  /** ms that a call waits for a daemon that is not there: 1000. */
  patience?: number;
  /** ms after which a daemon that takes nothing is let go of: 20000. */
  stuck?: number;
}

/** The part of Node's EventEmitter that is documented here; the class is one. */
interface Emitter<Events> {
  on<Name extends keyof Events & string>(name: Name, listener: (...args: Events[Name] & unknown[]) => void): this;
  once<Name extends keyof Events & string>(name: Name, listener: (...args: Events[Name] & unknown[]) => void): this;
  off<Name extends keyof Events & string>(name: Name, listener: (...args: Events[Name] & unknown[]) => void): this;
}

export interface TaskdSocket extends Emitter<SocketEvents> {}
/** A client of the daemon's Unix socket: calls, and one subscription that misses nothing. */
export class TaskdSocket {
  constructor(options?: SocketOptions);
  readonly path: string;
  readonly connected: boolean;
  readonly fault: TaskdError | null;
  readonly seq: number | null;
  readonly journal: string | null;
  call<Result = any>(method: string, params?: object, options?: { deadline?: number }): Promise<Result>;
  subscribe(from?: { after?: number; journal?: string; tasks?: string[] }): Promise<Snapshot>;
  ref(): this;
  unref(): this;
  close(): void;
}
