// The wizard owns its steps and answers; what is true of the sync, kaspad-taskd knows.
import { TaskdClient } from "./taskd/embed/kaspad-taskd.js";

const client = new TaskdClient(); // the bridge that served the file above
const parts = Object.fromEntries([...document.querySelectorAll("[id]")].map((one) => [one.id, one]));
const [resume, strategy, task, tasks] = ["resume", "strategy", "task", "tasks"].map((name) =>
  document.querySelector(`kaspad-${name}`),
);
for (const element of [resume, strategy, task, tasks]) element.client = client;

const SCREENS = ["welcome", "unfinished", "strategy", "syncing", "services"];
let answers = JSON.parse(localStorage.getItem("wizard") ?? "null");

function remember(more) {
  answers = { ...answers, ...more, at: new Date().toLocaleTimeString() };
  localStorage.setItem("wizard", JSON.stringify(answers));
}

function show(screen) {
  for (const one of SCREENS) parts[one].hidden = one !== screen;
  for (const element of [strategy, task]) element.setAttribute("task-id", answers?.taskId ?? "");
  const done = client.tasks.get(answers?.taskId)?.status === "complete";
  parts.next.disabled = !done;
}

function go(screen) {
  remember({ screen });
  show(screen);
}

parts.begin.addEventListener("submit", async (event) => {
  event.preventDefault();
  const url = new FormData(parts.begin).get("url");
  try {
    const definition = { type: "node-sync", service: "kaspa-node", config: { url } };
    const { taskId } = await client.register({ ...definition, checkInterval: "1s" });
    remember({ taskId });
    go("strategy");
  } catch (error) {
    parts.problem.textContent = error.message;
  }
});

strategy.addEventListener("strategy-chosen", ({ detail }) => {
  remember({ choice: detail.choice });
  go(detail.choice === "wait" ? "syncing" : "services");
});

task.addEventListener("task-complete", () => (parts.next.disabled = false));
parts.next.addEventListener("click", () => go("services"));
client.on("node-ready", ({ message }) => (parts.ready.textContent = message));

// Resuming and starting over are the wizard's to do; the component only asks.
resume.addEventListener("resume", () => show(answers.screen));
resume.addEventListener("start-over", async ({ detail }) => {
  localStorage.removeItem("wizard");
  answers = null;
  await Promise.allSettled(detail.alsoStop.map((id) => client.cancel(id)));
  show("welcome");
});

if (answers) {
  parts.place.textContent = `Screen "${answers.screen}", last used at ${answers.at}`;
  resume.setAttribute("task-ids", answers.taskId);
}
show(answers ? "unfinished" : "welcome");
