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

/** A failed answer of the manager's. */
export interface Failed {
  success: false;
  /** What went wrong and what to do, safe for innerHTML. */
  error: string;
}

export type Answer<Given> = Promise<({ success: true } & Given) | Failed>;

/** A task as a wizard knows it. Its texts are safe for innerHTML. */
export interface WizardTask {
  id: string;
  type: string;
  service: string;
  config: any;
  /** ms */
  checkInterval: number;
  status: Status;
  progress: number;
  startedAt: string;
  lastChecked: string | null;
  lastUpdate: string | null;
  error: string | null;
  metadata: Record<string, any>;
  completedAt?: string;
  erroredAt?: string;
  cancelledAt?: string;
  health: Health;
  healthSince: string | null;
  reason: string | null;
  note: string | null;
  phase: string | null;
  behind: number | null;
  attempt: number;
  revision: number;
  origin: "vendor" | "admin" | "api";
  watch: "none" | "on" | "paused";
  autoSwitch: boolean;
  switches: string[];
  createdAt: string;
  estimatedTimeRemaining: number | null;
  formattedTimeRemaining: string;
}

/** What a status checker says. */
export interface CheckerResult {
  completed?: boolean;
  progress?: number;
  metadata?: object;
  /** It has failed, for good; what passes is thrown. */
  error?: string;
}

export interface Hooks {
  /** Looks at the work, in this process; what it throws is health, and not the end. */
  statusChecker?: (task: WizardTask, look: { signal: AbortSignal }) => CheckerResult | Promise<CheckerResult>;
  /** Called once for each attempt that completes; after it returned, that is on record. */
  onComplete?: (task: WizardTask, which: { attempt: number }) => unknown;
  /** Whether it is called for attempts that began by themselves, since data was lost. */
  onRelapse?: boolean;
  /** ms */
  checkInterval?: number;
  /** ms that a look may take */
  timeout?: number;
}

export interface Registration extends Hooks {
  id: string;
  type: string;
  service: string;
  config?: object;
}

export interface NodeSyncRegistration extends Hooks {
  service: string;
  host?: string;
  port?: number;
  network?: string;
  autoSwitch?: boolean;
  useHttps?: boolean;
}

export interface IndexerSyncRegistration extends Hooks {
  service: string;
  indexerUrl: string;
  flavor?: string;
}

export interface Duration {
  seconds: number;
  minutes: number;
  hours: number;
  formatted: string;
}

export interface ManagerOptions {
  /** Of the daemon's socket, as in SocketOptions. */
  path?: string;
  /** A client for this manager alone. */
  socket?: TaskdSocket;
  /** ms after which a task that is not reachable or stalled is told as such to browsers: 30000. */
  lasting?: number;
}

/** Anything that tells all browsers: a Socket.IO server. */
export interface Io {
  emit(event: string, payload: any): unknown;
}

/** A browser's Socket.IO socket. */
export interface BrowserSocket extends Io {
  on(event: string, listener: (...args: any[]) => void): unknown;
}

type Registered = Answer<{ taskId: string; task: WizardTask }>;

export interface BackgroundTaskManager extends Emitter<Record<string, [any]>> {
  emit(event: string, ...what: unknown[]): boolean;
}
/** A wizard's task manager, whose tasks are kaspad-taskd's. What goes wrong is `{success: false, error}`. */
export class BackgroundTaskManager {
  constructor(io?: Io | null, options?: ManagerOptions);
  io: Io | null;
  readonly tasks: Map<string, WizardTask>;
  readonly intervals: Map<string, unknown>;
  readonly defaultCheckInterval: number;
  /** Resolves when the daemon's tasks are known. */
  readonly ready: Promise<BackgroundTaskManager>;
  readonly socket: TaskdSocket;
  setSocketIO(io: Io | null): void;
  registerTask(config: Registration): Registered;
  registerNodeSyncTask(config: NodeSyncRegistration): Registered;
  registerIndexerSyncTask(config: IndexerSyncRegistration): Registered;
  startMonitoring(taskId: string): Answer<{ taskId: string; checkInterval: number }>;
  stopMonitoring(taskId: string): { success: true } | Failed;
  checkTaskStatus(taskId: string): Answer<{ completed?: true; status: CheckerResult }>;
  completeTask(taskId: string, finalStatus?: { metadata?: object }): Answer<{ taskId: string; completedAt: string }>;
  errorTask(taskId: string, error: string | Error): Answer<{ taskId: string; error: string }>;
  cancelTask(taskId: string): Answer<{ taskId: string }>;
  getTask(taskId: string): WizardTask | null;
  getAllTasks(): WizardTask[];
  getTasksByType(type: string): WizardTask[];
  getTasksByService(service: string): WizardTask[];
  cleanupOldTasks(maxAge?: number): { success: true; cleaned: number };
  shutdown(): { success: true; tasksCleaned: number };
  emitTaskEvent(event: string, data: object): void;
  switchServicesToLocalNode(task: WizardTask): Answer<{ service: string }>;
  calculateDuration(start: string, end: string): Duration;
  formatDuration(seconds: number): string;
  getDefaultStatusChecker(task: WizardTask): Promise<CheckerResult>;
  checkNodeSyncStatus(task: WizardTask): Promise<CheckerResult>;
  checkIndexerSyncStatus(task: WizardTask): Promise<CheckerResult>;
  checkDatabaseMigrationStatus(task: WizardTask): Promise<CheckerResult>;
  /** Handlers on a browser's socket: sync:pause, sync:resume, sync:strategy-chosen. */
  serve<Socket extends BrowserSocket>(socket: Socket): Socket;
  pauseTask(taskId: string): Registered;
  resumeTask(taskId: string): Registered;
  recordDecision(decision: string, context?: object): Answer<{ decision: object }>;
  getSyncStrategy(taskId: string): Answer<Record<string, any>>;
}
