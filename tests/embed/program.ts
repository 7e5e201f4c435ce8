// A program that a wizard's author might write. It is compiled, not run.
import { TaskdClient, TaskdError, view, type Events, type Task } from "./kaspad-taskd.js";

const client = new TaskdClient({ url: "ws://127.0.0.1:3080", token: "secret", after: 5 });
await client.ready;

const texts: string[] = [...client.tasks.values()].map((task) => view(task, client.serverNow() / 1000).state);
const off: () => void = client.on("change", ({ id, before, after }) => {
  const moved: number = (after?.progress ?? 0) - (before?.progress ?? 0);
  texts.push(`${id} ${moved.toFixed(1)}`);
});
client.on("event", (told) => {
  if (told.event === "sync:complete") texts.push(told.data.duration.formatted);
  if (told.event === "sync:health") texts.push(told.data.reason ?? "well");
});
client.on("gap", ({ from, to }) => texts.push(`${to - from}`));
client.on("connection", ({ state, since }) => texts.push(state, since));
client.on("switch", (told) => {
  if (told.event === "switch:progress") texts.push(told.step, `${told.switch.step} of ${told.switch.of}`);
  else if (told.event === "switch:error") texts.push(told.error, told.switch.cure ?? "");
  else texts.push(`${told.service} runs on the ${told.to} node`);
});
client.on("node-ready", ({ url, failed }: Events["node:ready"]) => texts.push(url, ...failed));

try {
  const { taskId, created } = await client.register({
    type: "node-sync", service: "kaspa-node", config: { url: "grpc://127.0.0.1:16110" },
  });
  const ready = await client.wait(taskId, { signal: AbortSignal.timeout(60_000) });
  const half = await client.wait(taskId, { until: (task) => task.progress > 50 });
  const detail = half.progressDetail;
  if (detail && created) texts.push(`${detail.done} of ${detail.total ?? "?"}`, ready.formattedTimeRemaining);
  for (const phase of half.phases) texts.push(phase.key, phase.startedAt ?? "");
  const { recommended } = await client.strategy(taskId);
  const best: "wait" | "background" | "skip" = recommended;
  const { decision } = await client.recordDecision("sync-strategy", { choice: best });
  const { points } = await client.history(taskId, { points: 60 });
  const all: Task[] = await client.list({ type: "node-sync", status: "in-progress" });
  const one: Task | null = await client.get(taskId);
  for (const { service, points, switch: last } of await client.services()) {
    if (points === "public" && last?.state !== "running") await client.switchService(service, "local");
  }
  const { pong } = await client.call("ping", {});
  await Promise.all([client.pause(taskId), client.resume(taskId), client.check(taskId)]);
  texts.push(`${decision.id} ${points.length} ${all.length} ${one?.id} ${pong}`);
} catch (error) {
  if (error instanceof TaskdError) texts.push(error.reason ?? "", String(error.code), error.message);
}

const card = document.createElement("kaspad-task");
card.setAttribute("service", "kaspa-node");
card.client = client;
card.addEventListener("task-complete", ({ detail }) => texts.push(detail.task.id));
const strategy = document.createElement("kaspad-strategy");
strategy.token = "secret";
strategy.addEventListener("strategy-chosen", ({ detail }) => texts.push(detail.choice));
const resume = document.createElement("kaspad-resume");
resume.addEventListener("start-over", ({ detail }) => texts.push(...detail.alsoStop));
const fleet = document.createElement("kaspad-fleet");
fleet.token = (address) => (address.endsWith("/") ? "secret" : null);
fleet.addEventListener("connection", ({ detail }) => texts.push(detail.state));
const host: string = document.createElement("kaspad-host").alarm;
document.body.append(fleet, host, card, strategy, resume, document.createElement("kaspad-tasks"));
off();
client.close();
