/** `get-token` against an authorization server that nobody here wrote: npm `oidc-provider`, on Entra's paths. */

import assert from "node:assert/strict";
import { createPublicKey } from "node:crypto";
import { createRemoteJWKSet, jwtVerify } from "jose";
import { startProgram } from "../interop/program.ts";
import { opensslFolder, opensslTest } from "../fixtures/openssl_certificates.ts";
import { runProcess } from "./run_cli.ts";

const tenantId = "c0ffee00-0000-4000-8000-000000000001";
const clientId = "c0ffee00-0000-4000-8000-0000000000a1";
const scope = "api://orders/.default";
const clientSecret = "a secret with spaces, + and %20&=";

const flags = [
  "get-token",
  "--no-cache",
  "--tenant",
  tenantId,
  "--client-id",
  clientId,
  "-s",
  scope,
];

Deno.test("oidc-provider issues a token to get-token with a client secret", async () => {
  await using provider = await startProgram("oidc_provider_server.ts", {
    tenantId,
    clientId,
    clientSecret,
    scope,
  });
  const result = await runProcess([
    ...flags,
    "-f",
    "ClientCredentials",
    "--authority",
    provider.firstLine,
  ], {
    env: { AZURE_CLIENT_SECRET: clientSecret },
  });
  assert.deepEqual({ code: result.code, stderr: result.stderr }, { code: 0, stderr: "" });
  await verify(result.stdout, provider.firstLine);
});

opensslTest("oidc-provider issues a token to get-token with a certificate (PS256)", async () => {
  const folder = await opensslFolder();
  await folder.write("app.pem", await folder.concatenated("app.key", "app.crt"));
  const jwk = createPublicKey(await folder.text("app.crt")).export({ format: "jwk" });
  const jwks = { keys: [{ ...jwk, use: "sig", alg: "PS256" }] };
  await using provider = await startProgram("oidc_provider_server.ts", {
    tenantId,
    clientId,
    jwks,
    scope,
  });
  const certificate = `${folder.path}/app.pem`;
  const result = await runProcess([
    ...flags,
    "--authority",
    provider.firstLine,
    "--certificate",
    certificate,
  ]);
  assert.deepEqual({ code: result.code, stderr: result.stderr }, { code: 0, stderr: "" });
  await verify(result.stdout, provider.firstLine);
});

Deno.test("oidc-provider's refusal of a wrong secret ends get-token with exit code 2", async () => {
  await using provider = await startProgram("oidc_provider_server.ts", {
    tenantId,
    clientId,
    clientSecret,
    scope,
  });
  const result = await runProcess([...flags, "--authority", provider.firstLine], {
    env: { AZURE_CLIENT_SECRET: "not the secret" },
  });
  assert.equal(result.code, 2);
  assert.equal(result.stdout, "");
  assert.match(result.stderr, /\(invalid_client\)/);
});

async function verify(stdout: string, origin: string): Promise<void> {
  const keys = createRemoteJWKSet(new URL(`${origin}/${tenantId}/discovery/v2.0/keys`));
  const { payload } = await jwtVerify(stdout.trim(), keys, {
    issuer: origin,
    audience: "api://orders",
  });
  assert.equal(payload.client_id, clientId);
  assert.equal(payload.scope, scope);
}
