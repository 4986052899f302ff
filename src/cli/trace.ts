/** What `--verbose` shows of requests and responses: enough to understand a failure, nothing that opens a door. */

import type { Trace } from "../entra/transport.ts";
import type { Messages } from "../output/messages.ts";

/** The only fields whose values are shown; every other one may be a secret, or may become one. */
const shownFields: ReadonlySet<string> = new Set([
  "claims",
  "client_assertion_type",
  "client_id",
  "correlation_id",
  "error",
  "error_codes",
  "error_description",
  "error_uri",
  "expires_in",
  "ext_expires_in",
  "grant_type",
  "refresh_in",
  "scope",
  "suberror",
  "timestamp",
  "token_type",
  "trace_id",
]);

const silent: Trace = { request() {}, response() {}, note() {} };

/** Writes to stderr when asked to; does nothing otherwise. */
export function commandTrace(verbose: boolean | undefined, messages: Messages): Trace {
  if (!verbose) return silent;
  return {
    request(method, url, form) {
      messages.lines([
        `> ${method} ${url}`,
        ...Object.entries(form).map(([name, value]) => `>   ${name}=${shown(name, value)}`),
      ]);
    },
    response({ status, contentType, body, correlationId, requestId }, milliseconds) {
      messages.lines([
        `< ${status} ${contentType} after ${Math.round(milliseconds)} ms`,
        `<   client-request-id ${correlationId}${
          requestId === undefined ? "" : `, x-ms-request-id ${requestId}`
        }`,
        ...bodyLines(body).map((line) => `<   ${line}`),
      ]);
    },
    note: (text) => messages.note(`* ${text}`),
  };
}

function shown(name: string, value: unknown): string {
  const text = typeof value === "string" ? value : JSON.stringify(value);
  return shownFields.has(name) ? text : `[redacted, ${text.length} characters]`;
}

function bodyLines(body: string): readonly string[] {
  try {
    const fields: unknown = JSON.parse(body);
    if (typeof fields === "object" && fields !== null && !Array.isArray(fields)) {
      return Object.entries(fields).map(([name, value]) => `${name}=${shown(name, value)}`);
    }
  } catch {
    // not JSON: its size says enough
  }
  return [`[${body.length} characters that are no JSON object]`];
}
