/** The real machine's HTTP: proxies, certificate authorities, and what it means when a connection fails. */

import { EntraToolError } from "./errors.ts";
import type { HttpRequest } from "./host.ts";
import { lazily } from "./lazy_module.ts";
import { isLoopback } from "./loopback.ts";

/** Sends a request as {@link Host.fetch} promises. @throws ConnectionError when it was certainly not received */
export async function send(request: HttpRequest): Promise<Response> {
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
