// <kaspad-task>: one task, as a card, a row or a bar.
import { Bar, strip } from "./bar.js";
import { askToStop, labelOf, offers } from "./buttons.js";
import { changeOf } from "./client.js";
import { make, mark, write } from "./dom.js";
import { levelOf, linkPlace, TaskdElement } from "./element.js";
import { icon, iconPlace } from "./icons.js";
import { Record } from "./record.js";
import { Speech } from "./speech.js";
import { minute, readable } from "../../static/read.js";
import { view } from "../../static/view.js";
import { say, secondsOf } from "../../static/words.js";

const STRIP_MS = 60_000;
const HOUR_MS = 3_600_000;
const VARIANTS = ["card", "row", "bar", "record"];
const ENDINGS = { complete: "task-complete", error: "task-failed" };

/** Attributes: task-id or service, variant, actions, chart, heading-level, bridge, lang. */
export class KaspadTask extends TaskdElement {
  static observedAttributes = [
    ...TaskdElement.observedAttributes,
    "task-id", "service", "variant", "actions", "chart", "heading-level",
  ];
  #parts = null;
  #shape = "";
  #bar = null;
  #record = null;
  #speech = new Speech();
  #stripAt = -STRIP_MS;
  #asked = false;
  #looked = null;

  /** The task shown, or null. */
  get task() {
    const tasks = this.client?.tasks;
    const [id, service] = [this.getAttribute("task-id"), this.getAttribute("service")];
    if (id) return tasks?.get(id) ?? null;
    const found = service ? [...(tasks?.values() ?? [])].filter((one) => one.service === service) : [];
    return found.at(-1) ?? null;
  }

  listen(client) {
    const id = this.getAttribute("task-id");
    return [
      client.on(id ? changeOf(id) : "change", (change) => this.#changed(change)),
      client.on("switches", () => this.later()),
      client.on("node-ready", (data) => data.taskId === this.task?.id && this.tell("node-ready", data)),
    ];
  }

  #changed({ id, before, after }) {
    const mine = this.getAttribute("task-id") || (after && id === this.task?.id);
    if (!mine && this.getAttribute("service") !== (after ?? before).service) return;
    this.tell("task-change", { before, after });
    const ending = before && before.status !== after?.status ? ENDINGS[after?.status] : null;
    if (ending) this.tell(ending, { task: after });
    this.later();
  }

  render() {
    const task = this.task;
    this.#build();
    const parts = this.#parts;
    parts.link.show(this.trouble());
    const known = this.client.connection.state !== "connecting";
    write(parts.empty, !task && known ? say("wizard.no-task") : "");
    parts.body.hidden = !task && known;
    parts.head.hidden = !task;
    if (!task) return this.#bar.show([], { label: say("wizard.asking") });
    this.#show(task, view(this.#switching(task), this.now()));
    this.#stayTrue(task);
  }

  /** The task; one that is complete and whose services are being switched says so. */
  #switching(task) {
    const own = [...this.client.switches.values()].filter(
      ({ event, taskId }) => event === "switch:progress" && taskId === task.id,
    );
    if (task.status !== "complete" || !own.length) return task;
    const n = Math.max(task.switches?.length ?? 0, own.length);
    return { ...task, switching: { n, doing: `${own[0].service}: ${own[0].step}` } };
  }

  #build() {
    const variant = VARIANTS.find((one) => one === this.getAttribute("variant")) ?? "card";
    const shape = `${variant} ${levelOf(this)}`;
    if (shape === this.#shape) return;
    this.#shape = shape;
    this.#bar = new Bar();
    this.#record = variant === "record" ? new Record() : null;
    this.#parts = skeleton(variant, levelOf(this), this.#bar.node, this.#record?.node);
    this.root.replaceChildren(this.#parts.box, this.#speech.node);
    this.#stripAt = -STRIP_MS;
  }

  #show(task, says) {
    const parts = this.#parts;
    const lost = this.client.connection.state !== "live";
    const tone = lost ? "quiet" : says.tone;
    icon(parts.icon, says.icon, tone);
    write(parts.name, says.name);
    mark(parts.title, "title", says.name.length > 40 ? says.name : null);
    write(parts.state, says.state);
    parts.state.className = `state ${tone}`;
    for (const key of ["kind", "note", "checked"]) write(parts[key], says[key]);
    write(parts.percent, says.percent || (parts.step.isConnected ? "" : says.step));
    write(parts.step, [says.step, says.share].filter(Boolean).join(", "));
    write(parts.eta, lost ? "" : [says.left, says.ready].filter(Boolean).join(", "));
    write(parts.facts, says.facts.join(", "));
    parts.reassure.hidden = says.tone !== "moving" || lost;
    this.#bar.show(says.bar, {
      tone,
      label: say("wizard.progress", { name: says.name }),
      value: says.value,
      text: says.spoken,
      done: task.progressDetail?.done ?? null,
    });
    this.#buttons(task);
    this.#banner(says);
    this.#speech.tell(`${says.name}: ${says.state}`); // times left are not spoken
    this.#chart(task);
    this.#record?.stayTrue(this.client, task, () => this.now());
  }

  #banner({ banner, cures, tone }) {
    const { banner: node, cures: list, buttons } = this.#parts;
    node.className = `banner ${tone}`;
    node.hidden = !banner;
    write(node.firstChild, banner);
    // who has no button to press is not told to press it
    const pressed = [say("page.say.try"), say("page.say.then-try")];
    const retry = buttons.querySelector("[data-action=retry]");
    const told = cures.filter((cure) => retry || !pressed.includes(cure));
    if (list.textContent === told.join("")) return;
    list.replaceChildren(...told.map((cure) => make("li", {}, cure.endsWith(".") ? cure : make("code", {}, cure))));
  }

  #buttons(task) {
    const { canChange, connection } = this.client;
    const live = connection.state === "live";
    const wanted = live ? offers(task, this.getAttribute("actions"), canChange) : [];
    const place = this.#parts.buttons;
    const labels = wanted.map((action) => labelOf(action, task));
    place.hidden = !wanted.length;
    if (place.dataset.labels === labels.join("|")) return;
    place.dataset.labels = labels.join("|");
    const focused = this.root.activeElement?.dataset?.action;
    place.replaceChildren(...wanted.map((action, at) => this.#button(action, labels[at])));
    if (focused) (place.querySelector(`[data-action=${focused}]`) ?? place.firstChild)?.focus();
  }

  #button(action, label) {
    const button = make("button", { type: "button", part: "button", "data-action": action }, label);
    button.addEventListener("click", () => this.#act(action, button));
    return button;
  }

  async #act(action, button) {
    const task = this.task;
    if (!task || this.#asked) return;
    if (action === "cancel" && !(await askToStop(this.root, task))) return button.focus();
    this.#asked = true;
    mark(button, "aria-disabled", "true");
    write(this.#parts.answer, "");
    try {
      this.tell("task-action", { action, result: await this.client[action](task.id) });
    } catch (error) {
      write(this.#parts.answer, say("wizard.failed", { why: error.message }));
      this.tell("task-action", { action, result: null, error });
    }
    this.#asked = false;
    mark(button, "aria-disabled", null);
    this.later();
  }

  /** What no event tells, such as when it was checked, is asked for once it is due. */
  #stayTrue(task) {
    const due = secondsOf(task.nextCheck);
    if (this.#looked === task.nextCheck || !due) return;
    if (this.now() < due + 1) return;
    this.#looked = task.nextCheck;
    this.client.refresh(task.id);
  }

  /** The strip, and beside it the value that is pointed at. */
  #strip(points, unit) {
    const drawn = strip(points, say("page.strip")), value = make("p", { class: "value" });
    const known = points.map((point, place) => ({
      ...point, at: secondsOf(point.at), x: (place + 0.5) / Math.max(60, points.length),
    }));
    const text = (point) => minute(point, unit, this.now());
    readable(drawn, known, text, (said) => (value.textContent = said));
    return [drawn, value];
  }

  async #chart(task) {
    const now = performance.now();
    const place = this.#parts.strip;
    place.hidden = !this.hasAttribute("chart") || task.status !== "in-progress";
    if (place.hidden || now - this.#stripAt < STRIP_MS || this.client.connection.state !== "live") return;
    this.#stripAt = now;
    const from = new Date(this.client.serverNow() - HOUR_MS + STRIP_MS).toISOString();
    try {
      const { points } = await this.client.history(task.id, { from, points: 60 });
      const moved = points.some((point) => point.rate > 0);
      const focused = place.contains(this.root.activeElement);
      place.replaceChildren(...(moved ? this.#strip(points, task.rateUnit || null) : []));
      if (focused) place.firstChild?.focus();
    } catch {
      place.replaceChildren(); // no history: the card stands without
    }
  }
}

/** The nodes of a card, a row, a bar or a record, by name. */
function skeleton(variant, level, bar, record) {
  const parts = { ...nodes(level, bar), record };
  const layouts = { card: cardBox, row: rowBox, bar: barBox, record: recordBox };
  parts.body = layouts[variant](parts);
  parts.box = make("div", { class: variant === "card" || variant === "record" ? "box stack" : "stack" },
    parts.link, parts.empty, parts.body);
  return parts;
}

function nodes(level, bar) {
  const name = make("span");
  const text = (part) => make("span", { part, hidden: "" });
  const cures = make("ul", { class: "cures" });
  const reassure = make("p", { class: "muted", hidden: "" }, say("page.reassure"));
  return {
    bar, name, cures, reassure,
    icon: iconPlace(),
    title: make("div", { class: "name grow", part: "name", role: "heading", "aria-level": level },
      make("slot", { name: "title" }, name)),
    kind: make("p", { class: "muted", hidden: "" }),
    state: make("span", { class: "state", part: "state" }),
    banner: make("div", { class: "banner", part: "banner", hidden: "" }, make("p"), cures),
    step: make("p", { part: "step", hidden: "" }),
    percent: make("span", { class: "number", part: "percent", hidden: "" }),
    eta: text("eta"),
    strip: make("div", { hidden: "" }),
    facts: make("p", { class: "facts", part: "facts", hidden: "" }),
    checked: make("p", { class: "facts", hidden: "" }),
    note: make("p", { hidden: "" }),
    buttons: make("div", { class: "buttons", hidden: "" }),
    answer: make("p", { class: "failure", role: "alert", hidden: "" }),
    link: linkPlace(),
    empty: make("p", { hidden: "" }),
    below: make("slot", { name: "note" }, reassure),
  };
}

function cardBox(parts) {
  parts.head = make("div", { class: "head" }, parts.icon, parts.title, parts.state);
  return make("div", { class: "stack" },
    parts.head, parts.kind, parts.banner, parts.step, parts.bar,
    make("p", { class: "line" }, parts.percent, parts.eta),
    parts.strip, parts.note, parts.facts, parts.checked, parts.below, parts.buttons, parts.answer);
}

function rowBox(parts) {
  parts.head = parts.title;
  const wide = (...children) => make("div", { class: "wide" }, ...children);
  return make("div", { class: "row" },
    parts.icon, parts.title, parts.state,
    wide(parts.bar), wide(make("p", { class: "line facts" }, parts.percent, parts.eta)),
    wide(parts.banner), wide(parts.buttons, parts.answer));
}

function barBox(parts) {
  parts.head = make("p", { class: "line facts" }, parts.percent, parts.eta);
  return make("div", {}, parts.bar, parts.head);
}

function recordBox(parts) {
  parts.head = make("div", { class: "head" }, parts.icon, parts.title, parts.state);
  return make("div", { class: "stack" }, parts.head, parts.record, parts.banner, parts.below);
}
