import assert from "node:assert/strict";
import fc from "fast-check";
import { certificateCredential } from "../../../src/credentials/certificate.ts";
import { EntraToolError } from "../../../src/errors.ts";
import {
  type OpensslFolder,
  opensslFolder,
  opensslTest,
  whileValid as now,
} from "../../fixtures/openssl_certificates.ts";

const canary = "c4n4ry-pässwörd";

/** The file works, or there is an EntraToolError that keeps the password to itself. */
async function assertOpensOrExplains(file: Uint8Array, password: string | undefined) {
  for (const algorithm of ["PS256", "RS256"] as const) {
    const credential = certificateCredential({
      ...{ clientId: "client", file, password, label: "fuzzed", algorithm, x5c: true },
    });
    try {
      await credential.formParameters("https://aud", now);
    } catch (error) {
      assert(error instanceof EntraToolError, Deno.inspect(error));
      assert.match(error.code, /^certificate_/);
      assert(!Deno.inspect(error).includes(canary));
      // deno-lint-ignore no-control-regex
      assert.doesNotMatch(error.message, /[\u0000-\u001f\u007f-\u009f]/);
      return;
    }
  }
}

Deno.test("certificateCredential() survives arbitrary bytes and passwords", async () => {
  const bytes = fc.uint8Array({ maxLength: 512 });
  const text = fc.string({ unit: "binary" }).map((each) => new TextEncoder().encode(each));
  const sequence = bytes.map((each) =>
    Uint8Array.of(0x30, 0x82, each.length >> 8, each.length, ...each)
  );
  const block = fc.tuple(
    fc.constantFrom("CERTIFICATE", "PRIVATE KEY", "RSA PRIVATE KEY", "ENCRYPTED PRIVATE KEY"),
    fc.oneof(bytes, sequence),
  ).map(([name, each]) =>
    new TextEncoder().encode(`-----BEGIN ${name}-----\n${each.toBase64()}\n-----END ${name}-----`)
  );
  await fc.assert(
    fc.asyncProperty(
      fc.oneof(bytes, text, sequence, block),
      fc.option(fc.string({ unit: "binary" }), { nil: undefined }),
      assertOpensOrExplains,
    ),
    { numRuns: 2000 },
  );
});

const files: Readonly<Record<string, (folder: OpensslFolder) => Promise<Uint8Array>>> = {
  "a PEM file": (folder) => folder.concatenated("leaf.key", "leaf.crt", "middle.crt"),
  "a PEM file with an encrypted key": async (folder) => {
    await folder.run(
      "pkcs8",
      "-topk8",
      "-in",
      "leaf.key",
      "-passout",
      `pass:${canary}`,
      "-out",
      "f.key",
    );
    return await folder.concatenated("f.key", "leaf.crt");
  },
  "a PEM file with a traditional encrypted key": async (folder) => {
    await folder.run(
      ...["rsa", "-traditional", "-aes128", "-in", "leaf.key", "-passout", `pass:${canary}`],
      ...["-out", "t.key"],
    );
    return await folder.concatenated("t.key", "leaf.crt");
  },
  "a PFX made by openssl 3": (folder) => pfx(folder),
  "a PFX made by openssl -legacy": (folder) => pfx(folder, "-legacy"),
  "a PFX without encryption": (folder) =>
    pfx(folder, "-keypbe", "NONE", "-certpbe", "NONE", "-nomac"),
};

async function pfx(folder: OpensslFolder, ...options: string[]): Promise<Uint8Array> {
  await folder.run(
    ...["pkcs12", "-export", "-inkey", "leaf.key", "-in", "leaf.crt", "-certfile", "middle.crt"],
    ...[...options, "-passout", `pass:${canary}`, "-out", "fuzz.pfx"],
  );
  return await folder.read("fuzz.pfx");
}

const damage = fc.record({
  at: fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
  removed: fc.nat({ max: 3 }),
  added: fc.uint8Array({ maxLength: 3 }),
});

for (const [name, make] of Object.entries(files)) {
  opensslTest(`certificateCredential() survives any damage to ${name}`, async () => {
    const file = await make(await opensslFolder());
    await assertOpensOrExplains(file, canary);
    await fc.assert(
      fc.asyncProperty(fc.array(damage, { minLength: 1, maxLength: 3 }), async (damages) => {
        const bytes = [...file];
        for (const { at, removed, added } of damages) {
          bytes.splice(Math.floor(at * bytes.length), removed, ...added);
        }
        await assertOpensOrExplains(Uint8Array.from(bytes), canary);
      }),
      { numRuns: 200 },
    );
  });
}
