// Logs in at a locked page in each way that a browser has: node login.mjs MODULES CHROMIUM URL TOKEN.
// Says one line of JSON: for each way what it saw.
import { createRequire } from "node:module";

const [modules, executablePath, url, token] = process.argv.slice(2);
const { chromium } = createRequire(`${modules}/`)("playwright-core");
const args = ["--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking"];
const browser = await chromium.launch({ executablePath, args });

/** What the page shows after a token was given on it; a wrong one first. */
async function logIn({ scripts, path }) {
  const context = await browser.newContext({ javaScriptEnabled: scripts });
  const page = await context.newPage();
  page.setDefaultTimeout(60_000);
  const sent = [];
  page.on("request", async (request) => {
    if (request.method() === "POST" && request.url().endsWith("/session")) sent.push((await request.allHeaders()).origin);
  });
  await page.goto(url + path);
  const wrong = await give(page, "wrong", () => page.locator("#token-fault", { hasText: "not right" }).waitFor());
  const right = await give(page, token, () => page.locator("h1", { hasNotText: "access token" }).and(page.locator(".verdict h1")).waitFor());
  const cookies = (await context.cookies()).map(({ httpOnly, sameSite }) => ({ httpOnly, sameSite }));
  const form = await page.locator("#token-form").isVisible();
  await context.close();
  return { wrong, right, sent: [...new Set(sent)], cookies, form };
}

async function give(page, text, seen) {
  await page.locator("#token").fill(text);
  await page.locator("#token-form button").click();
  try {
    await seen();
    return "seen";
  } catch {
    return (await page.locator("body").innerText()).slice(0, 300);
  }
}

const seen = {};
for (const scripts of [false, true]) seen[scripts ? "scripts" : "form"] = await logIn({ scripts, path: "" });
await browser.close();
console.log(JSON.stringify(seen));
