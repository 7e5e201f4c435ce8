// The example wizard in a real browser, from Begin to a node that is ready.
// node wizard.mjs MODULES PAGE FOLDER: says "kill" when the daemon is to be killed and started anew,
// and goes on at a line on its input; at the end one line of JSON tells what it saw.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { createInterface } from "node:readline";

const [modules, address, folder, node] = process.argv.slice(2);
const require = createRequire(`${modules}/`);
const { chromium } = require("playwright-core");
const axe = readFileSync(require.resolve("axe-core/axe.min.js"), "utf8");
const input = createInterface({ input: process.stdin })[Symbol.asyncIterator]();

const browser = await chromium.launch({
  executablePath: "/usr/bin/chromium",
  args: [
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
  ],
});
const seen = { console: [], foreign: [], axe: {}, widths: {} };
const page = await browser.newPage({ viewport: { width: 390, height: 844 } });
page.setDefaultTimeout(60_000);
let quiet = false; // while the daemon is down the browser itself complains
const line = /^(WebSocket connection to|Failed to load resource: net::ERR_)/; // is tried again
page.on("console", (said) => quiet || line.test(said.text()) || seen.console.push(said.text()));
page.on("pageerror", (error) => seen.console.push(error.stack));
page.on("request", (request) => {
  if (new URL(request.url()).host !== new URL(address).host) seen.foreign.push(request.url());
});

async function look(name) {
  await page.evaluate(axe);
  const found = await page.evaluate(() => globalThis.axe.run());
  seen.axe[name] = found.violations.map((one) => `${one.id}: ${one.nodes[0].target}`);
  for (const [scheme, width] of [["light", 1280], ["dark", 390], ["light", 320]]) {
    await page.emulateMedia({ colorScheme: scheme });
    await page.setViewportSize({ width, height: 844 });
    await page.screenshot({ path: `${folder}/${name}-${width}-${scheme}.png`, fullPage: true });
  }
  seen.widths[name] = await page.evaluate(() => document.documentElement.scrollWidth);
}

// Begin: the task is registered through the wizard's own origin.
await page.goto(address);
await page.locator("#begin input").fill(node);
await page.getByRole("button", { name: "Begin" }).press("Enter");

// Strategy: one choice is preselected, none is made before Continue; by keyboard alone.
await page.locator("kaspad-strategy input:checked").waitFor();
await look("strategy");
await page.locator("kaspad-strategy input:checked").focus();
seen.preselected = await page.locator("kaspad-strategy input:checked").inputValue();
assert.equal(await page.locator("#strategy").isVisible(), true);
while ((await page.locator("kaspad-strategy input:checked").inputValue()) !== "wait") {
  await page.keyboard.press("ArrowDown");
}
await page.keyboard.press("Tab");
await page.keyboard.press("Enter");

// Syncing: pause and resume watching, without losing the focus.
const card = page.locator("#syncing kaspad-task");
await card.getByRole("progressbar").waitFor();
await card.getByRole("button", { name: "Pause watching" }).focus();
await page.keyboard.press("Enter");
await card.getByText("Paused", { exact: true }).waitFor();
await card.getByText("The node itself keeps running").waitFor();
await look("paused");
const resume = card.getByRole("button", { name: "Resume watching" });
assert.equal(await resume.evaluate((button) => button.getRootNode().activeElement === button), true);
await page.keyboard.press("Enter");
await card.getByText("Syncing", { exact: true }).waitFor();
await look("syncing");

// A reload: the installation was in progress, Resume has the focus.
await page.reload();
const resuming = page.locator("kaspad-resume");
await resuming.getByRole("button", { name: "Resume" }).waitFor();
await resuming.getByText("Also stop watching 1 task").waitFor();
seen.focused = await page.evaluate(() => document.querySelector("kaspad-resume").root.activeElement.textContent);
await look("resume");
await page.keyboard.press("Enter");
await card.getByRole("progressbar").waitFor();

// The daemon is killed and comes back: it is said, and no event is lost or told twice.
await page.evaluate(() => {
  const { client } = document.querySelector("kaspad-task");
  globalThis.heard = [];
  globalThis.states = [];
  client.on("event", ({ seq, event }) => event === "sync:progress" || globalThis.heard.push(seq));
  client.on("connection", ({ state }) => globalThis.states.push(state));
  globalThis.from = client.seq;
});
quiet = true;
console.log("kill");
await page.locator("#syncing kaspad-task").getByText("Not connected to kaspad-taskd").waitFor();
await look("lost");
console.log("start");
await input.next();
await card.getByText("Not connected to kaspad-taskd").waitFor({ state: "hidden" });
quiet = false;

// Ready, and in sync from then on: Next opens, and the node is announced once.
await page.locator("#next:enabled").waitFor({ timeout: 120_000 });
await page.locator("#next").press("Enter"); // (a mouse misses what moves while it is pressed)
await page.locator("#ready", { hasText: "kaspa-node is ready" }).waitFor();
await page.locator("kaspad-tasks").getByText("In sync", { exact: true }).waitFor();
await look("ready");
Object.assign(seen, await page.evaluate(async () => {
  const { client } = document.querySelector("kaspad-task");
  const { events } = await client.events({ after: globalThis.from });
  const decisions = await client.decisions();
  const { heard, states } = globalThis;
  while (heard.at(-1) < events.at(-1).seq) await new Promise((more) => client.on("event", more));
  return { heard, states, told: events.map((one) => one.seq), decisions };
}));

// A stranger's text stays text; to stop watching is asked for first, the safe answer in focus.
await page.evaluate(async () => {
  const { client } = document.querySelector("kaspad-task");
  const { taskId } = await client.register({ type: "report", service: "stranger" });
  for (const [id, error] of [["card", "<img src=x onerror=alert(1)><b>\u202eevil"], ["dialog", null]]) {
    const card = document.createElement("kaspad-task");
    Object.assign(card, { client, id });
    for (const [key, value] of [["service", id === "card" ? "stranger" : "work"], ["actions", "all"]]) card.setAttribute(key, value);
    document.querySelector("#services").append(card);
    if (error) await client.call("reportTask", { taskId, error });
    else await client.register({ type: "report", service: "work" });
  }
});
for (let n = 0; n < 2; n += 1) {
  await page.evaluate(() => document.querySelector("#card").client
    .call("reportTask", { taskId: "report-stranger", error: "<img src=x onerror=alert(1)><b>\u202eevil" }).catch(() => null));
}
await page.locator("#card").getByText("<img src=x onerror=alert(1)><b>").waitFor();
seen.made = await page.evaluate(() => document.querySelector("#card").root.querySelectorAll("img, b, script").length);
const stop = page.locator("#dialog").getByRole("button", { name: "Stop watching..." });
await stop.focus();
await page.keyboard.press("Enter");
const keep = page.locator("#dialog").getByRole("button", { name: "Keep watching" });
await keep.waitFor();
seen.safe = await keep.evaluate((button) => button.getRootNode().activeElement === button);
await look("stop");
await page.keyboard.press("Escape");
seen.returned = await stop.evaluate((button) => button.getRootNode().activeElement === button);
await page.keyboard.press("Enter");
await page.locator("#dialog dialog").getByRole("button", { name: "Stop watching", exact: true }).press("Enter");
await page.locator("#dialog").getByText("Watching was stopped at").waitFor();
await look("stopped");
await browser.close();
console.log(JSON.stringify(seen));
process.exit(0);
