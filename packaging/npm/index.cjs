// kaspad-taskd for Node: a client of the daemon's Unix socket.
"use strict";

const { TaskdError } = require("./lib/faults.cjs");
const { TaskdSocket } = require("./lib/socket.cjs");

exports.TaskdError = TaskdError;
exports.TaskdSocket = TaskdSocket;
