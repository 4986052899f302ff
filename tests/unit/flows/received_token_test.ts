import assert from "node:assert/strict";
import { resolveAuthority } from "../../../src/entra/authority.ts";
import type { TokenResponse } from "../../../src/entra/token_endpoint.ts";
import { EntraToolError } from "../../../src/errors.ts";
import { userTokenSet } from "../../../src/flows/received_token.ts";
import { unsignedJwt } from "../../cli/sign_in_emulated.ts";

const clientId = "c0ffee00-0000-4000-8000-0000000000c1";
const tenant = "c0ffee00-0000-4000-8000-000000000001";
const now = Date.parse("2030-01-01T00:00:00Z");
const good = {
  aud: clientId,
  exp: now / 1000 + 60,
  nonce: "n",
  oid: "o",
  tid: tenant,
  preferred_username: "ada@contoso.com",
};
const expected = {
  flow: "InteractiveBrowser",
  authority: resolveAuthority({ tenant, cloud: undefined, authority: undefined }),
  asked: ["User.Read"],
  now,
  clientId,
  nonce: "n",
} as const;

function response(claims: object | undefined, more: Partial<TokenResponse> = {}): TokenResponse {
  return {
    accessToken: "opaque",
    expiresIn: 3600,
    refreshIn: undefined,
    scopes: undefined,
    refreshToken: undefined,
    idToken: claims && unsignedJwt({ ...claims }),
    clientInfo: undefined,
    ...more,
  };
}

Deno.test("userTokenSet() takes the account from client_info, and its name from the id_token", () => {
  const clientInfo = { uid: "home", utid: "home-tenant" };
  const { account, tenantId } = userTokenSet(response(good, { clientInfo }), expected);
  assert.deepEqual(account, {
    homeAccountId: "home.home-tenant",
    username: "ada@contoso.com",
    tenantId: tenant,
  });
  assert.equal(tenantId, tenant);
});

Deno.test("userTokenSet() makes a home account of the id_token where there is no client_info", () => {
  assert.equal(userTokenSet(response(good), expected).account?.homeAccountId, `o.${tenant}`);
});

const refusals: readonly (readonly [name: string, claims: object | undefined, text: RegExp])[] = [
  ["no id_token", undefined, /is missing or can not be read/],
  ["another app's", { ...good, aud: "c0ffee00-0000-4000-8000-0000000000c2" }, /for another app/],
  ["one for several apps", { ...good, aud: [clientId, "other"] }, /for another app/],
  ["one of another sign-in", { ...good, nonce: "m" }, /its nonce does not fit/],
  ["one without a nonce", { ...good, nonce: undefined }, /its nonce does not fit/],
  ["one that ended long ago", { ...good, exp: now / 1000 - 301 }, /has expired already/],
  ["one without an end", { ...good, exp: undefined }, /does not say when it ends/],
  [
    "another tenant's",
    { ...good, tid: "fab00000-0000-4000-8000-000000000002" },
    /^The token is of tenant "fab00000-.*", but tenant "c0ffee00-/,
  ],
];
for (const [name, claims, text] of refusals) {
  Deno.test(`userTokenSet() refuses ${name}`, () => {
    assert.throws(
      () => userTokenSet(response(claims), expected),
      (error) =>
        error instanceof EntraToolError && error.failure === "refused" && text.test(error.message),
    );
  });
}

Deno.test("userTokenSet() bears with a clock that is five minutes fast", () => {
  assert.ok(userTokenSet(response({ ...good, exp: now / 1000 - 300 }), expected));
});

Deno.test("userTokenSet() keeps the account of a refresh that brings no id_token", () => {
  const account = { homeAccountId: "h.t", username: "ada@contoso.com", tenantId: tenant };
  const { nonce: _, ...refresh } = expected;
  const set = userTokenSet(response(undefined), { ...refresh, nonce: undefined, account });
  assert.deepEqual(set.account, account);
});
