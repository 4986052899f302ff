/**
 * Where each setting comes from: flag, environment, profile or default, in that order. Knows nothing of what the values
 * mean to Entra: a cached token is found with what is here alone.
 */

import { EntraToolError } from "../errors.ts";
import type { Host } from "../host.ts";
import { lazily } from "../lazy_module.ts";
import type { CloudName, FlowName } from "../names.ts";
import { findProfile, readProfiles } from "../profiles/profile_store.ts";
import { type Profile, secretEntryName } from "../profiles/profile.ts";
import { parseScopeList } from "../token/scope_list.ts";
import type { CredentialSource } from "../token_request.ts";
import type { ConnectionFlags, NetworkFlags, ProfileFlags, SignInFlags } from "./flag_groups.ts";
import {
  parseAuthority,
  parseCloud,
  parseDuration,
  parseFlow,
  parseScope,
  ValueError,
} from "./parsers.ts";

/** Who set a value: `--tenant`, `AZURE_TENANT_ID`, `profile prod`, `default`. */
export type Origin =
  | { readonly kind: "flag" | "environment" | "profile"; readonly name: string }
  | { readonly kind: "default" };

export interface Setting<T> {
  readonly value: T;
  readonly origin: Origin;
}

export interface SettingFlags extends ProfileFlags, ConnectionFlags, NetworkFlags, SignInFlags {
  readonly flow?: FlowName | undefined;
  readonly scope?: readonly string[] | undefined;
}

/** Everything that a token request depends on, each value with its origin. */
export interface Settings {
  readonly profile: Profile | undefined;
  /** Who chose the profile. */
  readonly profileOrigin: Origin;
  readonly tenant: Setting<string> | undefined;
  readonly clientId: Setting<string> | undefined;
  readonly cloud: Setting<CloudName> | undefined;
  readonly authority: Setting<string> | undefined;
  readonly flow: Setting<FlowName>;
  /** Empty for the flow's default. */
  readonly scopes: Setting<readonly string[]>;
  readonly credential: Setting<CredentialSource> | undefined;
  readonly caFile: Setting<string> | undefined;
  /** Milliseconds; undefined for the flow's usual. */
  readonly timeout: Setting<number> | undefined;
  readonly account: Setting<string> | undefined;
  readonly redirectUri: Setting<string> | undefined;
}

/** Reads a variable; an empty one counts as not set, as CI systems make them of missing values. */
export type Environment = (name: string) => string | undefined;

/**
 * The environment, beneath which lie the variables of `--env-file`.
 *
 * @throws EntraToolError usage when the file can't be read
 */
export async function readEnvironment(
  flags: Pick<ConnectionFlags, "envFile">,
  host: Pick<Host, "env">,
): Promise<Environment> {
  const real: Environment = (name) => host.env(name) || undefined;
  if (flags.envFile === undefined) return real;
  const { readEnvFile } = await lazily<typeof import("./env_file.ts")>(
    import.meta.resolve("./env_file.ts"),
  );
  const file = await readEnvFile(flags.envFile);
  return (name) => real(name) ?? (file[name] || undefined);
}

/**
 * Resolves all settings.
 *
 * @throws EntraToolError usage for conflicting or malformed values; profile_not_found; storage when the profiles can't
 *   be read
 */
export async function resolveSettings(
  flags: SettingFlags,
  env: Environment,
  home: () => string,
): Promise<Settings> {
  const { profile, origin: profileOrigin } = await chooseProfile(flags, env, home);
  const pick = <T>(
    flag: readonly [name: string, value: T | undefined],
    variable: readonly [name: string, parse: (text: string) => T],
    ofProfile: T | undefined,
  ) => pickSetting(flag, variable, ofProfile, env, profile);
  const text = (value: string) => value;
  const [cloud, authority] = pickLogin(flags, env, profile);
  const credential = pickCredential(flags, env, profile);
  checkCertificateFlags(flags, credential?.value);
  return {
    profile,
    profileOrigin,
    tenant: pick(["tenant", flags.tenant], ["AZURE_TENANT_ID", text], profile?.tenantId),
    clientId: pick(["client-id", flags.clientId], ["AZURE_CLIENT_ID", text], profile?.clientId),
    cloud,
    authority,
    flow: pick(["flow", flags.flow], ["ENTRATOOL_FLOW", parseFlow], profile?.defaultFlow) ?? {
      value: credential === undefined ? "InteractiveBrowser" : "ClientCredentials",
      origin: { kind: "default" },
    },
    scopes: pick(
      ["scope", flags.scope?.length ? parseScopeList(flags.scope) : undefined],
      ["ENTRATOOL_SCOPE", (value) => parseScopeList([parseScope(value)])],
      profile?.scopes,
    ) ?? { value: [], origin: { kind: "default" } },
    credential,
    caFile: pick(["ca-file", flags.caFile], ["ENTRATOOL_CA_FILE", text], undefined),
    timeout: pick(["timeout", flags.timeout], ["ENTRATOOL_TIMEOUT", parseDuration], undefined),
    account: pick(["account", flags.account], ["ENTRATOOL_ACCOUNT", text], profile?.pinnedAccount),
    redirectUri: pick(
      ["redirect-uri", flags.redirectUri],
      ["ENTRATOOL_REDIRECT_URI", text],
      profile?.redirectUri,
    ),
  };
}

/**
 * The profile: the one named, else none when tenant and client are known without, else `default`, else the only one.
 *
 * @throws EntraToolError profile_not_found when there is none of that name, or several and none is chosen
 */
export async function chooseProfile(
  flags: Pick<SettingFlags, "profile" | "tenant" | "clientId" | "authority">,
  env: Environment,
  home: () => string,
): Promise<{ readonly profile: Profile | undefined; readonly origin: Origin }> {
  const named = flags.profile ?? env("ENTRATOOL_PROFILE");
  if (named !== undefined) {
    const origin: Origin = flags.profile !== undefined
      ? flagOrigin("profile")
      : { kind: "environment", name: "ENTRATOOL_PROFILE" };
    return { profile: findProfile(await readProfiles(home()), named), origin };
  }
  const origin: Origin = { kind: "default" };
  const tenantKnown = flags.tenant ?? env("AZURE_TENANT_ID") ?? flags.authority;
  if (tenantKnown !== undefined && (flags.clientId ?? env("AZURE_CLIENT_ID")) !== undefined) {
    return { profile: undefined, origin };
  }
  const profiles = await readProfiles(home());
  const found = profiles.find((profile) => profile.name.toLowerCase() === "default") ??
    (profiles.length === 1 ? profiles[0] : undefined);
  if (found !== undefined || profiles.length === 0) return { profile: found, origin };
  throw new EntraToolError(
    "profile_not_found",
    "profile_not_chosen",
    `There are ${profiles.length} profiles, none of them named "default"`,
    { hint: `Choose one with -p: ${profiles.map((profile) => profile.name).join(", ")}` },
  );
}

function pickSetting<T>(
  [flagName, flagValue]: readonly [name: string, value: T | undefined],
  [variable, parse]: readonly [name: string, parse: (text: string) => T],
  ofProfile: T | undefined,
  env: Environment,
  profile: Profile | undefined,
): Setting<T> | undefined {
  if (flagValue !== undefined) return { value: flagValue, origin: flagOrigin(flagName) };
  const text = env(variable);
  if (text !== undefined) {
    return {
      value: parseVariable(variable, text, parse),
      origin: { kind: "environment", name: variable },
    };
  }
  if (ofProfile === undefined || profile === undefined) return undefined;
  return { value: ofProfile, origin: { kind: "profile", name: profile.name } };
}

const flagOrigin = (name: string): Origin => ({ kind: "flag", name: `--${name}` });

function parseVariable<T>(name: string, text: string, parse: (text: string) => T): T {
  try {
    return parse(text);
  } catch (error) {
    if (!(error instanceof ValueError)) throw error;
    throw new EntraToolError("usage", "variable_invalid", `${name}: ${error.message}`, {
      hint: `Correct it, or remove it: unset ${name}`,
    });
  }
}

/**
 * Cloud and authority answer the same question, so the higher level's answer replaces both.
 *
 * @throws EntraToolError usage when one level gives both
 */
export function pickLogin(
  flags: SettingFlags,
  env: Environment,
  profile: Profile | undefined,
): readonly [cloud: Setting<CloudName> | undefined, authority: Setting<string> | undefined] {
  if (flags.cloud !== undefined && flags.authority !== undefined) {
    throw conflict("--cloud", "--authority");
  }
  if (flags.cloud !== undefined) {
    return [{ value: flags.cloud, origin: flagOrigin("cloud") }, undefined];
  }
  if (flags.authority !== undefined) {
    return [undefined, { value: flags.authority, origin: flagOrigin("authority") }];
  }
  const authority = env("AZURE_AUTHORITY_HOST");
  const cloud = env("ENTRATOOL_CLOUD");
  if (authority !== undefined && cloud !== undefined) {
    throw conflict("ENTRATOOL_CLOUD", "AZURE_AUTHORITY_HOST");
  }
  if (authority !== undefined) {
    const origin: Origin = { kind: "environment", name: "AZURE_AUTHORITY_HOST" };
    return [
      undefined,
      { value: parseVariable("AZURE_AUTHORITY_HOST", authority, parseAuthority), origin },
    ];
  }
  if (cloud !== undefined) {
    const origin: Origin = { kind: "environment", name: "ENTRATOOL_CLOUD" };
    return [{ value: parseVariable("ENTRATOOL_CLOUD", cloud, parseCloud), origin }, undefined];
  }
  if (profile === undefined) return [undefined, undefined];
  const origin: Origin = { kind: "profile", name: profile.name };
  return [
    profile.cloud === undefined ? undefined : { value: profile.cloud, origin },
    profile.authority === undefined ? undefined : { value: profile.authority, origin },
  ];
}

function conflict(first: string, second: string): EntraToolError {
  return new EntraToolError("usage", "conflict", `${first} and ${second} exclude each other`, {
    hint: "Give only one of them",
  });
}

/** The credential that the environment holds, as the variable that names it. */
export function environmentCredential(env: Environment): string | undefined {
  return ["AZURE_CLIENT_SECRET", "AZURE_CLIENT_CERTIFICATE_PATH"]
    .find((name) => env(name) !== undefined);
}

/**
 * The credential of the highest level that has one. It never mixes with a lower level's: only the password of a certificate's
 * key has a flag and a variable of its own, which serve a certificate of any level.
 *
 * The environment's belongs to the environment's app: it is never sent in the name of a profile's, if that has its own.
 */
export function pickCredential(
  flags: ConnectionFlags,
  env: Environment,
  profile: Pick<Profile, "name" | "credential"> | undefined,
): Setting<CredentialSource> | undefined {
  const given = [
    flags.clientSecretFile !== undefined && "--client-secret-file",
    flags.clientSecret !== undefined && "--client-secret",
    flags.certificate !== undefined && "--certificate",
  ].filter((name) => name !== false);
  const [first, second] = given;
  if (first !== undefined && second !== undefined) throw conflict(first, second);
  for (const name of ["client-secret-file", "certificate"] as const) {
    const path = name === "certificate" ? flags.certificate : flags.clientSecretFile;
    if (path === "-" && flags.certificatePasswordFile === "-") {
      throw conflict(`--${name} -`, "--certificate-password-file -");
    }
  }
  const ofFlag = (value: CredentialSource, name: string) => ({ value, origin: flagOrigin(name) });
  if (flags.clientSecretFile !== undefined) {
    const secret = { from: "file", path: flags.clientSecretFile } as const;
    return ofFlag({ kind: "client-secret", secret }, "client-secret-file");
  }
  if (flags.clientSecret !== undefined) {
    const secret = { from: "value", value: flags.clientSecret } as const;
    return ofFlag({ kind: "client-secret", secret }, "client-secret");
  }
  const certificate = (path: string, ofProfile?: Profile["credential"]): CredentialSource => {
    const password = env("AZURE_CLIENT_CERTIFICATE_PASSWORD");
    const stored = ofProfile?.kind === "certificate" ? ofProfile : undefined;
    return {
      kind: "certificate",
      path,
      password: flags.certificatePasswordFile !== undefined
        ? { from: "file", path: flags.certificatePasswordFile }
        : password !== undefined
        ? { from: "value", value: password }
        : stored?.passwordInVault && profile !== undefined
        ? { from: "vault", entry: secretEntryName(profile.name, "certificate-password") }
        : undefined,
      algorithm: flags.assertionAlgorithm ?? stored?.algorithm ?? "PS256",
      sendX5c: flags.sendX5c ??
        (/^(1|true)$/i.test(env("AZURE_CLIENT_SEND_CERTIFICATE_CHAIN") ?? "") ||
          stored?.sendX5c === true),
    };
  };
  if (flags.certificate !== undefined) return ofFlag(certificate(flags.certificate), "certificate");
  const isProfilesApp = flags.clientId === undefined && env("AZURE_CLIENT_ID") === undefined;
  const isPassedOver = isProfilesApp && profile?.credential !== undefined;
  const secret = isPassedOver ? undefined : env("AZURE_CLIENT_SECRET");
  if (secret !== undefined) {
    return {
      value: { kind: "client-secret", secret: { from: "value", value: secret } },
      origin: { kind: "environment", name: "AZURE_CLIENT_SECRET" },
    };
  }
  const certificatePath = isPassedOver ? undefined : env("AZURE_CLIENT_CERTIFICATE_PATH");
  if (certificatePath !== undefined) {
    return {
      value: certificate(certificatePath),
      origin: { kind: "environment", name: "AZURE_CLIENT_CERTIFICATE_PATH" },
    };
  }
  if (profile?.credential === undefined) return undefined;
  const origin: Origin = { kind: "profile", name: profile.name };
  return profile.credential.kind === "client-secret"
    ? {
      value: {
        kind: "client-secret",
        secret: { from: "vault", entry: secretEntryName(profile.name, "client-secret") },
      },
      origin,
    }
    : { value: certificate(profile.credential.path, profile.credential), origin };
}

/**
 * Refuses flags that only say something about a certificate when there is none: they would be passed over in silence.
 *
 * @throws EntraToolError usage naming the flag
 */
export function checkCertificateFlags(
  flags: ConnectionFlags,
  credential: CredentialSource | undefined,
): void {
  if (credential?.kind === "certificate") return;
  const [useless] = [
    flags.certificatePasswordFile !== undefined && "--certificate-password-file",
    flags.assertionAlgorithm !== undefined && "--assertion-algorithm",
    flags.sendX5c && "--send-x5c",
  ].filter((name) => typeof name === "string");
  if (useless === undefined) return;
  throw new EntraToolError(
    "usage",
    "certificate_not_given",
    `${useless} is about a certificate, and ${
      credential === undefined ? "none is given" : "a client secret is used"
    }`,
    { hint: "Give the certificate too: --certificate PATH" },
  );
}

/**
 * Refuses to send a profile's credential in another app's name or to another login host.
 *
 * @throws EntraToolError usage naming what overrides the profile
 */
export function checkCredentialOwner(settings: Settings): void {
  const { profile, credential, clientId, cloud, authority } = settings;
  if (profile === undefined || credential?.origin.kind !== "profile") return;
  const sameApp = clientId?.value.toLowerCase() === profile.clientId.toLowerCase();
  const sameLogin = authority?.value === profile.authority &&
    (cloud?.value ?? "public") === (profile.cloud ?? "public");
  const [overridden] = [sameApp ? undefined : clientId, ...(sameLogin ? [] : [cloud, authority])]
    .map((setting) => setting?.origin).filter((origin) => origin !== undefined);
  if (overridden === undefined || overridden.kind === "default") return;
  throw new EntraToolError(
    "usage",
    "credential_of_other_app",
    `${overridden.name} overrides profile "${profile.name}", whose credential must not be sent elsewhere`,
    {
      hint: overridden.kind === "environment"
        ? `Unset ${overridden.name}, or give the matching credential: --client-secret-file PATH`
        : "Give the matching credential with --client-secret-file PATH or --certificate PATH",
    },
  );
}

/**
 * What a person who named a profile should know: which variables override it, and which credential is passed over for its
 * own. Empty when the profile was not named by a flag.
 */
export function profileWarnings(settings: Settings, env: Environment): readonly string[] {
  const { profile, profileOrigin, credential } = settings;
  if (profile === undefined || profileOrigin.kind !== "flag") return [];
  const overriding = [
    [settings.tenant, profile.tenantId],
    [settings.clientId, profile.clientId],
    [settings.cloud, profile.cloud ?? (profile.authority === undefined ? "public" : undefined)],
    [settings.authority, profile.authority],
  ] as const;
  const names = overriding.flatMap(([setting, own]) =>
    setting?.origin.kind === "environment" && setting.value.toLowerCase() !== own?.toLowerCase()
      ? [setting.origin.name]
      : []
  );
  const own = profile.credential;
  if (own !== undefined && credential?.origin.kind === "environment") {
    names.push(credential.origin.name);
  }
  const passedOver = own !== undefined && credential?.origin.kind === "profile"
    ? environmentCredential(env)
    : undefined;
  return [
    ...names.map((name) => `${name} overrides what profile "${profile.name}" says`),
    ...(passedOver === undefined ? [] : [
      `${passedOver} is not used: profile "${profile.name}" has a credential of its own, and AZURE_CLIENT_ID does not name another app`,
    ]),
  ];
}
