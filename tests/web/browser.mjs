// What the browser tests drive: one command a line on stdin, its answer as a line of JSON.
// {do: "look", url, shot, width, height, dark, scripts, forced, reduced, timezone}: open, judge, close.
// {do: "open", url}: a page that stays; {do: "eval", code}: an expression in it; {do: "shot", shot};
// {do: "weigh"}: what it has cost.
// {do: "click", at} {do: "fill", at, text} {do: "press", key} {do: "wait", code, ms}.
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

const browser = await chromium.launch({ executablePath, args });
let stays;

async function opened(given, more = {}) {
  const context = await browser.newContext({
    viewport: { width: given.width ?? 390, height: given.height ?? 844 },
    colorScheme: given.dark ? "dark" : "light",
    forcedColors: given.forced ? "active" : "none",
    reducedMotion: given.reduced ? "reduce" : "no-preference",
    javaScriptEnabled: given.scripts ?? true,
    hasTouch: (given.width ?? 390) < 600,
    timezoneId: given.timezone ?? "Europe/Berlin",
    locale: "en-GB",
    ...more,
  });
  const page = await context.newPage();
  const said = [], asked = [];
  page.on("console", (message) => said.push(`${message.type()}: ${message.text()}`));
  page.on("pageerror", (error) => said.push(String(error.stack)));
  page.on("request", (request) => asked.push(request.url()));
  await page.goto(given.url);
  return { context, page, said, asked };
}

async function look(given) {
  const { context, page, said, asked } = await opened(given, { bypassCSP: false });
  if (given.wait) await page.waitForSelector(given.wait, { timeout: 30_000 });
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
  click: (given) => stays.page.click(given.at, { timeout: 30_000 }),
  fill: (given) => stays.page.fill(given.at, given.text),
  press: (given) => stays.page.keyboard.press(given.key),
  wait: async (given) => {
    const end = Date.now() + (given.ms ?? 30_000); // (waitForFunction needs unsafe-eval)
    for (;;) {
      const found = await stays.page.evaluate(given.code);
      if (found) return found;
      if (Date.now() > end) throw new Error(`not within its time: ${given.code}`);
      await stays.page.waitForTimeout(50);
    }
  },
  shot: (given) => stays.page.screenshot({ path: given.shot }).then(() => null),
  judge: () => judged(stays.page),
  /** Seconds that the page's main thread has worked, bytes of its heap, since it was opened. */
  async weigh() {
    stays.tools ??= await stays.context.newCDPSession(stays.page);
    await stays.tools.send("Performance.enable");
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
