// Views to the page. Texts are text nodes, written only when they change; what is more than text
// (buttons, steps, events) comes as HTML from the server and replaces what has changed.
import { day, secondsOf, when } from "./words.js";

const SVG = "http://www.w3.org/2000/svg";
const known = new WeakMap();
const raw = new WeakMap();

export function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

function setAttribute(element, name, value) {
  if (value === null) element.removeAttribute(name);
  else if (element.getAttribute(name) !== String(value)) element.setAttribute(name, value);
}

function partsOf(element) {
  if (!known.has(element)) {
    const all = (which) => [...element.querySelectorAll(which)];
    known.set(element, {
      texts: all("[data-t]"),
      lists: all("[data-l]"),
      bars: all(".bar"),
      icon: element.querySelector(".icon use"),
      count: 0,
      steps: 0,
    });
  }
  return known.get(element);
}

/**
 * Draw a card or a row. `count`: what a step without a total has counted; `whole`: whether all of
 * the task is known, or only what a closed row shows.
 */
export function drawTask(element, view, count, whole) {
  const parts = partsOf(element);
  const known = (part) => whole || !part.closest("[data-body]");
  setAttribute(element, "data-tone", view.tone);
  setAttribute(parts.icon, "href", `#i-${view.icon}`);
  for (const text of parts.texts.filter(known)) setText(text, view[text.dataset.t]);
  for (const list of parts.lists.filter(known)) drawList(list, view[list.dataset.l]);
  for (const bar of parts.bars) drawBar(bar, view);
  if (count > parts.count) hatch(parts);
  parts.count = count;
}

function drawList(list, texts) {
  while (list.children.length > texts.length) list.lastChild.remove();
  texts.forEach((text, place) => {
    const item = list.children[place] ?? list.appendChild(document.createElement("li"));
    setText(item, text);
    if (list.dataset.l === "cures") item.classList.toggle("command", !text.endsWith("."));
  });
}

function drawBar(bar, view) {
  setAttribute(bar, "aria-valuetext", view.spoken);
  setAttribute(bar, "aria-valuenow", view.value);
  setAttribute(bar, "aria-valuemin", view.value === null ? null : 0);
  setAttribute(bar, "aria-valuemax", view.value === null ? null : 100);
  const pattern = bar.querySelector("pattern").id;
  const rects = [...bar.querySelectorAll("rect")];
  while (rects.length > view.bar.length) rects.pop().remove();
  // what moves by less than a percent is put there: an animation would not be seen
  bar.classList.toggle("creep", rects.every((rect, place) => (
    Math.abs(parseFloat(rect.getAttribute("width")) - view.bar[place][1]) < 1
  )));
  view.bar.forEach(([x, width, kind], place) => {
    const rect = rects[place] ?? bar.appendChild(document.createElementNS(SVG, "rect"));
    setAttribute(rect, "class", kind);
    setAttribute(rect, "x", `${x}%`);
    setAttribute(rect, "width", `${width}%`);
    setAttribute(rect, "height", "100%");
    setAttribute(rect, "fill", kind === "hatch" ? `url(#${pattern})` : null);
  });
}

/** The hatch moves when a reading rose, and only then. */
function hatch(parts) {
  parts.steps += 1;
  const shift = (parts.steps * 4) % 12;
  for (const bar of parts.bars) {
    setAttribute(bar.querySelector("pattern"), "patternTransform", `translate(${shift} 0)`);
  }
}

/** Draw what is said of all tasks. */
export function drawOverview(about) {
  for (const element of document.querySelectorAll("[data-o]")) {
    setText(element, about[element.dataset.o]);
    if (element.dataset.o === "attention") {
      setAttribute(element, "href", `#${about.place ?? ""}`);
    }
  }
}

/** Show times of day as this browser's own, with UTC beside them. */
export function localize(root, now) {
  for (const time of root.querySelectorAll("time[datetime]")) {
    const seconds = secondsOf(time.dateTime);
    if (seconds === null) continue;
    const minute = time.closest(".story"), beside = secondsOf(time.dataset.beside);
    setText(time, when(seconds, minute ? seconds : beside ?? now));
    time.title = time.dateTime;
  }
  let before = "";
  for (const item of root.querySelectorAll(".story li")) {
    const seconds = secondsOf(item.querySelector("time").dateTime);
    const today = seconds === null ? before : day(seconds);
    if (today !== before) item.dataset.day = today;
    else delete item.dataset.day;
    before = today;
  }
}

let made = () => {};

/** Have this done with each part that is new. */
export function whenNew(task) {
  made = task;
}

const TASKS = "[data-part=cards], [data-part=rows]";
const PARTS = `[data-part]:not(${TASKS}), [data-p], [data-body]`;

/** Remember the server's HTML of each part, to know later what has changed in it. */
export function remember(root) {
  for (const part of root.querySelectorAll(PARTS)) raw.set(part, part.innerHTML);
}

/** Take over what is new in a page that was fetched anew. */
export function adopt(fresh, now) {
  const focused = document.activeElement, id = focused?.closest("[data-id]")?.dataset.id;
  const stay = leaves(fresh); // a row that is pointed at does not become a card just now
  for (const part of fresh.querySelectorAll("[data-part]")) {
    const mine = document.querySelector(`[data-part=${part.dataset.part}]`);
    if (!mine) continue;
    if (part.matches(TASKS)) adoptTasks(mine, part, stay);
    else if (!mine.matches(".filter:focus-within")) replace(mine, part);
  }
  const lost = id && document.activeElement === document.body;
  const there = lost && document.querySelector(`[data-id="${CSS.escape(id)}"]`);
  if (there) refocus(there, focused);
  localize(document, now);
}

/** Whether a task that has the pointer or the focus would leave the part where it is. */
function leaves(fresh) {
  const busy = [...document.querySelectorAll(".row:is(:hover, :focus-within)")];
  return busy.some(({ dataset: { id } }) => fresh.querySelector(`.card[data-id="${CSS.escape(id)}"]`));
}

/** Cards and rows keep their elements, so that what is open stays so. */
function adoptTasks(mine, fresh, stay) {
  const old = new Map([...mine.children].map((card) => [card.dataset.id, card]));
  const order = [...fresh.children].map((card) => {
    const kept = old.get(card.dataset.id);
    if (kept) renew(kept, card);
    else remember(card), made(card);
    return kept ?? card;
  });
  if (stay) return;
  for (const [id, card] of old) if (!order.some((each) => each.dataset.id === id)) card.remove();
  const still = mine.matches(":hover") || mine.contains(document.activeElement);
  order.forEach((card, place) => {
    const there = mine.children[place];
    if (there !== card && !(still && mine.contains(card))) mine.insertBefore(card, there ?? null);
  });
}

/** A closed row takes over all that it will show; what is open is drawn, but for these parts. */
function renew(kept, fresh) {
  const body = kept.querySelector(".row > details:not([open]) > [data-body]");
  if (body) {
    replace(body, fresh.querySelector("[data-body]"));
    known.delete(kept);
    return;
  }
  for (const part of fresh.querySelectorAll("[data-p]")) {
    replace(kept.querySelector(`[data-p=${part.dataset.p}]`), part);
  }
}

function replace(mine, fresh) {
  const html = fresh.innerHTML;
  if (raw.get(mine) === html) return;
  const focused = mine.contains(document.activeElement) ? document.activeElement : null;
  mine.replaceChildren(...document.importNode(fresh, true).childNodes);
  known.delete(mine);
  raw.set(mine, html);
  made(mine);
  if (focused) refocus(mine, focused);
}

/** Updates do not take the focus: it goes to what has the same place, else stays nearby. */
function refocus(part, focused) {
  const action = focused.dataset?.action, href = focused.getAttribute?.("href");
  const same = focused.matches?.("[data-read]") ? "[data-read]" : focused.id ? `#${CSS.escape(focused.id)}` : action ? `[data-action="${action}"]` : href ? `[href="${CSS.escape(href)}"]` : null;
  const target = (same && part.querySelector(same)) ?? part.querySelector("button, a, summary");
  (target ?? part.closest("[data-id]")?.querySelector("a"))?.focus({ preventScroll: true });
}
