// What is said to who does not see the page.
import { make } from "./dom.js";

const SPEAK_MS = 10_000; // a polite region speaks at most six times a minute

/** A region that is spoken of when something has changed; `node` is its place. */
export class Speech {
  node = make("div", { class: "spoken", role: "status" });
  #about = null;
  #at = -SPEAK_MS;

  /** Says `text` where what it is `about` is another thing than before; the first is only known. */
  tell(about, text = about) {
    const now = performance.now();
    if (about === this.#about || now - this.#at < SPEAK_MS) return;
    if (this.#about !== null) this.node.textContent = text;
    this.#about = about;
    this.#at = now;
  }
}
