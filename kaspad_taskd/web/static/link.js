// The connection: events in order from a `seq` on, its state in words, and questions over it.
import { setText } from "./draw.js";
import { io } from "./vendor/socket.io-client-4.8.4/socket.io.esm.min.js";
import { clock, isNumber, say } from "./words.js";

const SOON_MS = 3000; // only then is it said that the link is lost
const BACK_MS = 8000; // a good word stays so long
// A hub says every 2 s for how long it did not hear a host, where that is more than LATE_MS. For 15 s, less what
// we take to see it, is true what was heard: so long as nothing is green for longer.
const LATE_MS = 7000, SURE_MS = 14_700;
export const LOST = ["silent", "unknown"]; // not heard, as the hub says

/** Follow the daemon at `base`; `start` is what the page was made from. */
export function follow(base, start, handlers) {
  let heard = start.seq; // the newest event that came
  let told = start.seq; // up to where it says that we know all
  let journal = start.journal ?? undefined; // whose numbers these are
  let last = null; // the newest event itself, if it came to us
  let downAt = 0, greeted = false, gap = false, stopping = "";
  let heardAt = Date.now(), steadyAt = performance.now(), waking = false, shutOut = "";
  let late = new Map(Object.entries(start.late ?? {})), quick = Infinity;
  let stranger = false; // whether it is another hub than the page's, of which only its own word counts
  const unheard = new Map(), hub = start.late, me = start.fleet?.host;
  // A daemon that is there is heard every 25 s.
  const LOST_MS = hub ? 7000 : 10_000, QUIET_MS = hub ? 7000 : 35_000; // only then in a banner

  const socket = io(base.origin, {
    path: `${base.pathname}socket.io`,
    transports: ["websocket", "polling"],
    auth: (answer) => answer({ since: heard, journal, gather: true, host: me }),
    reconnectionDelay: 500,
    reconnectionDelayMax: 10_000,
    timeout: 10_000,
  });

  const sign = () => hub || (heardAt = Date.now());
  socket.io.on("ping", sign);
  socket.on("disconnect", (reason) => {
    downAt ||= reason === "ping timeout" ? heardAt : Date.now();
    if (reason === "io server disconnect") setTimeout(() => socket.connect(), 1000);
  });
  socket.on("connect_error", () => {
    downAt ||= Date.now();
    if (!socket.active) setTimeout(() => socket.connect(), 5000);
    void askWhy();
  });
  socket.on("hello", (hello) => {
    const away = downAt ? Date.now() - downAt : 0;
    downAt = 0;
    shutOut = "";
    sign();
    quick = Infinity; // it may be another hub, whose clock is another
    stopping = "";
    told = hello.seq;
    gap = false;
    handlers.onHello(hello);
    if (hello.version !== start.version) {
      notice("version", say("page.link.version", { version: hello.version }), {
        label: say("page.link.reload"),
        press: () => location.reload(),
      });
    }
    if (journal !== undefined && hello.journal !== journal) startOver(hello);
    else {
      journal = hello.journal;
      if (greeted && away > SOON_MS) welcome(heard);
      void compare();
    }
    greeted = true;
    tick();
  });
  socket.on("server:stopping", ({ reason } = {}) => {
    const restart = String(reason).includes("restart");
    stopping = say(`page.link.${restart ? "restarting" : "stopped"}`);
    tick();
  });
  socket.onAny((name, event) => {
    sign();
    if (name === "host:news") return hear(event);
    if (name === "sync:progress:many") return event.tasks.forEach(handlers.onProgress);
    if (event?.taskId === undefined || !isNumber(event.seq)) return; // (null: of no task)
    if (name === "sync:progress") return void handlers.onProgress(event);
    if (event.seq <= heard) return;
    heard = event.seq;
    last = { seq: heard, name, timestamp: event.timestamp };
    handlers.onEvent(event);
  });

  /** What lay on its way, in a network that was cut, is as old as it came later than others. */
  function hear(news) {
    quick = Math.min(quick, performance.now() - news.at);
    steadyAt = quick + news.at;
    heardAt = Date.now() + steadyAt - performance.now();
    late = new Map(Object.entries(news.late));
    for (const { host, verdict } of news.hosts) unheard.set(host, LOST.includes(verdict));
    heard = news.seq ?? heard;
    handlers.onHosts(news);
  }

  /** For how many ms a host was not heard, as far as we know; be it that our clock was set, or slept. */
  const age = (host) => Math.max(Date.now() - heardAt, performance.now() - steadyAt) + (late.get(host) ?? LATE_MS);
  const unsure = (host) => (unheard.get(host) ?? stranger) || age(host) > SURE_MS;

  const reopen = () => socket.disconnect().connect();

  /** A network that is there again, a tab that has slept: neither waits for the next try. */
  async function wake() {
    if (waking) return;
    waking = true;
    const alive = socket.connected && !(await rpc("ping", {}, SOON_MS)).error;
    waking = false;
    if (!alive) reopen();
    tick();
  }
  addEventListener("online", wake);
  document.addEventListener("visibilitychange", () => document.hidden || wake());

  /** Say that it is back, and how much happened since the event `known`. */
  async function welcome(known) {
    const { result } = await rpc("ping");
    if (gap) return;
    const missed = result ? result.seq - known : 0;
    const key = missed > 0 ? "changes" : "back";
    notice("back", say(`page.link.${key}`, { n: missed }), null, BACK_MS);
  }

  /** What was missed is not kept any more, or all is another story: the page is made anew. */
  function startOver(known) {
    notice("back", say("page.link.gap"), null, BACK_MS);
    heard = known.seq;
    journal = known.journal ?? journal;
    last = null;
    gap = stranger = true;
    unheard.clear();
    handlers.onGap();
  }

  /** The daemon's word for a gap; when its greeting has said it already, it is done. */
  socket.on("task:error", (said = {}) => {
    if (said.request === "events:since" && !gap) startOver({ seq: told, journal: said.journal });
  });

  /** A host that was rolled back knows its journal's name, and not what it told us since. */
  async function compare() {
    const mine = last;
    if (!mine) return;
    const { result } = await rpc("getEvents", { after: mine.seq - 1, limit: 1 });
    if (!result || mine.seq < result.oldest || gap) return;
    const its = result.events[0];
    if (its?.event !== mine.name || its.data.timestamp !== mine.timestamp) startOver(result);
  }

  async function askWhy() {
    shutOut = await shutOutFor(); // knock.js
    tick();
  }

  let state = "", doubt = false;

  function tick() {
    const now = stateNow();
    document.getElementById("link").dataset.link = now;
    const label = say(`page.link.${now === "lost" ? "down" : now}`);
    setText(document.getElementById("link-text"), label);
    if (now === "lost") {
      notice("lost", shutOut || (hub ? "" : stopping) || document.documentElement.dataset.lost.replace("{when}", clock(since())), {
        label: say("page.link.try"),
        press: reopen,
      });
    } else notice("lost", "");
    if (now !== state) handlers.onChange(state && now !== "reconnecting" ? label : "");
    state = now;
    if (me && doubt !== (doubt = unsure(me))) handlers.onChange("");
  }

  /** Since when nothing came, in ms of this clock; 0: all is well. */
  const silent = () => downAt || (greeted && Date.now() - heardAt > QUIET_MS ? heardAt : 0);
  const since = (ms = Date.now() - silent()) => handlers.serverNow() - ms / 1000;

  function stateNow() {
    const down = silent() && Date.now() - silent();
    if (down > LOST_MS || (down && (stopping || shutOut))) return "lost";
    if (down > SOON_MS) return greeted ? "reconnecting" : "connecting";
    return greeted ? "live" : "connecting";
  }

  return {
    tick,
    live: () => socket.connected && greeted,
    /** Since when the numbers are old, in seconds of the daemon's clock; null while they are not. */
    lostSince: () => (me ? unsure(me) : stateNow() === "lost") ? since(me && age(me)) : null,
    unsure,
    reopen,
    rpc,
  };

  async function rpc(method, params, patience = 10_000) {
    try {
      const answer = await socket.timeout(patience).emitWithAck("rpc", { method, params });
      sign();
      return answer;
    } catch {
      return { error: { message: say("page.no-answer") } };
    }
  }
}

/** Say something above the tasks, with a button where one can do something; "" takes it away. */
export function notice(key, text, button = null, ms = 0) {
  const box = document.getElementById("notices");
  let line = box.querySelector(`[data-key=${key}]`);
  if (!text) return void line?.remove();
  if (!line) {
    line = box.appendChild(document.createElement("p"));
    line.dataset.key = key;
    line.append(document.createElement("span"));
    if (button) {
      const press = line.appendChild(document.createElement("button"));
      press.type = "button";
      press.textContent = button.label;
      press.addEventListener("click", button.press);
    }
  }
  setText(line.firstChild, text);
  clearTimeout(line.fading); // of what it said before
  if (ms) line.fading = setTimeout(() => line.remove(), ms);
}
