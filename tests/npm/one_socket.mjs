// The wizard with one socket in a real browser: node one_socket.mjs MODULES CHROMIUM PAGE PORT-OF-NODE.
// Says what is to be done to the others ("down", "up", "kill", "wizard", "finish"), goes on at a line on
// its input, and tells at the end what it saw, in one line of JSON.
import { createRequire } from "node:module";
import { createInterface } from "node:readline";

const [modules, executablePath, address, port] = process.argv.slice(2);
const { chromium } = createRequire(`${modules}/`)("playwright-core");
const input = createInterface({ input: process.stdin })[Symbol.asyncIterator]();
const args = ["--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking"];
const browser = await chromium.launch({ executablePath, args });
const page = await browser.newPage();
page.setDefaultTimeout(90_000);
const said = [];
const gone = /^(WebSocket connection to|Failed to load resource: net::ERR_|Failed to load resource: the server responded)/;
page.on("console", (message) => gone.test(message.text()) || said.push(message.text()));
page.on("pageerror", (error) => said.push(error.stack));

async function ask(what) {
  console.log(what);
  await input.next();
}

const line = page.locator("#node-sync-kaspa-node");
const moved = async () => {
  await page.evaluate(() => (window.mark = heard.length));
  await page.waitForFunction(() => heard.slice(window.mark).some(([name]) => name === "sync:progress"));
};

await page.goto(address);
await page.evaluate(() => {
  window.heard = [];
  socket.onAny((name, data) => heard.push([name, data]));
});
await page.locator("[name=port]").fill(port);
await page.getByRole("button", { name: "Install" }).click();
await page.locator("#installed", { hasText: "Installed" }).waitFor();
await page.locator("#dialog input:checked").waitFor();
const dialog = await page.locator("#dialog").innerText();
await page.getByRole("button", { name: "Continue" }).click();
await line.filter({ hasText: "⚙" }).filter({ hasText: " %" }).waitFor();

await page.getByRole("button", { name: "Pause" }).click();
await page.waitForFunction(() => tasks.get("node-sync-kaspa-node").status === "paused");
await page.getByRole("button", { name: "Resume" }).click();
await page.waitForFunction(() => tasks.get("node-sync-kaspa-node").status === "in-progress");

await ask("down");
await line.filter({ hasText: "✗" }).waitFor();
const trouble = await line.locator("i").innerText();
await ask("up");
await line.filter({ hasText: "⚙" }).waitFor();
await moved();

await ask("kill");
await moved();

await ask("wizard");
await page.waitForFunction(() => socket.connected);
await moved();
await page.getByRole("button", { name: "Install" }).click(); // resumed: it registers as at first
await page.waitForFunction(() => heard.filter(([name]) => name === "task:registered").length === 2);

await ask("finish");
await line.filter({ hasText: "✓" }).waitFor();
await page.locator("#ready", { hasText: "kaspa-node is ready" }).waitFor();
const seen = await page.evaluate(() => ({
  names: heard.map(([name]) => name),
  help: document.getElementById("help").innerHTML,
  text: document.body.innerText,
  again: heard.filter(([name]) => name === "task:registered").at(-1)[1].task.status,
}));
await browser.close();
console.log(JSON.stringify({ ...seen, dialog, trouble, said }));
