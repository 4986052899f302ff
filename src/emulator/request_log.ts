/**
 * One line for each request, and the record of them for tests. What may be a secret never gets here: no query, no
 * body, no header, and of the form only `grant_type` and a `client_id` that is a GUID.
 */

import { isGuid } from "./checked_json.ts";

/** What the emulator answered to one request. */
export interface AnsweredRequest {
  /** Milliseconds since the epoch, when it came in. */
  readonly time: number;
  readonly method: string;
  /** Without the query. */
  readonly path: string;
  /** 0 when the connection was reset instead. */
  readonly status: number;
  readonly durationMs: number;
  readonly grantType?: string;
  /** Only when it is a GUID: people paste secrets in the wrong place. */
  readonly clientId?: string;
  /** `ok`, `AADSTS…`, `fault:` and the action that was played, or `refused` before any route saw it. */
  readonly outcome: string;
}

/** `2026-11-22T17:30:34.123Z POST /contoso.com/oauth2/v2.0/token 401 3ms client_credentials AADSTS7000215` */
export function logLine(answered: AnsweredRequest): string {
  return [
    new Date(answered.time).toISOString(),
    answered.method,
    visible(answered.path) || "-",
    answered.status === 0 ? "---" : answered.status,
    `${Math.round(answered.durationMs)}ms`,
    visible(answered.grantType ?? "-"),
    answered.clientId ?? "-",
    answered.outcome,
  ].join(" ");
}

/** The client's id, if it can be nothing else. */
export function loggableClientId(clientId: string | undefined): string | undefined {
  const id = clientId?.toLowerCase();
  return id !== undefined && isGuid(id) ? id : undefined;
}

/** Untrusted text on one line, of a bounded length, with nothing in it that a terminal would obey. */
function visible(text: string): string {
  const short = text.length > 200 ? `${text.slice(0, 200)}...` : text;
  return short.replace(
    // Spaces and controls, and what changes the direction of text or can not be seen.
    /[\p{Z}\p{C}]/gu,
    (character) => `\\u{${character.codePointAt(0)!.toString(16)}}`,
  );
}
