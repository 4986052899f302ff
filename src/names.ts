/** The names that people write in flags, variables and profiles: flows, clouds and output formats. */

/** The flows; output and profiles write them like this. */
export const flowNames = [
  "ClientCredentials",
  "InteractiveBrowser",
  "DeviceCode",
  "AuthorizationCode",
] as const;

export type FlowName = (typeof flowNames)[number];

/**
 * Reads a flow name in any case and as kebab: `client-credentials`, `CLIENTCREDENTIALS`, `interactive`.
 *
 * Returns undefined for anything else.
 */
export function parseFlowName(text: string): FlowName | undefined {
  const plain = text.replaceAll(/[-_]/g, "").toLowerCase();
  if (plain === "interactive") return "InteractiveBrowser";
  return flowNames.find((name) => name.toLowerCase() === plain);
}

/** Microsoft's clouds: public, US Government, China (21Vianet), Bleu (France), Delos (Germany), Singapore. */
export const cloudNames = ["public", "usgov", "china", "france", "germany", "singapore"] as const;

export type CloudName = (typeof cloudNames)[number];

/** Reads a cloud name in any case; returns undefined for anything else. */
export function parseCloudName(text: string): CloudName | undefined {
  return cloudNames.find((name) => name === text.toLowerCase());
}

/** How a client assertion is signed (RFC 7518 §3.1). */
export const assertionAlgorithms = ["PS256", "RS256"] as const;

export type AssertionAlgorithm = (typeof assertionAlgorithms)[number];

/** What the sign-in page shall ask for (OIDC Core §3.1.2.1). */
export const prompts = ["login", "none", "consent", "select_account"] as const;

export type Prompt = (typeof prompts)[number];

/** What `get-token` can print. */
export const outputFormats = ["token", "json", "yaml", "header", "env"] as const;

export type OutputFormat = (typeof outputFormats)[number];
