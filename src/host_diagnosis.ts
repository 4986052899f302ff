/**
 * What is looked at when a connection could not be made: why, through which proxy, and whose certificate was shown. Loaded only
 * then: most requests work.
 */

import type { Socket } from "node:net";
import { EntraToolError } from "./errors.ts";
import { ConnectionError } from "./host.ts";

/** What Deno puts into the message when the connection itself failed: the request was never sent. */
const connectFailure = "client error (Connect)";

/** What kind of connection failure it was; undefined when the request may have reached the server. */
export function classify(error: unknown, url: URL): ConnectionError | undefined {
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

/** The failure with who issued the certificate that the server (or whoever sits in between) shows, if that can be seen. */
export async function withIssuer(
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

/**
 * The certificates that `SSL_CERT_FILE` names, else the operating system's trust store, which needs the permission `sys`; none
 * without it, and none with a Deno that can't read it (before 2.7).
 *
 * @throws EntraToolError usage when the file can't be read
 */
export async function systemCertificates(): Promise<readonly string[]> {
  const path = Deno.env.get("SSL_CERT_FILE");
  try {
    const certificates = path ? [await Deno.readTextFile(path)] : await storedCertificates();
    if (certificates.length > 0) Deno.createHttpClient({ caCerts: [...certificates] }).close();
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
  const tls: { getCACertificates?: (type: "system") => readonly string[] } = await import(
    "node:tls"
  );
  return tls.getCACertificates?.("system") ?? [];
}
