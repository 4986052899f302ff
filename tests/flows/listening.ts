/** Redirect listeners for tests, and requests to them as bytes: a client of ours would be too well-behaved. */

import assert from "node:assert/strict";
import {
  type RedirectListener,
  type RedirectListenerOptions,
  startRedirectListener,
} from "../../src/flows/redirect_listener.ts";

export const state = "Zm9yLXRoaXMtcmVxdWVzdC1hbG9uZS1hbmQtbm8tb3RoZXI";
export const code = "1.AXkAcanary-code_of.this.request";

export interface ListeningOptions extends Partial<RedirectListenerOptions> {
  readonly controller?: AbortController;
}

/** Runs with a listener of its own, and sees that nothing listens afterwards. */
export async function withListener(
  options: ListeningOptions,
  run: (listener: RedirectListener) => Promise<void>,
): Promise<void> {
  const { controller = new AbortController(), ...rest } = options;
  let port = 0;
  {
    await using listener = await startRedirectListener({
      redirectUri: "http://localhost",
      state,
      signal: controller.signal,
      ...rest,
    });
    port = portOf(listener);
    await run(listener);
  }
  await assertClosed(port);
}

export function portOf({ redirectUri }: RedirectListener): number {
  return Number(new URL(redirectUri).port);
}

/** Nothing accepts a connection there, on either address. */
export async function assertClosed(port: number): Promise<void> {
  for (const hostname of ["127.0.0.1", "::1"]) {
    await assert.rejects(Deno.connect({ hostname, port }), Deno.errors.ConnectionRefused);
  }
}

export interface RawRequest {
  readonly method?: string;
  readonly target?: string;
  /** Null for none. */
  readonly host?: string | null;
  /** Empty ones are left out. */
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  /** Where to connect to. */
  readonly address?: string;
}

export interface RawAnswer {
  readonly status: number;
  readonly headers: Headers;
  readonly body: string;
}

/** A request as bytes. */
export function rawRequest(listener: RedirectListener, request: RawRequest): string {
  const { method = "GET", target = new URL(listener.redirectUri).pathname, body } = request;
  const { host = new URL(listener.redirectUri).host } = request;
  const headers = Object.entries({
    ...(host === null ? {} : { Host: host }),
    Connection: "close",
    ...(body === undefined ? {} : {
      "Content-Type": "application/x-www-form-urlencoded",
      "Content-Length": String(new TextEncoder().encode(body).length),
    }),
    ...request.headers,
  });
  return `${method} ${target} HTTP/1.1\r\n` +
    headers.filter(([name, value]) => name === "Host" || value !== "")
      .map(([name, value]) => `${name}: ${value}\r\n`).join("") +
    `\r\n${body ?? ""}`;
}

/** Sends one request and reads the whole answer. */
export async function send(listener: RedirectListener, request: RawRequest): Promise<RawAnswer> {
  const text = await exchange(
    listener,
    rawRequest(listener, request),
    (text) => isComplete(parseAnswer(text)),
    request.address,
  );
  return parseAnswer(text);
}

/** Sends bytes and returns what comes back, until that is enough or the connection ends. */
export async function exchange(
  listener: RedirectListener,
  bytes: string,
  isEnough: (text: string) => boolean = () => false,
  hostname = "127.0.0.1",
): Promise<string> {
  using connection = await Deno.connect({ hostname, port: portOf(listener) });
  // a listener that has refused the beginning need not read the rest
  const sent = sendAll(connection, bytes).catch(() => {});
  const text = await readToEnd(connection, isEnough);
  await sent;
  return text;
}

async function sendAll(connection: Deno.Conn, text: string): Promise<void> {
  const bytes = new TextEncoder().encode(text);
  for (let sent = 0; sent < bytes.length;) sent += await connection.write(bytes.subarray(sent));
}

/** Whatever arrives until that is enough, or the connection ends in whichever way. */
export async function readToEnd(
  connection: Deno.Conn,
  isEnough: (text: string) => boolean = () => false,
): Promise<string> {
  const decoder = new TextDecoder();
  const buffer = new Uint8Array(65536);
  let text = "";
  for (;;) {
    const count = await connection.read(buffer).catch(() => null);
    if (count === null) return text;
    text += decoder.decode(buffer.subarray(0, count), { stream: true });
    if (isEnough(text)) return text;
  }
}

function isComplete({ status, headers, body }: RawAnswer): boolean {
  const length = Number(headers.get("content-length") ?? 0);
  return status !== 0 && headers.has("date") && new TextEncoder().encode(body).length >= length;
}

export function parseAnswer(text: string): RawAnswer {
  const [head = "", ...rest] = text.split("\r\n\r\n");
  const [statusLine = "", ...lines] = head.split("\r\n");
  return {
    status: Number(/^HTTP\/1\.1 (\d{3}) /.exec(statusLine)?.[1] ?? 0),
    headers: new Headers(
      lines.map((line): [string, string] => {
        const colon = line.indexOf(":");
        return [line.slice(0, colon), line.slice(colon + 1).trim()];
      }),
    ),
    body: rest.join("\r\n\r\n"),
  };
}

export const goodForm: string = new URLSearchParams({ code, state }).toString();

/** The response as Entra's page posts it. */
export function postResponse(
  listener: RedirectListener,
  form: string | Readonly<Record<string, string>> = goodForm,
): Promise<RawAnswer> {
  const body = typeof form === "string" ? form : new URLSearchParams(form).toString();
  return send(listener, { method: "POST", body });
}

/** The listener still waits, and takes the right response. */
export async function assertStillWaits(listener: RedirectListener): Promise<void> {
  const answer = postResponse(listener);
  assert.deepEqual(await listener.response, { kind: "code", code });
  await listener.finish({ kind: "success" });
  assert.equal((await answer).status, 200);
}
