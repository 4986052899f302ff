import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { openCertificate } from "../../../src/credentials/certificate.ts";
import { EntraToolError } from "../../../src/errors.ts";
import {
  type OpensslFolder,
  opensslFolder,
  opensslTest,
  whileValid as now,
} from "../../fixtures/openssl_certificates.ts";

const password = "pässwörd€日本😀";

/** Opens the file and compares certificate and key with what openssl has. */
async function assertOpens(
  folder: OpensslFolder,
  file: Uint8Array | string,
  password?: string,
): Promise<void> {
  const bytes = typeof file === "string" ? new TextEncoder().encode(file) : file;
  const opened = await openCertificate(bytes, password, now, "app.pem");
  assert.equal(opened.thumbprints.sha256, await folder.fingerprint("app.crt", "sha256"));
  assert.equal(
    opened.privateKey.export({ type: "pkcs8", format: "pem" }).toString().trim(),
    (await folder.text("app.key")).trim(),
  );
}

async function assertFails(
  file: string,
  password: string | undefined,
  code: string,
  message = /./,
) {
  await assert.rejects(
    openCertificate(new TextEncoder().encode(file), password, now, "app.pem"),
    (error) => {
      assert(error instanceof EntraToolError, Deno.inspect(error));
      assert.deepEqual([error.failure, error.code], ["usage", code], error.message);
      assert.match(error.message, message);
      if (password) assert(!Deno.inspect(error).includes(password), "the password is not shown");
      return true;
    },
  );
}

const keyForms: Readonly<Record<string, readonly string[]>> = {
  "PKCS#8": ["pkcs8", "-topk8", "-nocrypt"],
  "PKCS#1": ["rsa", "-traditional"],
};

const encryptedKeyForms: Readonly<Record<string, readonly string[]>> = {
  "PBES2 with AES-256": ["pkcs8", "-topk8"],
  "PBES2 with AES-192 and SHA-512": [
    ...["pkcs8", "-topk8", "-v2", "aes-192-cbc", "-v2prf", "hmacWithSHA512"],
  ],
  "PBES2 with AES-128 and SHA-1": [
    ...["pkcs8", "-topk8", "-v2", "aes-128-cbc", "-v2prf", "hmacWithSHA1"],
  ],
  "PBES2 with 3DES": ["pkcs8", "-topk8", "-v2", "des3"],
  "PBES2 with 600,000 rounds": ["pkcs8", "-topk8", "-iter", "600000"],
  "PBE-SHA1-3DES": ["pkcs8", "-topk8", "-v1", "PBE-SHA1-3DES"],
  "PBE-SHA1-RC2-128": [
    ...[
      "pkcs8",
      "-topk8",
      "-v1",
      "PBE-SHA1-RC2-128",
      "-provider",
      "legacy",
      "-provider",
      "default",
    ],
  ],
  "traditional AES-256": ["rsa", "-traditional", "-aes256"],
  "traditional AES-128": ["rsa", "-traditional", "-aes128"],
  "traditional 3DES": ["rsa", "-traditional", "-des3"],
};

async function keyText(folder: OpensslFolder, form: readonly string[], password?: string) {
  const [command = "", ...options] = form;
  const secret = password === undefined ? [] : ["-passout", `pass:${password}`];
  return await folder.run(command, ...options, "-in", "app.key", ...secret);
}

for (const [name, form] of Object.entries(keyForms)) {
  opensslTest(
    `openCertificate() reads PEM with a ${name} key before and after the certificate`,
    async () => {
      const folder = await opensslFolder();
      const key = await keyText(folder, form);
      const certificate = await folder.text("app.crt");
      await assertOpens(folder, key + certificate);
      await assertOpens(folder, certificate + key);
      await assertOpens(folder, certificate + key, "a password that is not needed");
    },
  );
}

for (const [name, form] of Object.entries(encryptedKeyForms)) {
  opensslTest(`openCertificate() reads PEM with a key encrypted by ${name}`, async () => {
    const folder = await opensslFolder();
    const certificate = await folder.text("app.crt");
    for (const each of ["ascii", password]) {
      const file = await keyText(folder, form, each) + certificate;
      await assertOpens(folder, file, each);
      await assertFails(file, "wrong-pässword", "certificate_password_wrong");
      await assertFails(file, undefined, "certificate_password_missing");
    }
  });
}

opensslTest("openCertificate() names an encryption of PEM keys that it does not know", async () => {
  const folder = await opensslFolder();
  const certificate = await folder.text("app.crt");
  for (
    const form of [
      ["pkcs8", "-topk8", "-scrypt"],
      ["rsa", "-traditional", "-camellia256"],
      ["pkcs8", "-topk8", "-v2", "aria-256-cbc"],
    ]
  ) {
    const file = await keyText(folder, form, "secret") + certificate;
    await assertFails(file, "secret", "certificate_encryption_unsupported");
  }
});

opensslTest(
  "openCertificate() reads what openssl pkcs12 prints, bag attributes and all",
  async () => {
    const folder = await opensslFolder();
    await folder.run(
      ...["pkcs12", "-export", "-inkey", "app.key", "-in", "app.crt", "-name", "a name"],
      ...["-out", "printed.pfx", "-passout", "pass:secret"],
    );
    const printed = await folder.run(
      ...["pkcs12", "-in", "printed.pfx", "-passin", "pass:secret", "-passout", "pass:other"],
    );
    assert.match(printed, /Bag Attributes/);
    await assertOpens(folder, printed, "other");
  },
);

opensslTest("openCertificate() reads PEM as editors and shells leave it", async () => {
  const folder = await opensslFolder();
  const text = await folder.text("app.key") + "\nremarks -- ----- between\n\n" +
    await folder.text("app.crt");
  const crlf = text.replaceAll("\n", "\r\n");
  const utf16 = Buffer.from(`\ufeff${crlf}`, "utf16le");
  const indented = text.replaceAll(/^/gm, "    ");
  const oneLine = text.replaceAll(/(?<!-----)\n(?!-----)/g, "");
  for (const form of [crlf, `\ufeff${crlf}\r\n\r\n  `, utf16, indented, oneLine]) {
    await assertOpens(folder, form);
  }
});

opensslTest("openCertificate() reads base64 text of PEM, in one line or many", async () => {
  const folder = await opensslFolder();
  const base64 = Buffer.from(await folder.concatenated("app.key", "app.crt")).toString("base64");
  await assertOpens(folder, base64);
  await assertOpens(folder, `${base64.replaceAll(/.{64}/g, "$&\r\n")}\r\n\n`);
});

opensslTest("openCertificate() passes over PEM blocks of other kinds", async () => {
  const folder = await opensslFolder();
  const publicKey = await folder.run("pkey", "-in", "app.key", "-pubout");
  await assertOpens(
    folder,
    publicKey + await folder.text("app.crt") + await folder.text("app.key"),
  );
});

opensslTest("openCertificate() names the PEM block that is damaged", async () => {
  const folder = await opensslFolder();
  const key = await folder.text("app.key");
  const certificate = await folder.text("app.crt");
  await assertFails(
    key + certificate.replace("MII", "M!I"),
    undefined,
    "certificate_unreadable",
    /its CERTIFICATE block/,
  );
  await assertFails(key + certificate.replace("MII", "MIA"), undefined, "certificate_unreadable");
  await assertFails(key.replace("MII", "MIA") + certificate, undefined, "certificate_unreadable");
});

opensslTest("openCertificate() says that an OpenSSH key is of no use", async () => {
  const folder = await opensslFolder();
  const file = (await folder.text("app.key")).replaceAll("PRIVATE", "OPENSSH PRIVATE") +
    await folder.text("app.crt");
  await assertFails(file, undefined, "certificate_key_unsupported");
});
