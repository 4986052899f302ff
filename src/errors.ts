/**
 * The one error type of the product and the exit codes that it ends in.
 *
 * Everything a person can mend is an {@link EntraToolError}; anything else that is thrown is a bug and ends
 * with exit code 1.
 */

/** What kind of failure ended the command; each kind has one exit code. */
export type Failure =
  | "refused"
  | "profile_not_found"
  | "usage"
  | "network"
  | "interaction"
  | "storage"
  | "cancelled";

/** Exit codes, part of the public contract (see docs/exit-codes.md). */
export const exitCodes: Readonly<Record<Failure | "success" | "unexpected", number>> = {
  success: 0,
  unexpected: 1,
  refused: 2,
  profile_not_found: 3,
  usage: 4,
  network: 5,
  interaction: 6,
  storage: 7,
  cancelled: 130,
};

/** What else is known about a failure, shown on lines of their own. */
export interface FailureDetail {
  /** What to do next: a command to type where there is one. */
  readonly hint?: string;
  /** Whether the hint was made for this very request, so that nothing more general takes its place. */
  readonly isHintExact?: boolean;
  /** What the server itself said; untrusted text. */
  readonly serverText?: string;
  /** The server's ids for this request, for a support case or the sign-in log. */
  readonly correlationId?: string;
  readonly traceId?: string;
  readonly timestamp?: string;
  /** What an OAuth error response said, for the program to decide by. */
  readonly oauth?: OAuthError;
  readonly cause?: unknown;
}

/** The fields of an error response that decisions are made by (RFC 6749 §5.2, and Entra's own). */
export interface OAuthError {
  readonly error: string;
  readonly suberror?: string;
  /** JSON: what a new sign-in has to satisfy. */
  readonly claims?: string;
}

/**
 * A failure that a person can understand and mend.
 *
 * Wording of `message` and `hint`: capital first, no full stop at the end, no contractions. Neither may ever hold a
 * secret.
 */
export class EntraToolError extends Error {
  override readonly name = "EntraToolError";

  constructor(
    readonly failure: Failure,
    /** Stable, for programs: `AADSTS7000215`, `vault_key_mismatch`. */
    readonly code: string,
    message: string,
    readonly detail: FailureDetail = {},
  ) {
    super(message, { cause: detail.cause });
  }
}

/** The process exit code for anything that was thrown. */
export function exitCodeOf(error: unknown): number {
  return error instanceof EntraToolError ? exitCodes[error.failure] : exitCodes.unexpected;
}
