// What a wizard's browser code emits, and its server never handled: the buttons of its sync dialog.
"use strict";

/** Handles them for one Socket.IO socket; `act(handler)` gives `{success, ...}` for each. */
function serve(socket, manager) {
  const handle = (event, act) =>
    socket.on(event, async (...given) => {
      const ack = typeof given.at(-1) === "function" ? given.pop() : null;
      const payload = given[0] ?? {};
      const answer = await act(payload);
      if (!answer.success) socket.emit("task:error", { error: answer.error, request: event, taskId: payload.taskId ?? null });
      ack?.(answer);
    });
  const pause = { status: "in-progress", watch: "on", what: "pause", act: (id) => manager.pauseTask(id) };
  const resume = { status: "paused", watch: "paused", what: "resume", act: (id) => manager.resumeTask(id) };
  handle("sync:pause", ({ taskId }) => each(manager, taskId, pause));
  handle("sync:resume", ({ taskId }) => each(manager, taskId, resume));
  handle("sync:strategy-chosen", (context) => manager.recordDecision("sync-strategy", context));
  return socket;
}

/** The task that is named, or, as the buttons mean it, every node's sync, or the watch over it. */
async function each(manager, taskId, { status, watch, what, act }) {
  const nodes = () => manager.getTasksByType("node-sync").filter((task) => task.status === status || task.watch === watch);
  const ids = taskId === undefined || taskId === null ? nodes().map((task) => task.id) : [taskId];
  if (!ids.length) return { success: false, error: `There is no node-sync to ${what}: none is ${status}, no watch is ${watch}` };
  const answers = await Promise.all(ids.map(act));
  return answers.find((answer) => !answer.success) ?? { success: true, taskIds: ids };
}

exports.serve = serve;
