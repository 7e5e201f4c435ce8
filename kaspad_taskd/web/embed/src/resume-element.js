// <kaspad-resume>: an installation was in progress; what goes on by itself, and two ways from here.
import { make, write } from "./dom.js";
import { levelOf, linkPlace, TaskdElement } from "./element.js";
import { live } from "./tasks.js";
import { say } from "../../static/words.js";

/** Attribute: task-ids, separated by spaces or commas; without it, all live tasks. Only tells. */
export class KaspadResume extends TaskdElement {
  static observedAttributes = [...TaskdElement.observedAttributes, "task-ids", "heading-level"];
  #parts = null;
  #shown = "";
  #size = null;

  /** The focus goes to Resume once, when the page shows this. */
  connectedCallback() {
    super.connectedCallback();
    this.#size = new ResizeObserver(([{ contentRect }]) => {
      if (!contentRect.height) return;
      this.#size.disconnect();
      this.#parts.resume.focus();
    });
    this.#size.observe(this);
  }

  disconnectedCallback() {
    this.#size.disconnect();
    super.disconnectedCallback();
  }

  listen(client) {
    return [client.on("change", () => this.later())];
  }

  render() {
    this.#parts ??= this.#build();
    this.#parts.link.show(this.trouble());
    const ids = this.#ids();
    this.#rows(ids);
    this.#parts.tasks.hidden = !ids.length;
    this.#parts.also.hidden = !ids.length;
    write(this.#parts.alsoText, say("wizard.also-stop", { n: ids.length }));
  }

  #ids() {
    const asked = this.getAttribute("task-ids")?.split(/[\s,]+/).filter(Boolean);
    const tasks = [...this.client.tasks.values()].filter(live).map((task) => task.id);
    return asked ? tasks.filter((id) => asked.includes(id)) : tasks;
  }

  #rows(ids) {
    if (ids.join(" ") === this.#shown) return;
    this.#shown = ids.join(" ");
    this.#parts.list.replaceChildren(...ids.map((id) => {
      const task = make("kaspad-task", { "task-id": id, variant: "row" });
      task.client = this.client;
      return make("li", {}, task);
    }));
  }

  #build() {
    const heading = { class: "name", role: "heading", "aria-level": levelOf(this), id: "title" };
    const resume = make("button", { type: "button", class: "main", part: "button" }, say("wizard.resume"));
    const over = make("button", { type: "button", part: "button", "aria-describedby": "means" },
      say("wizard.start-over"));
    const box = make("input", { type: "checkbox" });
    const alsoText = make("span");
    const also = make("label", { class: "check", hidden: "" }, box, alsoText);
    const list = make("ul", { class: "rows" });
    const tasks = make("div", { hidden: "" }, make("p", { class: "muted" }, say("wizard.go-on")), list);
    const link = linkPlace();
    resume.addEventListener("click", () => this.tell("resume", {}));
    over.addEventListener("click", () => {
      this.tell("start-over", { alsoStop: box.checked ? this.#ids() : [] });
    });
    this.root.replaceChildren(make("section", { class: "box stack", "aria-labelledby": "title" },
      make("div", heading, make("slot", { name: "title" }, say("wizard.in-progress"))),
      make("slot", { name: "facts" }), link, tasks,
      make("div", { class: "buttons" }, resume, over),
      make("p", { class: "muted", id: "means" }, say("wizard.means")), also));
    return { resume, also, alsoText, list, tasks, link };
  }
}
