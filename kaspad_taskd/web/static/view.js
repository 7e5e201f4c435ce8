// What a card and the page say: web/view.py, web/overview.py, words/task.py and words/kept.py in
// JavaScript.
import { entry, maybe, percent, phase, safe, say, secondsOf, size, when } from "./words.js";

const LOOKS = {
  "not-started": ["dashed", "quiet"],
  "waiting": ["dashed", "quiet"],
  "first-check": ["ring", "quiet"],
  "ok": ["arrow", "moving"],
  "stalled": ["hourglass", "attention"],
  "unreachable": ["plug", "attention"],
  "paused": ["bars", "quiet"],
  "complete": ["tick", "done"],
  "in-sync": ["tick", "done"],
  "behind": ["hourglass", "attention"],
  "watch-paused": ["bars", "quiet"],
  "clock-wrong": ["ring", "quiet"],
  "first-look": ["ring", "quiet"],
  "unseen": ["ring", "quiet"],
  "switching": ["arrows", "moving"],
  "error": ["octagon", "failure"],
  "cancelled": ["barred", "quiet"],
};
const LIVE = ["pending", "in-progress", "paused"];
const TROUBLE = ["behind", "stalled", "unreachable"]; // of what is kept watch on
const ILL = ["error", ...TROUBLE];
const SYNCS = ["node-sync", "indexer-sync"];
const FULL = ["disk-runway", "disk-full"];
const OWN = ["report", "command"];
const PROCESS = ["pid", "startTime"];
export const OLD = ["unreachable", "paused", "error", "cancelled"];

export const tidy = (text) => text.replaceAll(" %", "\u00a0%");
const cap = (text) => text.slice(0, 1).toUpperCase() + text.slice(1);
export const stop = (text) => (!text || /[.!?]$/.test(text) ? text : `${text}.`);

/** What a card says of a task at `now`, seconds since 1970 UTC. */
export function view(task, now) {
  const condition = conditionOf(task);
  const [icon, tone] = LOOKS[condition] ?? ["ring", "quiet"];
  const [troubles, cures] = causes(task);
  const shown = {
    icon,
    tone,
    name: nameOf(task),
    state: stateOf(task),
    kind: kindOf(task),
    banner: banner(task, condition, troubles, now),
    cures,
    step: step(task, condition),
    share: share(task, condition),
    percent: percentText(task, condition, now),
    value: counting(task) || isStale(task) || !task.progress ? null : Math.trunc(task.progress),
    left: left(task),
    ready: ready(task, now),
    note: note(task, condition, now),
    facts: facts(task, condition),
    checked: checked(task, now),
    bar: bar(task),
  };
  const spoken = ["step", "percent", "left"].map((key) => shown[key]).filter(Boolean).join(", ");
  return { ...shown, spoken: spoken || shown.state };
}

export function conditionOf(task) {
  if (task.switching) return "switching";
  if (task.status === "pending") return task.waitingFor?.length ? "waiting" : "not-started";
  if (kept(task)) return watchOf(task);
  if (task.status !== "in-progress") return String(task.status);
  return [null, undefined, "unknown"].includes(task.health) ? "first-check" : task.health;
}

/** Whether it is complete and there is a watch over it, be it paused. */
export const kept = (task) => task.status === "complete" && ["on", "paused"].includes(task.watch);

/** Whether looks are taken at it now. */
export const lookedAt = (task) => (
  task.status === "in-progress" || (kept(task) && task.watch === "on")
);

/** Whether what is told of it is how its watch finds it; not while it switches services. */
export const isWatched = (task) => kept(task) && !task.switching;

/** Whether it is complete, and not known to be so now. */
const isStale = (task) => isWatched(task) && conditionOf(task) !== "in-sync";

/**
 * What a `sync:progress` tells of a task kept watch on, to be put over what was known of `task`:
 * what was wrong with another health is not what is wrong with this one.
 */
export function seenBy(event, task) {
  if (event.status !== "complete" || !("lastChecked" in event)) return {};
  const { healthSince, lastChecked, behind = null } = event;
  const watch = kept(task) ? task.watch : "on";
  const same = task.health === event.health;
  return { watch, healthSince, lastChecked, behind, ...(same ? {} : { reason: null, note: null, hints: [] }) };
}

function watchOf(task) {
  if (task.watch === "paused") return "watch-paused";
  if (TROUBLE.includes(task.health)) return task.health;
  if (task.health === "ok") return "in-sync";
  if (task.reason === "clock-skew") return "clock-wrong";
  const checked = secondsOf(task.lastChecked), since = secondsOf(task.healthSince);
  return checked === null || checked <= (since || checked) ? "first-look" : "unseen";
}

function keyOf(task, where) {
  const condition = watchOf(task);
  const lapsed = condition === "behind" && !SYNCS.includes(task.type);
  return `kept.${where}.${lapsed ? "lapsed" : condition}`;
}

const keptWord = (task) => maybe(`kept.word.${task.type}`) ?? say("kept.word.other");

function wellSince(task) {
  const ended = secondsOf(task.completedAt);
  const since = task.health === "ok" ? secondsOf(task.healthSince) : null;
  return ended === null ? since : Math.max(ended, since || ended);
}

/** What is said of a task kept watch on; `where` in the table's `kept`. */
function watched(task, where, now) {
  const began = secondsOf(task.healthSince), well = wellSince(task);
  return maybe(keyOf(task, where), {
    name: nameOf(task),
    word: keptWord(task),
    well: well ? when(well, now) : null,
    when: began ? when(began, now) : null,
    since: sinceOf(task, now),
    behind: task.behind ?? null,
  }) ?? "";
}

/** A whole sentence of it; `before`: what its key begins with. */
export function about(task, now, before = "kept.", more = {}) {
  const form = ["in-sync", "behind"].includes(watchOf(task)) ? "is" : "of";
  return say(before + form, { name: nameOf(task), text: watched(task, "text", now), ...more });
}

/** The key of a sentence as it is said of the task's type: nobody looks at what reports. */
function ofType(task, key) {
  const own = `report.${key}`;
  return task.type === "report" && entry(own) !== null ? own : key;
}

/** Under which key people are told of the condition: "silent" of who does not report. */
export function said(task) {
  const condition = conditionOf(task);
  const silent = task.type === "report" && task.reason === "silent-report";
  return silent && condition === "stalled" ? "silent" : condition;
}

export const troubled = (task) => ILL.includes(conditionOf(task)) || filling(task) !== null;

/** The hint that the disk of a running task will be full, or all but is: words/room.py. */
export function filling(task) {
  if (task.status !== "in-progress") return null;
  const full = (one) => FULL.includes(one.code) && one.params?.free !== undefined;
  return (task.hints ?? []).find(full) ?? null;
}

const also = (task, text) => {
  const one = filling(task);
  if (one === null) return text;
  return `${text}; ${say(`hint.${one.code}.brief`, { ...disk(task), ...one.params })}`;
};

function disk(task) {
  const path = task.config?.dataDir;
  const work = maybe(`work.${task.type}`) ?? say("work.other");
  return typeof path === "string" ? { work, path } : { work };
}

function room(task) {
  const known = task.metadata ?? {};
  if (task.status !== "in-progress" || task.config?.dataDir === undefined) return "";
  if (known.diskFree === undefined) return "";
  const rate = known.diskGrowth || null;
  return say("position.room", { free: known.diskFree, total: known.diskTotal ?? null, rate });
}

/** The service, with the id beside it where other tasks are of it too. */
function nameOf(task) {
  const name = safe(task.service || task.id || say("unknown"), 100);
  return task.alike ? say("headline.alike", { name, id: safe(task.id, 100) }) : name;
}

/** The word for work that nobody does now, as its hints say: words/task.py. */
const nobody = (task) => (task.hints ?? []).map((one) => maybe(`idle.${one.code}`)).find((word) => word);

function wordOf(task) {
  if (kept(task)) return keptWord(task);
  const table = task.status === "complete" ? "done" : "running";
  const idle = table === "running" && nobody(task);
  if (idle) return idle;
  return maybe(`${table}.${task.type}`) ?? say(`${table}.other`);
}

function stateOf(task) {
  const condition = conditionOf(task);
  // by how much it is behind the banner says: this is spoken when it changes
  if (isWatched(task)) return cap(say(keyOf(task, "state"), { word: keptWord(task) }));
  if (condition === "ok" || condition === "complete") return cap(wordOf(task));
  const known = { names: awaited(task), ...task.switching };
  return cap(maybe(ofType(task, `page.state.${said(task)}`), known) ?? safe(condition));
}

function awaited(task) {
  const types = Object.keys(entry("type"));
  const names = (task.waitingFor ?? []).map((id) => {
    const type = types.find((each) => id.startsWith(`${each}-`));
    return type ? id.slice(type.length + 1) : id;
  });
  return safe(names.join(", "));
}

function stepOf(task) {
  const phases = task.phases ?? [];
  const at = phases.findIndex((one) => one.state === "current");
  return at < 0 ? null : [at + 1, phases.length, phases[at]];
}

function counting(task) {
  const at = stepOf(task), detail = task.progressDetail;
  if (conditionOf(task) !== "ok" || (at && at[2].progress != null)) return false;
  return Boolean(detail) && detail.total == null && detail.done != null;
}

function kindOf(task) {
  const network = task.metadata?.network || task.config?.network || null;
  const kind = maybe(`type.${task.type}.long`) ?? safe(task.type, 60);
  return say("page.kind", { kind, network });
}

function shared(task) {
  const known = disk(task);
  const endpoint = task.endpoint, log = task.config?.log;
  if (typeof endpoint === "string") {
    const [, rest = ""] = endpoint.split(/:\/\/(.*)/s);
    known.address = rest.split("/")[0] || endpoint;
  }
  if (typeof log === "string") {
    const [, field, name] = /^(journal:CONTAINER_NAME=|journal:)?(.*)$/s.exec(log);
    if (!field) known.log = name;
    else if (field === "journal:") known.unit = name.replace(/\.service$/, "");
    else known.container = name;
  }
  for (const one of task.hints ?? []) {
    if (one.code === task.reason) Object.assign(known, one.params);
    else if (one.code === "permission-missing") { // no password is wrong then
      Object.assign(known, { reader: one.params?.user, relation: one.params?.table });
    }
  }
  return known;
}

function causes(task) {
  const hints = [...(task.hints ?? [])];
  if (task.reason && hints.every((one) => one.code !== task.reason)) {
    hints.unshift({ code: task.reason });
  }
  const says = [], cures = [];
  for (const one of hints) {
    const params = { ...shared(task), ...one.params };
    const bare = { ...params, address: params.address?.replace(/^.*:\/\//, "") };
    const what = maybe(`hint.${one.code}.says`, params) ?? maybe(`reason.${one.code}.note`, bare);
    const told = one.code === task.reason ? task.note || what : what;
    says.push(stop(safe(told ?? one.code)));
    const cure = maybe(`hint.${one.code}.do`, params);
    if (cure) cures.push(cure);
  }
  if (conditionOf(task) === "error") {
    cures.push(say(cures.length ? "page.say.then-try" : "page.say.try"));
  }
  return [says, cures];
}

function sinceOf(task, now) {
  if (kept(task)) {
    const moved = task.health === "stalled" ? secondsOf(task.lastMoved) : null;
    const start = moved || secondsOf(task.healthSince);
    return start ? Math.max(1, Math.trunc(now - start)) : 1;
  }
  const known = { stalled: ["lastMoved", "startedAt"], silent: ["lastUpdate", "startedAt"] };
  const fields = known[said(task)] ?? [];
  const began = [...fields, "healthSince"].map((field) => secondsOf(task[field])).find(Boolean);
  return began ? Math.max(1, Math.trunc(now - began)) : 1;
}

function banner(task, condition, troubles, now) {
  if (isWatched(task)) return watchBanner(task, condition, troubles, now);
  if (condition === "stalled" || condition === "unreachable") {
    const first = ofType(task, `page.say.${said(task)}`);
    const parts = [say(first, { since: sinceOf(task, now) }), ...troubles];
    if (condition === "unreachable") {
      parts.push(say("page.say.lost", { next: nextOf(task, now) }));
    }
    return parts.join(" ");
  }
  if (condition === "error") {
    const failed = stop(cap(safe(task.error || say("unknown"))));
    return [failed, say("page.say.error")].join(" ");
  }
  return condition === "ok" ? troubles.join(" ") : "";
}

function nextOf(task, now) {
  const due = secondsOf(task.nextCheck);
  return due && due - now >= 1 ? due - now : null;
}

/** What is wrong with what is watched; of what is well its hints. */
function watchBanner(task, condition, troubles, now) {
  if (!TROUBLE.includes(condition)) return troubles.join(" ");
  const parts = [stop(cap(watched(task, "text", now))), ...troubles];
  if (condition === "unreachable") parts.push(say("kept.on", { next: nextOf(task, now) }));
  return parts.join(" ");
}

function step(task, condition) {
  const at = stepOf(task);
  if (!at || !["ok", "stalled", "unreachable", "paused"].includes(condition)) return "";
  return say("page.step", { k: at[0], n: at[1], label: phase(at[2].key) });
}

function share(task, condition) {
  const at = stepOf(task);
  if (!at || !["ok", "stalled"].includes(condition)) return "";
  const one = at[2];
  if (one.key === "confirming") return say("step.checks", task.confirmations ?? {});
  if (one.key === "utxoindex") return say("step.no-numbers");
  if (one.progress == null) return "";
  const text = percent(Math.min(one.progress, 99.9), String(one.basis));
  return tidy(say("page.of-step", { percent: text }));
}

function whole(task, mark) {
  const basis = task.progressBasis || "unknown";
  if (basis === "unknown" && !task.progress) return null;
  return percent(task.progress || 0, basis, mark);
}

function percentText(task, condition, now) {
  const text = whole(task);
  if (text === null || isStale(task) || counting(task) || ["waiting", "not-started"].includes(condition)) return "";
  if (!OLD.includes(condition)) return tidy(text);
  const at = secondsOf(task.erroredAt || task.cancelledAt || task.lastUpdate);
  return tidy(say("last-seen", { percent: text, when: at ? when(at, now) : null }));
}

function etaOf(task) {
  const eta = task.estimatedTimeRemaining;
  return task.status === "in-progress" && typeof eta === "number" ? eta : null;
}

function left(task) {
  const eta = conditionOf(task) === "ok" ? etaOf(task) : null;
  return eta === null ? "" : say("page.left", { eta });
}

function ready(task, now) {
  const eta = conditionOf(task) === "ok" ? etaOf(task) : null;
  return eta === null ? "" : say("page.ready", { when: when(now + eta, now) });
}

function endedAt(task) {
  const fields = { "paused": "healthSince", "complete": "completedAt", "error": "erroredAt" };
  return secondsOf(task[fields[task.status] ?? "cancelledAt"]);
}

function note(task, condition, now) {
  if (condition === "ok") return going(task, now).join(" ");
  if (ILL.includes(condition)) return "";
  if (isWatched(task)) return stop(cap(watched(task, "text", now)));
  const kind = task.type === "node-sync" ? "node" : "work";
  const at = endedAt(task), began = secondsOf(task.startedAt);
  const texts = [say(ofType(task, `page.say.${condition}`), {
    names: awaited(task),
    when: at ? when(at, now) : null,
    took: at && began ? at - began : null,
    ...task.switching,
  })];
  if (condition === "paused") texts.push(say(`page.say.paused-${kind}`));
  else if (condition === "cancelled") texts.push(say(`page.say.untouched-${kind}`));
  else if (condition === "waiting") {
    const plain = say("waiting.note", { names: (task.waitingFor ?? []).join(", ") });
    const more = safe(task.note ?? "");
    if (more.startsWith(`${plain} `)) texts.push(more.slice(plain.length + 1));
  }
  return texts.join(" ");
}

function going(task, now) {
  const texts = [], detail = task.progressDetail, rate = task.syncRate;
  if (counting(task)) {
    const unit = safe(detail.unit || "", 40);
    texts.push(say("page.so-far", { done: detail.done, unit, rate }));
  }
  if (etaOf(task) === null && task.etaReason) {
    const unit = safe(String(task.rateUnit ?? "").replace(/\/s$/, ""), 40);
    const step = task.etaReason === "no-total" && !counting(task);
    const key = step ? "page.no-total" : `eta.${task.etaReason}`;
    const why = maybe(ofType(task, key), { rate, unit, drift: task.metadata?.drift });
    texts.push(stop(cap(why ?? safe(task.etaReason))));
  }
  if ((task.pass || 1) > 1) texts.push(stop(cap(say("step.pass", { pass: task.pass }))));
  const since = secondsOf(task.epoch?.since);
  if ((task.epoch?.number || 1) > 1 && since) {
    const known = entry("epoch.why");
    const why = known[task.epoch.reason] ?? known.other;
    texts.push(say("epoch.note", { when: when(since, now), why }));
  }
  return texts;
}

function facts(task, condition) {
  const own = OWN.includes(task.type) ? ownFacts(task) : [];
  if (!["ok", "stalled", "behind", "in-sync"].includes(condition)) return own;
  const told = isWatched(task) ? [] : [position(task)], rate = task.syncRate;
  if (condition === "ok" && rate && task.rateUnit && !counting(task)) {
    told.push(say("page.rate", { rate, unit: safe(task.rateUnit, 40) }));
  }
  if (task.behind && !isWatched(task)) told.push(say("position.behind", { behind: task.behind }));
  const peers = task.metadata?.peers;
  if (Number.isInteger(peers) && !own.length) told.push(say("status.peers", { n: peers }));
  told.push(room(task));
  return [...told, ...own].filter(Boolean);
}

/** What a program says of its own work: words/facts.py. */
function ownFacts(task) {
  const known = task.metadata ?? {};
  const past = ["in-progress", "paused"].includes(task.status) ? PROCESS.slice(1) : PROCESS;
  const isRun = PROCESS.every((key) => Object.hasOwn(known, key));
  return Object.entries(known).filter(([key]) => !isRun || !past.includes(key)).map(fact);
}

function fact([key, value]) {
  const isSize = key === "bytes" && typeof value === "number" && value >= 1e5;
  return say("page.fact", { key: safe(key, 64), value: isSize ? size(value) : safe(value, 200) });
}

function position(task) {
  const detail = task.progressDetail;
  if (detail?.done == null || detail.total == null || detail.unit === "%") return "";
  const key = detail.basis === "exact" ? "of" : "of-about";
  const unit = safe(detail.unit || "", 40);
  return say(`position.${key}`, { done: detail.done, total: detail.total, unit }).trimEnd();
}

function checked(task, now) {
  if (!lookedAt(task)) return "";
  const report = task.type === "report";
  const at = secondsOf(report ? task.lastUpdate : task.lastChecked);
  const every = task[kept(task) ? "watchInterval" : "checkInterval"] ?? null;
  const ago = at ? Math.max(0, Math.trunc(now - at)) : null;
  if (report) return ago === null ? "" : say("page.reported", { ago });
  return say("page.checked", { ago, every: every === null ? null : every / 1000 });
}

const cut = (value) => Math.trunc(value * 100) / 100;

/** The segments of the bar: begin and width in percent, and what each is. */
export function bar(task) {
  const phases = task.phases ?? [], progress = Number(task.progress || 0);
  if (!phases.length) {
    const known = progress ? [[0, cut(progress), "now"]] : [];
    const rest = [cut(progress), cut(100 - progress), counting(task) ? "hatch" : "next"];
    return progress < 100 ? [...known, rest] : known;
  }
  const sum = phases.reduce((before, one) => before + Number(one.weight || 0), 0) || 1;
  const segments = [];
  let begin = 0;
  for (const one of phases) {
    const width = (Number(one.weight || 0) / sum) * 100;
    segments.push(...segment(begin, width, one, counting(task)));
    begin += width;
  }
  return segments.map(([x, width, kind]) => [cut(x), cut(width), kind]);
}

function segment(begin, width, one, hatched) {
  if (one.state !== "current") return [[begin, width, one.state === "done" ? "done" : "next"]];
  if (one.progress == null) {
    return [[begin, width, hatched || one.key === "utxoindex" ? "hatch" : "next"]];
  }
  const full = (width * one.progress) / 100;
  return [[begin, full, "now"], [begin + full, width - full, "next"]];
}

// The page as a whole.

export function overview(tasks, now, host, problem = null, services = []) {
  const first = mostUrgent(tasks);
  const inTrouble = tasks.filter(troubled);
  const other = inTrouble.find((task) => task !== first) ?? null;
  const running = tasks.some((task) => task.status === "in-progress");
  return {
    title: title(tasks, host, null, services),
    headline: tidy(problem ? say("page.headline.store", { why: problem }) : headline(first, now)),
    reassure: problem ? say("page.store") : running ? say("page.reassure") : "",
    attention: tidy(attention(inTrouble, other, tasks.length, services, now).join(" ")),
    first: first?.id ?? null,
    troubled: other?.id ?? null,
    place: other ? `t-${other.id}` : services.length ? `s-${services[0].service}` : null,
  };
}

export function mostUrgent(tasks) {
  const node = tasks.find(
    (task) => task.type === "node-sync"
      && (task.switching || LIVE.includes(task.status) || ILL.includes(conditionOf(task))),
  );
  const live = tasks.find((task) => LIVE.includes(task.status) && !task.waitingFor?.length);
  if (node || live) return node ?? live;
  const under = tasks.filter(kept), rank = (task) => (
    (troubled(task) ? 0 : 2) + (task.type === "node-sync" ? 0 : 1)
  );
  if (under.length) return under.reduce((best, task) => (rank(task) < rank(best) ? task : best));
  const at = (task) => (task.status === "error" ? 0 : (endedAt(task) ?? 0));
  return tasks.reduce((best, task) => (best && at(best) >= at(task) ? best : task), null);
}

/**
 * Trouble first, then the share and time left of what runs. `lost`: since when, if the link is;
 * `services`: those that need somebody.
 */
export function title(tasks, host, lost = null, services = []) {
  host = safe(host, 100);
  const first = mostUrgent(tasks);
  const text = first && !isStale(first) ? shortPercent(first) : "";
  if (lost) return say("page.title.lost", { percent: text || null, when: lost, host });
  const trouble = tasks.find(troubled);
  const [service] = services;
  if (trouble || service) {
    const name = trouble ? nameOf(trouble) : safe(service.service, 100);
    return say("page.title.trouble", { name, host });
  }
  if (!first) return say("page.title.other", { word: say("page.name"), host });
  const eta = etaOf(first);
  if (first.status === "in-progress" && text) {
    return say(`page.title.${eta === null ? "share" : "left"}`, { percent: text, eta, host });
  }
  const word = conditionOf(first) === "complete" ? wordOf(first) : stateOf(first);
  return say("page.title.other", { word: cap(word), host });
}

function shortPercent(task) {
  if (whole(task) === null) return "";
  return tidy(percent(Math.trunc(task.progress || 0), "estimated", "exact"));
}

function headline(task, now) {
  if (task === null) return say("headline.none");
  // without its age and its cause, which the card has: this is not to change each second
  if (isWatched(task)) return about(task, now);
  const key = conditionOf(task), eta = etaOf(task), at = endedAt(task);
  const known = { ...shape(task, now), when: at ? when(at, now) : null };
  if (key === "ok") {
    return also(task, say(eta === null ? "headline.running" : "page.headline.left", known));
  }
  const page = ["complete", "switching", "error"].includes(key);
  return say(page ? `page.headline.${key}` : ofType(task, `headline.${said(task)}`), known);
}

/** What a sentence about a task may name. */
export const shape = (task, now) => ({
  name: nameOf(task),
  word: wordOf(task),
  names: awaited(task),
  since: sinceOf(task, now),
  eta: etaOf(task),
  ...task.switching,
});

function attention(inTrouble, other, total, services, now) {
  const told = [];
  if (other) {
    const count = say("attention.count", { n: inTrouble.length, total });
    told.push(stop(say("page.attention", { count, what: headline(other, now) })));
  }
  if (services.length) {
    const count = say("attention.services", { n: services.length });
    told.push(stop(say("page.attention", { count, what: safe(services[0].note) })));
  }
  return told;
}
