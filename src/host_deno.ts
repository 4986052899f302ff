/** The real machine: Deno's clock, environment, streams, signals and HTTP client. */

import { EntraToolError } from "./errors.ts";
import {
  ConnectionError,
  type Deadline,
  type Host,
  type HttpRequest,
  type InputStream,
  type OutputStream,
} from "./host.ts";

function outputStream(stream: typeof Deno.stdout | typeof Deno.stderr): OutputStream {
  const encoder = new TextEncoder();
  return {
    write(text) {
      const bytes = encoder.encode(text);
      for (let written = 0; written < bytes.length;) {
        written += stream.writeSync(bytes.subarray(written));
      }
    },
    isTerminal: () => stream.isTerminal(),
  };
}

const stdin: InputStream = {
  async readAll(maxBytes) {
    const chunks: Uint8Array[] = [];
    let size = 0;
    for await (const chunk of Deno.stdin.readable) {
      size += chunk.length;
      if (size > maxBytes) {
        throw new EntraToolError(
          "usage",
          "stdin_too_large",
          `Standard input holds more than ${maxBytes} bytes`,
        );
      }
      chunks.push(chunk);
    }
    const all = new Uint8Array(size);
    let offset = 0;
    for (const chunk of chunks) {
      all.set(chunk, offset);
      offset += chunk.length;
    }
    return all;
  },
  readLine,
  isTerminal: () => Deno.stdin.isTerminal(),
};

let lines: AsyncIterator<string> | undefined;

/** A read that is given up stays pending, so the lines are read by one reader that outlives it. */
async function readLine(signal: AbortSignal): Promise<string | undefined> {
  lines ??= stdinLines();
  signal.throwIfAborted();
  const aborted = Promise.withResolvers<never>();
  const stop = () => aborted.reject(signal.reason);
  signal.addEventListener("abort", stop, { once: true });
  try {
    const { value, done } = await Promise.race([lines.next(), aborted.promise]);
    return done ? undefined : value;
  } finally {
    signal.removeEventListener("abort", stop);
  }
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
  const timer = setTimeout(() => {
    const seconds = Math.round(timeoutMs / 100) / 10;
    controller.abort(
      new EntraToolError("network", "timeout", `No result within ${seconds} seconds`, {
        hint: "Allow more time with --timeout 2m, or look at each step with --verbose",
      }),
    );
  }, timeoutMs);
  Deno.unrefTimer(timer);
  Deno.addSignalListener("SIGINT", () => {
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

/** What Deno puts into the message when the connection itself failed: the request was never sent. */
const connectFailure = "client error (Connect)";

async function send(request: HttpRequest): Promise<Response> {
  const { hostname, port } = new URL(request.url);
  if (isLoopbackName(hostname)) keepOffProxy();
  try {
    return await fetchOnce(request, request.caCertificates);
  } catch (error) {
    const failure = classify(error);
    if (failure?.reason !== "tls_untrusted") throw failure ?? error;
    // Deno knows Mozilla's roots; an organization's own is in the store of the operating system
    try {
      return await fetchOnce(request, [...request.caCertificates, ...await systemCertificates()]);
    } catch (second) {
      const again = classify(second);
      if (again?.reason !== "tls_untrusted") throw again ?? second;
      throw new ConnectionError(
        again.reason,
        again.message,
        await issuerOf(hostname, Number(port || 443)),
      );
    }
  }
}

async function fetchOnce(
  request: HttpRequest,
  caCertificates: readonly string[],
): Promise<Response> {
  const client = caCertificates.length === 0
    ? undefined
    : Deno.createHttpClient({ caCerts: [...caCertificates] });
  const init: RequestInit & { client?: Deno.HttpClient } = {
    method: request.method,
    headers: request.headers,
    redirect: "manual",
    signal: request.signal,
    ...(request.body === undefined ? {} : { body: request.body }),
    ...(client === undefined ? {} : { client }),
  };
  return await fetch(request.url, init);
}

/** What kind of connection failure it was; undefined when the request may have reached the server. */
function classify(error: unknown): ConnectionError | undefined {
  if (!(error instanceof TypeError)) return undefined;
  const text = error.cause instanceof Error ? error.cause.message : error.message;
  if (!text.includes(connectFailure)) return undefined;
  const message = text.slice(text.indexOf(connectFailure) + connectFailure.length + 2);
  const reason = /UnknownIssuer|CaUsedAsEndEntity/.test(message)
    ? "tls_untrusted"
    : /certificate|tls|handshake|close_notify|InvalidContentType/i.test(message)
    ? "tls"
    : /dns error/i.test(message)
    ? "dns"
    : /tunnel|proxy/i.test(message)
    ? "proxy"
    : /refused/i.test(message)
    ? "refused"
    : "unreachable";
  return new ConnectionError(reason, message);
}

/** The operating system's trust store, or what `SSL_CERT_FILE` and `SSL_CERT_DIR` name in its place. */
async function systemCertificates(): Promise<readonly string[]> {
  const { getCACertificates } = await import("node:tls");
  return getCACertificates("system");
}

/** Who issued the certificate that the server (or whoever sits in between) shows; undefined when that can't be seen. */
async function issuerOf(hostname: string, port: number): Promise<string | undefined> {
  const { connect } = await import("node:tls");
  return await new Promise((resolve) => {
    const finish = (issuer: string | undefined) => {
      clearTimeout(timer);
      socket.destroy();
      resolve(issuer);
    };
    // nothing is sent over this connection: it only reads the certificate
    const socket = connect({
      host: hostname,
      port,
      servername: hostname,
      rejectUnauthorized: false,
    }, () => {
      const { issuer } = socket.getPeerCertificate();
      const name = [issuer?.CN, issuer?.O].filter((part) => part !== undefined).flat().join(", ");
      finish(name === "" ? undefined : name);
    });
    socket.on("error", () => finish(undefined));
    const timer = setTimeout(() => finish(undefined), 3000);
  });
}

function isLoopbackName(hostname: string): boolean {
  return hostname === "localhost" || hostname === "[::1]" || hostname.startsWith("127.");
}

/** This machine is never reached through a proxy, whatever HTTP_PROXY says. */
function keepOffProxy(): void {
  if (
    ["HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"].some((
      name,
    ) => Deno.env.has(name))
  ) {
    const loopback = "localhost,127.0.0.1,::1";
    Deno.env.set(
      "NO_PROXY",
      [Deno.env.get("NO_PROXY") ?? Deno.env.get("no_proxy"), loopback].filter(Boolean).join(","),
    );
  }
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
    (await import("./host_browser.ts")).openBrowser(url, command, denoHost),
  untilInterrupted,
  stdin,
  stdout: outputStream(Deno.stdout),
  stderr: outputStream(Deno.stderr),
};
