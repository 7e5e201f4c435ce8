// Everything the package offers, used as its types say.
import { TaskdError, TaskdSocket, type DaemonTask, type Status } from "kaspad-taskd";

const taskd = new TaskdSocket({ path: "/run/kaspad-taskd/rpc.sock", deadline: 1_000 }).unref();
taskd.on("event", ({ seq, event, data }) => console.log(seq.toFixed(), event.length, data.taskId));
taskd.on("gap", (fault) => console.log(fault.reason, fault.text));
taskd.once("snapshot", ({ tasks }) => tasks.map((task) => task.progress.toFixed(1)));

export async function main(): Promise<Status> {
  const { seq, journal } = await taskd.subscribe();
  console.log(seq, journal);
  const task = await taskd.call<DaemonTask>("getTask", { taskId: "a" });
  try {
    await taskd.call("ping");
  } catch (error) {
    if (error instanceof TaskdError && error.cure !== null) console.log(error.cure.length);
  }
  taskd.close();
  return task.status;
}
