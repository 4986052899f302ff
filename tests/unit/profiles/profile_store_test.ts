/** The profiles file: where it is, and that what is written is read again. What people see of it is in tests/cli. */

import assert from "node:assert/strict";
import fc from "fast-check";
import { EntraToolError } from "../../../src/errors.ts";
import { assertionAlgorithms, cloudNames, flowNames } from "../../../src/names.ts";
import { isProfileName, type Profile, sameProfileName } from "../../../src/profiles/profile.ts";
import { changeProfiles, configHome, readProfiles } from "../../../src/profiles/profile_store.ts";

const text = fc.string({ unit: "binary", minLength: 1 }).filter((each) => each.isWellFormed());

const profile: fc.Arbitrary<Profile> = fc.record({
  name: fc.string({ unit: "grapheme", minLength: 1, maxLength: 8 }).filter(isProfileName),
  tenantId: text,
  clientId: text,
  cloud: fc.constantFrom(...cloudNames),
  authority: text,
  scopes: fc.array(text),
  defaultFlow: fc.constantFrom(...flowNames),
  credential: fc.oneof(
    fc.constant({ kind: "client-secret" } as const),
    fc.record({
      kind: fc.constant("certificate" as const),
      path: text,
      passwordInVault: fc.boolean(),
      algorithm: fc.constantFrom(...assertionAlgorithms),
      sendX5c: fc.boolean(),
    }, { noNullPrototype: true }),
  ),
  createdAt: text,
  updatedAt: text,
}, {
  noNullPrototype: true,
  requiredKeys: ["name", "tenantId", "clientId", "createdAt", "updatedAt"],
});

async function withHome(use: (home: string) => Promise<void>): Promise<void> {
  const home = await Deno.makeTempDir({ prefix: "entratool-profiles-" });
  try {
    await use(home);
  } finally {
    await Deno.remove(home, { recursive: true });
  }
}

Deno.test("whatever profiles are written are read again, in their order", async () => {
  const profiles = fc.uniqueArray(profile, {
    comparator: (a, b) => sameProfileName(a.name, b.name),
  });
  await withHome((home) =>
    fc.assert(
      fc.asyncProperty(profiles, async (list) => {
        await changeProfiles(home, () => Promise.resolve(list));
        assert.deepEqual(await readProfiles(home), list);
      }),
      { numRuns: 50 },
    )
  );
});

Deno.test("a change that fails leaves the file as it was", async () => {
  await withHome(async (home) => {
    await changeProfiles(home, () => Promise.resolve([]));
    const before = await Deno.readTextFile(`${home}/profiles.json`);
    await assert.rejects(
      changeProfiles(
        home,
        () => Promise.reject(new EntraToolError("usage", "x", "Changed my mind")),
      ),
      /Changed my mind/,
    );
    assert.equal(await Deno.readTextFile(`${home}/profiles.json`), before);
  });
});

Deno.test("arbitrary content of the file is an error with its path, or profiles", async () => {
  const content = fc.oneof(
    fc.jsonValue(),
    fc.record({ version: fc.constant(1), profiles: fc.array(fc.jsonValue()) }),
    fc.record({
      version: fc.constant(1),
      profiles: fc.tuple(
        fc.tuple(profile, fc.jsonValue()).map(([valid, extra]) =>
          Object.assign({}, valid, typeof extra === "object" ? extra : { name: extra })
        ),
      ),
    }),
  );
  await withHome((home) =>
    fc.assert(
      fc.asyncProperty(content, async (value) => {
        await Deno.writeTextFile(`${home}/profiles.json`, JSON.stringify(value));
        try {
          await readProfiles(home);
        } catch (error) {
          assert.ok(error instanceof EntraToolError && error.failure === "storage");
          assert.ok(error.message.startsWith(`${home}/profiles.json `));
        }
      }),
    )
  );
});

const homes: readonly (readonly [
  os: "linux" | "macos" | "windows",
  env: Readonly<Record<string, string>>,
  home: string,
])[] = [
  ["linux", { ENTRATOOL_HOME: "/own", HOME: "/home/ada", XDG_CONFIG_HOME: "/xdg" }, "/own"],
  ["linux", { HOME: "/home/ada", XDG_CONFIG_HOME: "/xdg" }, "/xdg/entratool"],
  ["linux", { HOME: "/home/ada" }, "/home/ada/.config/entratool"],
  ["linux", { HOME: "/home/ada", XDG_CONFIG_HOME: "" }, "/home/ada/.config/entratool"],
  ["macos", { HOME: "/Users/ada", ENTRATOOL_HOME: "" }, "/Users/ada/.config/entratool"],
  ["windows", { APPDATA: "C:\\Roaming", HOME: "C:\\x" }, "C:\\Roaming\\entratool"],
];

Deno.test("the configuration folder follows the environment and the system", () => {
  for (const [os, env, home] of homes) {
    assert.equal(configHome({ os, env: (name) => env[name] }), home);
  }
  for (const os of ["linux", "macos", "windows"] as const) {
    assert.throws(() => configHome({ os, env: () => undefined }), /No folder for configuration/);
  }
});
