/**
 * Carries one form to an endpoint and its answer back: retries, time limit, size limit, redirects refused, correlation
 * id. It knows HTTP, not OAuth.
 */

import { EntraToolError } from "../errors.ts";
import { ConnectionError, type Deadline, type Host } from "../host.ts";
import { version } from "../version.ts";
import { shortExcerpt } from "./excerpt.ts";

/** Retries beyond the first try. */
const maxRetries = 3;
/** The wait before the first retry, in milliseconds; doubled for each further one. */
const firstBackoff = 500;
const maxBodyBytes = 1024 * 1024;

export interface Exchange {
  readonly url: string;
  /** Makes the form, anew for each try: an assertion in it may have ended while we waited. */
  form(): Promise<Readonly<Record<string, string>>>;
  readonly deadline: Deadline;
  readonly caCertificates: readonly string[];
  /**
   * Whether sending twice is harmless (`any_failure`), or only when the first try never reached the server (`unsent`): an
   * authorization code can be redeemed once.
   */
  readonly retryAfter: "any_failure" | "unsent";
  /** Whether an answer whose status does not say so tells of a failure that passes. */
  isPassing(answer: Answer): boolean;
  /** Told what is sent and received; the form's values pass through it unredacted. */
  readonly trace: Trace;
}

export interface Trace {
  request(method: string, url: string, form: Readonly<Record<string, string>>): void;
  response(answer: Answer, milliseconds: number): void;
  /** Something that happened between: a retry, a wait. */
  note(text: string): void;
}

/** A complete HTTP answer. */
export interface Answer {
  readonly status: number;
  readonly contentType: string;
  readonly body: string;
  /** What the server wants us to wait, in milliseconds from now. */
  readonly retryAfter: number | undefined;
  /** The id that we gave the request. */
  readonly correlationId: string;
  /** The server's own id for the request (`x-ms-request-id`). */
  readonly requestId: string | undefined;
}

type Network = Pick<Host, "fetch" | "now" | "sleep" | "random">;

/**
 * Posts the form and reads the whole answer, whatever its status.
 *
 * Tries again after connection failures, statuses 408, 429 and 5xx and what `isPassing`, honouring `Retry-After` (RFC 9110 §10.2.3), as long
 * as the wait ends before the deadline; the last answer is the one returned.
 *
 * @throws EntraToolError network when there is no complete answer; usage when this machine is set up wrongly; the
 *   deadline's own error when it fires
 */
export async function postForm(exchange: Exchange, host: Network): Promise<Answer> {
  const correlationId = crypto.randomUUID();
  for (let retry = 0;; retry++) {
    const outcome = await attempt(exchange, correlationId, host);
    const again = retry < maxRetries && isWorthRetrying(outcome, exchange);
    if (!again) return settle(outcome);
    const wait = waitBefore(outcome, retry, host);
    if (host.now() + wait >= exchange.deadline.at) {
      exchange.trace.note(`Not retrying: waiting ${wait} ms would pass the time limit`);
      return settle(outcome);
    }
    exchange.trace.note(`Retry ${retry + 1} of ${maxRetries} in ${Math.round(wait)} ms`);
    await host.sleep(wait, exchange.deadline.signal);
  }
}

type Outcome = { readonly answer: Answer } | {
  readonly failure: EntraToolError;
  readonly unsent: boolean;
  readonly final: boolean;
};

function settle(outcome: Outcome): Answer {
  if ("answer" in outcome) return outcome.answer;
  throw outcome.failure;
}

function isWorthRetrying(outcome: Outcome, { retryAfter, isPassing }: Exchange): boolean {
  const mayBeSentTwice = retryAfter === "any_failure";
  if (!("answer" in outcome)) return !outcome.final && (outcome.unsent || mayBeSentTwice);
  const { status } = outcome.answer;
  return mayBeSentTwice &&
    (status === 408 || status === 429 || status >= 500 || isPassing(outcome.answer));
}

function waitBefore(outcome: Outcome, retry: number, host: Network): number {
  if ("answer" in outcome && outcome.answer.retryAfter !== undefined) {
    return outcome.answer.retryAfter;
  }
  const backoff = firstBackoff * 2 ** retry;
  return backoff / 2 + host.random() * backoff / 2;
}

async function attempt(exchange: Exchange, correlationId: string, host: Network): Promise<Outcome> {
  const { url, deadline, trace } = exchange;
  const form = await exchange.form();
  const { host: serverName } = new URL(url);
  const failed = (code: string, message: string, hint: string, final = false): Outcome => ({
    failure: new EntraToolError("network", code, message, { hint, correlationId }),
    unsent: false,
    final,
  });
  trace.request("POST", url, form);
  const start = host.now();
  try {
    const response = await host.fetch({
      method: "POST",
      url,
      headers: {
        accept: "application/json",
        "client-request-id": correlationId,
        "content-type": "application/x-www-form-urlencoded;charset=utf-8",
        "return-client-request-id": "true",
        "user-agent": `entratool/${version}`,
        "x-client-sku": "entratool",
        "x-client-ver": version,
      },
      body: new URLSearchParams(form).toString(),
      signal: deadline.signal,
      caCertificates: exchange.caCertificates,
    });
    if (response.status >= 300 && response.status < 400) {
      await response.body?.cancel();
      const target = redirectTarget(response.headers.get("location"), url);
      return failed(
        "unexpected_redirect",
        `${serverName} answered with a redirect (${response.status})${
          target === undefined ? "" : ` to ${target}`
        }`,
        "A token endpoint never redirects: look for a proxy or captive portal between here and there",
        true,
      );
    }
    const body = await readBounded(response);
    if (body === undefined) {
      return failed(
        "response_too_large",
        `${serverName} answered with more than ${maxBodyBytes / 1024} KiB`,
        "That is no token response: look for a proxy or captive portal between here and there",
        true,
      );
    }
    const answer: Answer = {
      status: response.status,
      contentType: response.headers.get("content-type") ?? "",
      body,
      retryAfter: parseRetryAfter(response.headers.get("retry-after"), host.now()),
      correlationId,
      requestId: response.headers.get("x-ms-request-id") ?? undefined,
    };
    trace.response(answer, host.now() - start);
    return { answer };
  } catch (error) {
    if (deadline.signal.aborted) throw interrupted(deadline.signal.reason, serverName);
    if (error instanceof EntraToolError) throw error;
    trace.note(
      `Failed after ${host.now() - start} ms: ${error instanceof Error ? error.message : error}`,
    );
    if (error instanceof ConnectionError) {
      return connectionFailure(error, serverName, correlationId);
    }
    return failed(
      "connection_lost",
      `The connection to ${serverName} broke before its answer was complete`,
      "Try again; if it keeps failing, look for a proxy or firewall in between",
    );
  }
}

/** Where a redirect leads; of a long address only to whom. */
function redirectTarget(location: string | null, base: string): string | undefined {
  if (location === null || location.length <= 200) return location ?? undefined;
  return `${shortExcerpt(URL.parse(location, base)?.origin ?? "")} (${location.length} characters)`;
}

/** The deadline's error, with the host that was waited for. */
function interrupted(reason: unknown, serverName: string): unknown {
  if (!(reason instanceof EntraToolError) || reason.failure !== "network") return reason;
  return new EntraToolError(
    "network",
    reason.code,
    `${reason.message} (waiting for ${serverName})`,
    reason.detail,
  );
}

function connectionFailure(
  error: ConnectionError,
  serverName: string,
  correlationId: string,
): Outcome {
  const texts: Record<ConnectionError["reason"], readonly [message: string, hint: string]> = {
    dns: [
      `The name ${serverName} can not be resolved`,
      "Check the network, the cloud and the authority for typing errors",
    ],
    refused: [
      `${serverName} refused the connection`,
      "Check that the server runs and that host and port are right",
    ],
    tls_untrusted: [
      `The certificate of ${serverName} is not trusted${
        error.issuer === undefined ? "" : `; it was issued by "${error.issuer}"`
      } (${error.message})`,
      /UnknownIssuer/.test(error.message)
        ? "If your organization inspects TLS, pass its root certificate with --ca-file PATH"
        : "Check the authority's host name and this machine's clock, and look for a proxy or captive portal in between",
    ],
    tls: [
      `A secure connection to ${serverName} failed: ${error.message}`,
      "Look for a proxy or firewall in between",
    ],
    proxy: [
      `The proxy did not connect to ${serverName}: ${error.message}`,
      "Check HTTPS_PROXY (http://USER:PASSWORD@HOST:PORT if it wants a sign-in) and NO_PROXY",
    ],
    unreachable: [
      `${serverName} can not be reached: ${error.message}`,
      "Check the network, HTTPS_PROXY and NO_PROXY",
    ],
  };
  const [message, hint] = texts[error.reason];
  return {
    failure: new EntraToolError("network", `connection_${error.reason}`, message, {
      hint,
      correlationId,
      cause: error,
    }),
    unsent: true,
    final: error.reason === "tls_untrusted" || /proxy authentication/.test(error.message),
  };
}

/** The body as text; undefined when it is longer than the bound. Throws when it breaks off. */
async function readBounded(response: Response): Promise<string | undefined> {
  const decoder = new TextDecoder();
  let text = "";
  let size = 0;
  for await (const chunk of response.body ?? []) {
    size += chunk.length;
    // leaving the loop cancels the stream: the rest is never received
    if (size > maxBodyBytes) return undefined;
    text += decoder.decode(chunk, { stream: true });
  }
  return text + decoder.decode();
}

/** Nobody waits for longer, in seconds; it keeps what is shown a number that people can read. */
const longestRetryAfter = 1e9;

/**
 * `Retry-After` in milliseconds from now: seconds or an HTTP date in one of its three forms; undefined for anything else.
 *
 * @see RFC 9110 §10.2.3, §5.6.7
 */
function parseRetryAfter(value: string | null, now: number): number | undefined {
  if (value === null) return undefined;
  if (/^\d+$/.test(value)) return Math.min(Number(value), longestRetryAfter) * 1000;
  // Date.parse finds a date in almost any text, and takes the form without a zone for local time
  if (!/^(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)[a-z]*,? .*\d\d:\d\d:\d\d/.test(value)) return undefined;
  const date = Date.parse(value.endsWith("GMT") ? value : `${value} GMT`);
  return Number.isNaN(date) ? undefined : Math.max(0, date - now);
}
