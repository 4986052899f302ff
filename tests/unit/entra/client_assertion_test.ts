import assert from "node:assert/strict";
import { constants, createPrivateKey, verify, X509Certificate } from "node:crypto";
import { Buffer } from "node:buffer";
import { jwtVerify } from "jose/jwt/verify";
import { clientAssertion, type ClientAssertionInput } from "../../../src/entra/client_assertion.ts";
import { opensslFolder, opensslTest } from "../../fixtures/openssl_certificates.ts";

const now = Date.now();
const audience = "https://login.microsoftonline.com/contoso/oauth2/v2.0/token";

async function input(): Promise<ClientAssertionInput> {
  const folder = await opensslFolder();
  return {
    clientId: "11111111-2222-3333-4444-555555555555",
    audience,
    now,
    privateKey: createPrivateKey(await folder.text("leaf.key")),
    certificates: [await der("leaf"), await der("middle")],
    algorithm: "PS256",
    x5c: false,
  };
}

async function der(name: string): Promise<Uint8Array> {
  const pem = await (await opensslFolder()).text(`${name}.crt`);
  return Buffer.from(pem.replaceAll(/-----[^-]+-----/g, ""), "base64");
}

async function base64urlFingerprint(hash: "sha1" | "sha256"): Promise<string> {
  const hex = await (await opensslFolder()).fingerprint("leaf.crt", hash);
  return Buffer.from(hex, "hex").toString("base64url");
}

function decode(jwt: string) {
  const [header = "", claims = "", signature = ""] = jwt.split(".");
  const json = (part: string) => JSON.parse(Buffer.from(part, "base64url").toString());
  return {
    header: json(header),
    claims: json(claims),
    signed: Buffer.from(`${header}.${claims}`),
    signature: Buffer.from(signature, "base64url"),
  };
}

opensslTest("clientAssertion() signs with PS256 and names the certificate by SHA-256", async () => {
  const { header, signed, signature } = decode(await clientAssertion(await input()));

  assert.deepEqual(header, {
    alg: "PS256",
    typ: "JWT",
    "x5t#S256": await base64urlFingerprint("sha256"),
  });
  const { publicKey } = new X509Certificate(await der("leaf"));
  const padding = constants.RSA_PKCS1_PSS_PADDING;
  assert(verify("sha256", signed, { key: publicKey, padding, saltLength: 32 }, signature));
});

opensslTest("clientAssertion() signs with RS256 and names the certificate by SHA-1", async () => {
  const jwt = await clientAssertion({ ...await input(), algorithm: "RS256" });
  const { header, signed, signature } = decode(jwt);

  assert.deepEqual(header, {
    alg: "RS256",
    typ: "JWT",
    x5t: await base64urlFingerprint("sha1"),
  });
  assert(verify("sha256", signed, new X509Certificate(await der("leaf")).publicKey, signature));
});

opensslTest("clientAssertion() sends the certificates as x5c, the leaf first", async () => {
  const { header } = decode(await clientAssertion({ ...await input(), x5c: true }));

  assert.deepEqual(
    header.x5c.map((each: string) => new X509Certificate(Buffer.from(each, "base64")).subject),
    ["CN=leaf", "CN=middle"],
  );
});

opensslTest("clientAssertion() makes claims that a verifier accepts for ten minutes", async () => {
  const { clientId, ...rest } = await input();
  const jwt = await clientAssertion({ clientId, ...rest });
  const { publicKey } = new X509Certificate(await der("leaf"));
  const expected = { audience, issuer: clientId, subject: clientId, currentDate: new Date(now) };
  const { payload } = await jwtVerify(jwt, publicKey, expected);

  const seconds = Math.floor(now / 1000);
  const { jti, ...others } = payload;
  assert.match(String(jti), /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/);
  assert.deepEqual(others, {
    aud: audience,
    iss: clientId,
    sub: clientId,
    iat: seconds,
    nbf: seconds,
    exp: seconds + 600,
  });
  await assert.rejects(
    jwtVerify(jwt, publicKey, { ...expected, currentDate: new Date(now + 601_000) }),
    { code: "ERR_JWT_EXPIRED" },
  );
});

opensslTest("clientAssertion() never uses an id twice", async () => {
  const assertions = await Promise.all(
    Array.from({ length: 5 }, async () => clientAssertion(await input())),
  );
  assert.equal(new Set(assertions.map((each) => decode(each).claims.jti)).size, 5);
});
