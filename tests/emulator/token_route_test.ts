import assert from "node:assert/strict";
import {
  answered,
  contoso,
  exampleWith,
  exampleWithApps,
  goodForm,
  requestToken,
  withEmulator,
} from "./emulated.ts";
import type { Emulator, EmulatorOptions } from "../../src/emulator/emulator.ts";

interface Refusal {
  readonly when: string;
  readonly options?: EmulatorOptions;
  readonly form?: Readonly<Record<string, string | undefined>>;
  readonly tenant?: string;
  readonly headers?: Record<string, string>;
  readonly status: number;
  readonly error: string;
  readonly code: number;
  readonly says: RegExp;
}

const unknownId = "c0ffee00-0000-4000-8000-00000000dead";
const disabledId = "c0ffee00-0000-4000-8000-0000000000a3";
const expiredId = "c0ffee00-0000-4000-8000-0000000000a4";
const elsewhereId = "c0ffee00-0000-4000-8000-0000000000a5";
const otherTenantId = "c0ffee00-0000-4000-8000-000000000002";

const refusals: readonly Refusal[] = [
  {
    when: "grant_type is missing",
    form: { grant_type: undefined },
    status: 400,
    error: "invalid_request",
    code: 900144,
    says: /must contain the following parameter: 'grant_type'/,
  },
  {
    when: "grant_type is empty",
    form: { grant_type: "" },
    status: 400,
    error: "invalid_request",
    code: 900144,
    says: /'grant_type'/,
  },
  {
    when: "client_id is missing",
    form: { client_id: undefined },
    status: 400,
    error: "invalid_request",
    code: 900144,
    says: /'client_id'/,
  },
  {
    when: "scope is missing",
    form: { scope: undefined },
    status: 400,
    error: "invalid_request",
    code: 90014,
    says: /required field 'scope' is missing/,
  },
  {
    when: "the body is JSON",
    headers: { "Content-Type": "application/json" },
    status: 400,
    error: "invalid_request",
    code: 900144,
    says: /'grant_type'/,
  },
  {
    when: "the grant type is unknown",
    form: { grant_type: "magic" },
    status: 400,
    error: "unsupported_grant_type",
    code: 70003,
    says: /unsupported grant type 'magic'/,
  },
  {
    when: "the app is unknown",
    form: { client_id: unknownId },
    status: 400,
    error: "unauthorized_client",
    code: 700016,
    says: new RegExp(`identifier '${unknownId}' was not found in the directory 'Contoso'`),
  },
  {
    when: "the app is of another tenant",
    options: exampleWith({
      tenants: [
        { id: contoso.tenantId, domains: ["contoso.com"] },
        { id: otherTenantId, domains: ["fabrikam.com"] },
      ],
      apps: [{ clientId: elsewhereId, tenant: "fabrikam.com", secrets: [{ value: "s3cr3t" }] }],
      resources: JSON.parse("[]"),
    }),
    form: { client_id: elsewhereId },
    status: 400,
    error: "unauthorized_client",
    code: 700016,
    says: /was not found in the directory 'contoso.com'/,
  },
  {
    when: "the app is disabled",
    options: exampleWithApps({ clientId: disabledId, displayName: "Old job", enabled: false }),
    form: { client_id: disabledId },
    status: 400,
    error: "unauthorized_client",
    code: 7000112,
    says: new RegExp(`Application '${disabledId}'\\(Old job\\) is disabled`),
  },
  {
    when: "the secret is wrong",
    form: { client_secret: "guess" },
    status: 401,
    error: "invalid_client",
    code: 7000215,
    says: /Invalid client secret provided\. Ensure .* not the client secret ID/,
  },
  {
    when: "the secret has expired",
    options: exampleWithApps({
      clientId: expiredId,
      secrets: [{ value: "old", expires: "2020-01-01" }],
    }),
    form: { client_id: expiredId, client_secret: "old" },
    status: 401,
    error: "invalid_client",
    code: 7000222,
    says: /secret keys for app 'c0ffee00-.*' are expired/,
  },
  {
    when: "there is no credential",
    form: { client_secret: undefined },
    status: 401,
    error: "invalid_client",
    code: 7000216,
    says: /'client_assertion', 'client_secret' or 'request' is required/,
  },
  {
    when: "a public client sends a secret",
    form: { client_id: contoso.publicClientId },
    status: 401,
    error: "invalid_client",
    code: 700025,
    says: /Client is public/,
  },
  {
    when: "the tenant is unknown",
    tenant: otherTenantId,
    status: 400,
    error: "invalid_request",
    code: 90002,
    says: new RegExp(`Tenant '${otherTenantId}' not found`),
  },
  {
    when: "the tenant's domain is unknown",
    tenant: "fabrikam.com",
    status: 400,
    error: "invalid_request",
    code: 90002,
    says: /Tenant 'fabrikam\.com' not found/,
  },
  {
    when: "the tenant is malformed",
    tenant: "not_a_tenant",
    status: 400,
    error: "invalid_request",
    code: 900023,
    says: /'not_a_tenant' is neither a valid DNS name, nor a valid external domain/,
  },
  ...["common", "organizations"].map((tenant) => ({
    when: `the tenant is ${tenant}`,
    tenant,
    status: 400,
    error: "invalid_request",
    code: 50059,
    says: /No tenant-identifying information found/,
  })),
  ...["consumers", "9188040d-6c67-4c5b-b112-36a304b66dad"].map((tenant) => ({
    when: `the tenant is ${tenant}`,
    tenant,
    status: 400,
    error: "invalid_request",
    code: 9001023,
    says: /not supported over the \/common or \/consumers endpoints/,
  })),
  ...["https://graph.microsoft.com/User.Read", "openid", "x/.defaults", "/.default"].map((
    scope,
  ) => ({
    when: `the scope is ${scope}`,
    form: { scope },
    status: 400,
    error: "invalid_scope",
    code: 1002012,
    says: /must have a scope value with \/\.default/,
  })),
  ...[
    "https://graph.microsoft.com/.default api://orders/.default",
    "https://graph.microsoft.com/.default https://graph.microsoft.com/User.Read",
  ].map((scope) => ({
    when: `the scopes are ${scope}`,
    form: { scope },
    status: 400,
    error: "invalid_scope",
    code: 70011,
    says: new RegExp(`The scope ${RegExp.escape(scope)} is not valid`),
  })),
  {
    when: "the resource is unknown",
    form: { scope: "api://nobody/.default" },
    status: 400,
    error: "invalid_resource",
    code: 500011,
    says: /principal named api:\/\/nobody was not found in the tenant named Contoso/,
  },
  {
    when: "the request has an Origin",
    headers: { "Origin": "https://app.example" },
    status: 400,
    error: "invalid_request",
    code: 9002326,
    says: /'Single-Page Application' client-type\. Request origin: 'https:\/\/app\.example'/,
  },
  {
    when: "claims are no JSON",
    form: { claims: "{access_token" },
    status: 400,
    error: "invalid_request",
    code: 9002313,
    says: /malformed or invalid/,
  },
  {
    when: "claims are no object",
    form: { claims: "null" },
    status: 400,
    error: "invalid_request",
    code: 9002313,
    says: /malformed or invalid/,
  },
  {
    when: "secret and assertion come together",
    form: { client_assertion: "a.b.c" },
    status: 400,
    error: "invalid_request",
    code: 9002313,
    says: /malformed or invalid/,
  },
  {
    when: "HTTP Basic can not be decoded",
    headers: { "Authorization": `Basic ${btoa("%zz:x")}` },
    form: { client_id: undefined, client_secret: undefined },
    status: 400,
    error: "invalid_request",
    code: 9002313,
    says: /malformed or invalid/,
  },
  {
    when: "a secret comes by HTTP Basic and in the body",
    headers: { "Authorization": `Basic ${btoa(`${contoso.clientId}:${contoso.secret}`)}` },
    status: 400,
    error: "invalid_request",
    code: 9002313,
    says: /malformed or invalid/,
  },
  {
    when: "HTTP Basic names another client than the body",
    headers: { "Authorization": `Basic ${btoa(`${unknownId}:x`)}` },
    form: { client_secret: undefined },
    status: 400,
    error: "invalid_request",
    code: 9002313,
    says: /malformed or invalid/,
  },
];

async function refuses(emulator: Emulator, refusal: Refusal): Promise<void> {
  const { status, headers, body } = await requestToken(
    emulator,
    { ...goodForm, ...refusal.form },
    { tenant: refusal.tenant ?? emulator.tenantId, headers: refusal.headers ?? {} },
  );
  assert.deepEqual(body.error_codes, [refusal.code], JSON.stringify(body));
  assert.equal(body.error, refusal.error);
  assert.equal(status, refusal.status);
  const description = String(body.error_description);
  assert.match(description, refusal.says);
  assert.match(
    description,
    /^AADSTS\d+: .+ Trace ID: [0-9a-f-]{36} Correlation ID: [0-9a-f-]{36} Timestamp: .+Z$/,
  );
  assert.doesNotMatch(description, /unknown|\{/);
  assert.equal(body.trace_id, headers.get("x-ms-request-id"));
  assert.match(String(body.timestamp), /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\dZ$/);
  assert.equal(body.error_uri, `${emulator.origin}/error?code=${refusal.code}`);
  assert.equal(headers.get("content-type"), "application/json; charset=utf-8");
  assert.equal(headers.get("cache-control"), "no-store, no-cache");
  assert.equal(emulator.requests.at(-1)?.outcome, `AADSTS${refusal.code}`);
}

Deno.test("token endpoint refuses as Entra does", async (t) => {
  await withEmulator({}, async (shared) => {
    for (const refusal of refusals) {
      await t.step(`AADSTS${refusal.code} when ${refusal.when}`, async () => {
        const { options } = refusal;
        if (options === undefined) await refuses(shared, refusal);
        else await withEmulator(options, (emulator) => refuses(emulator, refusal));
      });
    }
  });
});

Deno.test("token endpoint refuses a repeated parameter", async () => {
  await withEmulator({}, async (emulator) => {
    const body = new URLSearchParams(goodForm);
    body.append("scope", goodForm.scope);
    const { status, body: refusal } = await answered(
      await fetch(`${emulator.authority}/oauth2/v2.0/token`, { method: "POST", body }),
    );
    assert.equal(status, 400);
    assert.deepEqual(refusal.error_codes, [9002313]);
  });
});

for (const method of ["GET", "PUT", "DELETE"]) {
  Deno.test(`token endpoint refuses the method ${method}`, async () => {
    await withEmulator({}, async (emulator) => {
      const { status, body } = await answered(
        await fetch(`${emulator.authority}/oauth2/v2.0/token`, { method }),
      );
      assert.equal(status, 405);
      assert.equal(body.error, "invalid_request");
      assert.deepEqual(body.error_codes, [900561]);
      assert.match(
        String(body.error_description),
        new RegExp(`only accepts POST requests\\. Received a ${method} request`),
      );
    });
  });
}

const accepted: Record<string, {
  form?: Record<string, string | undefined>;
  tenant?: string;
  headers?: Record<string, string>;
}> = {
  "a secret in the body": {},
  "a secret by HTTP Basic": {
    form: { client_id: undefined, client_secret: undefined },
    headers: { "Authorization": `Basic ${btoa(`${contoso.clientId}:${contoso.secret}`)}` },
  },
  "a form-urlencoded secret by HTTP Basic": {
    form: { client_secret: undefined },
    headers: { "Authorization": `Basic ${btoa(`${contoso.clientId}:emulator%2Dsecret`)}` },
  },
  "the tenant's domain": { tenant: "contoso.onmicrosoft.com" },
  "the tenant's domain in upper case": { tenant: "CONTOSO.COM" },
  "OpenID Connect scopes beside the resource": {
    form: { scope: "openid profile offline_access https://graph.microsoft.com/.default" },
  },
  "a resource named by its app id": { form: { scope: `${contoso.ordersAppId}/.default` } },
  "a resource with a slash at its end": {
    form: { scope: "https://management.azure.com//.default" },
  },
  "no resource, which means Graph": { form: { scope: ".default" } },
  "a content type with a charset": {
    headers: { "Content-Type": "application/x-www-form-urlencoded; charset=UTF-8" },
  },
};
Deno.test("token endpoint accepts what Entra does", async (t) => {
  await withEmulator({}, async (emulator) => {
    for (const [what, { form, tenant, headers }] of Object.entries(accepted)) {
      await t.step(what, async () => {
        const { status, body } = await requestToken(emulator, { ...goodForm, ...form }, {
          tenant: tenant ?? emulator.tenantId,
          headers: headers ?? {},
        });
        assert.equal(status, 200, JSON.stringify(body));
        assert.deepEqual(Object.keys(body), [
          "token_type",
          "expires_in",
          "ext_expires_in",
          "access_token",
        ]);
      });
    }
  });
});

Deno.test("token endpoint form-decodes both parts of HTTP Basic", async () => {
  const app = { clientId: expiredId, secrets: [{ value: "a b+c:d%ü" }] };
  await withEmulator(exampleWithApps(app), async (emulator) => {
    const form = { ...goodForm, client_id: undefined, client_secret: undefined };
    const credentials = `${expiredId}:a+b%2Bc%3Ad%25%C3%BC`;
    const { status, body } = await requestToken(emulator, form, {
      headers: { "Authorization": `Basic ${btoa(credentials)}` },
    });
    assert.equal(status, 200, JSON.stringify(body));
  });
});

Deno.test("token endpoint echoes client-request-id only when asked to", async () => {
  await withEmulator({}, async (emulator) => {
    const id = crypto.randomUUID();
    const asked = await requestToken(emulator, { ...goodForm, client_secret: "x" }, {
      headers: { "client-request-id": id, "return-client-request-id": "true" },
    });
    assert.equal(asked.headers.get("client-request-id"), id);
    assert.equal(asked.body.correlation_id, id);
    const notAsked = await requestToken(emulator, goodForm, {
      headers: { "client-request-id": id },
    });
    assert.equal(notAsked.headers.get("client-request-id"), null);
  });
});

Deno.test("token endpoint gives a correlation id of its own for one that is no GUID", async () => {
  await withEmulator({}, async (emulator) => {
    const { body } = await requestToken(emulator, { ...goodForm, client_secret: "x" }, {
      headers: { "client-request-id": "<script>" },
    });
    assert.match(String(body.correlation_id), /^[0-9a-f-]{36}$/);
  });
});

Deno.test("an unknown path is not found", async () => {
  await withEmulator({}, async (emulator) => {
    for (const path of ["/", "/error", "//oauth2/v2.0/token", "/common/oauth2/token"]) {
      const response = await fetch(`${emulator.origin}${path}`);
      assert.equal(response.status, 404, path);
      assert.equal(await response.text(), "");
    }
  });
});
