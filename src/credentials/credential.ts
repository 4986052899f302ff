/** How a confidential client proves itself to the token endpoint: each kind yields form parameters. */

export interface ClientCredential {
  readonly kind: "client-secret" | "certificate";
  /**
   * The form parameters that authenticate the client in one request (RFC 6749 §2.3.1, RFC 7523 §2.2).
   *
   * @param audience the token endpoint's URL, which an assertion is made out to
   * @param now milliseconds since the epoch
   */
  formParameters(audience: string, now: number): Promise<Readonly<Record<string, string>>>;
}
