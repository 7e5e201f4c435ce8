// Keeps the page alive: follows events from the `seq` at which it was made, asks for what they do
// not carry, carries out what its buttons say.
import { adopt, drawOverview, drawTask, localize, remember, setText, whenNew } from "./draw.js";
import { follow, notice } from "./link.js";
import { minute, readable } from "./read.js";
import { overviewThen, viewThen } from "./then.js";
import { conditionOf, lookedAt, overview, seenBy, title, view } from "./view.js";
import { clock, down, say, secondsOf, span, when } from "./words.js";

const FLUSH_MS = 250;
const ASK_MS = 1000; // at most so often for one card
const PAGE_MS = 2000; // at most so often for the whole page
const STRIP_MS = 60_000;
const ANSWER_MS = 15_000;
const SPEAK_MS = 10_000;
const LATE_MS = 3000; // until an answer's delay is spoken of
const SAID = 6; // of what has changed since; the rest is counted
const METHODS = {
  check: "checkTaskStatus",
  start: "startMonitoring",
  pause: "pauseTask",
  retry: "retryTask",
  cancel: "cancelTask",
  remove: "removeTask",
  switch: "switchService",
  acknowledge: "acknowledgeWarning",
};

const byId = (id) => document.getElementById(id);
const { root, home } = document.documentElement.dataset;
const base = new URL(root, location.href), onTaskPage = home === "../";

let data = JSON.parse(byId("data").textContent);
let offset = secondsOf(data.serverTime) * 1000 - Date.now();
let tasks = new Map(data.tasks.map((task) => [task.id, task]));
const dirty = new Set(), wanted = new Set(), seen = new Set();
const asked = new Map(), progress = new Map();
const whole = new Set(); // rows of which all is known since the page was made
const told = new Map(), steps = new Map(); // what was said last of each task
const serverNow = () => (Date.now() + offset) / 1000;

const link = follow(base, data, {
  onHello(hello) {
    offset = secondsOf(hello.serverTime) * 1000 - Date.now();
    if (!missedPage && hello.canChange === data.canChange) return;
    missedPage = false;
    anew();
  },
  onProgress(event) {
    offset = Math.max(offset, secondsOf(event.timestamp) * 1000 - Date.now()); // it has been set
    const task = tasks.get(event.taskId);
    if (!task) return void (onTaskPage || anew());
    progress.set(event.taskId, event);
    merge(task, event);
    dirty.add(task.id);
    wanted.add(task.id);
  },
  onEvent(event) {
    if (event.taskId) wanted.add(event.taskId);
    if (event.switch) speakOf(event);
    else if (event.note && !event.taskId) speak(event.note); // a warning
    if (!onTaskPage || !event.taskId || tasks.has(event.taskId)) anew();
  },
  onChange(text) {
    dirtyAll();
    if (text) speak(text);
  },
  onGap: () => anew(),
  onHosts({ hosts: [now] }) { // of a hub: whether this one is heard
    if (now.verdict !== data.fleet.verdict || now.gone !== data.fleet.gone) anew();
  },
  serverNow,
});

function merge(task, event) {
  Object.assign(task, seenBy(event, task));
  task.status = event.status;
  task.health = event.health;
  task.progress = event.progress;
  task.estimatedTimeRemaining = event.estimatedTimeRemaining;
  task.syncRate = event.syncRate || null;
  if (task.phase === event.phase) return;
  task.phase = event.phase;
  const at = task.phases?.findIndex((one) => one.key === event.phase) ?? -1;
  task.phases?.forEach((one, place) => {
    if (at >= 0) one.state = place < at ? "done" : place === at ? "current" : "next";
  });
}

// ---- drawing -------------------------------------------------------------------------------

const watcher = new IntersectionObserver((changes) => {
  for (const { target, isIntersecting } of changes) {
    if (isIntersecting) {
      seen.add(target);
      dirty.add(target.dataset.id);
    } else seen.delete(target);
  }
});

function watch() {
  seen.clear();
  watcher.disconnect();
  for (const element of document.querySelectorAll("[data-id]")) watcher.observe(element);
}

function dirtyAll() {
  for (const id of tasks.keys()) dirty.add(id);
}

function flush() {
  if (document.hidden || held || !dirty.size) return;
  const now = serverNow(), lost = secondsOf(data.fleet?.then) ?? link.lostSince();
  for (const element of seen) {
    const task = tasks.get(element.dataset.id);
    if (task && dirty.has(task.id)) draw(element, task, now, lost);
  }
  for (const id of dirty) hear(tasks.get(id), now);
  dirty.clear();
  const all = [...tasks.values()];
  document.documentElement.classList.toggle("lost", Boolean(lost));
  const about = lost ? overviewThen(all, lost, now, problem()) : overview(all, now, data.host, problem(), services());
  drawOverview(about);
  document.title = lost ? title(all, data.host, when(lost, now)) : about.title;
}

const services = () => (onTaskPage ? [] : data.attentions);
const problem = () => (data.store.durable ? null : data.store.problem || say("unknown"));

function draw(element, task, now, lost) {
  const shown = lost ? viewThen(task, lost, now) : view(task, now);
  const all = data.cards.includes(task.id) || whole.has(task.id);
  drawTask(element, shown, task.progressDetail?.done ?? 0, all);
  if (!element.matches(".card")) return;
  const before = steps.get(task.id);
  steps.set(task.id, { step: shown.step, tens: tens(shown) });
  if (!before) return;
  if (before.step !== shown.step) {
    if (shown.step) speak(`${shown.name}: ${shown.step}`);
    anew();
  } else if (tasks.size === 1 && before.tens !== tens(shown)) speak(shown.spoken);
}

/** What has become of a task is said wherever it stands, in sight or not. */
function hear(task, now) {
  if (!task) return;
  const before = told.get(task.id), condition = conditionOf(task);
  told.set(task.id, condition);
  if (before === undefined || before === condition) return;
  const { name, state } = view(task, now);
  speak(`${name}: ${state}`);
}

/** A switch: its step, or how it ended. */
function speakOf({ service, to, step, error }) {
  speak(step ? `${service}: ${step}` : (error ?? say("page.switched", { name: service, to })));
}

const tens = (shown) => (shown.value === null ? null : Math.trunc(shown.value / 10));

let unsaid = [], spokenAt = 0, speaking = 0;

/** One polite region, at most once in ten seconds. */
function speak(text) {
  if (held) return;
  if (!unsaid.includes(text)) unsaid.push(text);
  speaking ||= setTimeout(() => {
    speaking = 0;
    spokenAt = Date.now();
    const rest = unsaid.splice(SAID).length;
    if (rest) unsaid.push(say("page.unsaid", { n: rest }));
    byId("spoken").textContent = unsaid.splice(0).join(". ");
  }, Math.max(0, spokenAt + SPEAK_MS - Date.now()));
}

// ---- asking --------------------------------------------------------------------------------

let inFull = null;

/** The tasks of which all is shown: cards, and rows that are open. */
function shownInFull() {
  inFull ??= [...document.querySelectorAll(".row > [open]")].map((open) => open.parentElement.dataset.id);
  return new Set([...data.cards, ...inFull]);
}

document.addEventListener("toggle", ({ target }) => {
  if (!target.matches(".row > details")) return;
  inFull = null;
  if (!target.open) return;
  wanted.add(target.parentElement.dataset.id);
  ask();
}, true);

/** Cards show more than an event tells: the whole task is asked for, once it is due. */
function ask() {
  if (document.hidden || held || !link.live()) return;
  const now = Date.now();
  for (const id of shownInFull()) {
    const task = tasks.get(id), due = secondsOf(task?.nextCheck);
    if (!task || now - (asked.get(id) ?? 0) < ASK_MS) continue;
    const looked = due !== null && serverNow() > due + 0.5 && now - (asked.get(id) ?? 0) > 2000;
    if (!wanted.has(id) && !(lookedAt(task) && looked)) continue;
    wanted.delete(id);
    asked.set(id, now);
    link.rpc("getTask", { taskId: id }).then((answer) => answer.result && take(answer.result));
  }
}

function take(task) {
  const known = tasks.get(task.id);
  if (!known) return;
  const { switching, alike } = known; // which the page alone tells
  tasks.set(task.id, { ...task, switching, alike });
  whole.add(task.id);
  progress.delete(task.id);
  dirty.add(task.id);
}

let pageDue = 0, pageAt = 0, fetches = 0, adopted = 0;

/** Fetch the page again and take over what is new in it: buttons, steps, events, other tasks. */
function anew() {
  pageDue ||= setTimeout(async () => {
    pageDue = 0;
    if (document.hidden || held) return void (missedPage = true);
    pageAt = Date.now();
    const turn = ++fetches;
    try {
      const answer = await fetch(location.href, { cache: "no-store" });
      const html = await answer.text();
      if (held) return void (missedPage = true);
      if (turn < adopted) return; // one that was asked for later came earlier
      adopted = turn;
      if (answer.status === 404 && onTaskPage) return void location.assign(home);
      if (answer.status === 401) return void location.reload(); // it wants the token now
      if (answer.ok) adoptPage(html);
      else missedPage = true;
    } catch {
      missedPage = true; // the link says that there is no connection, and when it is back
    }
  }, Math.max(300, pageAt + PAGE_MS - Date.now()));
}

let missedPage = false;

function adoptPage(html) {
  const fresh = new DOMParser().parseFromString(html, "text/html");
  data = JSON.parse(fresh.getElementById("data").textContent);
  tasks = new Map(data.tasks.map((task) => [task.id, task]));
  for (const [id, event] of progress) {
    const task = tasks.get(id);
    if (task && event.timestamp > data.serverTime) merge(task, event);
  }
  adopt(fresh, serverNow());
  inFull = null;
  whole.clear();
  for (const id of shownInFull()) if (!data.cards.includes(id)) wanted.add(id);
  watch();
  dirtyAll();
}

// ---- changing ------------------------------------------------------------------------------

document.addEventListener("click", (event) => {
  if (event.target.closest("[data-hold]")) return void hold();
  const button = event.target.closest("[data-action]");
  if (button) act(button, button.closest("[data-id], [data-service], [data-warning]"));
});

async function act(button, card) {
  const { action, to } = button.dataset, { id: taskId, service, warning } = card.dataset;
  if (button.ariaDisabled === "true") return;
  const meant = await sure(button, tasks.get(taskId));
  if (!button.isConnected) { // the page was made anew meanwhile: the focus goes to its successor
    button = byId(button.id) ?? byId(card.id)?.querySelector(`[data-action=${action}]`) ?? button;
    button.focus();
  }
  if (!meant) return;
  button.ariaDisabled = "true";
  answered(card.id, say("page.working"), false);
  const what = service ? { service, to } : warning ? { id: Number(warning) } : { taskId };
  const answer = await link.rpc(METHODS[action], what, ANSWER_MS);
  button.ariaDisabled = null;
  const fault = answer.error?.message;
  answered(card.id, fault ?? (taskId ? say("page.done") : ""), Boolean(fault));
  fading.set(card.id, setTimeout(() => answered(card.id, "", false), fault ? 20_000 : 4000));
  if (answer.result?.task) take(answer.result.task);
  if (action === "remove" && !fault && onTaskPage) location.assign(home);
  else anew();
}

const fading = new Map();

/** Failures are alerts, the rest waits its turn. */
function answered(id, text, failed) {
  clearTimeout(fading.get(id)); // what was to take away the answer before this one
  const element = byId(id)?.querySelector(".result"); // it may be another one by now
  if (!element) return;
  element.setAttribute("role", failed ? "alert" : "status");
  element.classList.toggle("fault", failed);
  setText(element, text);
}

/** Whether what cannot simply be taken back is meant. */
function sure({ dataset, textContent }, task) {
  const { action } = dataset;
  if (action === "cancel") {
    const text = say(`page.stop.text${task.type === "node-sync" ? "-node" : ""}`);
    return confirmed("stop", say("page.stop.title", { name: view(task, 0).name }), text);
  }
  if (action !== "switch") return true;
  setText(document.querySelector("#switch [value=do]"), textContent);
  return confirmed("switch", dataset.title, dataset.text);
}

function confirmed(id, title, text) {
  const dialog = byId(id);
  setText(byId(`${id}-title`), title);
  setText(dialog.querySelector("p"), text);
  dialog.returnValue = "keep";
  dialog.showModal();
  return new Promise((resolve) => {
    dialog.addEventListener("close", () => resolve(dialog.returnValue === "do"), { once: true });
  });
}

document.addEventListener("submit", async (event) => {
  const form = event.target;
  if (form.id !== "token-form" && form.id !== "lock") return;
  event.preventDefault();
  const fault = byId("token-fault"), locking = form.id === "lock";
  const late = setTimeout(() => fault && setText(fault, say("page.unlock.waiting")), LATE_MS);
  try {
    const answer = await fetch(form.action, locking ? { method: "DELETE" } : {
      method: "POST",
      body: new URLSearchParams(new FormData(form)),
    });
    const refused = new URL(answer.url).searchParams.get("unlock"); // where it leads without scripts
    if (locking || (answer.ok && !refused)) return void reopened();
    setText(fault, say(`page.unlock.${refused === "wait" ? "wait" : "wrong"}`));
    byId("token")?.select();
  } catch {
    if (fault) setText(fault, say("page.unlock.failed"));
  } finally {
    clearTimeout(late);
  }
});

/** The rights have changed: a new connection has them, and the page shows them. */
function reopened() {
  link.reopen();
  anew();
}

// ---- holding -------------------------------------------------------------------------------

let held = false;

/** Freeze what is shown, and say so; what happens meanwhile is shown afterwards. */
function hold() {
  held = true;
  const text = say("page.hold.held", { when: clock(Date.now() / 1000) });
  notice("held", text, { label: say("page.hold.go"), press: release });
  document.querySelector("#notices [data-key=held] button").focus();
}

function release() {
  held = false;
  notice("held", "");
  document.querySelector("[data-hold]").focus();
  shownAgain();
}

function shownAgain() {
  dirtyAll();
  flush();
  if (!missedPage) return;
  missedPage = false;
  anew();
}

// ---- values of drawings --------------------------------------------------------------------

/** Let the drawings in a part of the page be read. */
function read(root) {
  for (const svg of root.querySelectorAll("[data-read]")) {
    if (svg.id === "chart") readChart(svg);
    else if (svg.dataset.places) readPast(svg, svg.parentElement.querySelector("output"));
    else readStrip(svg, svg.nextElementSibling);
  }
}

function readChart(svg) {
  const points = data.history.map((point) => ({ ...point, at: secondsOf(point.at) }));
  const first = points[0].at, whole = points.at(-1).at - first || 1;
  for (const point of points) point.x = (point.at - first) / whole;
  readable(svg, points, readout, (text) => setText(byId("readout"), text));
}

function readPast(svg, beside) {
  const places = svg.dataset.places, first = places - data.past.length;
  const points = data.past.map(([from, to, told], place) => ({
    at: secondsOf(from), end: secondsOf(to), told, x: (first + place + 0.4) / places,
  }));
  const text = ({ at, end, told }) => say("page.past.part", {
    when: when(at, serverNow()), end: when(end, serverNow()), told,
  });
  readable(svg, points, text, (said) => setText(beside, said));
}

function readStrip(svg, beside) {
  const { read: values, until, unit } = svg.dataset, most = beside.textContent;
    const points = values.split(",").map((value, place) => ({
    at: until - (59 - place) * 60,
    x: (place + 0.5) / 60,
    rate: Number(value) || 0,
    health: { "": null, "-": "unreachable" }[value] ?? "",
  }));
  const text = (point) => minute(point, unit || null, serverNow());
  readable(svg, points, text, (said) => setText(beside, said || most));
}

function readout(point) {
  const at = when(point.at, serverNow());
  if (point.progress === null) return at;
  const percent = `${down(point.progress)}\u00a0%`;
  return say("page.chart.point", { when: at, percent, rate: point.rate });
}

// ---- begin ---------------------------------------------------------------------------------

document.documentElement.classList.add("js");
remember(document);
read(document);
whenNew(read);
localize(document, serverNow());
watch();
dirtyAll();
setInterval(() => {
  link.tick();
  ask();
  flush();
}, FLUSH_MS);
setInterval(() => {
  for (const id of shownInFull()) dirty.add(id);
  if (held || !link.live()) return;
  for (const each of document.querySelectorAll("[data-since]")) {
    setText(each, span(Math.max(0, Math.trunc(serverNow() - secondsOf(each.dataset.since)))));
  }
}, 1000);
setInterval(() => link.live() && anew(), STRIP_MS);
document.addEventListener("visibilitychange", () => {
  if (!document.hidden) shownAgain();
});
