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

import { BackgroundTaskManager, type Io, type WizardTask } from "kaspad-taskd";

export async function wizard(io: Io): Promise<string> {
  const manager = new BackgroundTaskManager(io, { lasting: 10_000 });
  await manager.ready;
  manager.on("sync:complete", (data: { service: string }) => console.log(data.service));
  const answer = await manager.registerTask({
    id: "import", type: "custom", service: "import",
    statusChecker: async (task, { signal }) => ({ completed: signal.aborted, progress: task.progress }),
    onComplete: (task: WizardTask, { attempt }) => console.log(task.id, attempt.toFixed()),
  });
  if (!answer.success) return answer.error;
  const begun = await manager.startMonitoring(answer.taskId);
  const stopped = manager.stopMonitoring(answer.task.id);
  const left: number = manager.shutdown().tasksCleaned;
  return begun.success && stopped.success ? manager.formatDuration(left) : "";
}
