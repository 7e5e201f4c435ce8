// Keeps the page of all hosts alive: what is said of a host is said while it is heard, by this clock.
import { adopt, localize, remember, setText } from "./draw.js";
import { follow } from "./link.js";

const PAGE_MS = 2000; // at most so often the whole page
const SURE_MS = 15_000; // since a host was heard: then nobody knows how it is
const LATE_MS = 7000; // until the hub says for how long it was not
const SURE = ["ok", "trouble", "daemon-away"];

const { dataset } = document.documentElement;
const data = JSON.parse(document.getElementById("data").textContent);
let offset = Date.parse(data.serverTime) - Date.now(), late = {}, newsAt = Date.now();
let due = 0, fetchedAt = 0, missed = false;
const serverNow = () => (Date.now() + offset) / 1000;

const link = follow(new URL(dataset.root, location.href), data, {
  onHello(hello) {
    offset = Date.parse(hello.serverTime) - Date.now();
    if (missed) anew();
  },
  onHosts(news) {
    newsAt = Date.now();
    late = news.late;
    if (news.gone.length || news.hosts.map(take).includes(false)) anew();
    judge();
  },
  onProgress() {},
  onEvent() {},
  onChange: judge,
  onGap: anew,
  serverNow,
});

/** Take a host's row; false: the page has to be made anew for it. */
function take({ host, verdict, said }) {
  const row = document.getElementById(`h-${host}`);
  if (row?.dataset.verdict !== verdict) return false;
  setText(row.querySelector("[data-h=said]"), said);
  return true;
}

/** Grey is who was not heard for 15 s, be it that we do not hear the hub. */
function judge() {
  const silent = Date.now() - newsAt;
  let lost = 0, sure = 0;
  for (const row of document.querySelectorAll("[data-host]")) {
    if (!SURE.includes(row.dataset.verdict)) continue;
    const old = silent + (late[row.dataset.host] ?? LATE_MS) > SURE_MS;
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
setInterval(() => {
  link.tick();
  judge();
}, 500);
document.addEventListener("visibilitychange", () => !document.hidden && missed && anew());
