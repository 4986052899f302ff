/** Whom secrets are sent to: every form of an authority, and what is refused before anything is sent. */

import assert from "node:assert/strict";
import fc from "fast-check";
import { requireOneTenant, resolveAuthority } from "../../../src/entra/authority.ts";
import { isLoopback } from "../../../src/loopback.ts";
import { EntraToolError } from "../../../src/errors.ts";
import type { CloudName } from "../../../src/names.ts";

const guid = "7f0d6e2c-1111-4222-8333-444455556666";

const resolve = (authority?: string, tenant?: string, cloud?: CloudName) =>
  resolveAuthority({ authority, tenant, cloud });

const accepted: readonly (readonly [
  authority: string | undefined,
  tenant: string | undefined,
  url: string,
])[] = [
  [undefined, guid, `https://login.microsoftonline.com/${guid}`],
  [undefined, "contoso.com", "https://login.microsoftonline.com/contoso.com"],
  [undefined, "common", "https://login.microsoftonline.com/common"],
  ["https://login.microsoftonline.com", guid, `https://login.microsoftonline.com/${guid}`],
  ["https://login.microsoftonline.com/", guid, `https://login.microsoftonline.com/${guid}`],
  ["https://LOGIN.microsoftonline.com:443//", guid, `https://login.microsoftonline.com/${guid}`],
  [
    `https://login.microsoftonline.com/${guid}`,
    undefined,
    `https://login.microsoftonline.com/${guid}`,
  ],
  [`https://login.microsoftonline.com/${guid}/`, guid, `https://login.microsoftonline.com/${guid}`],
  [
    "https://contoso.b2clogin.com/contoso.onmicrosoft.com/B2C_1_signin",
    undefined,
    "https://contoso.b2clogin.com/contoso.onmicrosoft.com/B2C_1_signin",
  ],
  [
    "https://contoso.ciamlogin.com",
    "contoso.onmicrosoft.com",
    "https://contoso.ciamlogin.com/contoso.onmicrosoft.com",
  ],
  ["https://login.example:8443", "a.com", "https://login.example:8443/a.com"],
  ["http://localhost:8080", "a.com", "http://localhost:8080/a.com"],
  ["http://127.0.0.1:8080", "a.com", "http://127.0.0.1:8080/a.com"],
  ["http://127.1", "a.com", "http://127.0.0.1/a.com"],
  ["http://[::1]:8080/a.com", undefined, "http://[::1]:8080/a.com"],
];

for (const [authority, tenant, url] of accepted) {
  Deno.test(`${authority ?? "no authority"} with ${tenant ?? "no tenant"} is ${url}`, () => {
    const resolved = resolve(authority, tenant);
    assert.equal(resolved.url, url);
    assert.equal(resolved.tokenEndpoint, `${url}/oauth2/v2.0/token`);
    assert.equal(resolved.host, new URL(url).host);
  });
}

const refused: readonly (readonly [
  authority: string | undefined,
  tenant: string | undefined,
  code: string,
  message: RegExp,
])[] = [
  [undefined, undefined, "tenant_missing", /No tenant is set/],
  ["https://login.example", undefined, "tenant_missing", /No tenant is set/],
  ["login.microsoftonline.com", guid, "authority_invalid", /is not an https URL/],
  ["", guid, "authority_invalid", /is not an https URL/],
  ["ftp://login.example", guid, "authority_invalid", /is not an https URL/],
  ["javascript:alert(1)", guid, "authority_invalid", /is not an https URL/],
  ["http://login.microsoftonline.com", guid, "authority_invalid", /in the clear/],
  ["http://127.0.0.1.evil.example", guid, "authority_invalid", /in the clear/],
  ["http://localhost.evil.example", guid, "authority_invalid", /in the clear/],
  ["http://[::2]", guid, "authority_invalid", /in the clear/],
  ["http://0.0.0.0", guid, "authority_invalid", /in the clear/],
  ["https://user@login.example", guid, "authority_invalid", /has a user name or password/],
  ["https://login.microsoftonline.com@evil.example", guid, "authority_invalid", /user name/],
  ["https://login.example/?x", guid, "authority_invalid", /query or fragment/],
  ["https://login.example/#x", guid, "authority_invalid", /query or fragment/],
  [`https://login.example/${guid}`, "a.com", "tenant_conflict", /names tenant "7f0d6e2c-/],
  ["https://login.example/a/b", undefined, "tenant_invalid", /"a" is not a tenant/],
  [undefined, "contoso", "tenant_invalid", /"contoso" is not a tenant/],
  [undefined, "a.com/b", "tenant_invalid", /is not a tenant/],
  [undefined, "../a.com", "tenant_invalid", /is not a tenant/],
  [undefined, "a..com", "tenant_invalid", /is not a tenant/],
  [undefined, "-a.com", "tenant_invalid", /is not a tenant/],
  [undefined, `${guid}0`, "tenant_invalid", /is not a tenant/],
];

for (const [authority, tenant, code, message] of refused) {
  Deno.test(`${authority ?? "no authority"} with ${tenant ?? "no tenant"} is refused: ${code}`, () => {
    assert.throws(
      () => resolve(authority, tenant),
      (error) =>
        error instanceof EntraToolError && error.failure === "usage" && error.code === code &&
        message.test(error.message) && error.detail.hint !== undefined,
    );
  });
}

Deno.test("tenants are the same in any case", () => {
  const url = `https://login.example/${guid.toUpperCase()}`;
  assert.equal(resolve(url, guid).tenant, guid);
});

Deno.test("the token endpoint is always https or this machine, and under the tenant", () => {
  const authority = fc.oneof(fc.webUrl({ withQueryParameters: true }), fc.string()).filter((text) =>
    text !== ""
  );
  const tenant = fc.oneof(fc.uuid(), fc.domain(), fc.string());
  fc.assert(
    fc.property(fc.option(authority, { nil: undefined }), tenant, (text, name) => {
      let resolved;
      try {
        resolved = resolve(text, name);
      } catch (error) {
        assert.ok(error instanceof EntraToolError && error.failure === "usage", `${error}`);
        return;
      }
      const { protocol, hostname, pathname, search, username } = new URL(resolved.tokenEndpoint);
      assert.ok(protocol === "https:" || isLoopback(hostname));
      assert.equal(pathname.split("/")[1]?.toLowerCase(), name.toLowerCase());
      assert.match(pathname, /\/oauth2\/v2\.0\/token$/);
      assert.equal(search + username, "");
    }),
    { numRuns: 500 },
  );
});

Deno.test("client credentials are refused for names that stand for many tenants", () => {
  for (const tenant of ["common", "organizations", "consumers"]) {
    assert.throws(() => requireOneTenant(resolve(undefined, tenant)), /need one tenant/);
  }
  requireOneTenant(resolve(undefined, guid));
  requireOneTenant(resolve(undefined, "common.com"));
});
