// <kaspad-tasks>: all tasks, or those of a kind, trouble first.
import { make, mark, write } from "./dom.js";
import { linkPlace, TaskdElement } from "./element.js";
import { live, waiting } from "./tasks.js";
import { kept, troubled } from "../../static/view.js";
import { say } from "../../static/words.js";

const FILTERS = {
  attention: troubled,
  running: (task) => task.status === "in-progress",
  waiting,
  live,
  watched: kept,
  ended: (task) => !live(task) && !kept(task),
};
const HANDED_DOWN = ["actions", "chart", "heading-level", "lang"];
const LIMIT = 50;

/** Attributes: type, filter, limit, variant, and what it hands down to each <kaspad-task>. */
export class KaspadTasks extends TaskdElement {
  static observedAttributes = [
    ...TaskdElement.observedAttributes, ...HANDED_DOWN, "type", "filter", "limit", "variant",
  ];
  #parts = null;
  #shown = new Map();
  #handed = "";

  listen(client) {
    const lineChanged = ({ state, since }) => this.tell("connection", { state, since });
    return [client.on("change", () => this.later()), client.on("connection", lineChanged)];
  }

  render() {
    this.#parts ??= this.#build();
    this.#parts.link.show(this.trouble());
    const wanted = this.#wanted();
    const limit = Number(this.getAttribute("limit")) || LIMIT;
    const known = this.client.connection.state !== "connecting";
    this.#parts.empty.hidden = wanted.length > 0 || !known;
    this.#fill(wanted.slice(0, limit));
    const more = wanted.length - limit;
    write(this.#parts.more, more > 0 ? say("wizard.more", { n: more }) : "");
  }

  #build() {
    const parts = {
      link: linkPlace(),
      list: make("ul", { class: "rows" }),
      empty: make("div", { hidden: "" }, make("slot", { name: "empty" }, say("wizard.none"))),
      more: make("p", { class: "muted", hidden: "" }),
    };
    this.root.replaceChildren(
      make("div", { class: "stack" }, parts.link, parts.empty, parts.list, parts.more),
    );
    return parts;
  }

  #wanted() {
    const type = this.getAttribute("type");
    const filter = this.getAttribute("filter") ?? "";
    const words = FILTERS[filter] ? "" : filter.toLowerCase();
    const fits = (task) => (!type || task.type === type)
      && (FILTERS[filter]?.(task) ?? `${task.service} ${task.type}`.toLowerCase().includes(words));
    const tasks = [...this.client.tasks.values()].filter(fits);
    return [...tasks.filter(troubled), ...tasks.filter((task) => !troubled(task))];
  }

  #fill(tasks) {
    const ids = new Set(tasks.map((task) => task.id));
    for (const [id, row] of this.#shown) {
      if (ids.has(id)) continue;
      row.remove();
      this.#shown.delete(id);
    }
    const hand = HANDED_DOWN.map((key) => this.getAttribute(key));
    const handed = JSON.stringify([...hand, this.getAttribute("variant")]);
    let before = null;
    for (const { id } of tasks) {
      const known = this.#shown.get(id), row = known ?? this.#row(id);
      const place = before ? before.nextSibling : this.#parts.list.firstChild;
      if (row !== place) this.#parts.list.insertBefore(row, place);
      if (!known || handed !== this.#handed) this.#handDown(row.firstChild);
      if (row.firstChild.client !== this.client) row.firstChild.client = this.client;
      before = row;
    }
    this.#handed = handed;
  }

  #row(id) {
    const task = make("kaspad-task", { "task-id": id, variant: "row", exportparts: PARTS });
    task.client = this.client;
    const row = make("li", {}, task);
    this.#shown.set(id, row);
    return row;
  }

  #handDown(task) {
    for (const key of HANDED_DOWN) mark(task, key, this.getAttribute(key));
    mark(task, "variant", this.getAttribute("variant") ?? "row");
  }
}

const PARTS = "name, state, banner, bar, percent, eta, step, strip, facts, button";
