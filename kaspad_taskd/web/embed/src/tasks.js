// Questions about a task that more than one component asks.
import { filling } from "../../static/view.js";

/** Whether the task can still come to its end by itself. */
export function live(task) {
  return ["pending", "in-progress", "paused"].includes(task.status);
}

/** Whether somebody should look: failed, unreachable, stalled, or its disk runs full. */
export function troubled(task) {
  const ill = task.health === "unreachable" || task.health === "stalled" || filling(task);
  return task.status === "error" || (task.status === "in-progress" && ill);
}

/** Whether nobody watches the task now, and somebody will: not begun, or paused. */
export function waiting(task) {
  return task.status === "pending" || task.status === "paused";
}
