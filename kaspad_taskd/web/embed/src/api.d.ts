// Client and components. By hand; the payloads above are generated.

/** An event on record. */
export type TaskdEvent = {
  [Name in keyof Events]: { seq: number; event: Name; data: Events[Name] };
}[keyof Events];

/** A service on its way between the nodes: a step (`step`), or how it ended (`error`, why not). */
export type Switched = {
  [Name in "switch:progress" | "switch:complete" | "switch:error"]: { event: Name } & Events[Name];
}["switch:progress" | "switch:complete" | "switch:error"];

/** How the line to the daemon is. */
export interface Connection {
  readonly state: "connecting" | "live" | "lost" | "stopping" | "closed";
  /** Since when; ISO 8601, this machine's clock. */
  readonly since: string;
  /** This page's origin, where the bridge runs and does not let it in. */
  readonly foreign?: string;
  readonly host?: string | null;
  readonly version?: string | null;
  readonly canChange?: boolean;
  /** Events that came after a reconnection, before it was live again. */
  readonly missed?: number;
  readonly reason?: string | null;
  /** Why the daemon does not let us in. */
  readonly refused?: string;
}

/** What a client tells. */
export interface ClientEvents {
  /** A task changed; null stands for one that is not there. */
  change: { id: string; before: FrozenTask | null; after: FrozenTask | null };
  /** What lies between is not kept, or the journal is another one; `tasks` is right all the same. */
  gap: { from: number; to: number };
  connection: Connection;
  switch: Switched;
  "node-ready": Events["node:ready"];
  /** Every event, once and in order. */
  event: TaskdEvent;
}

export type FrozenTask = Readonly<Task>;

/** The part of a Socket.IO client socket that is needed of one handed over. */
export interface SocketLike {
  readonly id?: string | undefined;
  readonly connected: boolean;
  on(name: string, listener: (...given: any[]) => void): unknown;
  off(name: string, listener: (...given: any[]) => void): unknown;
  onAny(listener: (...given: any[]) => void): unknown;
  offAny(listener: (...given: any[]) => void): unknown;
  timeout(ms: number): { emit(name: string, ...given: any[]): unknown };
}

export interface ClientOptions {
  /** The bridge: `http(s):` or relative; `ws(s):` is websocket only. Else the one this file is of. */
  url?: string;
  /** A Socket.IO socket of the page's own, used instead. */
  socket?: SocketLike;
  /** The access token; changes need it. */
  token?: string | null;
  /** `seq` of the last event known; what followed is told. */
  after?: number | null;
  /** The identity of the journal that `after` is of: another one is a gap. */
  journal?: string | null;
}

export type Result<Name extends keyof Methods> = Promise<Methods[Name]["result"]>;

/** A no of the daemon, or none of its answers (`reason` "no-answer"). */
export declare class TaskdError extends Error {
  readonly code: number | null;
  readonly reason: string | null;
  readonly data: Record<string, any>;
}

/** What kaspad-taskd knows, kept true over reconnections. */
export declare class TaskdClient {
  constructor(options?: ClientOptions);
  /** Resolves with the first snapshot. */
  readonly ready: Promise<this>;
  readonly tasks: ReadonlyMap<string, FrozenTask>;
  /** What was told last of each service's switch, by service: `switch:progress` while it runs. */
  readonly switches: ReadonlyMap<string, Readonly<Switched>>;
  readonly connection: Connection;
  readonly seq: number | null;
  /** The identity of the journal that `seq` is of: keep both, to go on later. */
  readonly journal: string | null;
  readonly canChange: boolean;
  token: string | null;
  /** The daemon's clock, ms since 1970. */
  serverNow(): number;
  on<Name extends keyof ClientEvents>(
    name: Name,
    listener: (detail: ClientEvents[Name]) => void,
  ): () => void;
  off<Name extends keyof ClientEvents>(
    name: Name,
    listener: (detail: ClientEvents[Name]) => void,
  ): void;
  close(): void;
  /** Any method; rejects with TaskdError after `deadline` ms without an answer. */
  call<Name extends keyof Methods>(
    method: Name,
    params?: Methods[Name]["params"],
    deadline?: number,
  ): Result<Name>;
  list(which?: { type?: string; service?: string; status?: Task["status"] }): Promise<Task[]>;
  get(taskId: string): Result<"getTask">;
  register(definition: Methods["registerTask"]["params"]): Result<"registerTask">;
  start(taskId: string): Result<"startMonitoring">;
  pause(taskId: string): Result<"pauseTask">;
  resume(taskId: string): Result<"resumeTask">;
  cancel(taskId: string): Result<"cancelTask">;
  retry(taskId: string): Result<"retryTask">;
  remove(taskId: string): Result<"removeTask">;
  check(taskId: string): Result<"checkTaskStatus">;
  /** Rejects when the task ends otherwise ("not-reached"), goes ("not-found"), or on `signal`. */
  wait(
    taskId: string,
    options?: { until?: Task["status"] | ((task: FrozenTask) => boolean); signal?: AbortSignal },
  ): Promise<FrozenTask>;
  history(
    taskId: string,
    span?: { from?: string; to?: string; points?: number },
  ): Result<"getHistory">;
  /** How long it was in which state, of 1 to 90 days. */
  record(taskId: string, span?: { days?: number }): Result<"getRecord">;
  incidents(page?: Methods["getIncidents"]["params"]): Result<"getIncidents">;
  events(page?: Methods["getEvents"]["params"]): Result<"getEvents">;
  strategy(taskId: string): Result<"getSyncStrategy">;
  recordDecision(decision: string, context?: unknown): Result<"recordDecision">;
  decisions(): Result<"getDecisions">;
  services(): Result<"getServices">;
  switchService(service: string, to: "local" | "public"): Result<"switchService">;
  /** Asks for one task anew, soon. */
  refresh(taskId: string): void;
}

/** What a card says of a task at `now`, seconds since 1970. */
export declare function view(task: Readonly<Task>, now: number): {
  icon: string;
  tone: "moving" | "done" | "attention" | "failure" | "quiet";
  name: string;
  state: string;
  kind: string;
  banner: string;
  cures: string[];
  step: string;
  share: string;
  percent: string;
  value: number | null;
  left: string;
  ready: string;
  note: string;
  facts: string[];
  checked: string;
  bar: [begin: number, width: number, kind: "done" | "now" | "next" | "hatch"][];
  spoken: string;
};

/** What all components have. A `client` that is set is shared; else there is one for each `bridge`. */
interface TaskdElement extends HTMLElement {
  client: TaskdClient;
  token: string | null;
}

export declare class KaspadTask extends HTMLElement implements TaskdElement {
  client: TaskdClient;
  token: string | null;
  readonly task: FrozenTask | null;
}
export declare class KaspadTasks extends HTMLElement implements TaskdElement {
  client: TaskdClient;
  token: string | null;
}
export declare class KaspadStrategy extends HTMLElement implements TaskdElement {
  client: TaskdClient;
  token: string | null;
}
export declare class KaspadResume extends HTMLElement implements TaskdElement {
  client: TaskdClient;
  token: string | null;
}
/** A whole host in one row. */
export declare class KaspadHost extends HTMLElement implements TaskdElement {
  client: TaskdClient;
  token: string | null;
  readonly name: string;
  /** What is wrong with the line to the host, or "". */
  readonly silence: string;
  /** What needs somebody, the line or a task, or "". */
  readonly alarm: string;
}
/** The hosts that the links inside name. */
export declare class KaspadFleet extends HTMLElement {
  /** One for all hosts, or by the address of each. */
  token: string | null | ((address: string) => string | null);
}

/** Events of the components: bubbling, out of every shadow. */
export interface TaskdElementEvents {
  "task-change": CustomEvent<{ before: FrozenTask | null; after: FrozenTask | null }>;
  "task-complete": CustomEvent<{ task: FrozenTask }>;
  "task-failed": CustomEvent<{ task: FrozenTask }>;
  "node-ready": CustomEvent<Events["node:ready"]>;
  "task-action": CustomEvent<{ action: string; result: unknown; error?: TaskdError }>;
  connection: CustomEvent<Pick<Connection, "state" | "since">>;
  "strategy-chosen": CustomEvent<{
    choice: "wait" | "background" | "skip";
    recommended: "wait" | "background" | "skip";
    /** Null where the choice could not be put on record. */
    decisionId: number | null;
  }>;
  resume: CustomEvent<Record<string, never>>;
  "start-over": CustomEvent<{ alsoStop: string[] }>;
}

declare global {
  interface HTMLElementTagNameMap {
    "kaspad-task": KaspadTask;
    "kaspad-tasks": KaspadTasks;
    "kaspad-strategy": KaspadStrategy;
    "kaspad-resume": KaspadResume;
    "kaspad-host": KaspadHost;
    "kaspad-fleet": KaspadFleet;
  }
  interface HTMLElementEventMap extends TaskdElementEvents {}
}
