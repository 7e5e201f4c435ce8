// What all components share: the client, the moment to draw, the words before there is data.
import { attend, isInView } from "./attention.js";
import { TaskdClient } from "./client.js";
import { make, write } from "./dom.js";
import { dress } from "./look.js";
import { usualBridge } from "./socket.js";
import { clock, say } from "../../static/words.js";

const DRAW_MS = 250; // at most four times a second
const REBINDING = ["task-id", "service"]; // they say whose changes are heard
const shared = new Map(); // bridge -> {client, users}

/** Then it is said that nobody answers. */
export const PATIENCE_MS = 5000;

/** What components are made of; in a program there are none. */
export const Base = globalThis.HTMLElement ?? class {};

/** A component: give it a `client`, or let it share one with all others of its `bridge`. */
export class TaskdElement extends Base {
  static observedAttributes = ["bridge"];
  #client = null;
  #bridge = null;
  #token;
  #offs = [];
  #timer = null;
  #drawn = 0;
  #born = 0;

  constructor() {
    super();
    this.root = this.attachShadow({ mode: "open", delegatesFocus: false });
    dress(this.root);
  }

  /** The client; one that was set stays its setter's to close. */
  get client() {
    return this.#client;
  }

  set client(client) {
    const live = this.isConnected;
    if (live) this.#detach();
    this.#client = client;
    if (live) this.#attach();
  }

  get token() {
    return this.#client?.token ?? this.#token ?? null;
  }

  /** The access token, for changes; a property only, so that no page source shows it. */
  set token(token) {
    this.#token = token;
    if (this.#client) this.#client.token = token;
  }

  /** Whether there is somebody to draw for: in a tab and a place that are seen, or nearly. */
  get seen() {
    return isInView(this) && !document.hidden;
  }

  connectedCallback() {
    if (!this.hasAttribute("lang")) this.setAttribute("lang", "en"); // the words are, whatever the page is
    this.#born = performance.now();
    this.#attach();
  }

  disconnectedCallback() {
    this.#detach();
  }

  attributeChangedCallback(name, before, after) {
    if (!this.isConnected || before === after) return;
    if (name === "bridge" ? this.#bridge !== null : REBINDING.includes(name)) {
      this.#detach();
      this.#attach();
    }
    this.later();
  }

  /** Draws soon, and with other changes together. */
  later() {
    if (this.#timer !== null || !this.isConnected || !this.seen) return;
    const wait = Math.max(0, this.#drawn + DRAW_MS - performance.now());
    this.#timer = setTimeout(() => this.#draw(), wait);
  }

  /** Seconds since 1970 by the daemon's clock; its state's moment while the line is lost. */
  now() {
    const { state, since } = this.client.connection;
    return (state === "lost" ? Date.parse(since) : this.client.serverNow()) / 1000;
  }

  /**
   * What stands instead of data, or beside old data: [tone, sentence, command], or null. Inside
   * another component that one says it.
   */
  trouble() {
    const { state, since, refused, foreign } = this.client.connection;
    if (state === "live" || this.getRootNode().host instanceof TaskdElement) return null;
    if (foreign) return ["attention", say("wizard.foreign"), say("wizard.origins", { origin: foreign })];
    if (state === "lost") {
      const when = clock(Date.parse(since) / 1000);
      return ["attention", say("page.link.lost", { when }), ""];
    }
    if (state === "stopping") return ["attention", say("page.link.restarting"), ""];
    if (refused) return ["attention", refused, ""];
    if (performance.now() - this.#born < PATIENCE_MS) return ["quiet", say("wizard.asking"), ""];
    return ["attention", say("wizard.silent"), "sudo systemctl start kaspad-taskd"];
  }

  /** Tells the page; bubbling out of every shadow. */
  tell(name, detail) {
    this.dispatchEvent(new CustomEvent(name, { detail, bubbles: true, composed: true }));
  }

  #attach() {
    if (!this.#client) this.#share();
    if (this.#token !== undefined) this.#client.token = this.#token;
    const again = () => this.later();
    this.#offs = [
      this.#client.on("connection", again),
      attend(this, again),
      ...this.listen(this.#client),
    ];
    this.#draw();
  }

  #detach() {
    for (const off of this.#offs.splice(0)) off();
    clearTimeout(this.#timer);
    this.#timer = null;
    if (this.#bridge !== null) release(this.#bridge);
    if (this.#bridge !== null) this.#client = this.#bridge = null;
  }

  #share() {
    this.#bridge = this.getAttribute("bridge") || usualBridge();
    this.#client = acquire(this.#bridge);
  }

  #draw() {
    clearTimeout(this.#timer);
    this.#timer = null;
    this.#drawn = performance.now();
    if (this.isConnected) this.render();
  }
}

function acquire(bridge) {
  const known = shared.get(bridge) ?? { client: new TaskdClient({ url: bridge }), users: 0 };
  known.users += 1;
  shared.set(bridge, known);
  return known.client;
}

/** A page that moves an element takes it out and puts it back: the line lives a moment longer. */
function release(bridge) {
  const known = shared.get(bridge);
  known.users -= 1;
  setTimeout(() => {
    if (known.users > 0 || shared.get(bridge) !== known) return;
    shared.delete(bridge);
    known.client.close();
  }, 1000);
}

/** A place for what is wrong with the line: `show(element.trouble())`. */
export function linkPlace() {
  const [says, cure] = [make("span"), make("code")];
  const node = make("p", { class: "banner quiet", part: "banner", role: "status" }, says, " ", cure);
  node.show = (trouble) => {
    const [tone, text, command] = trouble ?? ["quiet", "", ""];
    node.className = `banner ${tone}`;
    write(says, text);
    write(cure, command);
    node.hidden = !text;
  };
  return node;
}

/** The heading level that the page asked for, 2 to 6. */
export function levelOf(element) {
  const asked = Number(element.getAttribute("heading-level"));
  return asked >= 2 && asked <= 6 ? asked : 3;
}
