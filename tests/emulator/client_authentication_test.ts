import assert from "node:assert/strict";
import { decodeJwt, SignJWT } from "jose";
import { generateRsaKey, selfSigned } from "../../src/emulator/certificate_authority.ts";
import type { Emulator, EmulatorOptions } from "../../src/emulator/emulator.ts";
import {
  type Answered,
  exampleWithApps,
  goodForm,
  requestToken,
  withEmulator,
} from "./emulated.ts";

const clientId = "c0ffee00-0000-4000-8000-0000000000a7";

interface Certified {
  /** For PS256 and RS256: Web Crypto ties a key to one of them. */
  readonly keys: Readonly<Record<string, CryptoKey>>;
  readonly x5c: string;
  readonly pem: string;
  readonly x5t: string;
  readonly x5tS256: string;
}

async function certify(): Promise<Certified> {
  const pair = await generateRsaKey();
  const der = await selfSigned("client", pair);
  const pkcs8 = await crypto.subtle.exportKey("pkcs8", pair.privateKey);
  const pss = { name: "RSA-PSS", hash: "SHA-256" };
  const thumbprint = async (hash: string) =>
    new Uint8Array(await crypto.subtle.digest(hash, der))
      .toBase64({ alphabet: "base64url", omitPadding: true });
  return {
    keys: {
      RS256: pair.privateKey,
      PS256: await crypto.subtle.importKey("pkcs8", pkcs8, pss, false, ["sign"]),
    },
    x5c: der.toBase64(),
    pem: `-----BEGIN CERTIFICATE-----\n${der.toBase64()}\n-----END CERTIFICATE-----\n`,
    x5t: await thumbprint("SHA-1"),
    x5tS256: await thumbprint("SHA-256"),
  };
}

const registered = await certify();
const stranger = await certify();
const options: EmulatorOptions = exampleWithApps({
  clientId,
  displayName: "With a certificate",
  certificates: [registered.pem],
  permissions: [{ resource: "https://graph.microsoft.com", roles: ["User.Read.All"] }],
});

interface Assertion {
  readonly header?: Record<string, unknown>;
  readonly claims?: (emulator: Emulator, now: number) => Record<string, unknown>;
  readonly signedBy?: Certified;
  readonly alg?: string;
}

async function assertionOf(emulator: Emulator, assertion: Assertion): Promise<string> {
  const { alg = "PS256", signedBy = registered } = assertion;
  const now = Math.floor(Date.now() / 1000);
  return await new SignJWT({
    aud: `${emulator.authority}/oauth2/v2.0/token`,
    iss: clientId,
    sub: clientId,
    jti: crypto.randomUUID(),
    nbf: now,
    exp: now + 600,
    ...assertion.claims?.(emulator, now),
  }).setProtectedHeader({
    typ: "JWT",
    alg,
    ...assertion.header ?? { "x5t#S256": registered.x5tS256 },
  }).sign(alg === "HS256" ? new TextEncoder().encode("secret".repeat(6)) : signedBy.keys[alg]!);
}

const assertionForm = {
  ...goodForm,
  client_id: clientId,
  client_secret: undefined,
  client_assertion_type: "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
};

async function send(emulator: Emulator, assertion: string): Promise<Answered> {
  return await requestToken(emulator, { ...assertionForm, client_assertion: assertion });
}

const accepted: Record<string, Assertion> = {
  "PS256 with x5t#S256": {},
  "RS256 with x5t": { alg: "RS256", header: { x5t: registered.x5t } },
  "PS256 with x5c as an array": { header: { x5c: [registered.x5c, stranger.x5c] } },
  "PS256 with x5c as a string": { header: { x5c: registered.x5c } },
  "the issuer as audience": {
    claims: ({ authority }) => ({ aud: `${authority}/v2.0` }),
  },
  "the token endpoint by domain as audience": {
    claims: ({ origin }) => ({ aud: `${origin}/contoso.com/oauth2/v2.0/token` }),
  },
  "times as strings": {
    claims: (_, now) => ({ nbf: String(now), exp: String(now + 600) }),
  },
  "a clock that is four minutes fast": {
    claims: (_, now) => ({ nbf: now + 240, exp: now + 840 }),
  },
  "a clock that is four minutes slow": {
    claims: (_, now) => ({ nbf: now - 840, exp: now - 240 }),
  },
};
Deno.test("client assertion is accepted", async (t) => {
  await withEmulator(options, async (emulator) => {
    for (const [what, assertion] of Object.entries(accepted)) {
      await t.step(what, async () => {
        const { status, body } = await send(emulator, await assertionOf(emulator, assertion));
        assert.equal(status, 200, JSON.stringify(body));
        assert.equal(decodeJwt(String(body.access_token)).appidacr, "2");
      });
    }
  });
});

const invalidClient = { status: 401, error: "invalid_client" };
const invalidRequest = { status: 400, error: "invalid_request" };
const refused: Record<
  string,
  Assertion & {
    readonly code: number;
    readonly status: number;
    readonly error: string;
    readonly says: RegExp;
  }
> = {
  "an unknown certificate": {
    header: { "x5t#S256": stranger.x5tS256 },
    signedBy: stranger,
    ...invalidClient,
    code: 700027,
    says: /Reason - The key was not found\., Thumbprint of key used by client: '[0-9A-F]{64}'/,
  },
  "no certificate named": {
    header: { kid: registered.x5t },
    ...invalidClient,
    code: 700027,
    says: /Reason - The key was not found\., Please visit/,
  },
  "another key than the certificate's": {
    signedBy: stranger,
    ...invalidClient,
    code: 700027,
    says:
      /The provided signature value did not match the expected signature value\., Thumbprint of key used by client: '[0-9A-F]{40}'/,
  },
  "a signature with a shared secret": {
    alg: "HS256",
    ...invalidRequest,
    code: 5002730,
    says: /Unsupported key for the signing algorithm/,
  },
  "a foreign audience": {
    claims: () => ({ aud: "https://login.microsoftonline.com/common/oauth2/v2.0/token" }),
    ...invalidClient,
    code: 700023,
    says: /audience claim does not match Realm issuer/,
  },
  "a list of audiences": {
    claims: ({ authority }) => ({ aud: [`${authority}/oauth2/v2.0/token`] }),
    ...invalidRequest,
    code: 50027,
    says: /JWT token is invalid or malformed/,
  },
  "a foreign issuer": {
    claims: () => ({ iss: goodForm.client_id }),
    ...invalidClient,
    code: 700021,
    says: /application identifier doesn't match 'client_id' parameter/,
  },
  "a foreign subject": {
    claims: () => ({ sub: goodForm.client_id }),
    ...invalidClient,
    code: 700021,
    says: /application identifier doesn't match 'client_id' parameter/,
  },
  "an assertion that ended": {
    claims: (_, now) => ({ nbf: now - 900, exp: now - 301 }),
    ...invalidClient,
    code: 700024,
    says:
      /not within its valid time range\. Current time: \S+Z, assertion valid from \S+Z, expiry time of assertion \S+Z\./,
  },
  "an assertion that has not begun": {
    claims: (_, now) => ({ nbf: now + 360, exp: now + 900 }),
    ...invalidClient,
    code: 700024,
    says: /not within its valid time range/,
  },
  "no end": {
    claims: () => ({ exp: undefined }),
    ...invalidRequest,
    code: 50027,
    says: /JWT token is invalid or malformed/,
  },
};
Deno.test("client assertion is refused", async (t) => {
  await withEmulator(options, async (emulator) => {
    for (const [what, { status, error, code, says, ...assertion }] of Object.entries(refused)) {
      await t.step(`with AADSTS${code}: ${what}`, async () => {
        const answer = await send(emulator, await assertionOf(emulator, assertion));
        assert.deepEqual(answer.body.error_codes, [code], JSON.stringify(answer.body));
        assert.equal(answer.status, status);
        assert.equal(answer.body.error, error);
        assert.match(String(answer.body.error_description), says);
      });
    }
  });
});

Deno.test("client assertion is refused with AADSTS700027 when the certificate has expired", async () => {
  const now = Date.now() + 366 * 24 * 60 * 60 * 1000;
  await withEmulator({ ...options, now: () => now }, async (emulator) => {
    const { body } = await send(emulator, await assertionOf(emulator, {}));
    assert.deepEqual(body.error_codes, [700027]);
    assert.match(String(body.error_description), /The key used is expired/);
  });
});

Deno.test("client assertion is refused when it is no JWT", async () => {
  await withEmulator(options, async (emulator) => {
    const header = btoa(JSON.stringify({ alg: "PS256", x5c: ["%%%"] })).replaceAll("=", "");
    for (const text of ["x", "a.b.c", "....", `${header}.e30.AAAA`, "e30.e30.e30"]) {
      const { status, body } = await send(emulator, text);
      assert.equal(status, 400, text);
      const [code] = body.error_codes as number[];
      assert.ok(code === 50027 || code === 5002730, `${text}: ${code}`);
    }
  });
});

Deno.test("client assertion is refused without, or with an unknown, type", async () => {
  await withEmulator(options, async (emulator) => {
    const client_assertion = await assertionOf(emulator, {});
    const form = { ...assertionForm, client_assertion };
    const without = await requestToken(emulator, { ...form, client_assertion_type: undefined });
    assert.deepEqual(without.body.error_codes, [900144]);
    assert.match(String(without.body.error_description), /'client_assertion_type'/);
    const unknown = await requestToken(emulator, { ...form, client_assertion_type: "saml" });
    assert.deepEqual(unknown.body.error_codes, [9002313]);
  });
});
