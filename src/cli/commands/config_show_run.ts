/** `entratool config show`. */

import { EntraToolError } from "../../errors.ts";
import { printableJson } from "../../output/printable.ts";
import { formatTable } from "../../output/table.ts";
import type { Profile } from "../../profiles/profile.ts";
import { configHome } from "../../profiles/profile_store.ts";
import type { CredentialSource, SecretSource } from "../../token_request.ts";
import type { AppContext } from "../context.ts";
import {
  chooseProfile,
  type Environment,
  type Origin,
  readEnvironment,
  resolveSettings,
  type Settings,
} from "../settings.ts";
import type { ShowFlags } from "./config.ts";

export default async function configShow(this: AppContext, flags: ShowFlags): Promise<void> {
  const env = await readEnvironment(flags, this.host);
  if (flags.origin) return await showOrigins.call(this, flags, env);
  const { profile } = await chooseProfile(flags, env, () => configHome(this.host));
  if (profile === undefined) throw noProfile(env);
  if (flags.output === "json") {
    this.host.stdout.write(printableJson(profile));
    return;
  }
  const rows = Object.entries(profile).map(([name, value]) => [
    name,
    this.messages.safe(typeof value === "string" ? value : describe(value)),
  ]);
  this.host.stdout.write(formatTable(["FIELD", "VALUE"], rows));
}

function noProfile(env: Environment): EntraToolError {
  return env("AZURE_CLIENT_ID") === undefined
    ? new EntraToolError("profile_not_found", "profile_not_found", "There are no profiles yet", {
      hint: "Make one: entratool config create --help",
    })
    : new EntraToolError(
      "profile_not_found",
      "profile_not_chosen",
      "No profile is in use: tenant and client id come from the environment",
      { hint: "Name one with -p NAME, or see what is in force: entratool config show --origin" },
    );
}

function describe(value: readonly string[] | object): string {
  if (Array.isArray(value)) return value.join(" ");
  return Object.entries(value).map(([name, each]) => `${name} ${each}`).join(", ");
}

type Row = readonly [name: string, value: string | undefined, origin: Origin | undefined];

const byDefault: Origin = { kind: "default" };

async function showOrigins(this: AppContext, flags: ShowFlags, env: Environment): Promise<void> {
  const settings = await resolveSettings(
    { profile: flags.profile },
    env,
    () => configHome(this.host),
  );
  const { cloud, authority, redirectUri, timeout } = settings;
  const rows: readonly Row[] = [
    ["profile", settings.profile?.name, settings.profileOrigin],
    ["tenant", settings.tenant?.value, settings.tenant?.origin],
    ["client-id", settings.clientId?.value, settings.clientId?.origin],
    authority === undefined
      ? ["cloud", cloud?.value ?? "public", cloud?.origin ?? byDefault]
      : ["authority", authority.value, authority.origin],
    ["flow", settings.flow.value, settings.flow.origin],
    ["scope", settings.scopes.value.join(" ") || "(Microsoft Graph)", settings.scopes.origin],
    ["credential", describeCredential(settings.credential?.value), settings.credential?.origin],
    ...signatureRows(settings),
    ["ca-file", settings.caFile?.value, settings.caFile?.origin],
    [
      "timeout",
      timeout === undefined
        ? settings.flow.value === "ClientCredentials" ? "60s" : "60s, 20m to sign in"
        : `${timeout.value / 1000}s`,
      timeout?.origin ?? byDefault,
    ],
    ["account", settings.account?.value, settings.account?.origin],
    ["redirect-uri", redirectUri?.value, redirectUri?.origin],
    ...pinRows(settings.profile),
  ];
  const present = rows.flatMap(([name, value, origin]) =>
    value === undefined || origin === undefined
      ? []
      // a login host may be set with a password in its URL
      : [{ name, value: this.redactor.redact(value), origin: describeOrigin(origin) }]
  );
  this.host.stdout.write(
    flags.output === "json" ? printableJson(present) : formatTable(
      ["SETTING", "VALUE", "FROM"],
      present.map(({ name, value, origin }) =>
        [name, value, origin].map((cell) => this.messages.safe(cell))
      ),
    ),
  );
}

/** How a certificate is used. */
function signatureRows({ credential, profile }: Settings): readonly Row[] {
  if (credential?.value.kind !== "certificate") return [];
  const { algorithm, sendX5c } = credential.value;
  const own = credential.origin.kind === "profile" && profile?.credential?.kind === "certificate"
    ? profile.credential
    : undefined;
  const chain = "AZURE_CLIENT_SEND_CERTIFICATE_CHAIN";
  return [
    ["assertion-algorithm", algorithm, own === undefined ? byDefault : credential.origin],
    [
      "send-x5c",
      sendX5c ? "yes" : "no",
      sendX5c && own?.sendX5c !== true
        ? { kind: "environment", name: chain }
        : own === undefined
        ? byDefault
        : credential.origin,
    ],
  ];
}

/** What the profile insists on; nothing overrides it. */
function pinRows(profile: Profile | undefined): readonly Row[] {
  if (profile === undefined) return [];
  const origin: Origin = { kind: "profile", name: profile.name };
  return [
    ["pin-tenant", profile.pinnedTenant, origin],
    ["pin-account", profile.pinnedAccount, origin],
  ];
}

function describeOrigin(origin: Origin): string {
  if (origin.kind === "default") return "default";
  return origin.kind === "profile" ? `profile ${origin.name}` : origin.name;
}

/** What the credential is and where it lies; never what it says. */
function describeCredential(source: CredentialSource | undefined): string | undefined {
  if (source === undefined) return undefined;
  const place = (secret: SecretSource | undefined, none: string) =>
    secret === undefined
      ? none
      : secret.from === "vault"
      ? "in the vault"
      : secret.from === "file"
      ? `in ${secret.path}`
      : "set";
  return source.kind === "client-secret"
    ? `client secret (${place(source.secret, "none")})`
    : `certificate ${source.path} (password ${place(source.password, "none")})`;
}
