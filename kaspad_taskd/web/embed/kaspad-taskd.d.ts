// Payloads of kaspad-taskd. Generated from the definitions that make them; do not edit.

export interface Task {
  id: string;
  type: string;
  service: string;
  endpoint: string | null;
  config: Record<string, unknown>;
  checkInterval: number;
  timeout: number;
  stallAfter: number;
  giveUpAfter: number | null;
  after: string[];
  autoSwitch: boolean;
  keepWatching: boolean;
  watchInterval: number;
  behindAfter: number;
  relapseAfter: number;
  status: "pending" | "in-progress" | "paused" | "complete" | "error" | "cancelled";
  watch: "none" | "on" | "paused";
  health: "unknown" | "ok" | "behind" | "stalled" | "unreachable";
  healthSince: string | null;
  reason: string | null;
  note: string | null;
  hints: {
    code: string;
    params: Record<string, unknown>;
  }[];
  waitingFor: string[];
  progress: number;
  progressBasis: "exact" | "estimated" | "unknown";
  phase: string | null;
  phases: {
    key: string;
    state: "done" | "current" | "next";
    weight: number;
    progress: number | null;
    basis: string;
    startedAt: string | null;
    endedAt: string | null;
  }[];
  pass: number;
  progressDetail: {
    done: number;
    total: number | null;
    unit: string | null;
    basis: string;
  } | null;
  behind: number | null;
  syncRate: number | null;
  rateUnit: string | null;
  estimatedTimeRemaining: number | null;
  etaReason: string | null;
  formattedTimeRemaining: string;
  confirmations: {
    have: number;
    need: number;
  };
  epoch: {
    number: number;
    since: string | null;
    reason: string | null;
  };
  createdAt: string | null;
  startedAt: string | null;
  lastChecked: string | null;
  lastUpdate: string | null;
  lastMoved: string | null;
  nextCheck: string | null;
  completedAt: string | null;
  erroredAt: string | null;
  cancelledAt: string | null;
  error: string | null;
  attempt: number;
  because: string | null;
  revision: number;
  origin: "vendor" | "api" | "admin";
  directory: string | null;
  switches: string[];
  actions: string[];
  metadata: Record<string, unknown>;
}

export interface Events {
  "task:added": {
    seq: number;
    timestamp: string;
    taskId: string;
    service: string;
    type: string;
    origin: "vendor" | "api" | "admin";
    directory?: string;
  };
  "task:changed": {
    seq: number;
    timestamp: string;
    taskId: string;
    service: string;
    type: string;
  };
  "task:removed": {
    seq: number;
    timestamp: string;
    taskId: string;
    service: string;
    type: string;
  };
  "sync:start": {
    seq: number;
    timestamp: string;
    taskId: string;
    service: string;
    type: string;
    attempt: number;
    because?: string;
  };
  "sync:progress": {
    seq: number;
    timestamp: string;
    taskId: string;
    service: string;
    type: string;
    status: "pending" | "in-progress" | "paused" | "complete" | "error" | "cancelled";
    health: "unknown" | "ok" | "behind" | "stalled" | "unreachable";
    phase: string | null;
    progress: number;
    percentage: number;
    estimatedTimeRemaining: number | null;
    formattedTimeRemaining: string;
    syncRate: number;
    connected: boolean;
    synced: boolean;
    healthSince?: string | null;
    lastChecked?: string | null;
    behind?: number;
    currentBlock?: number;
    targetBlock?: number;
    blocksRemaining?: number;
  };
  "sync:complete": {
    seq: number;
    timestamp: string;
    taskId: string;
    service: string;
    type: string;
    status: "complete";
    progress: 100;
    completedAt: string;
    duration: {
      seconds: number;
      minutes: number;
      hours: number;
      formatted: string;
    };
    because?: string;
  };
  "sync:error": {
    seq: number;
    timestamp: string;
    taskId: string;
    service: string;
    type: string;
    status: "error";
    error: string;
    erroredAt: string;
    reason: string;
  };
  "sync:cancelled": {
    seq: number;
    timestamp: string;
    taskId: string;
    service: string;
    type: string;
    cancelledAt: string;
  };
  "sync:paused": {
    seq: number;
    timestamp: string;
    taskId: string;
    service: string;
    type: string;
  };
  "sync:resumed": {
    seq: number;
    timestamp: string;
    taskId: string;
    service: string;
    type: string;
  };
  "sync:health": {
    seq: number;
    timestamp: string;
    taskId: string;
    service: string;
    type: string;
    health: "unknown" | "ok" | "behind" | "stalled" | "unreachable";
    since: string | null;
    reason: string | null;
    note: string | null;
    behind?: number;
    was?: "unknown" | "ok" | "behind" | "stalled" | "unreachable";
  };
  "sync:epoch": {
    seq: number;
    timestamp: string;
    taskId: string;
    service: string;
    type: string;
    number: number;
    since: string | null;
    reason: string | null;
  };
  "switch:progress": {
    seq: number;
    timestamp: string;
    taskId: string | null;
    service: string;
    type: string | null;
    to: "local" | "public";
    switch: {
      id: number;
      service: string;
      to: "local" | "public";
      state: "running" | "undoing" | "done" | "undone" | "failed";
      step: number;
      of: number;
      steps: {
        key: "check" | "endpoint" | "restart" | "verify" | "undo-endpoint" | "undo-restart";
        state: "next" | "current" | "done" | "failed";
        startedAt: string | null;
        endedAt: string | null;
        note: string | null;
      }[];
      startedAt: string | null;
      endedAt: string | null;
      reason: string | null;
      error: string | null;
      cure: string | null;
      taskId: string | null;
      by: "user" | "node-sync" | "fallback";
      away: number | null;
      because: {
        health: string;
        reason: string | null;
        behind: number | null;
        since: string | null;
        note: string;
      } | null;
    };
    step: string;
  };
  "switch:complete": {
    seq: number;
    timestamp: string;
    taskId: string | null;
    service: string;
    type: string | null;
    to: "local" | "public";
    switch: {
      id: number;
      service: string;
      to: "local" | "public";
      state: "running" | "undoing" | "done" | "undone" | "failed";
      step: number;
      of: number;
      steps: {
        key: "check" | "endpoint" | "restart" | "verify" | "undo-endpoint" | "undo-restart";
        state: "next" | "current" | "done" | "failed";
        startedAt: string | null;
        endedAt: string | null;
        note: string | null;
      }[];
      startedAt: string | null;
      endedAt: string | null;
      reason: string | null;
      error: string | null;
      cure: string | null;
      taskId: string | null;
      by: "user" | "node-sync" | "fallback";
      away: number | null;
      because: {
        health: string;
        reason: string | null;
        behind: number | null;
        since: string | null;
        note: string;
      } | null;
    };
  };
  "switch:error": {
    seq: number;
    timestamp: string;
    taskId: string | null;
    service: string;
    type: string | null;
    to: "local" | "public";
    switch: {
      id: number;
      service: string;
      to: "local" | "public";
      state: "running" | "undoing" | "done" | "undone" | "failed";
      step: number;
      of: number;
      steps: {
        key: "check" | "endpoint" | "restart" | "verify" | "undo-endpoint" | "undo-restart";
        state: "next" | "current" | "done" | "failed";
        startedAt: string | null;
        endedAt: string | null;
        note: string | null;
      }[];
      startedAt: string | null;
      endedAt: string | null;
      reason: string | null;
      error: string | null;
      cure: string | null;
      taskId: string | null;
      by: "user" | "node-sync" | "fallback";
      away: number | null;
      because: {
        health: string;
        reason: string | null;
        behind: number | null;
        since: string | null;
        note: string;
      } | null;
    };
    error: string;
    reason: string;
  };
  "node:ready": {
    seq: number;
    timestamp: string;
    taskId: string;
    service: string;
    type: string;
    host: string | null;
    port: number | null;
    url: string;
    message: string;
    switched: string[];
    failed: string[];
    skipped?: {
      service: string;
      reason: "held";
    }[];
  };
  "service:attention": {
    seq: number;
    timestamp: string;
    taskId: string | null;
    service: string;
    type: string | null;
    code: string | null;
    params: Record<string, unknown>;
    note: string | null;
    cure: string | null;
    since: string | null;
  };
  warning: {
    seq: number;
    timestamp: string;
    taskId: string | null;
    service: string | null;
    type: string | null;
    id: number;
    code: string;
    params: Record<string, unknown>;
    note: string;
    cure: string | null;
  };
}

export interface Methods {
  /** Register a task. */
  "registerTask": {
    params: {
      type: "database-migration" | "http-json" | "indexer-sync" | "node-sync" | "report" | (string & {});
      service: string;
      id?: string;
      checkInterval?: string | number;
      timeout?: string | number;
      confirmations?: number;
      stallAfter?: string | number;
      giveUpAfter?: string | number;
      after?: string[];
      start?: boolean;
      autoSwitch?: boolean;
      keepWatching?: boolean;
      watchInterval?: string | number;
      behindAfter?: string | number;
      relapseAfter?: string | number;
      config?: {
        protocol?: "grpc" | "wrpc-json";
        host?: string;
        port?: number;
        network?: string;
        maxLag?: string | number;
        log?: string;
        useHttps?: boolean;
        url?: string;
        reference?: string;
      } | {
        flavor?: "simply-kaspa" | "kasia" | "k-indexer" | "generic";
        url: string;
        progress?: string;
        done?: string;
        total?: string;
        completed?: string;
        error?: string;
        present?: string;
        unit?: "blocks" | "headers" | "rows" | "entries";
        progressUnit?: "percent" | "fraction";
        node?: string;
        dsn?: string;
        network?: string;
        maxLag?: string | number;
        log?: string;
        source?: string;
      } | {
        dsn: string;
        tool: "simply-kaspa" | "k-indexer" | "alembic" | "sqlx" | "flyway" | "golang-migrate" | "goose" | "dbmate" | "django" | "prisma" | "liquibase" | "knex" | "typeorm" | "sql";
        version?: string | number;
        schema?: string;
        table?: string;
        user?: string;
        application?: string;
      } | {
        url: string;
        progress?: string;
        done?: string;
        total?: string;
        completed?: string;
        error?: string;
        present?: string;
        unit?: "blocks" | "headers" | "rows" | "entries";
        progressUnit?: "percent" | "fraction";
      } | Record<string, never>;
      [key: string]: unknown;
    };
    result: {
      success: true;
      taskId: string;
      task: Task;
      created: boolean;
    };
  };
  /** Register the sync of a node. */
  "registerNodeSyncTask": {
    params: {
      service: string;
      id?: string;
      checkInterval?: string | number;
      timeout?: string | number;
      confirmations?: number;
      stallAfter?: string | number;
      giveUpAfter?: string | number;
      after?: string[];
      start?: boolean;
      autoSwitch?: boolean;
      keepWatching?: boolean;
      watchInterval?: string | number;
      behindAfter?: string | number;
      relapseAfter?: string | number;
      protocol?: "grpc" | "wrpc-json";
      host?: string;
      port?: number;
      network?: string;
      maxLag?: string | number;
      log?: string;
      useHttps?: boolean;
      url?: string;
      reference?: string;
      config?: {
        protocol?: "grpc" | "wrpc-json";
        host?: string;
        port?: number;
        network?: string;
        maxLag?: string | number;
        log?: string;
        useHttps?: boolean;
        url?: string;
        reference?: string;
      };
      [key: string]: unknown;
    };
    result: {
      success: true;
      taskId: string;
      task: Task;
      created: boolean;
    };
  };
  /** Register the sync of an indexer. */
  "registerIndexerSyncTask": {
    params: {
      service: string;
      id?: string;
      checkInterval?: string | number;
      timeout?: string | number;
      confirmations?: number;
      stallAfter?: string | number;
      giveUpAfter?: string | number;
      after?: string[];
      start?: boolean;
      autoSwitch?: boolean;
      keepWatching?: boolean;
      watchInterval?: string | number;
      behindAfter?: string | number;
      relapseAfter?: string | number;
      flavor?: "simply-kaspa" | "kasia" | "k-indexer" | "generic";
      url?: string;
      progress?: string;
      done?: string;
      total?: string;
      completed?: string;
      error?: string;
      present?: string;
      unit?: "blocks" | "headers" | "rows" | "entries";
      progressUnit?: "percent" | "fraction";
      node?: string;
      dsn?: string;
      network?: string;
      maxLag?: string | number;
      log?: string;
      source?: string;
      indexerUrl?: string;
      config?: {
        flavor?: "simply-kaspa" | "kasia" | "k-indexer" | "generic";
        url?: string;
        progress?: string;
        done?: string;
        total?: string;
        completed?: string;
        error?: string;
        present?: string;
        unit?: "blocks" | "headers" | "rows" | "entries";
        progressUnit?: "percent" | "fraction";
        node?: string;
        dsn?: string;
        network?: string;
        maxLag?: string | number;
        log?: string;
        source?: string;
      };
      [key: string]: unknown;
    };
    result: {
      success: true;
      taskId: string;
      task: Task;
      created: boolean;
    };
  };
  /** Change pace and patience of a task that came over an API. */
  "updateTask": {
    params: {
      taskId: string;
      checkInterval?: string | number;
      timeout?: string | number;
      stallAfter?: string | number;
      giveUpAfter?: string | number;
      confirmations?: number;
      after?: string[];
      autoSwitch?: boolean;
      keepWatching?: boolean;
      watchInterval?: string | number;
      behindAfter?: string | number;
      relapseAfter?: string | number;
    };
    result: {
      success: true;
      taskId: string;
      task: Task;
    };
  };
  /** One task, or null. */
  "getTask": {
    params: {
      taskId: string;
    };
    result: Task | null;
  };
  /** Why a task is shown as it is: rules, readings, their age. */
  "explainTask": {
    params: {
      taskId: string;
    };
    result: {
      taskId: string;
      at: string;
      complete: {
        holds: boolean;
        rule: "proven" | "requested" | "conditions" | "no-answer" | "next-look" | "unread" | "not-watched" | "failed";
        failing: number;
        conditions: {
          key: string;
          holds: boolean;
          value: boolean | number | string | null;
          limit: boolean | number | string | null;
          note: string;
        }[];
      };
      percent: {
        shown: number;
        basis: string;
        rule: "complete" | "unread" | "weights" | "off-the-way" | "told" | "counted" | "unknown";
        counted: number | null;
        held: boolean;
        share: number | null;
      };
      step: {
        phase: string;
        number: number;
        of: number;
        since: string | null;
        pass: number;
      } | null;
      health: {
        value: "unknown" | "ok" | "behind" | "stalled" | "unreachable";
        rule: "not-watched" | "unread" | "not-good-yet" | "clock" | "unreachable" | "refused" | "stalled" | "behind" | "answers";
        since: string | null;
        reason: string | null;
        missed: number;
      };
      movement: {
        moves: boolean | null;
        reached: Record<string, unknown>;
        waited: number | null;
        stallAfter: number;
        giveUpAfter: number | null;
      };
      timeLeft: {
        seconds: number | null;
        reason: string | null;
        walk: {
          legs: {
            phase: string;
            amount: number;
            rate: number;
            seconds: number;
          }[];
          grown: number;
          pace: number | null;
          drift: number;
          pause: number;
        } | null;
        rates: Record<string, unknown>;
        measured: {
          movements: number;
          seconds: number;
          movementsNeeded: number;
          secondsNeeded: number;
        };
      };
      readings: {
        look: {
          at: string | null;
          age: number | null;
        };
        answer: {
          at: string | null;
          age: number | null;
        };
        reading: {
          at: string | null;
          age: number | null;
        };
        movement: {
          at: string | null;
          age: number | null;
        };
        position: number | null;
        target: number | null;
        facts: Record<string, unknown>;
      };
      task: Task;
    };
  };
  /** All tasks, in order of registration. */
  "getAllTasks": {
    params: {
      status?: "pending" | "in-progress" | "paused" | "complete" | "error" | "cancelled";
    };
    result: Task[];
  };
  /** The tasks of a type. */
  "getTasksByType": {
    params: {
      type: string;
      status?: "pending" | "in-progress" | "paused" | "complete" | "error" | "cancelled";
    };
    result: Task[];
  };
  /** The tasks of a service. */
  "getTasksByService": {
    params: {
      service: string;
      status?: "pending" | "in-progress" | "paused" | "complete" | "error" | "cancelled";
    };
    result: Task[];
  };
  /** Watch a pending or paused task; fine if already so. */
  "startMonitoring": {
    params: {
      taskId: string;
    };
    result: {
      success: true;
      taskId: string;
      checkInterval: number;
    };
  };
  /** Pause the watching; fine if already so. */
  "stopMonitoring": {
    params: {
      taskId: string;
    };
    result: {
      success: true;
      taskId: string;
    };
  };
  /** Pause the watching; the work itself goes on. */
  "pauseTask": {
    params: {
      taskId: string;
    };
    result: {
      success: true;
      taskId: string;
      task: Task;
    };
  };
  /** Watch a paused task again. */
  "resumeTask": {
    params: {
      taskId: string;
    };
    result: {
      success: true;
      taskId: string;
      task: Task;
    };
  };
  /** Begin the next attempt of an ended task. */
  "retryTask": {
    params: {
      taskId: string;
    };
    result: {
      success: true;
      taskId: string;
      task: Task;
    };
  };
  /** Stop watching a live task; the work itself goes on. */
  "cancelTask": {
    params: {
      taskId: string;
    };
    result: {
      success: true;
      taskId: string;
    };
  };
  /** Say that the work is done. */
  "completeTask": {
    params: {
      taskId: string;
      finalStatus?: Record<string, unknown>;
    };
    result: {
      success: true;
      taskId: string;
      completedAt: string;
    };
  };
  /** Say that the work failed. */
  "errorTask": {
    params: {
      taskId: string;
      error: string;
    };
    result: {
      success: true;
      taskId: string;
      error: string;
    };
  };
  /** Remove a task that came over an API. */
  "removeTask": {
    params: {
      taskId: string;
    };
    result: {
      success: true;
      taskId: string;
      task: Task;
    };
  };
  /** Remove API tasks that ended longer ago than maxAge (ms). */
  "cleanupOldTasks": {
    params: {
      maxAge?: number;
      watched?: boolean;
    };
    result: {
      success: true;
      cleaned: number;
    };
  };
  /** Take a look now (or wait for the one in flight). */
  "checkTaskStatus": {
    params: {
      taskId: string;
    };
    result: {
      success: true;
      completed: boolean;
      inSync: boolean | null;
      status: {
        completed: boolean;
        progress: number;
        metadata: Record<string, unknown>;
      };
      task: Task;
    };
  };
  /** The task at its next revision, at the timeout, or at once if ended. */
  "waitTask": {
    params: {
      taskId: string;
      revision?: number;
      timeout?: number;
    };
    result: Task;
  };
  /** Say how the work is doing (type report). */
  "reportTask": {
    params: {
      taskId: string;
      progress?: number;
      completed?: boolean;
      error?: string;
      metadata?: Record<string, unknown>;
      phase?: string;
      done?: number;
      total?: number;
      unit?: string;
      growing?: boolean;
      after?: number;
      phases?: number;
      atWork?: boolean | null;
      pid?: number;
      startTime?: string;
      warning?: string;
    };
    result: {
      success: true;
      taskId: string;
      task: Task;
    };
  };
  /** Events on record, in order. */
  "getEvents": {
    params: {
      after?: number;
      before?: number;
      taskId?: string;
      limit?: number;
      journal?: string;
    };
    result: {
      events: TaskdEvent[];
      seq: number;
      oldest: number;
    };
  };
  /** How a task was, in time; null where nobody looked. */
  "getHistory": {
    params: {
      taskId: string;
      from?: string;
      to?: string;
      points?: number;
    };
    result: {
      points: {
        at: string;
        progress: number | null;
        done: number | null;
        rate: number | null;
        health: "unknown" | "ok" | "behind" | "stalled" | "unreachable" | null;
      }[];
    };
  };
  /** Put somebody's choice on record. */
  "recordDecision": {
    params: {
      decision: string;
      context?: unknown;
    };
    result: {
      success: true;
      decision: {
        id: number;
        decision: string;
        context: unknown;
        timestamp: string;
      };
    };
  };
  /** All choices on record, oldest first. */
  "getDecisions": {
    params: Record<string, never>;
    result: {
      id: number;
      decision: string;
      context: unknown;
      timestamp: string;
    }[];
  };
  /** What to recommend to somebody who waits for this task. */
  "getSyncStrategy": {
    params: {
      taskId: string;
    };
    result: {
      recommended: "wait" | "background" | "skip";
      options: {
        id: "wait" | "background" | "skip";
        label: string;
        title: string;
        description: string;
        recommended: boolean;
      }[];
      estimatedTime: string;
      estimatedSeconds: number | null;
      note: string | null;
      syncStatus: {
        percentage: number;
        currentBlock?: number;
        targetBlock?: number;
        blocksRemaining?: number;
      };
      nodeKey: string;
    };
  };
  /** How long what is kept watch on was in which state. */
  "getRecord": {
    params: {
      taskId: string;
      days?: number;
    };
    result: {
      taskId: string;
      service: string;
      days: number;
      since: string | null;
      until: string | null;
      seconds: {
        ok: number;
        behind: number;
        stalled: number;
        unreachable: number;
        unknown: number;
      };
      series: {
        seconds: {
          ok: number;
          behind: number;
          stalled: number;
          unreachable: number;
          unknown: number;
        };
        from: string;
        to: string;
      }[];
      incidents: {
        count: number;
        longest: number;
      };
      from: string | null;
      to: string | null;
    };
  };
  /** When it was not in sync, newest first. */
  "getIncidents": {
    params: {
      taskId?: string;
      from?: string;
      to?: string;
      limit?: number;
    };
    result: {
      incidents: {
        id: number;
        taskId: string;
        service: string;
        began: string;
        ended: string | null;
        health: "unknown" | "ok" | "behind" | "stalled" | "unreachable";
        reason: string | null;
        note: string | null;
        worstBehind: number | null;
        ending: "ok" | "synced-again" | "not-watched" | null;
      }[];
    };
  };
  /** Every definition and how its file is. */
  "listDefinitions": {
    params: Record<string, never>;
    result: {
      id: string | null;
      type: string | null;
      origin: "vendor" | "api" | "admin";
      directory: string | null;
      file: string | null;
      state: "ok" | "masked" | "faulty" | "last-good";
      faults: {
        file: string | null;
        key: string;
        problem: string;
      }[];
    }[];
  };
  /** Whether anybody is there. */
  "ping": {
    params: Record<string, never>;
    result: {
      pong: true;
      version: string;
      seq: number;
    };
  };
  /** The daemon: version, store, doors, files. */
  "getInfo": {
    params: Record<string, never>;
    result: {
      version: string;
      seq: number;
      journal: string;
      tasks: {
        total: number;
        byStatus: Record<string, unknown>;
      };
      warnings?: number;
      attentions?: {
        service: string;
        code: string;
        params: Record<string, unknown>;
        note: string;
        cure: string | null;
        since: string;
      }[];
      host?: string;
      pid?: number;
      startedAt?: string;
      uptime?: number;
      store?: {
        path?: string;
        durable: boolean;
        problem?: string | null;
        size?: number;
      };
      socket?: string;
      watchSocket?: string;
      bridge?: Record<string, unknown> | null;
      settingsFile?: string;
      settingsFiles?: string[];
      definitionDirs?: string[];
      connections?: number;
      python?: string;
    };
  };
  /** Services that can be switched, and where they point. */
  "getServices": {
    params: Record<string, never>;
    result: {
      service: string;
      unit: string | null;
      compose: {
        project: string;
        file: string;
        service: string;
      } | null;
      node: string;
      network: string;
      points: "local" | "public" | "unknown";
      since: string | null;
      verified: boolean | null;
      state: "running" | "starting" | "stopping" | "restarting" | "down" | "failed" | "masked" | "missing" | "unknown";
      stateAt: string | null;
      attention: {
        code: string;
        params: Record<string, unknown>;
        note: string;
        cure: string | null;
        since: string;
      } | null;
      proof: {
        kind: string;
        count: number;
        address: string;
        since: string;
        at: string;
      } | null;
      held: boolean;
      auto: boolean;
      fallback: "stay" | "public";
      fallbackAfter: number;
      returnAfter: number;
      flips: number;
      flipsToday: number;
      flipsLeft: number;
      fallen: {
        at: string;
        because: {
          health: string;
          reason: string | null;
          behind: number | null;
          since: string | null;
          note: string;
        } | null;
      } | null;
      stays: {
        code: string;
        params: Record<string, unknown>;
        note: string;
        cure: string | null;
        left: number | null;
      } | null;
      hints: {
        code: string;
        params: Record<string, unknown>;
        note: string;
        cure: string | null;
      }[];
      task: string | null;
      switch: {
        id: number;
        service: string;
        to: "local" | "public";
        state: "running" | "undoing" | "done" | "undone" | "failed";
        step: number;
        of: number;
        steps: {
          key: "check" | "endpoint" | "restart" | "verify" | "undo-endpoint" | "undo-restart";
          state: "next" | "current" | "done" | "failed";
          startedAt: string | null;
          endedAt: string | null;
          note: string | null;
        }[];
        startedAt: string | null;
        endedAt: string | null;
        reason: string | null;
        error: string | null;
        cure: string | null;
        taskId: string | null;
        by: "user" | "node-sync" | "fallback";
        away: number | null;
        because: {
          health: string;
          reason: string | null;
          behind: number | null;
          since: string | null;
          note: string;
        } | null;
      } | null;
    }[];
  };
  /** Switch a service, or turn its running switch round. */
  "switchService": {
    params: {
      service: string;
      to: "local" | "public";
    };
    result: {
      success: true;
      service: string;
      switch: {
        id: number;
        service: string;
        to: "local" | "public";
        state: "running" | "undoing" | "done" | "undone" | "failed";
        step: number;
        of: number;
        steps: {
          key: "check" | "endpoint" | "restart" | "verify" | "undo-endpoint" | "undo-restart";
          state: "next" | "current" | "done" | "failed";
          startedAt: string | null;
          endedAt: string | null;
          note: string | null;
        }[];
        startedAt: string | null;
        endedAt: string | null;
        reason: string | null;
        error: string | null;
        cure: string | null;
        taskId: string | null;
        by: "user" | "node-sync" | "fallback";
        away: number | null;
        because: {
          health: string;
          reason: string | null;
          behind: number | null;
          since: string | null;
          note: string;
        } | null;
      };
      held: boolean;
    };
  };
  /** What a switch would ask, and find, now; nothing is touched. */
  "getSwitchPlan": {
    params: {
      service: string;
      to: "local" | "public";
    };
    result: {
      service: string;
      to: "local" | "public";
      possible: boolean;
      there: boolean;
      held: boolean;
      busy: boolean;
      checks: {
        key: "unit" | "helper" | "checker" | "order" | "node" | "endpoints" | "checkpoints";
        good: boolean;
        decides: boolean;
        note: string;
        cure: string | null;
      }[];
      unit: string | null;
      compose: {
        project: string;
        file: string;
        service: string;
      } | null;
      away: number | null;
      awayAt: string | null;
      auto: boolean;
      fallback: "stay" | "public";
      fallbackAfter: number;
      returnAfter: number;
      flips: number;
      flipsToday: number;
      flipsLeft: number;
      fallen: {
        at: string;
        because: {
          health: string;
          reason: string | null;
          behind: number | null;
          since: string | null;
          note: string;
        } | null;
      } | null;
      stays: {
        code: string;
        params: Record<string, unknown>;
        note: string;
        cure: string | null;
        left: number | null;
      } | null;
    };
  };
  /** Let people alone switch a service, or let go. */
  "holdService": {
    params: {
      service: string;
      hold: boolean;
    };
    result: {
      success: true;
      service: string;
      held: boolean;
    };
  };
  /** What has still to be seen, oldest first. */
  "getWarnings": {
    params: Record<string, never>;
    result: {
      warnings: {
        id: number;
        code: string;
        params: Record<string, unknown>;
        note: string;
        cure: string | null;
        at: string;
      }[];
    };
  };
  /** Say that a warning was seen: it stands no more. */
  "acknowledgeWarning": {
    params: {
      id: number;
    };
    result: {
      success: true;
      warning: {
        id: number;
        code: string;
        params: Record<string, unknown>;
        note: string;
        cure: string | null;
        at: string;
      };
    };
  };
  /** This description. */
  "rpc.discover": {
    params: Record<string, never>;
    result: Record<string, unknown>;
  };
}

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
