/** `entratool config show`. */

import { printableJson } from "../../output/printable.ts";
import { formatTable } from "../../output/table.ts";
import { configHome, findProfile, readProfiles } from "../../profiles/profile_store.ts";
import type { CredentialSource, SecretSource } from "../../token_request.ts";
import type { AppContext } from "../context.ts";
import { type Origin, readEnvironment, resolveSettings } from "../settings.ts";
import type { ShowFlags } from "./config.ts";
import { requiredName } from "./config_profile.ts";

export default async function configShow(this: AppContext, flags: ShowFlags): Promise<void> {
  if (flags.origin) return await showOrigins.call(this, flags);
  const profile = findProfile(await readProfiles(configHome(this.host)), requiredName(flags));
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

function describe(value: readonly string[] | object): string {
  if (Array.isArray(value)) return value.join(" ");
  return Object.entries(value).map(([name, each]) => `${name} ${each}`).join(", ");
}

async function showOrigins(this: AppContext, flags: ShowFlags): Promise<void> {
  const env = await readEnvironment({}, this.host);
  const settings = await resolveSettings(
    { profile: flags.profile },
    env,
    () => configHome(this.host),
  );
  const entries = [
    ["tenant", settings.tenant?.value, settings.tenant?.origin],
    ["client-id", settings.clientId?.value, settings.clientId?.origin],
    ["cloud", settings.cloud?.value, settings.cloud?.origin],
    ["authority", settings.authority?.value, settings.authority?.origin],
    ["flow", settings.flow.value, settings.flow.origin],
    ["scope", settings.scopes.value.join(" ") || "(Microsoft Graph)", settings.scopes.origin],
    ["credential", describeCredential(settings.credential?.value), settings.credential?.origin],
    ["ca-file", settings.caFile?.value, settings.caFile?.origin],
    [
      "timeout",
      settings.timeout === undefined ? "60s" : `${settings.timeout.value / 1000}s`,
      settings.timeout?.origin ?? { kind: "default" as const },
    ],
    ["account", settings.account?.value, settings.account?.origin],
    ["redirect-uri", settings.redirectUri?.value, settings.redirectUri?.origin],
  ] as const;
  const present = entries.flatMap(([name, value, origin]) =>
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
