// <kaspad-strategy>: wait, go on, or skip; nothing is chosen until Continue.
import { make, write } from "./dom.js";
import { linkPlace, TaskdElement } from "./element.js";
import { view } from "../../static/view.js";
import { say } from "../../static/words.js";

const CHOICES = ["wait", "background", "skip"];
const ASK_MS = 15_000; // the recommendation is renewed while nobody has touched it

/** Attribute: task-id. */
export class KaspadStrategy extends TaskdElement {
  static observedAttributes = [...TaskdElement.observedAttributes, "task-id"];
  #parts = null;
  #advice = null;
  #askedAt = -ASK_MS;
  #touched = false;
  #busy = false;

  listen(client) {
    return [client.on("change", () => this.later())];
  }

  attributeChangedCallback(attribute, before, after) {
    if (attribute === "task-id") [this.#advice, this.#askedAt] = [null, -ASK_MS];
    super.attributeChangedCallback(attribute, before, after);
  }

  render() {
    this.#parts ??= this.#build();
    this.#parts.link.show(this.trouble());
    const task = this.client.tasks.get(this.getAttribute("task-id"));
    const known = this.client.connection.state !== "connecting";
    write(this.#parts.empty, known && !task ? say("wizard.no-task") : "");
    write(this.#parts.legend, task ? say("wizard.strategy", { name: view(task, 0).name }) : "");
    this.#parts.form.hidden = !task || !this.#advice;
    if (task) this.#ask();
  }

  async #ask() {
    const now = performance.now();
    const due = !this.#advice || (!this.#touched && now - this.#askedAt > ASK_MS);
    if (!due || now - this.#askedAt < 1000 || this.client.connection.state !== "live") return;
    this.#askedAt = now;
    try {
      this.#advise(await this.client.strategy(this.getAttribute("task-id")));
    } catch {
      this.later(); // asked again a second later
    }
  }

  #advise(advice) {
    if (this.#touched) return;
    this.#advice = advice;
    for (const choice of CHOICES) {
      const { input, because } = this.#parts.options[choice];
      const best = choice === advice.recommended;
      input.checked = best;
      const eta = advice.estimatedSeconds;
      write(because, best ? (advice.note ?? say(`wizard.because.${choice}`, { eta })) : "");
    }
    this.later();
  }

  #build() {
    const options = Object.fromEntries(CHOICES.map((choice) => [choice, this.#option(choice)]));
    const legend = make("legend", { class: "name" });
    const button = make("button", { type: "submit", class: "main", part: "button" }, say("wizard.continue"));
    const answer = make("p", { role: "status", hidden: "" });
    const choices = CHOICES.map((choice) => options[choice].node);
    const form = make("form", { class: "stack", hidden: "" },
      make("fieldset", { class: "stack" }, legend, ...choices),
      make("div", { class: "buttons" }, button), answer);
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.#choose();
    });
    form.addEventListener("change", () => (this.#touched = true));
    const parts = { options, legend, button, answer, form, link: linkPlace(), empty: make("p", { hidden: "" }) };
    this.root.replaceChildren(make("div", { class: "stack" }, parts.link, parts.empty, form));
    return parts;
  }

  #option(choice) {
    const input = make("input", { type: "radio", name: "choice", value: choice });
    const because = make("span", { class: "because", hidden: "" });
    const text = make("span", {}, make("slot", { name: `option-${choice}` },
      make("b", {}, say(`strategy.${choice}.label`)),
      make("span", {}, say(`strategy.${choice}.sentence`)), " "), because);
    return { input, because, node: make("label", { class: "option" }, input, text) };
  }

  /** The choice counts at once; its record is only made where that can be done. */
  async #choose() {
    const chosen = CHOICES.find((choice) => this.#parts.options[choice].input.checked);
    if (!chosen || this.#busy) return;
    this.#busy = true;
    const { recommended, estimatedTime, estimatedSeconds } = this.#advice;
    const taskId = this.getAttribute("task-id");
    const context = { taskId, choice: chosen, recommended, estimatedTime, estimatedSeconds };
    const record = await this.client.recordDecision("sync-strategy", context).catch(() => null);
    this.#busy = false;
    write(this.#parts.answer, say("wizard.chosen", { label: say(`strategy.${chosen}.label`) }));
    const decisionId = record?.decision.id ?? null;
    this.tell("strategy-chosen", { choice: chosen, recommended, decisionId });
  }
}
