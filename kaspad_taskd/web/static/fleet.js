// Keeps the page of all hosts alive: what is said of a host is said while it is heard, by this clock.
import { adopt, localize, remember, setText } from "./draw.js";
import { follow, LOST } from "./link.js";

const PAGE_MS = 2000; // at most so often the whole page
const LOOK_MS = 250;

const { dataset } = document.documentElement;
const data = JSON.parse(document.getElementById("data").textContent);
let offset = Date.parse(data.serverTime) - Date.now();
let due = 0, fetchedAt = 0, missed = false;
const serverNow = () => (Date.now() + offset) / 1000;

const link = follow(new URL(dataset.root, location.href), data, {
  onHello(hello) {
    offset = Date.parse(hello.serverTime) - Date.now();
    if (missed) anew();
  },
  onHosts(news) {
    for (const [host, said] of Object.entries(news.moved)) tell(host, said);
    for (const { host, said } of news.hosts) tell(host, said);
    if (news.hosts.length || news.gone.length) anew();
    judge();
  },
  onProgress() {},
  onEvent() {},
  onChange: judge,
  onGap: anew,
  serverNow,
});

/** Say how its tasks are, where it is on this page. */
function tell(host, said) {
  const row = document.getElementById(`h-${host}`);
  if (row) setText(row.querySelector("[data-h=said]"), said);
}

function look() {
  link.tick();
  judge();
}

/** Grey is who was not heard for 15 s, be it that we do not hear the hub. */
function judge() {
  let lost = 0, sure = 0;
  for (const row of document.querySelectorAll("[data-host]")) {
    if (LOST.includes(row.dataset.verdict)) continue;
    const old = link.unsure(row.dataset.host);
    const state = row.querySelector("[data-h=state]");
    state.dataset.word ??= state.textContent;
    row.classList.toggle("lost", old);
    setText(state, old ? dataset.unknown : state.dataset.word);
    lost += old;
    sure += !old;
  }
  document.documentElement.classList.toggle("lost", lost > 0);
  const headline = document.querySelector("h1");
  headline.dataset.word ??= headline.textContent;
  setText(headline, lost && !sure ? dataset.nobody : headline.dataset.word);
}

function anew() {
  due ||= setTimeout(async () => {
    due = 0;
    if (document.hidden) return void (missed = true);
    fetchedAt = Date.now();
    try {
      const answer = await fetch(location.href, { cache: "no-store" });
      if (answer.status === 401) return void location.reload();
      missed = !answer.ok;
      if (missed) return;
      const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
      if (fresh.querySelector(".banner") && !fresh.querySelector("[data-host]")) { // what was seen last stays
        for (const part of fresh.querySelectorAll("main [data-part]:not(.verdict)")) part.remove();
      }
      adopt(fresh, serverNow());
      document.title = fresh.title;
      judge();
    } catch {
      missed = true; // the link says that there is no connection, and when it is back
    }
  }, Math.max(200, fetchedAt + PAGE_MS - Date.now()));
}

document.addEventListener("submit", async (event) => {
  if (event.target.id !== "lock") return;
  event.preventDefault();
  await fetch(event.target.action, { method: "DELETE" });
  location.reload();
});
document.documentElement.classList.add("js");
remember(document);
localize(document, serverNow());
setInterval(look, LOOK_MS);
document.addEventListener("visibilitychange", () => {
  look();
  if (!document.hidden && missed) anew();
});
