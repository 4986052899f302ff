/**
 * An authorization server that nobody here wrote (npm `oidc-provider`), on Entra's paths. A program of its own: it prints its
 * origin and serves until it is killed.
 *
 * Its argument is JSON: `{ tenantId, clientId, clientSecret?, jwks?, scope }`; with `jwks` the client proves itself by an
 * assertion (private_key_jwt, PS256), else by its secret in the body.
 */

import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import process from "node:process";
// @ts-types="@types/oidc-provider"
import Provider from "oidc-provider";

const { tenantId, clientId, clientSecret, jwks, scope } = JSON.parse(process.argv[2] ?? "{}");

const server = createServer();
server.listen(0, "127.0.0.1", () => {
  const { port } = server.address() as AddressInfo;
  const origin = `http://127.0.0.1:${port}`;
  const provider = new Provider(origin, {
    routes: { token: `/${tenantId}/oauth2/v2.0/token`, jwks: `/${tenantId}/discovery/v2.0/keys` },
    scopes: [scope],
    clientAuthMethods: ["client_secret_post", "private_key_jwt"],
    enabledJWA: { clientAuthSigningAlgValues: ["PS256"] },
    clients: [{
      client_id: clientId,
      grant_types: ["client_credentials"],
      redirect_uris: [],
      response_types: [],
      scope,
      ...(jwks === undefined
        ? { client_secret: clientSecret, token_endpoint_auth_method: "client_secret_post" }
        : {
          jwks,
          token_endpoint_auth_method: "private_key_jwt",
          token_endpoint_auth_signing_alg: "PS256",
        }),
    }],
    features: {
      clientCredentials: { enabled: true },
      devInteractions: { enabled: false },
      resourceIndicators: {
        enabled: true,
        defaultResource: () => scope.replace(/\/\.default$/, ""),
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
