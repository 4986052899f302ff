/** The client credentials grant (RFC 6749 §4.4): a service gets a token in its own name, with one request. */

import { EntraToolError } from "../errors.ts";
import { requireOneTenant } from "../entra/authority.ts";
import { clientCredentialsScope } from "../entra/scope.ts";
import { readTokenResponse } from "../entra/token_endpoint.ts";
import type { TokenSet } from "../token/token_set.ts";
import { tokenSetFrom } from "./received_token.ts";
import type { Flow, FlowHost, FlowInput } from "./flow.ts";
import { post, responseContext } from "./token_request_fields.ts";

export const clientCredentials: Flow = {
  permissions: [{ name: "net", scope: "authority" }],
  run: requestClientCredentialsToken,
};

/**
 * Gets an app-only token.
 *
 * Everything that can be known to be wrong is refused before the request.
 *
 * @throws EntraToolError usage for a tenant, scope or credential that can't work; refused or network as
 *   {@link readTokenResponse}
 * @see https://learn.microsoft.com/entra/identity-platform/v2-oauth2-client-creds-grant-flow
 */
export async function requestClientCredentialsToken(
  input: FlowInput,
  host: FlowHost,
): Promise<TokenSet> {
  const { authority, clientId, credential } = input;
  requireOneTenant(authority);
  const scope = clientCredentialsScope(input.scopes, authority.cloud);
  if (credential === undefined) {
    throw new EntraToolError(
      "usage",
      "credential_missing",
      "Client credentials need a client secret or a certificate, and none is configured",
      {
        hint: "Add --client-secret-file PATH or --certificate PATH, or set AZURE_CLIENT_SECRET",
      },
    );
  }
  const answer = await post(
    {
      url: authority.tokenEndpoint,
      form: async () => ({
        grant_type: "client_credentials",
        client_id: clientId,
        scope,
        ...(input.claims === undefined ? {} : { claims: input.claims }),
        ...await credential.formParameters(authority.tokenEndpoint, host.now()),
      }),
      retryAfter: "any_failure",
    },
    input,
    host,
  );
  const now = host.now();
  const response = readTokenResponse(answer, responseContext(input, host));
  return tokenSetFrom(response, {
    flow: "ClientCredentials",
    authority,
    clientId,
    asked: [scope],
    now,
  });
}
