/** The real machine: Deno's clock, environment, streams, signals and HTTP client. */

import { unlessAborted } from "./abortable.ts";
import { EntraToolError, exitCodes } from "./errors.ts";
import type { Deadline, Host, HttpRequest, InputStream, OutputStream } from "./host.ts";
import { lazily } from "./lazy_module.ts";
import { isLoopback } from "./loopback.ts";

const stdout: OutputStream = {
  write(text) {
    try {
      writeWhole(Deno.stdout, text);
    } catch (cause) {
      // as with `| head`: the reader has gone away, and nobody is there to complain to
      if (cause instanceof Deno.errors.BrokenPipe) return;
      throw new EntraToolError(
        "storage",
        "stdout_not_written",
        "Standard output can not be written",
        { hint: "Look where it leads: a full disk, or a file that may not be written", cause },
      );
    }
  },
  isTerminal: () => Deno.stdout.isTerminal(),
};

const stderr: OutputStream = {
  write(text) {
    try {
      writeWhole(Deno.stderr, text);
    } catch {
      // there is no other place to say so, and it must not change how the command ends
    }
  },
  isTerminal: () => Deno.stderr.isTerminal(),
};

function writeWhole(stream: typeof Deno.stdout | typeof Deno.stderr, text: string): void {
  const bytes = new TextEncoder().encode(text);
  for (let written = 0; written < bytes.length;) {
    written += stream.writeSync(bytes.subarray(written));
  }
}

const stdin: InputStream = {
  async readAll(maxBytes, signal) {
    const chunks: Uint8Array<ArrayBuffer>[] = [];
    let size = 0;
    const reader = Deno.stdin.readable.getReader();
    for (;;) {
      const { value, done } = await unlessAborted(reader.read(), signal);
      if (done) return new Uint8Array(await new Blob(chunks).arrayBuffer());
      size += value.length;
      if (size > maxBytes) {
        throw new EntraToolError(
          "usage",
          "stdin_too_large",
          `Standard input holds more than ${maxBytes} bytes`,
        );
      }
      chunks.push(value);
    }
  },
  readLine,
  async readSecret(prompt) {
    const { readSecret } = await lazily<typeof import("./host_terminal.ts")>(
      import.meta.resolve("./host_terminal.ts"),
    );
    return await readSecret(prompt);
  },
  isTerminal: () => Deno.stdin.isTerminal(),
};

let lines: AsyncIterator<string> | undefined;

/** A read that is given up stays pending, so the lines are read by one reader that outlives it. */
async function readLine(signal: AbortSignal): Promise<string | undefined> {
  lines ??= stdinLines();
  signal.throwIfAborted();
  const { value, done } = await unlessAborted(lines.next(), signal);
  return done ? undefined : value;
}

/** An address of a redirect is the longest line that is ever read. */
const longestLine = 64 * 1024;

async function* stdinLines(): AsyncGenerator<string> {
  let rest = "";
  for await (const text of Deno.stdin.readable.pipeThrough(new TextDecoderStream())) {
    const parts = (rest + text).split(/\r?\n/);
    rest = parts.pop() ?? "";
    yield* parts;
    if (rest.length > longestLine) return;
  }
  if (rest !== "") yield rest;
}

/** A signal that fires when the time is over or the person presses Ctrl-C. */
function deadline(timeoutMs: number): Deadline {
  const controller = new AbortController();
  const at = Date.now() + timeoutMs;
  // not setTimeout, whose first use in a process costs 4 ms
  AbortSignal.timeout(Math.ceil(timeoutMs)).addEventListener("abort", () => {
    const seconds = Math.round(timeoutMs / 100) / 10;
    controller.abort(
      new EntraToolError(
        "network",
        "timeout",
        `No result within ${seconds} second${seconds === 1 ? "" : "s"}`,
        {
          hint: "Allow more time with --timeout 2m, or look at each step with --verbose",
        },
      ),
    );
  });
  Deno.addSignalListener("SIGINT", () => {
    // who asks twice meets something that does not listen to the signal
    if (controller.signal.reason?.failure === "cancelled") Deno.exit(exitCodes.cancelled);
    controller.abort(new EntraToolError("cancelled", "cancelled", "Cancelled"));
  });
  return { at, signal: controller.signal };
}

function sleep(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal.aborted) return reject(signal.reason);
    const stop = () => {
      clearTimeout(timer);
      reject(signal.reason);
    };
    const timer = setTimeout(() => {
      signal.removeEventListener("abort", stop);
      resolve();
    }, ms);
    signal.addEventListener("abort", stop, { once: true });
  });
}

function untilInterrupted(): Promise<void> {
  return new Promise((resolve) => {
    Deno.addSignalListener("SIGINT", resolve);
    if (Deno.build.os !== "windows") Deno.addSignalListener("SIGTERM", resolve);
  });
}

async function send(request: HttpRequest): Promise<Response> {
  const url = new URL(request.url);
  if (isLoopback(url.hostname)) keepOffProxy(url.hostname);
  try {
    return await fetchOnce(request, httpClient(request.caCertificates));
  } catch (error) {
    if (request.signal.aborted || error instanceof EntraToolError) throw error;
    return await afterFailure(error, request, url);
  }
}

/** Tries again with the system's own certificates where those may help. @throws ConnectionError; else what was thrown */
async function afterFailure(error: unknown, request: HttpRequest, url: URL): Promise<Response> {
  const { classify, systemCertificates, withIssuer } = await lazily<
    typeof import("./host_diagnosis.ts")
  >(import.meta.resolve("./host_diagnosis.ts"));
  const failure = classify(error, url);
  if (failure?.reason !== "tls_untrusted") throw failure ?? error;
  // Deno knows Mozilla's roots; an organization's own is in the store of the operating system
  const isUnknownIssuer = /UnknownIssuer|CaUsedAsEndEntity/.test(failure.message);
  const system = isUnknownIssuer ? await systemCertificates() : [];
  if (system.length === 0) throw await withIssuer(failure, url, request.signal);
  try {
    return await fetchOnce(request, httpClient([...request.caCertificates, ...system]));
  } catch (second) {
    const again = classify(second, url);
    if (again?.reason !== "tls_untrusted") throw again ?? second;
    throw await withIssuer(again, url, request.signal);
  }
}

/** @throws EntraToolError usage when one of the certificates can't be read */
function httpClient(caCertificates: readonly string[]): Deno.HttpClient | undefined {
  if (caCertificates.length === 0) return undefined;
  try {
    return Deno.createHttpClient({ caCerts: [...caCertificates] });
  } catch (cause) {
    throw new EntraToolError("usage", "ca_file_invalid", "The CA file holds a broken certificate", {
      hint: "Look at each one in it: openssl x509 -noout -text -in FILE",
      cause,
    });
  }
}

async function fetchOnce(
  request: HttpRequest,
  client: Deno.HttpClient | undefined,
): Promise<Response> {
  const init: RequestInit & { client?: Deno.HttpClient } = {
    method: request.method,
    headers: request.headers,
    redirect: "manual",
    signal: request.signal,
    ...(request.body === undefined ? {} : { body: request.body }),
    ...(client === undefined ? {} : { client }),
  };
  try {
    return await fetch(request.url, init);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotCapable)) throw error;
    const { host } = new URL(request.url);
    throw new EntraToolError(
      "usage",
      "net_not_allowed",
      `Deno was not allowed to connect to ${host}`,
      { hint: `Add it to the permissions: --allow-net=${host}`, cause: error },
    );
  }
}

const proxyVariables = [
  "HTTP_PROXY",
  "http_proxy",
  "HTTPS_PROXY",
  "https_proxy",
  "ALL_PROXY",
  "all_proxy",
];

/** This machine is never reached through a proxy, whatever HTTP_PROXY says: what is sent to it may be in the clear. */
function keepOffProxy(hostname: string): void {
  if (!proxyVariables.some((name) => Deno.env.has(name))) return;
  const own = hostname.replace(/^\[|\]$/g, "");
  const exceptions = Deno.env.get("NO_PROXY") ?? Deno.env.get("no_proxy");
  Deno.env.set("NO_PROXY", [exceptions, own].filter(Boolean).join(","));
}

export const denoHost: Host = {
  env: (name) => Deno.env.get(name),
  os: Deno.build.os === "windows" ? "windows" : Deno.build.os === "darwin" ? "macos" : "linux",
  now: () => Date.now(),
  sleep,
  random: () => Math.random(),
  fetch: send,
  deadline,
  openBrowser: async (url, command) =>
    (await lazily<typeof import("./host_browser.ts")>(import.meta.resolve("./host_browser.ts")))
      .openBrowser(url, command, denoHost),
  untilInterrupted,
  stdin,
  stdout,
  stderr,
};
