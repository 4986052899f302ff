/** What `--verbose` shows of requests and responses: enough to understand a failure, nothing that opens a door. */

import type { Trace } from "../entra/transport.ts";
import type { Messages } from "../output/messages.ts";
import type { Redactor } from "../output/redact.ts";

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

/** The fields whose values are secrets, which the server may repeat anywhere. */
const secretFields: readonly string[] = [
  "access_token",
  "assertion",
  "client_assertion",
  "client_secret",
  "code",
  "code_verifier",
  "device_code",
  "id_token",
  "password",
  "refresh_token",
];

/** Tells the redactor of the secrets that pass; writes to stderr only when asked to. */
export function commandTrace(
  verbose: boolean | undefined,
  messages: Messages,
  redactor: Redactor,
): Trace {
  const remember = (fields: Fields) => {
    for (const name of secretFields) {
      const value = fields[name];
      if (typeof value === "string") redactor.add(value);
    }
  };
  return {
    request(method, url, form) {
      remember(form);
      if (!verbose) return;
      messages.lines([
        `> ${method} ${url}`,
        ...Object.entries(form).map(([name, value]) => `>   ${name}=${shown(name, value)}`),
      ]);
    },
    response({ status, contentType, body, correlationId, requestId }, milliseconds) {
      const fields = parseFields(body);
      remember(fields ?? {});
      if (!verbose) return;
      messages.lines([
        `< ${status} ${contentType} after ${Math.round(milliseconds)} ms`,
        `<   client-request-id ${correlationId}${
          requestId === undefined ? "" : `, x-ms-request-id ${requestId}`
        }`,
        ...bodyLines(body, fields).map((line) => `<   ${line}`),
      ]);
    },
    note(text) {
      if (verbose) messages.note(`* ${text}`);
    },
  };
}

function shown(name: string, value: unknown): string {
  if (typeof value !== "string") return shownFields.has(name) ? asJson(value) : "[redacted]";
  return shownFields.has(name) ? value : `[redacted, ${value.length} characters]`;
}

function asJson(value: unknown): string {
  try {
    return JSON.stringify(value);
  } catch {
    return "[nested too deeply]";
  }
}

type Fields = Readonly<Record<string, unknown>>;

function parseFields(body: string): Fields | undefined {
  try {
    const fields: unknown = JSON.parse(body);
    const isObject = typeof fields === "object" && fields !== null && !Array.isArray(fields);
    return isObject ? fields as Fields : undefined;
  } catch {
    return undefined;
  }
}

function bodyLines(body: string, fields: Fields | undefined): readonly string[] {
  return fields === undefined
    ? [`[${body.length} characters that are no JSON object]`]
    : Object.entries(fields).map(([name, value]) => `${name}=${shown(name, value)}`);
}
