// What the browser tests drive: one command a line on stdin, its answer as a line of JSON.
// {do: "look", url, shot, width, height, scale, dark, scripts, forced, reduced, timezone}: open,
// judge, close.
// {do: "open", url, still}: a page that stays; with `still` no time passes in it, but by "pass" and
// "wait" with a `step`. {do: "eval", code}: an expression in it; {do: "shot", shot, dark, clip};
// {do: "weigh", tidy}: what it has cost; tidy: without its garbage.
// {do: "click", at} {do: "fill", at, text} {do: "press", key} {do: "wait", code, ms, step}.
// {do: "point", at, across, touch}: the mouse, or a tap, so far across it (0 to 1).
// {do: "heard", text}: wait until the line has brought it, answer with the newest frame that has it.
// {do: "frames"}: how many it has brought. {do: "pass", ms}: let time pass.
// {do: "detain", fail}: when the page asks for itself again, the answer is kept back ("detained"
// waits until it is there) until {do: "release"}; with `fail` it never comes.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { createInterface } from "node:readline";

const [, , modules, executablePath] = process.argv;
const require = createRequire(`${modules}/`);
const { chromium } = require("playwright-core");
const axe = readFileSync(require.resolve("axe-core/axe.min.js"), "utf8");
const args = [
  "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
  "--disable-background-networking", "--disable-component-update", "--disable-sync",
];
const RULES = ["wcag2a", "wcag2aa", "wcag21aa", "wcag22aa", "best-practice"];

const PATIENCE = 60_000;
// Of the browser itself, where a connection fails; it is tried again, and what cannot be is seen.
const LINE = /^(error|warning): (WebSocket connection to|Failed to load resource: net::ERR_)/;

const browser = await chromium.launch({ executablePath, args, timeout: 2 * PATIENCE });
let stays;

const pause = () => new Promise((resolve) => setTimeout(resolve, 50));

async function opened(given, more = {}) {
  const context = await browser.newContext({
    viewport: { width: given.width ?? 390, height: given.height ?? 844 },
    colorScheme: given.dark ? "dark" : "light",
    forcedColors: given.forced ? "active" : "none",
    reducedMotion: given.reduced ? "reduce" : "no-preference",
    javaScriptEnabled: given.scripts ?? true,
    hasTouch: (given.width ?? 390) < 600,
    deviceScaleFactor: given.scale ?? 1,
    timezoneId: given.timezone ?? "Europe/Berlin",
    locale: "en-GB",
    ...more,
  });
  context.setDefaultTimeout(PATIENCE);
  const page = await context.newPage();
  const said = [], asked = [], frames = [];
  page.on("console", (message) => {
    const text = `${message.type()}: ${message.text()}`;
    if (!LINE.test(text)) said.push(text);
  });
  page.on("pageerror", (error) => said.push(String(error.stack)));
  page.on("request", (request) => asked.push(request.url()));
  page.on("websocket", (line) => line.on("framereceived", ({ payload }) => frames.push(payload)));
  if (given.still) {
    await page.clock.install({ time: Date.now() });
    await page.clock.pauseAt(Date.now() + PATIENCE);
  }
  await page.goto(given.url);
  return { context, page, said, asked, frames };
}

async function look(given) {
  const { context, page, said, asked } = await opened(given, { bypassCSP: false });
  if (given.wait) await page.waitForSelector(given.wait, { timeout: PATIENCE });
  const wide = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
  const text = await page.evaluate(() => document.body.innerText);
  if (given.shot) await page.screenshot({ path: given.shot, fullPage: given.whole ?? true });
  const found = given.axe === false ? [] : await judged(page);
  await context.close();
  return { said, asked, wide, text, found };
}

/** axe runs in a world of its own: the page's policy forbids what is not the page's. */
async function judged(page) {
  const session = await page.context().newCDPSession(page);
  const { frameTree } = await session.send("Page.getFrameTree");
  const { executionContextId: contextId } = await session.send("Page.createIsolatedWorld", {
    frameId: frameTree.frame.id,
  });
  const run = `axe.run(document, { runOnly: ${JSON.stringify(RULES)} })`;
  const shown = "(r) => r.violations.map((v) => [v.id, v.nodes.map((n) => n.html.slice(0, 150))])";
  await session.send("Runtime.evaluate", { expression: axe, contextId });
  const { result, exceptionDetails } = await session.send("Runtime.evaluate", {
    expression: `${run}.then(${shown})`, contextId, awaitPromise: true, returnByValue: true,
  });
  if (exceptionDetails) throw new Error(exceptionDetails.exception?.description);
  return result.value;
}

const COMMANDS = {
  look,
  async open(given) {
    await stays?.context.close();
    stays = await opened(given);
    return null;
  },
  eval: (given) => stays.page.evaluate(given.code),
  click: async ({ at }) => {
    await stays.page.click(at, { trial: true }); // seen, still, and in front
    await stays.page.evaluate((place) => { // at once: a mouse misses what moves while it is pressed
      const one = document.querySelector(place);
      one.focus();
      one.click();
    }, at);
  },
  point: async ({ at, across, touch, code }) => {
    const one = stays.page.locator(at);
    for (const end = Date.now() + PATIENCE; ; ) { // what moves away under the mouse is followed, as a hand does
      await one.scrollIntoViewIfNeeded();
      const { x, y, width, height } = await one.boundingBox();
      const place = [x + width * across, y + height / 2];
      await (touch ? stays.page.touchscreen.tap(...place) : stays.page.mouse.move(...place));
      if (!code || (await stays.page.evaluate(code))) return;
      if (Date.now() > end) throw new Error(`not within its time: ${code}`);
      await pause();
    }
  },
  fill: (given) => stays.page.fill(given.at, given.text),
  press: (given) => stays.page.keyboard.press(given.key),
  wait: async ({ code, ms, step }) => {
    for (const end = Date.now() + (ms ?? PATIENCE); ; ) { // (waitForFunction needs unsafe-eval)
      // a page that is loading, or not ready to be asked, is asked again
      const found = await stays.page.evaluate(code).catch((fault) => ({ fault }));
      if (found && !found.fault) return found;
      const why = `not within its time: ${code} ${found?.fault ?? ""}`;
      if (Date.now() > end) throw new Error(why);
      if (step) await stays.page.clock.runFor(step);
      else await pause();
    }
  },
  /** The text of the frame within that says this. */
  framed: async ({ text }) => {
    for (const end = Date.now() + PATIENCE; ; await pause()) {
      for (const frame of stays.page.frames().slice(1)) {
        const said = await frame.evaluate(() => document.body.innerText).catch(() => "");
        if (said.includes(text)) return said;
      }
      if (Date.now() > end) throw new Error(`no frame says ${text}`);
    }
  },
  heard: async ({ text }) => {
    for (const end = Date.now() + PATIENCE; !stays.frames.some((one) => one.includes(text)); ) {
      if (Date.now() > end) throw new Error(`not heard: ${text}`);
      await pause();
    }
    return stays.frames.findLast((one) => one.includes(text));
  },
  frames: () => stays.frames.length,
  pass: ({ ms }) => stays.page.clock.runFor(ms),
  detain: async ({ fail }) => {
    const { page } = stays, again = (url) => url.href === page.url();
    let release;
    const released = new Promise((resolve) => (release = resolve));
    const there = new Promise((resolve) => {
      page.route(again, async (route) => {
        const response = fail ? null : await route.fetch();
        resolve();
        if (response) await released;
        await (response ? route.fulfill({ response }) : route.abort());
      }, { times: 1 });
    });
    stays.detained = { release, there };
  },
  detained: () => stays.detained.there,
  release: async () => {
    const finished = stays.page.waitForEvent("requestfinished");
    stays.detained.release();
    await finished;
    await stays.page.evaluate(() => fetch(location.href).then((answer) => answer.text()));
  },
  shot: async ({ shot, dark, clip }) => {
    if (dark !== undefined) await stays.page.emulateMedia({ colorScheme: dark ? "dark" : "light" });
    await stays.page.screenshot({ path: shot, clip, fullPage: Boolean(clip) });
  },
  judge: () => judged(stays.page),
  /** Seconds that the page's main thread has worked since it was opened, bytes of its heap. */
  async weigh({ tidy }) {
    stays.tools ??= await stays.context.newCDPSession(stays.page);
    await stays.tools.send("Performance.enable");
    if (tidy) await stays.tools.send("HeapProfiler.collectGarbage");
    const { metrics } = await stays.tools.send("Performance.getMetrics");
    return Object.fromEntries(metrics.map(({ name, value }) => [name, value]));
  },
  said: async () => ({ said: stays.said, asked: stays.asked }),
};

for await (const line of createInterface({ input: process.stdin })) {
  const given = JSON.parse(line);
  try {
    console.log(JSON.stringify({ result: (await COMMANDS[given.do](given)) ?? null }));
  } catch (error) {
    console.log(JSON.stringify({ error: String(error.stack ?? error) }));
  }
}
await browser.close();
