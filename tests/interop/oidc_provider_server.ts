/**
 * An authorization server that nobody here wrote (npm `oidc-provider`), on Entra's paths. A program of its own: it prints its
 * origin and serves until it is killed.
 *
 * Its argument is JSON: `{ tenantId, clientId, clientSecret?, jwks?, scope, redirectUris? }`. With `jwks` the client proves
 * itself by an assertion (private_key_jwt, PS256), with `clientSecret` by its secret in the body, with neither it is public.
 * With `redirectUris` people sign in: any name and password will do on its development pages.
 */

import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import process from "node:process";
// @ts-types="@types/oidc-provider"
import Provider, { type ClientMetadata } from "oidc-provider";

const { tenantId, clientId, clientSecret, jwks, scope, redirectUris } = JSON.parse(
  process.argv[2] ?? "{}",
);

const personalGrants = [
  "authorization_code",
  "refresh_token",
  "urn:ietf:params:oauth:grant-type:device_code",
];

const authentication: Partial<ClientMetadata> = jwks !== undefined
  ? {
    jwks,
    token_endpoint_auth_method: "private_key_jwt",
    token_endpoint_auth_signing_alg: "PS256",
  }
  : clientSecret !== undefined
  ? { client_secret: clientSecret, token_endpoint_auth_method: "client_secret_post" }
  : { token_endpoint_auth_method: "none", application_type: "native" };

const server = createServer();
server.listen(0, "127.0.0.1", () => {
  const { port } = server.address() as AddressInfo;
  const origin = `http://127.0.0.1:${port}`;
  const base = `/${tenantId}/oauth2/v2.0`;
  const provider = new Provider(origin, {
    routes: {
      authorization: `${base}/authorize`,
      device_authorization: `${base}/devicecode`,
      token: `${base}/token`,
      jwks: `/${tenantId}/discovery/v2.0/keys`,
    },
    scopes: [scope, "openid", "profile", "offline_access"],
    claims: { openid: ["sub"], profile: ["preferred_username"] },
    conformIdTokenClaims: false,
    findAccount: (_context, id) => ({
      accountId: id,
      claims: () => ({ sub: id, preferred_username: `${id}@contoso.com` }),
    }),
    clientAuthMethods: ["none", "client_secret_post", "private_key_jwt"],
    enabledJWA: { clientAuthSigningAlgValues: ["PS256"] },
    clients: [{
      client_id: clientId,
      grant_types: redirectUris === undefined ? ["client_credentials"] : personalGrants,
      redirect_uris: redirectUris ?? [],
      response_types: redirectUris === undefined ? [] : ["code"],
      scope: redirectUris === undefined ? scope : `${scope} openid profile offline_access`,
      ...authentication,
    }],
    // as Entra does: whoever asks for offline_access gets one, and each use gives a new one and ends the old one
    issueRefreshToken: () => Promise.resolve(true),
    rotateRefreshToken: true,
    features: {
      clientCredentials: { enabled: true },
      devInteractions: { enabled: redirectUris !== undefined },
      deviceFlow: { enabled: redirectUris !== undefined },
      resourceIndicators: {
        enabled: true,
        defaultResource: () => scope.replace(/\/\.default$/, ""),
        useGrantedResource: () => true,
        getResourceServerInfo: (_context: unknown, resource: string) => ({
          scope,
          audience: resource,
          accessTokenFormat: "jwt" as const,
          accessTokenTTL: 3600,
        }),
      },
    },
  });
  server.on("request", provider.callback());
  process.stdout.write(`${origin}\n`);
});
