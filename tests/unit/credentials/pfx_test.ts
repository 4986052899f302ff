import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { createHmac, pbkdf2Sync } from "node:crypto";
// @ts-types="@types/node-forge"
import forge from "node-forge";
import { openCertificate } from "../../../src/credentials/certificate.ts";
import { EntraToolError } from "../../../src/errors.ts";
import {
  type OpensslFolder,
  opensslFolder,
  opensslTest,
  whileValid as now,
} from "../../fixtures/openssl_certificates.ts";

const nonAscii = "pässwörd€日本😀";

const makers: Readonly<Record<string, readonly string[]>> = {
  "openssl 3": [],
  "openssl -legacy": ["-legacy"],
  "openssl with RC2-128": [
    "-legacy",
    "-certpbe",
    "PBE-SHA1-RC2-128",
    "-keypbe",
    "PBE-SHA1-RC2-128",
  ],
  "Windows with 3DES": [
    ...[
      "-certpbe",
      "PBE-SHA1-3DES",
      "-keypbe",
      "PBE-SHA1-3DES",
      "-macalg",
      "sha1",
      "-iter",
      "2000",
    ],
    ...["-keyex", "-CSP", "Microsoft Enhanced RSA and AES Cryptographic Provider"],
  ],
  "Windows with AES256-SHA256": [
    ...["-certpbe", "AES-256-CBC", "-keypbe", "AES-256-CBC", "-macalg", "sha256", "-iter", "2000"],
    ...["-keyex", "-CSP", "Microsoft Enhanced RSA and AES Cryptographic Provider"],
  ],
  "openssl with SHA-512 in the MAC": ["-macalg", "sha512"],
  "openssl with certificates in the clear": ["-certpbe", "NONE"],
  "openssl with both schemes": ["-certpbe", "PBE-SHA1-3DES", "-keypbe", "AES-128-CBC"],
  "openssl without a MAC": ["-nomac"],
};

async function makePfx(
  folder: OpensslFolder,
  options: readonly string[],
  passout: string,
): Promise<Uint8Array> {
  await folder.run(
    ...["pkcs12", "-export", "-inkey", "app.key", "-in", "app.crt", "-certfile", "root.crt"],
    ...[...options, "-out", "made.pfx", "-passout", passout],
  );
  return await folder.read("made.pfx");
}

async function assertOpens(
  folder: OpensslFolder,
  pfx: Uint8Array,
  password: string | undefined,
): Promise<void> {
  const opened = await openCertificate(pfx, password, now, "app.pfx");
  assert.equal(opened.thumbprints.sha256, await folder.fingerprint("app.crt", "sha256"));
  assert.equal(
    opened.privateKey.export({ type: "pkcs8", format: "pem" }).toString().trim(),
    (await folder.text("app.key")).trim(),
  );
}

async function assertFails(pfx: Uint8Array, password: string | undefined, code: string) {
  await assert.rejects(openCertificate(pfx, password, now, "app.pfx"), (error) => {
    assert(error instanceof EntraToolError, Deno.inspect(error));
    assert.deepEqual([error.failure, error.code], ["usage", code], error.message);
    if (password) assert(!Deno.inspect(error).includes(password), "the password is not shown");
    return true;
  });
}

for (const [maker, options] of Object.entries(makers)) {
  for (const [kind, password] of [["an ASCII", "s3cret"], ["a non-ASCII", nonAscii]] as const) {
    opensslTest(
      `openCertificate() reads a PFX made by ${maker} with ${kind} password`,
      async () => {
        const folder = await opensslFolder();
        const pfx = await makePfx(folder, options, `pass:${password}`);
        await assertOpens(folder, pfx, password);
        await assertFails(pfx, `${password}x`, "certificate_password_wrong");
        await assertFails(pfx, "", "certificate_password_wrong");
        await assertFails(pfx, undefined, "certificate_password_missing");
      },
    );
  }
  opensslTest(`openCertificate() reads a PFX made by ${maker} with an empty password`, async () => {
    const folder = await opensslFolder();
    const pfx = await makePfx(folder, options, "pass:");
    await assertOpens(folder, pfx, "");
    await assertOpens(folder, pfx, undefined);
    await assertFails(pfx, "s3cret", "certificate_password_wrong");
  });
}

opensslTest("openCertificate() reads a PFX that is not encrypted at all", async () => {
  const folder = await opensslFolder();
  const pfx = await makePfx(
    folder,
    ["-certpbe", "NONE", "-keypbe", "NONE", "-nomac"],
    "pass:",
  );
  await assertOpens(folder, pfx, undefined);
  await assertOpens(folder, pfx, "not needed");
});

for (const maker of ["openssl 3", "openssl -legacy"]) {
  opensslTest(`openCertificate() reads a PFX made by ${maker} in a Latin-1 terminal`, async () => {
    const folder = await opensslFolder();
    await folder.write("latin1.txt", Buffer.from("pässwörd\n", "latin1"));
    const pfx = await makePfx(folder, makers[maker] ?? [], "file:latin1.txt");
    await assertOpens(folder, pfx, "pässwörd");
  });
}

opensslTest(
  "openCertificate() reads a PFX made by openssl 1.0, which widened each byte",
  async () => {
    const folder = await opensslFolder();
    const widened = Buffer.from(nonAscii).toString("latin1");
    const pfx = await makePfx(folder, makers["openssl -legacy"] ?? [], `pass:${widened}`);
    await assertOpens(folder, pfx, nonAscii);
  },
);

opensslTest(
  "openCertificate() reads a PFX whose MAC is made without even the NUL of a password",
  async () => {
    const folder = await opensslFolder();
    const options = ["-certpbe", "NONE", "-keypbe", "NONE", "-nomac"];
    const pfx = await makePfx(folder, options, "pass:");
    const key = (salt: forge.util.ByteStringBuffer) =>
      forge.pkcs12.generateKey(null, salt, 3, 5, 20, forge.md.sha1.create()).getBytes();
    const withMac = addMac(pfx, (content) => {
      const salt = "saltsalt";
      const mac = createHmac("sha1", Buffer.from(key(forge.util.createBuffer(salt)), "latin1"))
        .update(content).digest("latin1");
      return [sequence(sequence(oid("1.3.14.3.2.26")), octets(mac)), octets(salt), integer(5)];
    });
    await assertOpens(folder, withMac, undefined);
    await assertFails(withMac, "s3cret", "certificate_password_wrong");
  },
);

opensslTest("openCertificate() reads a PFX with PBMAC1", async () => {
  const folder = await opensslFolder();
  const pfx = await makePfx(folder, ["-nomac"], `pass:${nonAscii}`);
  const withMac = addMac(pfx, (content) => {
    const mac = createHmac("sha512", pbkdf2Sync(nonAscii, "saltsalt", 9, 32, "sha256"))
      .update(content).digest("latin1");
    const derivation = sequence(
      oid("1.2.840.113549.1.5.12"),
      sequence(octets("saltsalt"), integer(9), integer(32), sequence(oid("1.2.840.113549.2.9"))),
    );
    const pbmac1 = sequence(
      oid("1.2.840.113549.1.5.14"),
      sequence(derivation, sequence(oid("1.2.840.113549.2.11"))),
    );
    return [sequence(pbmac1, octets(mac)), octets("NOT USED"), integer(1)];
  });
  await assertOpens(folder, withMac, nonAscii);
  await assertFails(withMac, "s3cret", "certificate_password_wrong");
});

opensslTest("openCertificate() does not open a PFX whose MAC is not right", async () => {
  const folder = await opensslFolder();
  const pfx = await makePfx(folder, ["-certpbe", "NONE", "-keypbe", "NONE"], "pass:s3cret");
  await assertOpens(folder, pfx, "s3cret");
  const nodes = forge.asn1.fromDer(Buffer.from(pfx).toString("latin1"));
  const macSalt = child(child(nodes, 2), 1);
  macSalt.value = "saltsalt";
  await assertFails(toBytes(nodes), "s3cret", "certificate_password_wrong");
});

opensslTest("openCertificate() reads base64 text of a PFX, in one line or many", async () => {
  const folder = await opensslFolder();
  const base64 = Buffer.from(await makePfx(folder, [], "pass:s3cret")).toString("base64");
  await assertOpens(folder, Buffer.from(base64), "s3cret");
  await assertOpens(folder, Buffer.from(base64.replaceAll(/.{76}/g, "$&\r\n")), "s3cret");
});

opensslTest(
  "openCertificate() names an encryption of PFX files that it does not know",
  async () => {
    const folder = await opensslFolder();
    const pfx = await makePfx(folder, ["-keypbe", "aria-256-cbc"], "pass:s3cret");
    await assertFails(pfx, "s3cret", "certificate_encryption_unsupported");
  },
);

opensslTest("openCertificate() gives a PFX up that asks for millions of rounds", async () => {
  const folder = await opensslFolder();
  const pfx = await makePfx(folder, [], "pass:s3cret");
  const nodes = forge.asn1.fromDer(Buffer.from(pfx).toString("latin1"));
  // 2 147 483 647, and what would take half a minute
  for (const rounds of ["\x7f\xff\xff\xff", "\x1c\xfd\xe0"]) {
    child(child(nodes, 2), 2).value = rounds;
    const started = performance.now();
    await assertFails(toBytes(nodes), "s3cret", "certificate_rounds_excessive");
    assert(performance.now() - started < 1000);
  }
});

const { Class, Type } = forge.asn1;

function sequence(...parts: forge.asn1.Asn1[]): forge.asn1.Asn1 {
  return forge.asn1.create(Class.UNIVERSAL, Type.SEQUENCE, true, parts);
}

function octets(binary: string): forge.asn1.Asn1 {
  return forge.asn1.create(Class.UNIVERSAL, Type.OCTETSTRING, false, binary);
}

function oid(dotted: string): forge.asn1.Asn1 {
  return forge.asn1.create(
    Class.UNIVERSAL,
    Type.OID,
    false,
    forge.asn1.oidToDer(dotted).getBytes(),
  );
}

function integer(value: number): forge.asn1.Asn1 {
  return forge.asn1.create(
    Class.UNIVERSAL,
    Type.INTEGER,
    false,
    forge.asn1.integerToDer(value).getBytes(),
  );
}

function child(node: forge.asn1.Asn1, index: number): forge.asn1.Asn1 {
  const found = typeof node.value === "string" ? undefined : node.value[index];
  assert(found);
  return found;
}

function toBytes(node: forge.asn1.Asn1): Uint8Array {
  return Buffer.from(forge.asn1.toDer(node).getBytes(), "latin1");
}

/** Gives a PFX without a MAC the MacData that `make` builds for its content (RFC 7292 §4). */
function addMac(
  pfx: Uint8Array,
  make: (content: Uint8Array) => forge.asn1.Asn1[],
): Uint8Array {
  const nodes = forge.asn1.fromDer(Buffer.from(pfx).toString("latin1"));
  const content = child(child(child(nodes, 1), 1), 0).value;
  assert(typeof content === "string");
  return toBytes(sequence(
    child(nodes, 0),
    child(nodes, 1),
    sequence(...make(Buffer.from(content, "latin1"))),
  ));
}
