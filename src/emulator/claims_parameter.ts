/**
 * The `claims` parameter, in which clients name their capabilities and hand on claims challenges.
 *
 * @see https://learn.microsoft.com/entra/identity-platform/claims-challenge
 * @see https://openid.net/specs/openid-connect-core-1_0.html#ClaimsParameter
 */

import { StsError } from "./sts_error.ts";

export interface RequestedClaims {
  /** `["cp1"]` when the client handles claims challenges. */
  readonly capabilities: readonly string[];
  /** Authentication contexts: `c1` to `c99`. */
  readonly contexts: readonly string[];
  /** Whether a policy's challenge is handed on: a plain sign-in will not do then. */
  readonly challenged: boolean;
}

interface ClaimRequest {
  readonly value?: unknown;
  readonly values?: unknown;
}

/**
 * Reads the parameter, which is plain JSON.
 *
 * @throws StsError 9002313 when it is no JSON object.
 */
export function readClaims(claims: string | null): RequestedClaims {
  if (!claims) return { capabilities: [], contexts: [], challenged: false };
  const { access_token: asked } = parseObject(claims);
  const contexts = textsOf(asked?.acrs);
  return {
    capabilities: textsOf(asked?.xms_cc).filter((value) => value === "cp1"),
    contexts,
    challenged: contexts.length > 0 || textsOf(asked?.capolids).length > 0,
  };
}

function parseObject(
  json: string,
): { readonly access_token?: Readonly<Record<string, ClaimRequest | null>> | null } {
  try {
    const value = JSON.parse(json);
    if (typeof value === "object" && value !== null && !Array.isArray(value)) return value;
  } catch {
    // Refused below, as anything else that is no object.
  }
  throw new StsError(9002313);
}

function textsOf(request: ClaimRequest | null | undefined): string[] {
  const values = Array.isArray(request?.values) ? request.values : [request?.value];
  return values.filter((value) => typeof value === "string");
}
