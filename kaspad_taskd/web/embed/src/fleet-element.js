// <kaspad-fleet>: many hosts, a row each, trouble and silence first.
import { make, mark } from "./dom.js";
import { Base } from "./element.js";
import { dress } from "./look.js";
import { Speech } from "./speech.js";

const TICK_MS = 1000;

/**
 * The hosts are the links inside: where scripts do not run they are just that. Property: `token`,
 * one for all hosts, or a function that gives it for the address of one.
 */
export class KaspadFleet extends Base {
  #list = make("ul", { class: "rows" });
  #speech = new Speech();
  #hosts = new Map(); // address -> <kaspad-host>, in the order of the links
  #token = null;
  #eye = null;
  #timer = null;

  constructor() {
    super();
    const root = this.attachShadow({ mode: "open" });
    dress(root);
    root.append(this.#list, this.#speech.node);
  }

  get token() {
    return this.#token;
  }

  set token(token) {
    this.#token = token;
    for (const [address, host] of this.#hosts) this.#unlock(host, address);
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
    for (const [address, host] of this.#hosts) {
      if (wanted.has(address)) continue;
      host.parentNode.remove();
      this.#hosts.delete(address);
    }
    for (const [address, name] of wanted) {
      const host = this.#hosts.get(address) ?? this.#host(address);
      mark(host, "name", name);
    }
    this.#order();
  }

  #host(address) {
    const host = make("kaspad-host", { bridge: address, exportparts: "name, state, note, banner" });
    this.#unlock(host, address);
    this.#hosts.set(address, host);
    this.#list.append(make("li", {}, host));
    return host;
  }

  #unlock(host, address) {
    const token = typeof this.#token === "function" ? this.#token(address) : this.#token;
    if (token) host.token = token;
  }

  /** Trouble rises at once, but no row moves under a pointer or the focus. */
  #order() {
    const found = [...this.#hosts.values()].map((host) => [host, host.alarm]);
    const [ill, well] = [found.filter(([, alarm]) => alarm), found.filter(([, alarm]) => !alarm)];
    // who is in trouble, not the ages that change in every sentence, makes it worth speaking
    this.#speech.tell(ill.map(([host]) => host.name).join(), ill.map(([, alarm]) => alarm).join(" "));
    if (this.#list.matches(":hover, :focus-within")) return;
    [...ill, ...well].forEach(([{ parentNode: row }], place) => {
      const there = this.#list.children[place];
      if (row !== there) this.#list.insertBefore(row, there ?? null);
    });
  }
}
