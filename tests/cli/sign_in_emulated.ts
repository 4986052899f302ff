/** An emulator whose users sign in by themselves, and a machine with a browser to do it with, for the length of one test. */

import { runApp } from "../../src/app.ts";
import {
  type Emulator,
  type EmulatorOptions,
  exampleDirectory,
  parseDirectory,
  startEmulator,
} from "../../src/emulator/emulator.ts";
import type { HttpRequest } from "../../src/host.ts";
import { denoHost } from "../../src/host_deno.ts";
import { FakeHost, type FakeHostOptions } from "../fakes/fake_host.ts";
import type { Result } from "./run_cli.ts";

export const tenantId = "c0ffee00-0000-4000-8000-000000000001";
/** Apps of the example directory. */
export const desktopApp = "c0ffee00-0000-4000-8000-0000000000c1";
export const webApp = "c0ffee00-0000-4000-8000-0000000000c2";
export const webSecret = "web-shop-secret";
export const ada = "ada@contoso.onmicrosoft.com";
export const grace = "grace@contoso.onmicrosoft.com";

export interface SignInTest extends AsyncDisposable {
  readonly emulator: Emulator;
  readonly home: string;
  /** The tenant, the desktop app, the authority, the folder, and a key for the vault. */
  readonly env: Readonly<Record<string, string>>;
  /** Runs the program with a person at it, whose browser signs in by itself. */
  run(argv: readonly string[], options?: RunOptions): Promise<Outcome>;
  /** The same with nobody there. */
  runAlone(argv: readonly string[], options?: RunOptions): Promise<Outcome>;
}

export interface RunOptions extends Omit<FakeHostOptions, "env"> {
  /** Beside the test's own; undefined takes a variable away. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** False for a machine where no browser can be started. */
  readonly hasBrowser?: boolean;
  /** Is given the machine before the program runs on it. */
  readonly prepare?: (host: FakeHost) => void;
}

export interface Outcome extends Result {
  readonly host: FakeHost;
  /** The parameters of the authorize request that a browser was sent with. */
  readonly authorize: Readonly<Record<string, string>>;
  /** The forms that the program posted, in order; `path` is their endpoint. */
  readonly forms: readonly Readonly<Record<string, string>>[];
  /** The page that the browser ended on. */
  readonly page: string;
}

/**
 * Starts an emulator.
 *
 * @param config added to the example directory; Ada approves everything unless it says otherwise
 */
export async function signInTest(
  config: Readonly<Record<string, unknown>> = {},
  options: EmulatorOptions = {},
): Promise<SignInTest> {
  const directory = parseDirectory(
    JSON.stringify({
      ...JSON.parse(exampleDirectory()),
      signIn: { autoApprove: ada },
      ...config,
    }),
    "test",
  );
  // the emulator's clock is that of the machine that runs the program
  let clock: () => number = Date.now;
  const emulator = await startEmulator({ now: () => clock(), ...options, directory });
  const home = await Deno.makeTempDir({ prefix: "entratool-sign-in-" });
  const env = {
    ENTRATOOL_HOME: home,
    ENTRATOOL_VAULT_KEY: crypto.getRandomValues(new Uint8Array(32)).toBase64(),
    AZURE_AUTHORITY_HOST: emulator.origin,
    AZURE_TENANT_ID: tenantId,
    AZURE_CLIENT_ID: desktopApp,
  };
  const run = async (argv: readonly string[], given: RunOptions = {}): Promise<Outcome> => {
    const { hasBrowser = true, prepare, env: changes, ...rest } = given;
    const forms: Record<string, string>[] = [];
    let page = "";
    let visiting: Promise<void> = Promise.resolve();
    using host = new FakeHost({
      terminals: ["stderr"],
      fetch: (request: HttpRequest) => {
        const path = new URL(request.url).pathname.split("/").at(-1) ?? "";
        forms.push({ path, ...Object.fromEntries(new URLSearchParams(request.body)) });
        return denoHost.fetch(request);
      },
      ...(hasBrowser
        ? {
          browser: (url: string) => {
            visiting = visit(url).then((text) => void (page = text));
            return visiting;
          },
        }
        : {}),
      ...rest,
      env: definedOnly({ ...env, ...changes }),
    });
    clock = () => host.now();
    prepare?.(host);
    const code = await runApp(argv, host);
    await visiting.catch(() => {});
    const shown = authorizeUrl(host.stderrText);
    return {
      code,
      stdout: host.stdoutText,
      stderr: host.stderrText,
      host,
      authorize: Object.fromEntries(shown?.searchParams ?? []),
      forms,
      page,
    };
  };
  return {
    emulator,
    home,
    env,
    run,
    runAlone: (argv, given) => run(argv, { terminals: [], ...given }),
    async [Symbol.asyncDispose]() {
      await emulator.close();
      await Deno.remove(home, { recursive: true });
    },
  };
}

/** The address that the program shows. */
export function authorizeUrl(stderr: string): URL | undefined {
  const [shown] = /http\S+\/authorize\?\S+/.exec(stderr) ?? [];
  return shown === undefined ? undefined : new URL(shown);
}

/** Does what a browser does: goes there, posts the form that comes back, and returns the last page. */
export async function visit(url: string | URL): Promise<string> {
  const answer = await fetch(url);
  const text = await answer.text();
  const [, action] = /<form method="post" action="([^"]+)"/.exec(text) ?? [];
  if (action === undefined) return text;
  const fields = [...text.matchAll(/<input type="hidden" name="([^"]*)" value="([^"]*)"/g)]
    .map(([, name = "", value = ""]) => [name, unescapeHtml(value)]);
  const posted = await fetch(unescapeHtml(action), {
    method: "POST",
    body: new URLSearchParams(fields),
    redirect: "manual",
  });
  return await posted.text();
}

/** The address that a browser ends on when nothing listens there. */
export async function redirectOf(url: string | URL): Promise<string> {
  const answer = await fetch(url, { redirect: "manual" });
  await answer.body?.cancel();
  const location = answer.headers.get("location");
  if (location === null) throw new Error(`no redirect, but ${answer.status}`);
  return location;
}

function unescapeHtml(text: string): string {
  const entities: Record<string, string> = { amp: "&", lt: "<", gt: ">", quot: '"', "#39": "'" };
  return text.replaceAll(/&(amp|lt|gt|quot|#39);/g, (_, name) => entities[name] ?? "");
}

function definedOnly(
  values: Readonly<Record<string, string | undefined>>,
): Record<string, string> {
  return Object.fromEntries(
    Object.entries(values).filter((pair): pair is [string, string] => pair[1] !== undefined),
  );
}

/** A JWT that says this, with a signature that nobody looks at. */
export function unsignedJwt(claims: Readonly<Record<string, unknown>>): string {
  const part = (value: unknown) =>
    new TextEncoder().encode(JSON.stringify(value)).toBase64({
      alphabet: "base64url",
      omitPadding: true,
    });
  return `${part({ alg: "RS256", typ: "JWT" })}.${part(claims)}.${part("signature")}`;
}
