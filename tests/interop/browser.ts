/**
 * A real browser (Debian's Chromium, driven by npm `playwright-core`) that does what it is told on one page. A program of its
 * own: it prints one line of JSON, {@link BrowserResult}, and ends with exit code 1 when a step failed.
 *
 * Its first argument is JSON, or `-` to read it from stdin: {@link BrowserSettings}. A second argument is a URL that is
 * opened before the first step, so that the program can stand in for a person's browser (`--browser`).
 *
 *     { "steps": [
 *       { "goto": "http://localhost:8400/" },
 *       { "fill": { "label": "Email" }, "value": "ada@contoso.example" },
 *       { "click": { "role": "button", "name": "Sign in" } },
 *       { "waitForURL": "http://localhost:8400/callback" },
 *       { "waitForText": "Signed in" },
 *       { "evaluate": "document.cookie" },
 *       { "screenshot": "screenshots/success.png" }
 *     ] }
 *
 * A target is a CSS selector, `{ "text" }`, `{ "label" }` or `{ "role", "name" }`; `waitForURL` takes the beginning of a URL.
 * No host is reached but loopback and those that `hosts` names.
 */

import process from "node:process";
import { chromium, type Locator, type Page } from "playwright-core";
import type { BrowserResult, BrowserSettings, BrowserStep, BrowserTarget } from "./program.ts";

const [argument = "-", firstUrl] = process.argv.slice(2);
const settings: BrowserSettings = JSON.parse(
  argument === "-" ? await new Response(Deno.stdin.readable).text() : argument,
);
const result = await browse(settings);
process.stdout.write(`${JSON.stringify(result)}\n`);
process.exitCode = result.error === undefined ? 0 : 1;

async function browse(
  {
    steps,
    hosts = {},
    colorScheme = "light",
    ignoreHTTPSErrors = false,
    timeout = 20_000,
  }: BrowserSettings,
): Promise<BrowserResult> {
  const mapped = Object.entries(hosts).map(([name, address]) => `MAP ${name} ${address}`);
  const local = ["localhost", "127.0.0.1", "[::1]"].map((name) => `EXCLUDE ${name}`);
  const browser = await chromium.launch({
    executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
    timeout,
    args: [
      "--headless",
      "--no-sandbox",
      "--disable-gpu",
      "--disable-quic",
      "--no-first-run",
      "--disable-background-networking",
      "--disable-component-update",
      "--disable-sync",
      `--host-resolver-rules=${[...mapped, "MAP * ~NOTFOUND", ...local].join(", ")}`,
    ],
  });
  try {
    const page = await browser.newPage({
      colorScheme,
      ignoreHTTPSErrors,
      viewport: { width: 800, height: 600 },
    });
    page.setDefaultTimeout(timeout);
    const messages: string[] = [];
    page.on("console", (message) => messages.push(`${message.type()}: ${message.text()}`));
    page.on("pageerror", (error) => messages.push(`pageerror: ${error.message}`));
    const values: unknown[] = [];
    let error: string | undefined;
    const opening: BrowserStep[] = firstUrl === undefined ? [] : [{ goto: firstUrl }];
    for (const step of [...opening, ...steps]) {
      try {
        const value = await take(step, page);
        if ("evaluate" in step) values.push(value);
      } catch (cause) {
        error = `${JSON.stringify(step)}: ${cause instanceof Error ? cause.message : cause}`;
        break;
      }
    }
    return {
      title: await page.title(),
      url: page.url(),
      text: await page.locator("body").innerText({ timeout: 1_000 }).catch(() => ""),
      values,
      messages,
      policyViolations: messages.filter((text) => /Content Security Policy/i.test(text)),
      ...(error === undefined ? {} : { error }),
    };
  } finally {
    await browser.close();
  }
}

async function take(step: BrowserStep, page: Page): Promise<unknown> {
  if ("goto" in step) return await page.goto(step.goto);
  if ("fill" in step) return await find(step.fill, page).fill(step.value);
  if ("click" in step) return await find(step.click, page).click();
  if ("waitForURL" in step) {
    return await page.waitForURL(({ href }) => href.startsWith(step.waitForURL));
  }
  if ("waitForText" in step) return await page.getByText(step.waitForText).first().waitFor();
  if ("evaluate" in step) return await page.evaluate(step.evaluate);
  if ("screenshot" in step) return await page.screenshot({ path: step.screenshot, fullPage: true });
  throw new Error("Unknown step");
}

function find(target: BrowserTarget, page: Page): Locator {
  if (typeof target === "string") return page.locator(target);
  if ("text" in target) return page.getByText(target.text);
  if ("label" in target) return page.getByLabel(target.label);
  return page.getByRole(
    target.role as Parameters<Page["getByRole"]>[0],
    target.name === undefined ? {} : { name: target.name },
  );
}
