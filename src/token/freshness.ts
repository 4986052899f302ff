/** When a cached token may still be handed out, and when it should be renewed. */

import type { TokenSet } from "./token_set.ts";

/** A token is treated as ended this long before it does, in seconds: it has to reach its API and be used there. */
const margin = 300;

/**
 * Tells what to do with a cached token: `fresh` hand it out, `renew` hand it out only when no new one can be had,
 * `expired` never hand it out.
 *
 * The margin is five minutes, as in Microsoft's own libraries, but at most a quarter of a short token's life: a
 * token of ten minutes would else be asked for twice as often as needed.
 *
 * @param now milliseconds since the epoch
 */
export function freshness(token: TokenSet, now: number): "fresh" | "renew" | "expired" {
  const seconds = now / 1000;
  const life = token.expiresAt - token.obtainedAt;
  if (token.expiresAt - seconds <= Math.min(margin, Math.max(life, 0) / 4)) return "expired";
  if (token.refreshAt !== undefined && seconds >= token.refreshAt) return "renew";
  return "fresh";
}
