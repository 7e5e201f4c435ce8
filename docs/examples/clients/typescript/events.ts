// One request and one event over the bridge, with the types that @asyncapi/modelina made.
// node events.js URL TOKEN SERVICE
import { io } from "socket.io-client";
import { SyncStartEvent } from "../models/SyncStartEvent";
import { TaskRefusal } from "../models/TaskRefusal";
import { WithTask } from "../models/WithTask";
import { WizardRegistration } from "../models/WizardRegistration";

const [, , url, token, service] = process.argv;
const socket = io(url, { auth: { token } });
const wanted: WizardRegistration = { type: "report", service, stallAfter: "1h" };
const started = new Promise<SyncStartEvent>((resolve) => socket.on("sync:start", resolve));

socket.on("connect", () => {
  socket.emit("task:register", wanted, async (answer: WithTask | TaskRefusal) => {
    if (!("task" in answer)) throw new Error(answer.error);
    const { attempt } = await started;
    console.log(answer.task.id, answer.task.status, "sync:start", attempt);
    process.exit();
  });
});
