// <kaspad-host>: a whole host in one row: its verdict, its counts, when it was last heard.
import { make, mark, write } from "./dom.js";
import { PATIENCE_MS, TaskdElement } from "./element.js";
import { icon, iconPlace } from "./icons.js";
import { waiting } from "./tasks.js";
import { kept, overview, troubled, view } from "../../static/view.js";
import { say, secondsOf } from "../../static/words.js";

const COUNTS = {
  attention: troubled,
  running: (task) => task.status === "in-progress" && !troubled(task),
  waiting,
  kept: (task) => kept(task) && !troubled(task),
  ended: (task) => ["complete", "cancelled"].includes(task.status) && !kept(task),
};
const HEARD = ["lastUpdate", "lastChecked", "completedAt", "erroredAt", "cancelledAt", "createdAt"];

/** Attributes: bridge, also where the row leads; name, else the host's own. */
export class KaspadHost extends TaskdElement {
  static observedAttributes = [...TaskdElement.observedAttributes, "name"];
  #parts = null;
  #itself = ""; // as the daemon calls its host; remembered when the line is lost

  /** What the row is called. */
  get name() {
    this.#itself = this.client?.connection.host ?? this.#itself;
    return this.getAttribute("name") || this.#itself || this.getAttribute("bridge") || "";
  }

  /** What is wrong with the line to the host, or "". */
  get silence() {
    const { state, since, refused, foreign } = this.client.connection;
    if (foreign) return `${say("wizard.foreign")} ${say("wizard.origins", { origin: foreign })}`;
    const ms = Math.max(1000, Date.now() - Date.parse(since));
    if (state === "live" || (state === "connecting" && ms < PATIENCE_MS && !refused)) return "";
    if (refused) return refused;
    const known = state !== "connecting";
    return say(`wizard.host.${known ? "silent" : "never"}`, { name: this.name, since: Math.trunc(ms / 1000) });
  }

  /** What needs somebody: the line, or a task; "" where nothing does. */
  get alarm() {
    if (!this.client) return "";
    const tasks = [...this.client.tasks.values()];
    return this.silence || (tasks.some(troubled) ? overview(tasks, this.now(), "").headline : "");
  }

  listen(client) {
    const lineChanged = ({ state, since }) => this.tell("connection", { state, since });
    return [client.on("change", () => this.later()), client.on("connection", lineChanged)];
  }

  render() {
    this.#parts ??= this.#build();
    const { link, says, more, banner, counts, at } = this.#parts;
    const now = this.now(), tasks = [...this.client.tasks.values()], silence = this.silence;
    const heard = this.client.seq !== null;
    const verdict = overview(tasks, now, "");
    const shown = this.client.tasks.get(verdict.troubled ?? verdict.first);
    const { icon: name, tone } = shown ? view(shown, now) : { icon: "ring", tone: "quiet" };
    icon(at, silence ? "plug" : name, silence ? "quiet" : tone);
    write(link, this.name);
    mark(link, "href", this.getAttribute("bridge")?.replace(/^ws/, "http") ?? null);
    write(says, heard ? verdict.headline : silence ? "" : say("wizard.asking"));
    write(more, verdict.attention);
    write(banner, silence);
    write(counts, heard ? countsOf(tasks, silence ? null : now) : "");
    mark(this.#parts.row, "class", silence ? "row quiet" : "row");
  }

  #build() {
    const at = iconPlace();
    const link = make("a", { part: "name" });
    const counts = make("span", { class: "facts" });
    const head = make("div", { class: "head wide" }, make("span", { class: "name grow" }, link), counts);
    const [says, more, banner] = ["state", "note", "banner"].map((part) => {
      return make("p", { class: "wide", part });
    });
    more.classList.add("attention");
    banner.classList.add("banner", "attention");
    const row = make("div", { class: "row" }, at, head, says, more, banner);
    this.root.replaceChildren(row);
    return { row, at, link, says, more, banner, counts };
  }
}

/** "2 running, 1 ended, last news 4 s ago"; without `now` no age. */
function countsOf(tasks, now) {
  const parts = Object.entries(COUNTS).map(([key, fits]) => [key, tasks.filter(fits).length]);
  const told = parts.filter(([, n]) => n).map(([key, n]) => say(`wizard.host.${key}`, { n }));
  const times = tasks.flatMap((task) => HEARD.map((field) => secondsOf(task[field]) ?? 0));
  const ago = Math.trunc(now - Math.max(0, ...times));
  if (now !== null && tasks.length) told.push(say("wizard.host.news", { ago: Math.max(0, ago) }));
  return told.join(", ");
}
