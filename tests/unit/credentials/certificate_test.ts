import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { X509Certificate } from "node:crypto";
import { jwtVerify } from "jose/jwt/verify";
import {
  certificateCredential,
  openCertificate,
  type OpenedCertificate,
} from "../../../src/credentials/certificate.ts";
import { EntraToolError } from "../../../src/errors.ts";
import {
  opensslFolder,
  opensslTest,
  selfSigned,
  whileValid as now,
} from "../../fixtures/openssl_certificates.ts";

const day = 24 * 60 * 60 * 1000;
const label = "certs/app";

function open(file: Uint8Array, password?: string): Promise<OpenedCertificate> {
  return openCertificate(file, password, now, label);
}

async function assertFails(
  attempt: Promise<unknown>,
  code: string,
  message: RegExp,
): Promise<void> {
  await assert.rejects(attempt, (error) => {
    assert(error instanceof EntraToolError, Deno.inspect(error));
    assert.deepEqual([error.failure, error.code], ["usage", code], error.message);
    assert.match(error.message, message);
    assert(error.message.includes(label), "the message names the file");
    assert(error.detail.hint, "there is a hint");
    for (const text of [error.message, error.detail.hint]) {
      assert.doesNotMatch(text, /\.$|n't|^[a-z]/, "the house style of messages");
    }
    return true;
  });
}

function subjects(opened: OpenedCertificate): string[] {
  return opened.certificates.map((der) => new X509Certificate(der).subject);
}

opensslTest("openCertificate() tells subject, dates and thumbprints as openssl does", async () => {
  const folder = await opensslFolder();
  const opened = await open(await folder.concatenated("app.key", "app.crt"));

  assert.equal(opened.subject, "CN=app, O=Käse GmbH");
  const dates = await folder.run("x509", "-in", "app.crt", "-noout", "-dates");
  const date = (name: string) => Date.parse(new RegExp(`${name}=(.*)`).exec(dates)?.[1] ?? "");
  assert.equal(opened.notBefore, date("notBefore"));
  assert.equal(opened.notAfter, date("notAfter"));
  assert.deepEqual(opened.thumbprints, {
    sha1: await folder.fingerprint("app.crt", "sha1"),
    sha256: await folder.fingerprint("app.crt", "sha256"),
  });
});

opensslTest(
  "openCertificate() puts the chain in order, whatever the order in the file",
  async () => {
    const folder = await opensslFolder();
    const names = ["leaf.key", "root.crt", "leaf.crt", "middle.crt", "app.crt"];
    for (const order of [names, names.toReversed(), [...names.slice(3), ...names.slice(0, 3)]]) {
      assert.deepEqual(
        subjects(await open(await folder.concatenated(...order))),
        ["CN=leaf", "CN=middle", "CN=root"],
      );
    }
  },
);

opensslTest(
  "openCertificate() leaves out of the chain an issuer of the same name that did not sign",
  async () => {
    const folder = await opensslFolder();
    await selfSigned(folder, "impostor", { subject: "/CN=root" });
    const file = await folder.concatenated(
      "impostor.crt",
      "leaf.key",
      "leaf.crt",
      "middle.crt",
      "root.crt",
    );

    const root = (await open(file)).certificates[2];
    assert(root);
    assert.equal(
      new X509Certificate(root).fingerprint256.replaceAll(":", ""),
      await folder.fingerprint("root.crt", "sha256"),
    );
  },
);

opensslTest(
  "openCertificate() takes the certificate that ends last where a key was certified again",
  async () => {
    const folder = await opensslFolder();
    for (const [name, days] of [["renewed", "90"], ["previous", "2"]] as const) {
      await folder.run(
        ...["req", "-x509", "-key", "app.key", "-subj", `/CN=${name}`, "-days", days],
        ...["-out", `${name}.crt`],
      );
    }
    const file = await folder.concatenated("app.key", "previous.crt", "renewed.crt", "app.crt");
    assert.equal((await open(file)).subject, "CN=renewed");
  },
);

opensslTest(
  "openCertificate() takes a certificate that is valid now before one that ends later",
  async () => {
    const folder = await opensslFolder();
    await folder.write(
      "ca.cnf",
      "[ca]\ndefault_ca=ca_default\n[ca_default]\ndatabase=ca.txt\nnew_certs_dir=.\nrand_serial=yes\n" +
        "default_md=sha256\npolicy=policy\n[policy]\ncommonName=supplied\n",
    );
    await folder.write("ca.txt", "");
    await folder.run("req", "-new", "-key", "app.key", "-subj", "/CN=future", "-out", "future.csr");
    await folder.run(
      ...["ca", "-config", "ca.cnf", "-batch", "-selfsign", "-keyfile", "app.key", "-notext"],
      ...["-in", "future.csr", "-out", "future.crt"],
      ...["-startdate", "20900101000000Z", "-enddate", "20910101000000Z"],
    );
    const file = await folder.concatenated("future.crt", "app.key", "app.crt");
    assert.equal((await open(file)).subject, "CN=app, O=Käse GmbH");
  },
);

opensslTest("openCertificate() names a certificate file that has no private key", async () => {
  const folder = await opensslFolder();
  await folder.run("x509", "-in", "app.crt", "-outform", "DER", "-out", "app.cer");
  await folder.run(
    "pkcs12",
    "-export",
    "-nokeys",
    "-in",
    "app.crt",
    "-out",
    "nokeys.pfx",
    "-passout",
    "pass:",
  );
  for (const name of ["app.crt", "app.cer", "nokeys.pfx"]) {
    await assertFails(open(await folder.read(name)), "certificate_key_missing", /no private key/);
  }
});

opensslTest("openCertificate() names a key file that has no certificate", async () => {
  const folder = await opensslFolder();
  await folder.run(
    "pkcs12",
    "-export",
    "-nocerts",
    "-inkey",
    "app.key",
    "-out",
    "nocerts.pfx",
    "-passout",
    "pass:",
  );
  for (const name of ["app.key", "nocerts.pfx"]) {
    await assertFails(open(await folder.read(name)), "certificate_missing", /no certificate/);
  }
});

opensslTest("openCertificate() names the certificates that a key does not belong to", async () => {
  const folder = await opensslFolder();
  const file = await folder.concatenated("app.key", "leaf.crt", "middle.crt");
  await assertFails(open(file), "certificate_key_mismatch", /: CN=leaf; CN=middle$/);
});

opensslTest("openCertificate() says when a certificate expired", async () => {
  const folder = await opensslFolder();
  const file = await folder.concatenated("app.key", "app.crt");
  const { notAfter } = await open(file);
  const end = new Date(notAfter).toISOString().replace(".000", "");

  await openCertificate(file, undefined, notAfter, label);
  await assertFails(
    openCertificate(file, undefined, notAfter + 1, label),
    "certificate_expired",
    new RegExp(`\\(CN=app, O=Käse GmbH\\) expired on ${end}`),
  );
});

opensslTest("openCertificate() says from when on a certificate is valid", async () => {
  const folder = await opensslFolder();
  const file = await folder.concatenated("app.key", "app.crt");
  const { notBefore } = await open(file);
  const start = new Date(notBefore).toISOString().replace(".000", "");

  await openCertificate(file, undefined, notBefore, label);
  await assertFails(
    openCertificate(file, undefined, notBefore - 1, label),
    "certificate_not_yet_valid",
    new RegExp(`valid from ${start}`),
  );
});

opensslTest("openCertificate() says which kind of key Entra does not accept", async () => {
  const folder = await opensslFolder();
  const kinds = [
    ["ec", ["ec", "-pkeyopt", "ec_paramgen_curve:P-256"], /kind ec,/],
    ["ed25519", ["ed25519"], /kind ed25519,/],
    ["pss", ["rsa-pss"], /kind rsa-pss,/],
  ] as const;
  for (const [name, algorithm, message] of kinds) {
    await selfSigned(folder, name, { algorithm: [...algorithm] });
    const file = await folder.concatenated(`${name}.key`, `${name}.crt`);
    await assertFails(open(file), "certificate_key_unsupported", message);
  }
  await folder.run("ec", "-in", "ec.key", "-out", "sec1.key");
  const sec1 = await folder.concatenated("sec1.key", "ec.crt");
  await assertFails(open(sec1), "certificate_key_unsupported", /kind EC,/);
});

opensslTest("openCertificate() refuses an RSA key of 1024 bits", async () => {
  const folder = await opensslFolder();
  await selfSigned(folder, "small", { algorithm: ["rsa:1024"] });
  const file = await folder.concatenated("small.key", "small.crt");
  await assertFails(open(file), "certificate_key_too_small", /has 1024 bits/);
});

opensslTest("openCertificate() finds a key whose private part was damaged", async () => {
  const folder = await opensslFolder();
  await folder.run(
    "pkcs8",
    "-topk8",
    "-nocrypt",
    "-in",
    "app.key",
    "-outform",
    "DER",
    "-out",
    "app.p8",
  );
  const key = Buffer.from(await folder.read("app.p8"));
  // Modulus and public exponent come first, so that only the private numbers change.
  key[key.length - 500]! ^= 1;
  const pem = `-----BEGIN PRIVATE KEY-----\n${key.toString("base64")}\n-----END PRIVATE KEY-----\n`;
  await assert.rejects(open(Buffer.from(pem + await folder.text("app.crt"))), (error) => {
    assert(error instanceof EntraToolError);
    return /^certificate_(unreadable|key_mismatch)$/.test(error.code);
  });
});

opensslTest("openCertificate() makes control characters of a subject visible", async () => {
  const folder = await opensslFolder();
  await selfSigned(folder, "escape", { subject: "/CN=a\x1b[31m\u202eb\x07/O=c\u200bd" });
  const opened = await open(await folder.concatenated("escape.key", "escape.crt"));
  assert.equal(opened.subject, "CN=a\\u{1b}[31m\\u{202e}b\\u{7}, O=c\\u{200b}d");

  const mismatch = await folder.concatenated("app.key", "escape.crt");
  await assertFails(open(mismatch), "certificate_key_mismatch", /CN=a\\u\{1b\}\[31m/);
});

Deno.test("openCertificate() refuses what is neither PEM nor PFX", async () => {
  const files = ["", "hello", "abcd", "{}", "MAA=", "-----BEGIN CERTIFICATE-----\nMIIB"];
  for (const file of files) {
    await assertFails(
      open(new TextEncoder().encode(file)),
      "certificate_unreadable",
      /can not be read: /,
    );
  }
});

opensslTest("openCertificate() refuses a file of more than 1 MiB", async () => {
  const folder = await opensslFolder();
  const file = new Uint8Array(1024 * 1024 + 1).fill(0x0a);
  file.set(await folder.concatenated("app.key", "app.crt"));
  await assertFails(open(file), "certificate_unreadable", /larger than 1 MiB/);
  await open(file.subarray(0, -1));
});

opensslTest(
  "certificateCredential() yields an assertion that the certificate verifies",
  async () => {
    const folder = await opensslFolder();
    const credential = certificateCredential({
      clientId: "client",
      file: await folder.concatenated("leaf.key", "leaf.crt", "middle.crt"),
      password: "not needed",
      label,
      algorithm: "RS256",
      x5c: true,
    });
    assert.equal(credential.kind, "certificate");

    const { client_assertion, ...others } = await credential.formParameters("https://aud", now);
    assert.deepEqual(others, {
      client_assertion_type: "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
    });
    const { publicKey } = new X509Certificate(await folder.read("leaf.crt"));
    const { payload, protectedHeader } = await jwtVerify(client_assertion ?? "", publicKey, {
      currentDate: new Date(now),
    });
    assert.deepEqual([payload.iss, payload.aud], ["client", "https://aud"]);
    assert.deepEqual([protectedHeader.alg, protectedHeader.x5c?.length], ["RS256", 2]);
  },
);

opensslTest(
  "certificateCredential() fails when the certificate ends while it is in use",
  async () => {
    const folder = await opensslFolder();
    const credential = certificateCredential({
      clientId: "client",
      file: await folder.concatenated("app.key", "app.crt"),
      password: undefined,
      label,
      algorithm: "PS256",
      x5c: false,
    });
    await credential.formParameters("https://aud", now);
    await assertFails(
      credential.formParameters("https://aud", now + 31 * day),
      "certificate_expired",
      /expired/,
    );
  },
);
