// <kaspad-fleet>: many hosts, a line each, trouble and silence first.
import { make, mark, write } from "./dom.js";
import { Base } from "./element.js";
import { dress } from "./look.js";

const TICK_MS = 1000;
const SPEAK_MS = 10_000; // the polite region speaks at most six times a minute

/**
 * The hosts are the links inside: where scripts do not run they are just that. Property: `token`,
 * one for all hosts, or a function that gives it for the address of one.
 */
export class KaspadFleet extends Base {
  #list = make("ul", { class: "rows" });
  #spoken = make("div", { class: "spoken", role: "status" });
  #lines = new Map(); // address -> <li>
  #token = null;
  #eye = null;
  #timer = null;
  #said = { text: "", at: 0 };

  constructor() {
    super();
    const root = this.attachShadow({ mode: "open" });
    dress(root);
    root.append(this.#list, this.#spoken);
  }

  get token() {
    return this.#token;
  }

  set token(token) {
    this.#token = token;
    for (const [address, line] of this.#lines) this.#unlock(line.firstChild, address);
  }

  connectedCallback() {
    this.#eye = new MutationObserver(() => this.#fill());
    this.#eye.observe(this, { attributes: true, characterData: true, childList: true, subtree: true });
    this.#timer = setInterval(() => this.#order(), TICK_MS);
    this.#fill();
  }

  disconnectedCallback() {
    this.#eye.disconnect();
    clearInterval(this.#timer);
  }

  #fill() {
    const links = [...this.querySelectorAll("a[href]")].filter(({ protocol }) => /^http/.test(protocol));
    const wanted = new Map(links.map((link) => [link.href, link.textContent.trim()]));
    for (const [address, line] of this.#lines) {
      if (wanted.has(address)) continue;
      line.remove();
      this.#lines.delete(address);
    }
    for (const [address, name] of wanted) {
      const line = this.#lines.get(address) ?? this.#line(address);
      mark(line.firstChild, "name", name);
    }
    this.#order();
  }

  #line(address) {
    const host = make("kaspad-host", { bridge: address, exportparts: "name, state, note, banner" });
    const line = make("li", {}, host);
    this.#unlock(host, address);
    this.#lines.set(address, line);
    this.#list.append(line);
    return line;
  }

  #unlock(host, address) {
    const token = typeof this.#token === "function" ? this.#token(address) : this.#token;
    if (token) host.token = token;
  }

  /** Trouble rises at once, but no line moves under a pointer or the focus. */
  #order() {
    const lines = [...this.#lines.values()];
    const [ill, well] = [lines.filter(inTrouble), lines.filter((line) => !inTrouble(line))];
    this.#speak(ill);
    if (this.#list.matches(":hover, :focus-within")) return;
    [...ill, ...well].forEach((line, place) => {
      const there = this.#list.children[place];
      if (line !== there) this.#list.insertBefore(line, there ?? null);
    });
  }

  /** Who has got into trouble is said, without the numbers that change in every sentence. */
  #speak(ill) {
    const text = ill.map((line) => line.firstChild.name).join(", ");
    const now = performance.now();
    if (text === this.#said.text || now - this.#said.at < SPEAK_MS) return;
    this.#said = { text, at: now };
    write(this.#spoken, ill.map((line) => line.firstChild.alarm).join(" "));
  }
}

const inTrouble = (line) => line.firstChild.alarm !== "";
