/** The real machine: Deno's clock, environment, streams, signals and HTTP client. */

import type { Socket } from "node:net";
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
  const url = new URL(request.url);
  if (isLoopbackName(url.hostname)) keepOffProxy();
  try {
    return await fetchOnce(request, httpClient(request.caCertificates));
  } catch (error) {
    const failure = classify(error, url);
    if (failure?.reason !== "tls_untrusted") throw failure ?? error;
    // Deno knows Mozilla's roots; an organization's own is in the store of the operating system
    const system = isUnknownIssuer(failure) ? await systemCertificates() : [];
    if (system.length === 0) throw await withIssuer(failure, url, request.signal);
    try {
      return await fetchOnce(request, httpClient([...request.caCertificates, ...system]));
    } catch (second) {
      const again = classify(second, url);
      if (again?.reason !== "tls_untrusted") throw again ?? second;
      throw await withIssuer(again, url, request.signal);
    }
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

const isUnknownIssuer = ({ message }: ConnectionError) =>
  /UnknownIssuer|CaUsedAsEndEntity/.test(message);

/** What kind of connection failure it was; undefined when the request may have reached the server. */
function classify(error: unknown, url: URL): ConnectionError | undefined {
  if (!(error instanceof TypeError)) return undefined;
  const text = error.cause instanceof Error ? error.cause.message : error.message;
  if (!text.includes(connectFailure)) {
    // ports that the Fetch standard forbids
    return /Requests to port \d+ are blocked/.test(text)
      ? new ConnectionError("unreachable", text)
      : undefined;
  }
  const message = text.slice(text.indexOf(connectFailure) + connectFailure.length + 2);
  if (message.includes("invalid peer certificate")) {
    return new ConnectionError("tls_untrusted", message);
  }
  if (/certificate|tls|handshake|close_notify|InvalidContentType/i.test(message)) {
    return new ConnectionError("tls", message);
  }
  const proxy = proxyFor(url);
  if (proxy !== undefined) {
    const { variable, address } = proxy;
    return new ConnectionError("proxy", `${address.host} (${variable}) says: ${message}`);
  }
  const reason = /dns error/i.test(message)
    ? "dns"
    : /refused/i.test(message)
    ? "refused"
    : "unreachable";
  return new ConnectionError(reason, message);
}

/**
 * The certificates that `SSL_CERT_FILE` names, else the operating system's trust store, which needs the permission `sys` for
 * `ca`; none without it.
 *
 * @throws EntraToolError usage when the file can't be read
 */
async function systemCertificates(): Promise<readonly string[]> {
  const path = Deno.env.get("SSL_CERT_FILE");
  try {
    const certificates = path ? [await Deno.readTextFile(path)] : await storedCertificates();
    httpClient(certificates)?.close();
    return certificates;
  } catch (cause) {
    if (!path) return [];
    const message = `The certificates of SSL_CERT_FILE can not be read from ${path}`;
    throw new EntraToolError("usage", "ssl_cert_file_unreadable", message, {
      hint: "Correct it, or remove it: unset SSL_CERT_FILE",
      cause,
    });
  }
}

async function storedCertificates(): Promise<readonly string[]> {
  const { getCACertificates } = await import("node:tls");
  return getCACertificates("system");
}

/** The failure with who issued the certificate that the server (or whoever sits in between) shows, if that can be seen. */
async function withIssuer(
  { reason, message }: ConnectionError,
  url: URL,
  signal: AbortSignal,
): Promise<ConnectionError> {
  // it is only for the message, so whatever goes wrong here must not take its place
  const issuer = await issuerOf(url, signal).catch(() => undefined);
  return new ConnectionError(reason, message, issuer);
}

async function issuerOf(url: URL, signal: AbortSignal): Promise<string | undefined> {
  const { connect } = await import("node:tls");
  const host = url.hostname.replace(/^\[|\]$/g, "");
  const port = Number(url.port || 443);
  const proxy = proxyFor(url);
  const tunnel = proxy && await openTunnel(proxy.address, `${url.hostname}:${port}`, signal);
  if (proxy !== undefined && tunnel === undefined) return undefined;
  return await new Promise((resolve) => {
    const finish = (issuer?: string) => {
      clearTimeout(timer);
      signal.removeEventListener("abort", giveUp);
      socket.destroy();
      resolve(issuer);
    };
    const giveUp = () => finish();
    // nothing is sent over this connection: it only reads the certificate
    const socket = connect({
      ...(tunnel === undefined ? { host, port } : { socket: tunnel }),
      // an address is no server name (RFC 6066 §3)
      ...(/^[\d.]+$|:/.test(host) ? {} : { servername: host }),
      rejectUnauthorized: false,
    }, () => {
      const { issuer } = socket.getPeerCertificate();
      const name = [issuer?.CN, issuer?.O].filter((part) => part !== undefined).flat().join(", ");
      finish(name === "" ? undefined : name);
    });
    socket.on("error", giveUp);
    signal.addEventListener("abort", giveUp);
    const timer = setTimeout(giveUp, 3000);
  });
}

/** A connection through an HTTP proxy; undefined when it does not give one. */
async function openTunnel(proxy: URL, target: string, signal: AbortSignal) {
  if (proxy.protocol !== "http:") return undefined;
  const { request } = await import("node:http");
  const { username, password } = proxy;
  return await new Promise<Socket | undefined>((resolve) => {
    const connecting = request({
      host: proxy.hostname.replace(/^\[|\]$/g, ""),
      port: Number(proxy.port || 80),
      method: "CONNECT",
      path: target,
      headers: username === ""
        ? {}
        : { "proxy-authorization": `Basic ${btoa(`${username}:${password}`)}` },
      signal,
      timeout: 3000,
    });
    connecting.on("connect", ({ statusCode }, socket) => {
      if (statusCode === 200) return resolve(socket);
      socket.destroy();
      resolve(undefined);
    });
    for (const event of ["error", "timeout", "response"]) {
      connecting.on(event, () => {
        connecting.destroy();
        resolve(undefined);
      });
    }
    connecting.end();
  });
}

/**
 * The proxy that Deno's `fetch` uses for the URL, and the variable that names it: Deno does not say in its errors. Networks
 * (`10.0.0.0/8`) in NO_PROXY are not looked at.
 */
function proxyFor(
  { hostname }: URL,
): { readonly variable: string; readonly address: URL } | undefined {
  const exceptions = Deno.env.get("NO_PROXY") ?? Deno.env.get("no_proxy") ?? "";
  const excepted = exceptions.split(",").map((each) => each.trim()).some((each) =>
    each === "*" || (each !== "" && `.${hostname}`.endsWith(`.${each.replace(/^\./, "")}`))
  );
  // http is for loopback alone, which has no proxy
  const variable = ["ALL_PROXY", "all_proxy", "HTTPS_PROXY", "https_proxy"]
    .find((name) => Deno.env.get(name));
  if (excepted || variable === undefined) return undefined;
  const text = Deno.env.get(variable)!;
  const address = URL.parse(text.includes("://") ? text : `http://${text}`);
  return address === null ? undefined : { variable, address };
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
