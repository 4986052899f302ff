/** Starts the programs of this folder: counterparts that nobody here wrote, each with dependencies of its own. */

export interface Program extends AsyncDisposable {
  /** What it printed first. */
  readonly firstLine: string;
}

const folder = new URL(".", import.meta.url);

/** What these programs may do: they stay on this machine. */
export const programFlags: readonly string[] = [
  "run",
  "--quiet",
  "--no-prompt",
  "--config",
  new URL("deno.json", folder).pathname,
  "--allow-net=localhost,127.0.0.1,[::1]",
  "--allow-env",
  "--allow-sys",
  "--allow-read",
];

/** Starts a server and waits for its first line; it is killed at the end of the scope. */
export async function startProgram(name: string, settings: unknown): Promise<Program> {
  const child = new Deno.Command(Deno.execPath(), {
    args: [...programFlags, new URL(name, folder).pathname, JSON.stringify(settings)],
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const errors = new Response(child.stderr).text();
  const reader = child.stdout.pipeThrough(new TextDecoderStream()).getReader();
  let text = "";
  while (!text.includes("\n")) {
    const { value, done } = await reader.read();
    if (done) throw new Error(`${name} ended early: ${await errors}`);
    text += value;
  }
  return {
    firstLine: text.slice(0, text.indexOf("\n")),
    async [Symbol.asyncDispose]() {
      child.kill("SIGKILL");
      await child.status;
      await reader.cancel();
      await errors;
    },
  };
}

/** Where on a page: a CSS selector, or as a person finds it. */
export type BrowserTarget =
  | string
  | { readonly text: string }
  | { readonly label: string }
  | { readonly role: string; readonly name?: string };

/** One thing to do; see browser.ts. */
export type BrowserStep =
  | { readonly goto: string }
  | { readonly fill: BrowserTarget; readonly value: string }
  | { readonly click: BrowserTarget }
  | { readonly waitForURL: string }
  | { readonly waitForText: string }
  | { readonly evaluate: string }
  | { readonly screenshot: string };

export interface BrowserSettings {
  readonly steps: readonly BrowserStep[];
  /** Names beside loopback's that lead somewhere: `{ "evil.example": "127.0.0.1" }`. */
  readonly hosts?: Readonly<Record<string, string>>;
  readonly colorScheme?: "light" | "dark";
  readonly ignoreHTTPSErrors?: boolean;
  /** Milliseconds for each step. */
  readonly timeout?: number;
}

/** What is on the page after the last step. */
export interface BrowserResult {
  readonly title: string;
  readonly url: string;
  readonly text: string;
  /** What the `evaluate` steps gave. */
  readonly values: readonly unknown[];
  /** What the browser wrote to its console, with the kind in front. */
  readonly messages: readonly string[];
  /** Those of them that tell of a Content Security Policy. */
  readonly policyViolations: readonly string[];
  /** Which step failed, and why; the steps behind it were not taken. */
  readonly error?: string;
}

const chromium = Deno.env.get("CHROMIUM") ?? "/usr/bin/chromium";

/** Tests that need the browser are ignored without it; CI counts ignored tests as failed. */
export const chromiumIsMissing: boolean = !isFile(chromium);

/** Arguments for `deno` that run browser.ts; its settings and a URL follow. Playwright reads in /proc, for which Deno wants all. */
export const browserArguments: readonly string[] = [
  "run",
  "--quiet",
  "--allow-all",
  "--config",
  new URL("deno.json", folder).pathname,
  new URL("browser.ts", folder).pathname,
];

/** Lets a browser take the steps. @throws Error when one of them fails */
export async function browse(settings: BrowserSettings): Promise<BrowserResult> {
  const { stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: [...browserArguments, JSON.stringify(settings)],
    stdin: "null",
  }).output();
  const text = new TextDecoder().decode(stdout);
  if (text === "") throw new Error(`browser.ts failed: ${new TextDecoder().decode(stderr)}`);
  const result: BrowserResult = JSON.parse(text);
  if (result.error !== undefined) {
    throw new Error(`${result.error}\n${JSON.stringify({ ...result, error: undefined })}`);
  }
  return result;
}

function isFile(path: string): boolean {
  try {
    return Deno.statSync(path).isFile;
  } catch {
    return false;
  }
}
