/** Lists of scopes as people and servers write them (RFC 6749 §3.3). */

/**
 * Splits at spaces and commas and drops repetitions, keeping the order.
 *
 * A comma separates: no scope of Entra's holds one.
 */
export function parseScopeList(texts: readonly string[]): readonly string[] {
  return [
    ...new Set(texts.flatMap((text) => text.split(/[\s,]+/)).filter((scope) => scope !== "")),
  ];
}
