/** The refresh token grant (RFC 6749 §6): a new access token without the person, and what to do when that is refused. */

import type { EntraToolError } from "../errors.ts";
import { readTokenResponse } from "../entra/token_endpoint.ts";
import { userScopes } from "../entra/scope.ts";
import type { FlowName } from "../names.ts";
import type { Account } from "../token/account.ts";
import type { TokenSet } from "../token/token_set.ts";
import type { FlowHost, FlowInput } from "./flow.ts";
import { clientFields, post, responseContext } from "./token_request_fields.ts";
import { userTokenSet } from "./received_token.ts";

/**
 * Trades a person's refresh token in.
 *
 * The answer's refresh token takes the place of the old one; without one in it the old one stays.
 *
 * @throws EntraToolError refused or interaction, with `detail.oauth`; see {@link afterRefusedRefresh}
 * @see https://learn.microsoft.com/entra/identity-platform/v2-oauth2-auth-code-flow#refresh-the-access-token
 */
export async function refreshToken(
  { account, refreshToken = "" }: { readonly account: Account; readonly refreshToken?: string },
  input: FlowInput,
  host: FlowHost,
): Promise<TokenSet> {
  const { scopes, asked } = userScopes(input.scopes, input.authority.cloud);
  const answer = await post(
    {
      url: input.authority.tokenEndpoint,
      form: async () => ({
        grant_type: "refresh_token",
        refresh_token: refreshToken,
        scope: scopes.join(" "),
        ...await clientFields(input, host),
      }),
      retryAfter: "any_failure",
    },
    input,
    host,
  );
  const response = readTokenResponse(answer, responseContext(input, host));
  return userTokenSet(
    { ...response, refreshToken: response.refreshToken ?? refreshToken },
    {
      flow: input.flow,
      authority: input.authority,
      asked,
      now: host.now(),
      clientId: input.clientId,
      nonce: undefined,
      account,
    },
  );
}

/** What a refused refresh means for the next step. */
export interface AfterRefusal {
  /** Whether a new sign-in can help. */
  readonly signIn: boolean;
  /** Whether the refresh token is of no more use. */
  readonly forget: boolean;
  /** What the sign-in has to ask for. */
  readonly prompt?: "consent" | "login";
  /** What helps in its place. */
  readonly remedy?: string;
}

/**
 * Entra's `suberror` values. Those that are not listed, and none at all, mean: sign in.
 *
 * @see https://learn.microsoft.com/entra/identity-platform/reference-error-codes#handling-error-codes-in-your-application
 */
const bySuberror: Readonly<Record<string, AfterRefusal>> = {
  // the device or the account has to be put right first: signing in again would end at the same place
  additional_action: {
    signIn: false,
    forget: false,
    remedy: "Put right what the server names, the device or the account, and run the command again",
  },
  bad_token: { signIn: true, forget: true },
  basic_action: { signIn: true, forget: false },
  client_mismatch: { signIn: true, forget: true },
  consent_required: { signIn: true, forget: false, prompt: "consent" },
  message_only: {
    signIn: false,
    forget: false,
    remedy: "Ask the administrator who set the policy: a new sign-in rarely helps",
  },
  // Intune app protection needs a broker, which this program is not
  protection_policy_required: {
    signIn: false,
    forget: false,
    remedy: "The policy wants an app that Intune protects, and no command-line tool is one",
  },
  token_expired: { signIn: true, forget: true },
  user_password_expired: { signIn: true, forget: false, prompt: "login" },
};

/** Codes that say that the refresh token itself is over, whatever it is used for. */
const endings: readonly string[] = [
  "AADSTS50173",
  "AADSTS70008",
  "AADSTS700082",
  "AADSTS700084",
];

/**
 * What to do after {@link refreshToken} threw; undefined when the error says nothing about the refresh token.
 *
 * @param flow by which the person would sign in
 */
export function afterRefusedRefresh(
  { code, detail: { oauth }, failure }: EntraToolError,
  flow: FlowName,
): AfterRefusal | undefined {
  if (oauth === undefined || failure === "network") return undefined;
  // throttled: whatever is sent now is refused, and nothing is wrong with the token
  if (code === "AADSTS50196") return undefined;
  // a session that began with a device code can't go on, and would not after another one
  if (code === "AADSTS530036") return { signIn: flow !== "DeviceCode", forget: true };
  // the sign-in frequency of one resource: for the others the token is as good as before
  if (code === "AADSTS70043") return { signIn: true, forget: false };
  const known = oauth.suberror === undefined ? undefined : bySuberror[oauth.suberror];
  if (known !== undefined) return known;
  switch (oauth.error) {
    case "invalid_grant":
      // other servers than Entra say no more than this (RFC 6749 §5.2)
      return { signIn: true, forget: endings.includes(code) || !code.startsWith("AADSTS") };
    case "interaction_required":
    case "login_required":
      return { signIn: true, forget: false };
    case "consent_required":
      return { signIn: true, forget: false, prompt: "consent" };
    default:
      // invalid_client and the like: a sign-in would fail in the same way
      return undefined;
  }
}
