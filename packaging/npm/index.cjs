// kaspad-taskd for Node: a client of the daemon's Unix socket, and a wizard's task manager on it.
"use strict";

const { BackgroundTaskManager } = require("./lib/manager.cjs");
const { TaskdError } = require("./lib/faults.cjs");
const { TaskdSocket } = require("./lib/socket.cjs");

exports.BackgroundTaskManager = BackgroundTaskManager;
exports.TaskdError = TaskdError;
exports.TaskdSocket = TaskdSocket;
