/**
 * The redirect listener: receives the authorization response from the browser on this machine's loopback addresses, and
 * shows the person how it ended.
 *
 * Everything that reaches it is hostile until its `state` is found to be ours: any web page can make a browser send
 * requests to loopback, and any program of this machine can send them itself. What it refuses it refuses before it reads,
 * and goes on waiting.
 *
 * The response is wanted by `form_post`, which keeps the code out of URLs. A server that answers with a query is served as
 * well: the browser is sent on to the same path without it, so that neither the address bar nor a reload shows the code.
 * Its history may hold it all the same; the code is good for one redemption, by whoever has the code verifier.
 *
 * @see RFC 8252 §7.3, §8.3; RFC 9700 §4; OAuth 2.0 Form Post Response Mode
 */

import { EntraToolError } from "../errors.ts";
import { isLoopback } from "../loopback.ts";
import { type AuthorizationResponse, readAuthorizationResponse } from "./authorization_response.ts";
import { type Page, pageResponse, protectiveHeaders } from "./redirect_page.ts";

export type SignInOutcome =
  | { readonly kind: "success" }
  | {
    readonly kind: "failure";
    readonly title: string;
    readonly message: string;
    readonly hint?: string;
  };

export interface RedirectListener extends AsyncDisposable {
  /** What to send as `redirect_uri`: with the real port, otherwise as it was given. */
  readonly redirectUri: string;
  /** The first response with the right state; rejects with the signal's reason, or when the listener is disposed before. */
  readonly response: Promise<AuthorizationResponse>;
  /** Shows the person the outcome, once the code is redeemed, and stops listening. Only the first call counts. */
  finish(outcome: SignInOutcome): Promise<void>;
}

export interface RedirectListenerOptions {
  /**
   * `http://localhost` (without a port) for a free port, or the registered redirect URI. A string is kept as it is
   * written, since Entra compares it; a URL may gain a slash at its end.
   */
  readonly redirectUri: URL | string;
  /** Instead of a free port; for `http://localhost` only. */
  readonly port?: number;
  readonly state: string;
  /** Ends the listener, whenever it fires. */
  readonly signal: AbortSignal;
  readonly limits?: Partial<Limits>;
}

/** In milliseconds. */
interface Limits {
  /** For a request's body to arrive. */
  readonly body: number;
  /** For a browser to wait until the code is redeemed; then it is told to look at the terminal. */
  readonly hold: number;
  /** For the last page to be delivered, while the command waits. */
  readonly delivery: number;
}

const defaultLimits: Limits = { body: 5_000, hold: 60_000, delivery: 2_000 };

const maxBodyBytes = 64 * 1024;
const maxUrlLength = 32 * 1024;

/**
 * Starts to listen: on both loopback addresses for `localhost`, on its own for a literal address, never on any other.
 *
 * @throws EntraToolError usage when the redirect URI is not one of this machine, or its port can't be had
 */
export async function startRedirectListener(
  options: RedirectListenerOptions,
): Promise<RedirectListener> {
  options.signal.throwIfAborted();
  const place = loopbackPlace(options);
  for (let attempt = 1;; attempt++) {
    const listener = new Listener(options, place);
    try {
      listener.listen();
      return listener;
    } catch (error) {
      await listener.close();
      // a free port of the one address may be taken on the other
      const again = error instanceof Deno.errors.AddrInUse && place.port === 0 && attempt < 20;
      if (!again) throw portError(place, error);
    }
  }
}

/** Where to listen. */
interface LoopbackPlace {
  /** As people wrote it. */
  readonly redirectUri: string;
  /** As it is in a URL and in the Host header. */
  readonly hostname: string;
  /** 0 for any free port. */
  readonly port: number;
  readonly path: string;
  readonly addresses: readonly string[];
}

const localhost = "http://localhost";

function loopbackPlace({ redirectUri, port }: RedirectListenerOptions): LoopbackPlace {
  const text = redirectUri.toString();
  const url = URL.parse(text);
  const hasExtras = url !== null && (url.username !== "" || url.password !== "" || url.hash !== "");
  if (url === null || url.protocol !== "http:" || !isLoopback(url.hostname) || hasExtras) {
    throw new EntraToolError(
      "usage",
      "redirect_uri_not_loopback",
      "The redirect URI does not lead to this machine, so nothing can listen there",
      { hint: "Use one such as http://localhost:8400/callback, or paste the URL that it leads to" },
    );
  }
  return {
    redirectUri: text,
    hostname: url.hostname,
    port: text === localhost ? port ?? 0 : Number(url.port || 80),
    path: url.pathname,
    addresses: url.hostname === "localhost"
      ? ["127.0.0.1", "::1"]
      : [url.hostname.replaceAll(/[[\]]/g, "")],
  };
}

/** Whether the error is about the port, and not about an address that this machine does not have. */
function isRefusal(error: unknown): boolean {
  return error instanceof Deno.errors.AddrInUse || error instanceof Deno.errors.PermissionDenied ||
    error instanceof Deno.errors.NotCapable || error instanceof EntraToolError;
}

function portError({ redirectUri, port }: LoopbackPlace, cause: unknown): unknown {
  if (cause instanceof EntraToolError) return cause;
  if (cause instanceof Deno.errors.NotCapable) {
    return new EntraToolError(
      "usage",
      "net_not_allowed",
      "Deno was not allowed to listen on this machine, where the sign-in must end",
      { hint: "Add it to the permissions: --allow-net=localhost,127.0.0.1,[::1]", cause },
    );
  }
  const another = redirectUri === localhost
    ? "leave out --port for any free one"
    : "register another redirect URI and name it: --redirect-uri URI";
  if (cause instanceof Deno.errors.AddrInUse && port !== 0) {
    return new EntraToolError(
      "usage",
      "redirect_port_taken",
      `Port ${port}, where the sign-in must end, is in use by another program on this machine`,
      { hint: `End that program, or ${another}`, cause },
    );
  }
  return new EntraToolError(
    "usage",
    "redirect_port_unavailable",
    port === 0
      ? "No port can be opened for the sign-in to end at"
      : `Port ${port}, where the sign-in must end, can not be opened`,
    {
      hint: port === 0
        ? "Name one that is free on 127.0.0.1 and ::1: --port PORT"
        : `Ports below 1024 may need an administrator: ${another}`,
      cause,
    },
  );
}

class Listener implements RedirectListener {
  readonly #options: RedirectListenerOptions;
  readonly #limits: Limits;
  readonly #place: LoopbackPlace;
  readonly #closing = new AbortController();
  readonly #servers: Deno.HttpServer<Deno.NetAddr>[] = [];
  readonly #response = Promise.withResolvers<AuthorizationResponse>();
  /** Whether the response has come; from then on only the outcome is shown. */
  #isAnswered = false;
  readonly #outcome = Promise.withResolvers<Page>();
  /** Fires when a browser waits for the outcome. */
  readonly #awaited = Promise.withResolvers<void>();
  /** The deliveries of the outcome. */
  readonly #deliveries: Promise<void>[] = [];
  #finished: Promise<void> | undefined;

  constructor(options: RedirectListenerOptions, place: LoopbackPlace) {
    this.#options = options;
    this.#limits = { ...defaultLimits, ...options.limits };
    this.#place = place;
    // whoever waits for it hears of it; it is no bug if nobody does
    this.#response.promise.catch(() => {});
  }

  get response(): Promise<AuthorizationResponse> {
    return this.#response.promise;
  }

  get redirectUri(): string {
    const { redirectUri } = this.#place;
    return redirectUri === localhost ? `${localhost}:${this.#port}` : redirectUri;
  }

  get #port(): number {
    return this.#servers[0]?.addr.port ?? 0;
  }

  /** The Host header that the browser sends (RFC 9110 §7.2): without the scheme's own port. */
  get #host(): string {
    return new URL(`http://${this.#place.hostname}:${this.#port}`).host;
  }

  /** @throws Deno.errors.AddrInUse when another program has the port on one of the addresses */
  listen(): void {
    const { addresses, port } = this.#place;
    let absence: unknown;
    for (const hostname of addresses) {
      try {
        this.#serve(hostname, this.#port || port);
      } catch (error) {
        // a machine without IPv4 or IPv6 has only the other address
        if (isRefusal(error)) throw error;
        absence = error;
      }
    }
    if (this.#servers.length === 0) throw absence;
    this.#options.signal.addEventListener("abort", this.#abort, { signal: this.#closing.signal });
  }

  #serve(hostname: string, port: number): void {
    const server = Deno.serve({
      hostname,
      port,
      signal: this.#closing.signal,
      onListen: () => {},
      onError: () => refuse(500),
    }, (request, info) => this.#answer(request, info));
    this.#servers.push(server);
    // this variable moves the first server of a Deno process to an address of its own
    if (server.addr.hostname !== hostname) {
      throw new EntraToolError(
        "usage",
        "redirect_listener_moved",
        `DENO_SERVE_ADDRESS would have the sign-in end at ${server.addr.hostname}, not on loopback`,
        { hint: "Run the command without it: env -u DENO_SERVE_ADDRESS entratool …" },
      );
    }
  }

  readonly #abort = () => {
    this.#response.reject(this.#options.signal.reason);
    this.#stop();
  };

  finish(outcome: SignInOutcome): Promise<void> {
    return this.#finished ??= this.#finish(
      outcome.kind === "success"
        ? {
          kind: "success",
          title: "Signed in",
          message: "You can close this window and return to the terminal.",
        }
        : outcome,
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#response.reject(new EntraToolError("cancelled", "cancelled", "The sign-in was stopped"));
    await this.#stop();
  }

  #stop(): Promise<void> {
    return this.#finished ??= this.#finish({
      kind: "failure",
      title: "Sign-in stopped",
      message: "The command ended before the sign-in was complete.",
    });
  }

  async #finish(page: Page): Promise<void> {
    this.#outcome.resolve(page);
    if (this.#isAnswered) await within(this.#limits.delivery, this.#delivered());
    await this.close();
  }

  async #delivered(): Promise<void> {
    await this.#awaited.promise;
    await Promise.allSettled(this.#deliveries);
    // Deno calls a response complete when it has it all, and writes it in the next turn of its event loop
    await new Promise((resolve) => setTimeout(resolve));
  }

  /** Stops listening at once and drops every connection. */
  async close(): Promise<void> {
    this.#closing.abort();
    await Promise.all(this.#servers.map((server) => server.finished));
  }

  async #answer(request: Request, info: Deno.ServeHandlerInfo<Deno.NetAddr>): Promise<Response> {
    const refusal = this.#refusal(request, info);
    if (refusal !== undefined) return refusal;
    const parameters = request.method === "POST"
      ? await this.#readForm(request)
      : new URL(request.url).searchParams;
    if (parameters instanceof Response) return parameters;
    if (request.method === "GET" && !hasResponse(parameters)) {
      return this.#isAnswered ? this.#showOutcome(info) : pageResponse(waiting, 200);
    }
    const response = readAuthorizationResponse(parameters, this.#options.state);
    if (response.kind === "foreign") return pageResponse(foreign, 400);
    if (this.#isAnswered) return pageResponse(alreadyAnswered, 409);
    this.#isAnswered = true;
    this.#response.resolve(response);
    return request.method === "POST" ? this.#showOutcome(info) : new Response(null, {
      status: 303,
      headers: { ...protectiveHeaders, Location: `http://${this.#host}${this.#place.path}` },
    });
  }

  /** Why the request is refused, by all that can be seen of it before its content. */
  #refusal(
    request: Request,
    { remoteAddr }: Deno.ServeHandlerInfo<Deno.NetAddr>,
  ): Response | undefined {
    const { method, headers, url } = request;
    // DENO_SERVE_ADDRESS=duplicate,… makes Deno listen in a second place, which can't be seen from here
    if (!isLoopback(remoteAddr.hostname.replace(/^::1$/, "[::1]"))) return refuse(403);
    // a page that rebinds its own name to 127.0.0.1 still sends its own name here
    const base = `http://${this.#host}`;
    if (headers.get("host")?.toLowerCase() !== this.#host) return refuse(421);
    // Deno gives the request's target as it came, behind the authority
    if (!url.toLowerCase().startsWith(`${base}/`)) return refuse(400);
    if (url.length > maxUrlLength) return refuse(414);
    const [path] = url.slice(base.length).split("?");
    if (path === "/favicon.ico" && path !== this.#place.path) return refuse(204);
    if (path !== this.#place.path) return refuse(404);
    if (method !== "GET" && method !== "POST") return refuse(405, { Allow: "GET, POST" });
    // a response comes by navigation of a whole window, never by fetch, image or frame (Fetch Metadata)
    const [mode, destination] = [headers.get("sec-fetch-mode"), headers.get("sec-fetch-dest")];
    if ((mode ?? "navigate") !== "navigate" || (destination ?? "document") !== "document") {
      return refuse(403);
    }
    return undefined;
  }

  /** The form, or the refusal of it. */
  async #readForm(request: Request): Promise<URLSearchParams | Response> {
    const [type = ""] = (request.headers.get("content-type") ?? "").split(";");
    if (type.trim().toLowerCase() !== "application/x-www-form-urlencoded") return refuse(415);
    if (Number(request.headers.get("content-length") ?? 0) > maxBodyBytes) return refuse(413);
    const reader = request.body?.getReader();
    const text = reader === undefined ? "" : await within(this.#limits.body, readBounded(reader));
    if (typeof text === "string") return new URLSearchParams(text);
    await reader?.cancel().catch(() => {});
    return refuse(text === undefined ? 408 : 413);
  }

  async #showOutcome({ completed }: Deno.ServeHandlerInfo<Deno.NetAddr>): Promise<Response> {
    this.#deliveries.push(completed);
    this.#awaited.resolve();
    const page = await within(this.#limits.hold, this.#outcome.promise) ?? undecided;
    return pageResponse(page, page.kind === "failure" ? 400 : 200);
  }
}

const waiting: Page = {
  kind: "notice",
  title: "Waiting for the sign-in",
  message: "Nothing has arrived here yet.",
};

const foreign: Page = {
  kind: "notice",
  title: "Not the awaited sign-in",
  message: "This answer does not belong to the sign-in that is under way, so it was not used. " +
    "It may come from an older window.",
};

const alreadyAnswered: Page = {
  kind: "notice",
  title: "Already answered",
  message: "This sign-in has had its answer; the first one counts.",
};

const undecided: Page = {
  kind: "notice",
  title: "Answer received",
  message: "The terminal shows how the sign-in ends.",
};

function refuse(status: number, headers: Readonly<Record<string, string>> = {}): Response {
  return new Response(null, { status, headers: { ...protectiveHeaders, ...headers } });
}

/** Whether there is anything that only a response has. */
function hasResponse(parameters: URLSearchParams): boolean {
  return ["state", "code", "error"].some((name) => parameters.has(name));
}

/** The body as text, or null when it is too large or breaks off. */
async function readBounded(
  reader: ReadableStreamDefaultReader<Uint8Array<ArrayBuffer>>,
): Promise<string | null> {
  const decoder = new TextDecoder();
  let text = "";
  let size = 0;
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return text + decoder.decode();
      size += value.length;
      if (size > maxBodyBytes) return null;
      text += decoder.decode(value, { stream: true });
    }
  } catch {
    return null;
  }
}

/** What the promise resolves with, or undefined when that takes longer. */
async function within<Value>(
  milliseconds: number,
  promise: Promise<Value>,
): Promise<Value | undefined> {
  const late = Promise.withResolvers<undefined>();
  const timer = setTimeout(late.resolve, milliseconds, undefined);
  try {
    return await Promise.race([promise, late.promise]);
  } finally {
    clearTimeout(timer);
  }
}
