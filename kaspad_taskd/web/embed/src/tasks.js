// Questions about a task that more than one component asks.
/** Whether the task can still come to its end by itself. */
export function live(task) {
  return ["pending", "in-progress", "paused"].includes(task.status);
}

/** Whether nobody watches the task now, and somebody will: not begun, or paused. */
export function waiting(task) {
  return task.status === "pending" || task.status === "paused";
}
