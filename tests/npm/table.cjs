// Each method and payload of the manager that ours replaces, as it was measured, and what is different
// with ours and why. `more`: fields beside the seed's; `less`: fields of the seed's that ours lacks.
"use strict";

const OK = ["success"];
const WHY = {
  order: "the daemon's id: a task registered anew after a restart is the same task",
  state: "browsers show a status and a percentage, and the seed's end had neither",
  health: "what does not answer is health, with a sentence in `note`; a task is not ended by it",
  switch: "services that the settings declare were switched before it is told, or failed to be",
  attempt: "a task that ended may begin anew",
  daemon: "what the daemon knows beside it",
  own: "the daemon looks at nodes and keeps decisions: there is no such object in the wizard's process",
  once: "told when something changed, and every 30 s; not on every look",
};

exports.METHODS = {
  setSocketIO: { sync: true, answers: undefined },
  registerTask: { answers: [...OK, "taskId", "task"] },
  registerNodeSyncTask: { answers: [...OK, "taskId", "task"], differs: WHY.order },
  registerIndexerSyncTask: { answers: [...OK, "taskId", "task"], differs: WHY.order },
  startMonitoring: { answers: [...OK, "taskId", "checkInterval"] },
  checkTaskStatus: { answers: [...OK, "status"] },
  completeTask: { answers: [...OK, "taskId", "completedAt"] },
  errorTask: { answers: [...OK, "taskId", "error"] },
  stopMonitoring: { sync: true, answers: OK },
  getTask: { sync: true },
  getAllTasks: { sync: true },
  getTasksByType: { sync: true },
  getTasksByService: { sync: true },
  cancelTask: { answers: [...OK, "taskId"] },
  cleanupOldTasks: { sync: true, answers: [...OK, "cleaned"] },
  shutdown: { sync: true, answers: [...OK, "tasksCleaned"] },
  emitTaskEvent: { sync: true, answers: undefined },
  switchServicesToLocalNode: { answers: [...OK, "service"] },
  calculateDuration: { sync: true, answers: ["seconds", "minutes", "hours", "formatted"] },
  formatDuration: { sync: true },
  getDefaultStatusChecker: { answers: ["completed", "progress", "error"] },
  checkNodeSyncStatus: { answers: ["completed", "progress", "error"] },
  checkIndexerSyncStatus: { answers: ["completed", "progress", "metadata"] },
  checkDatabaseMigrationStatus: { answers: ["completed", "progress", "metadata"] },
};

exports.FIELDS = {
  nodeSyncManager: [null, WHY.own], stateManager: [null, WHY.own], io: null, tasks: Map, intervals: Map,
  defaultCheckInterval: 10_000,
};

exports.TASK = {
  fields: {
    id: "string", type: "string", service: "string", config: "object", checkInterval: "number", status: "string",
    progress: "number", startedAt: "string", lastChecked: "string?", lastUpdate: "string?", error: "string?", metadata: "object",
  },
  more: [
    "health", "healthSince", "reason", "note", "phase", "behind", "attempt", "revision", "origin", "watch", "autoSwitch",
    "switches", "createdAt", "estimatedTimeRemaining", "formattedTimeRemaining",
  ],
  differs: WHY.health,
};

const HEAD = ["timestamp", "taskId", "service", "type"];
exports.PAYLOADS = {
  "sync:start": { fields: HEAD, more: ["attempt"], differs: WHY.attempt },
  "sync:progress": { fields: [...HEAD, "progress"], more: ["percentage", "status", "health", "phase"], differs: `${WHY.once}; ${WHY.health}` },
  "sync:complete": { fields: [...HEAD, "completedAt", "duration"], more: ["status", "progress"], differs: WHY.state },
  "sync:error": { fields: [...HEAD, "error", "erroredAt"], more: ["status", "reason"], differs: WHY.state },
  "sync:cancelled": { fields: [...HEAD, "cancelledAt"], more: ["status"], differs: WHY.state },
  "node:ready": { fields: ["timestamp", "service", "host", "port", "message"], more: ["switched", "failed"], differs: WHY.switch },
};

/** What its page reads of each event. */
exports.READ = {
  "sync:start": ["service"], "sync:progress": ["taskId", "service", "type", "status", "progress"],
  "sync:complete": ["service", "status", "progress"], "sync:error": ["service", "error"], "node:ready": ["service"],
};

/** What a look at a node tells beside the percentage, as numbers that a page calls `toFixed` on. */
exports.NODE = {
  connected: "boolean", synced: "boolean", currentBlock: "number", targetBlock: "number", blocksRemaining: "number",
  estimatedTimeRemaining: "number?", syncRate: "number", formattedTimeRemaining: "string",
};
