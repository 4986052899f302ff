/** For every subset of flags, variables and profile fields the highest level wins, and the origin says which it was. */

import assert from "node:assert/strict";
import fc from "fast-check";
import { readEnvironment, resolveSettings, type Setting } from "../../../src/cli/settings.ts";
import type { Profile } from "../../../src/profiles/profile.ts";

const home = await Deno.makeTempDir({ prefix: "entratool-settings-" });
addEventListener("unload", () => Deno.removeSync(home, { recursive: true }));

type Level = "flag" | "environment" | "profile";

/** For each setting the value of each level, and where it is put. */
const simple = {
  tenant: { flag: "tenant", variable: "AZURE_TENANT_ID", field: "tenantId" },
  clientId: { flag: "clientId", variable: "AZURE_CLIENT_ID", field: "clientId" },
  flow: { flag: "flow", variable: "ENTRATOOL_FLOW", field: "defaultFlow" },
  scopes: { flag: "scope", variable: "ENTRATOOL_SCOPE", field: "scopes" },
  caFile: { flag: "caFile", variable: "ENTRATOOL_CA_FILE", field: undefined },
  timeout: { flag: "timeout", variable: "ENTRATOOL_TIMEOUT", field: undefined },
} as const;

type Name = keyof typeof simple;

/** What each level says: as it is written there, and as it is resolved. */
const values: Readonly<
  Record<Name, Readonly<Record<Level, readonly [written: unknown, resolved: unknown]>>>
> = {
  tenant: same("flag.com", "environment.com", "profile.com"),
  clientId: same("flag-id", "environment-id", "profile-id"),
  flow: {
    ...same("DeviceCode", "device-code", "AuthorizationCode"),
    environment: ["interactive", "InteractiveBrowser"],
  },
  scopes: {
    flag: [["a b", "c,a"], ["a", "b", "c"]],
    environment: ["d, e", ["d", "e"]],
    profile: [["f"], ["f"]],
  },
  caFile: same("/flag", "/environment", ""),
  timeout: { flag: [5000, 5000], environment: ["2m", 120_000], profile: ["", ""] },
};

function same(flag: string, environment: string, profile: string) {
  return {
    flag: [flag, flag],
    environment: [environment, environment],
    profile: [profile, profile],
  } as const;
}

const names = Object.keys(simple) as Name[];
const dashed = (name: string) =>
  `--${name.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;

type Login = "none" | "cloud" | "authority";
const login = fc.constantFrom<Login>("none", "cloud", "authority");
const subset = fc.subarray(names);

const world = fc.record({
  flag: fc.record({
    set: subset,
    login,
    credential: fc.constantFrom("none", "clientSecret", "clientSecretFile", "certificate"),
  }),
  environment: fc.record({
    set: subset,
    empty: subset,
    login,
    credential: fc.constantFrom("none", "secret", "certificate"),
    password: fc.boolean(),
  }),
  profile: fc.record({
    set: subset,
    login,
    credential: fc.constantFrom("none", "client-secret", "certificate"),
  }),
});

type World = typeof world extends fc.Arbitrary<infer T> ? T : never;

function flagsOf({ flag }: World) {
  const entries = flag.set.map((name) => [simple[name].flag, values[name].flag[0]]);
  return {
    ...Object.fromEntries(entries),
    profile: "chosen",
    ...(flag.login === "cloud" ? { cloud: "usgov" } : {}),
    ...(flag.login === "authority" ? { authority: "https://flag" } : {}),
    ...(flag.credential === "none" ? {} : { [flag.credential]: "of-flag" }),
  };
}

function environmentOf({ environment }: World): Record<string, string> {
  const { set, empty, credential, password } = environment;
  return {
    ...Object.fromEntries(empty.map((name) => [simple[name].variable, ""])),
    ...Object.fromEntries(set.map((name) => [simple[name].variable, values[name].environment[0]])),
    ...(environment.login === "cloud" ? { ENTRATOOL_CLOUD: "china" } : {}),
    ...(environment.login === "authority" ? { AZURE_AUTHORITY_HOST: "https://environment" } : {}),
    ...(credential === "secret" ? { AZURE_CLIENT_SECRET: "of-environment" } : {}),
    ...(credential === "certificate" ? { AZURE_CLIENT_CERTIFICATE_PATH: "of-environment" } : {}),
    ...(password ? { AZURE_CLIENT_CERTIFICATE_PASSWORD: "password" } : {}),
  };
}

function profileOf({ profile }: World): Profile {
  const fields = profile.set.flatMap((name) => {
    const { field } = simple[name];
    return field === undefined ? [] : [[field, values[name].profile[0]]];
  });
  const certificate = {
    kind: "certificate",
    path: "of-profile",
    passwordInVault: true,
    algorithm: "RS256",
    sendX5c: true,
  } as const;
  return {
    name: "chosen",
    tenantId: "profile.com",
    clientId: "profile-id",
    createdAt: "x",
    updatedAt: "x",
    ...Object.fromEntries(fields),
    ...(profile.login === "cloud" ? { cloud: "france" } : {}),
    ...(profile.login === "authority" ? { authority: "https://profile" } : {}),
    ...(profile.credential === "client-secret" ? { credential: { kind: "client-secret" } } : {}),
    ...(profile.credential === "certificate" ? { credential: certificate } : {}),
  };
}

async function resolve(world: World) {
  await Deno.writeTextFile(
    `${home}/profiles.json`,
    JSON.stringify({
      version: 1,
      profiles: [profileOf(world), { ...profileOf(world), name: "b" }],
    }),
  );
  const variables = environmentOf(world);
  const env = await readEnvironment({}, { env: (name) => variables[name] });
  return await resolveSettings(flagsOf(world), env, () => home);
}

/** The highest level that says something. */
const highest = (says: (level: Level) => boolean): Level | undefined =>
  (["flag", "environment", "profile"] as const).find(says);

function assertOrigin(
  setting: Setting<unknown>,
  level: Level | undefined,
  names: Readonly<Record<"flag" | "environment", string>>,
): void {
  assert.deepEqual(
    setting.origin,
    level === undefined
      ? { kind: "default" }
      : { kind: level, name: level === "profile" ? "chosen" : names[level] },
  );
}

Deno.test("the highest level that gives a value wins, and the origin names it", async () => {
  await fc.assert(
    fc.asyncProperty(world, async (given) => {
      const settings = await resolve(given);
      for (const name of names) {
        const { flag, variable, field } = simple[name];
        const level = highest((each) =>
          each === "profile"
            ? name === "tenant" || name === "clientId" ||
              (field !== undefined && given.profile.set.includes(name))
            : given[each].set.includes(name)
        );
        const setting = settings[name];
        if (level === undefined && setting === undefined) continue;
        assert.ok(setting, name);
        assertOrigin(setting, level, { flag: dashed(flag), environment: variable });
        if (level !== undefined) assert.deepEqual(setting.value, values[name][level][1]);
      }
    }),
  );
});

Deno.test("cloud and authority never come from different levels", async () => {
  await fc.assert(
    fc.asyncProperty(world, async (given) => {
      const { cloud, authority } = await resolve(given);
      const level = highest((each) => given[each].login !== "none");
      const kind = level === undefined ? "none" : given[level].login;
      assert.equal(cloud !== undefined, kind === "cloud");
      assert.equal(authority !== undefined, kind === "authority");
      if (authority !== undefined) assert.equal(authority.value, `https://${level}`);
      const setting = cloud ?? authority;
      if (setting === undefined) return;
      assertOrigin(setting, level, {
        flag: `--${kind}`,
        environment: kind === "cloud" ? "ENTRATOOL_CLOUD" : "AZURE_AUTHORITY_HOST",
      });
    }),
  );
});

Deno.test("a credential is of one level, and no lower level's secret is mixed in", async () => {
  await fc.assert(
    fc.asyncProperty(world, async (given) => {
      const { credential, flow } = await resolve(given);
      const isProfilesApp = !given.flag.set.includes("clientId") &&
        !given.environment.set.includes("clientId");
      const level = highest((each) =>
        given[each].credential !== "none" &&
        // the environment's secret is not for a profile's app that has its own
        !(each === "environment" && isProfilesApp && given.profile.credential !== "none")
      );
      assert.equal(credential?.origin.kind, level);
      if (credential === undefined || level === undefined) return;
      const { value } = credential;
      assert.equal(value.kind === "certificate", given[level].credential === "certificate");
      const secret = value.kind === "certificate" ? value.password : value.secret;
      if (value.kind === "certificate") assert.equal(value.path, `of-${level}`);
      if (level !== "profile") {
        assert.notEqual(secret?.from, "vault", "only a profile's own secret is in the vault");
        if (value.kind === "certificate") {
          assert.deepEqual([value.algorithm, value.sendX5c], ["PS256", false]);
        }
      }
      if (flow.origin.kind === "default") assert.equal(flow.value, "ClientCredentials");
    }),
  );
});
