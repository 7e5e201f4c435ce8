// The buttons of a task: what may be done now, in words that say what it does.
import { make } from "./dom.js";
import { say } from "../../static/words.js";
import { kept, view } from "../../static/view.js";

const OFFERS = {
  none: [],
  basic: ["pause", "resume"],
  all: ["check", "start", "resume", "pause", "retry", "cancel", "remove"],
};

/** Actions of `task` to offer, by the attribute `actions` and what the connection may do. */
export function offers(task, wanted, canChange) {
  const allowed = new Set(task?.actions ?? []);
  const watched = Boolean(task) && kept(task);
  if ((watched || task?.status === "paused") && allowed.delete("start")) allowed.add("resume");
  if (watched) allowed.delete("retry"); // it is watched; all of it anew is what programs may ask for
  const list = OFFERS[wanted] ?? OFFERS.none;
  return list.filter((action) => allowed.has(action) && (canChange || action === "check"));
}

/** What a button says. */
export function labelOf(action, task) {
  const again = action === "retry" && task.status === "complete";
  return say(`page.action.${again ? "again" : action}`);
}

/** Asks whether to stop watching, the safe answer first; resolves with the answer. */
export function askToStop(root, task) {
  const node = task.type === "node-sync";
  const keep = make("button", { value: "keep", class: "main", autofocus: "" }, say("page.stop.keep"));
  const stop = make("button", { value: "stop" }, say("page.stop.stop"));
  const title = make("p", { class: "name", id: "stop-title" }, say("page.stop.title", { name: view(task, 0).name }));
  const text = make("p", {}, say(`page.stop.${node ? "text-node" : "text"}`));
  const form = make("form", { method: "dialog", class: "stack" }, title, text,
    make("div", { class: "buttons" }, keep, stop));
  const dialog = make("dialog", { "aria-labelledby": "stop-title" }, form);
  root.append(dialog);
  dialog.showModal();
  return new Promise((resolve) => {
    dialog.addEventListener("close", () => {
      resolve(dialog.returnValue === "stop");
      dialog.remove();
    });
  });
}
