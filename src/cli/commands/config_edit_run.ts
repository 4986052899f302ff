/** `entratool config edit`. */

import { EntraToolError } from "../../errors.ts";
import {
  type Profile,
  type ProfileCredential,
  secretEntryName,
  secretNames,
} from "../../profiles/profile.ts";
import {
  changeProfiles,
  configHome,
  findProfile,
  readProfiles,
} from "../../profiles/profile_store.ts";
import type { CredentialSource } from "../../token_request.ts";
import type { AppContext } from "../context.ts";
import {
  checkCertificateFlags,
  type Environment,
  pickCredential,
  readEnvironment,
} from "../settings.ts";
import { userVault } from "../vault_access.ts";
import type { EditFlags, ProfileFieldFlags } from "./config.ts";
import { checkProfile, fieldsOf, requiredName, takeCredential } from "./config_profile.ts";

export default async function configEdit(this: AppContext, flags: EditFlags): Promise<void> {
  const name = requiredName(flags);
  const env = await readEnvironment(flags, this.host);
  const home = configHome(this.host);
  const { given, removed } = split(flags);
  const current = findProfile(await readProfiles(home), name);
  const source = newCredential(given, env, removed.credential ? undefined : current.credential);
  const fields = fieldsOf(given);
  const isNothing = source === undefined && !removed.credential && removed.fields.length === 0 &&
    Object.keys(fields).length === 0;
  if (isNothing) {
    throw new EntraToolError("usage", "nothing_to_change", "No flag says what to change", {
      hint: "For example --client-secret-file PATH; all of them: entratool config edit --help",
    });
  }
  const edit = (profile: Profile, credential: ProfileCredential | undefined): Profile => {
    const edited: Profile = {
      ...without(profile, [
        ...removed.fields,
        // cloud and authority say the same thing in two ways: a new one replaces both
        ...(fields.cloud ?? fields.authority ? ["cloud", "authority"] as const : []),
        ...(removed.credential ? ["credential"] as const : []),
      ]),
      ...fields,
      ...(credential === undefined ? {} : { credential }),
      updatedAt: new Date(this.host.now()).toISOString(),
    };
    if (credential === undefined) checkSecretStays(profile, edited);
    return edited;
  };
  // what is wrong with the rest is said before a secret is asked for
  checkProfile(edit(current, source && credentialKind(source)));
  const vault = userVault(this, env);
  const taken = source && await takeCredential(current.name, source, vault, this);
  let old: readonly string[] = [];
  await changeProfiles(home, async (profiles) => {
    const latest = findProfile(profiles, name);
    if (source !== undefined && isOfProfile(given) && !sameCredential(latest, current)) {
      throw new EntraToolError(
        "storage",
        "profile_changed",
        `Another process gave profile "${latest.name}" another credential meanwhile`,
        { hint: "Look at it, then try again: entratool config show -p " + latest.name },
      );
    }
    const edited = edit(latest, taken?.credential);
    checkProfile(edited);
    if (taken?.secret !== undefined) await vault.write(taken.secret.entry, taken.secret.value);
    // what the profile no longer speaks of would stay in the vault for ever
    if (taken !== undefined || removed.credential) {
      old = secretNames.map((secret) => secretEntryName(latest.name, secret))
        .filter((entry) => entry !== taken?.secret?.entry);
    }
    return profiles.map((each) => each === latest ? edited : each);
  }, {
    // not before the profile says so: whoever reads it meanwhile still needs the old secret
    async afterwards() {
      for (const entry of old) await vault.delete(entry);
    },
  });
  this.messages.note(`Changed profile "${name}"`);
}

type Field = Exclude<keyof Profile, "name" | "createdAt" | "updatedAt">;

/** Which field an empty value of a flag removes. */
const removable = {
  cloud: "cloud",
  authority: "authority",
  flow: "defaultFlow",
  redirectUri: "redirectUri",
  pinTenant: "pinnedTenant",
  pinAccount: "pinnedAccount",
} as const satisfies Partial<Record<keyof EditFlags, Field>>;

/** Tells the flags with a value from those that remove what the profile has. */
function split(flags: EditFlags): {
  readonly given: ProfileFieldFlags;
  readonly removed: { readonly fields: readonly Field[]; readonly credential: boolean };
} {
  const isEmpty = (value: unknown) =>
    value === "" || (Array.isArray(value) && value.join("") === "");
  const given = Object.entries(flags).filter(([, value]) => !isEmpty(value));
  const fields = Object.entries(removable)
    .filter(([flag]) => isEmpty(flags[flag as keyof EditFlags])).map(([, field]) => field);
  return {
    given: Object.fromEntries(given),
    removed: {
      fields: isEmpty(flags.scope) ? [...fields, "scopes"] : fields,
      credential: flags.clientSecretFile === "" || flags.certificate === "",
    },
  };
}

function without(profile: Profile, names: readonly Field[]): Profile {
  const rest = Object.entries(profile).filter(([name]) => !names.some((each) => each === name));
  return Object.fromEntries(rest) as unknown as Profile;
}

/**
 * The credential that the flags give: a new one, or the profile's certificate with what they say of it. The environment is no
 * wish to change a profile: it has the password of a new certificate at most.
 */
function newCredential(
  flags: ProfileFieldFlags,
  env: Environment,
  current: ProfileCredential | undefined,
): CredentialSource | undefined {
  const own = isOfProfile(flags) && current !== undefined
    ? { name: requiredName(flags), credential: current }
    : undefined;
  const hasPassword = current?.kind === "certificate" && current.passwordInVault;
  const password: Environment = (name) =>
    name !== "AZURE_CLIENT_CERTIFICATE_PASSWORD" || (own !== undefined && hasPassword)
      ? undefined
      : env(name);
  const source = pickCredential(flags, password, own)?.value;
  checkCertificateFlags(flags, source);
  if (own === undefined && source?.kind === "certificate" && current?.kind === "certificate") {
    // a renewed certificate is used as the one before
    return {
      ...source,
      algorithm: flags.assertionAlgorithm ?? current.algorithm,
      sendX5c: flags.sendX5c ?? current.sendX5c,
    };
  }
  return source;
}

/** Whether the flags only say something of the certificate that the profile has. */
function isOfProfile(flags: ProfileFieldFlags): boolean {
  const hasNew = flags.clientSecretFile ?? flags.clientSecret ?? flags.certificate;
  const aboutCertificate = flags.certificatePasswordFile ?? flags.assertionAlgorithm ??
    flags.sendX5c;
  return hasNew === undefined && aboutCertificate !== undefined;
}

/** As much of a credential as {@link checkProfile} looks at. */
function credentialKind(source: CredentialSource): ProfileCredential {
  return source.kind === "client-secret" ? { kind: "client-secret" } : {
    kind: "certificate",
    path: source.path,
    passwordInVault: false,
    algorithm: source.algorithm,
    sendX5c: source.sendX5c,
  };
}

function sameCredential(a: Profile, b: Profile): boolean {
  return JSON.stringify(a.credential) === JSON.stringify(b.credential);
}

/**
 * A client secret belongs to one app and is sent to one login host.
 *
 * @throws EntraToolError usage when the profile would send it elsewhere
 */
function checkSecretStays(before: Profile, after: Profile): void {
  if (after.credential?.kind !== "client-secret") return;
  const login = ({ cloud, authority }: Profile) => authority ?? cloud ?? "public";
  const what = before.clientId.toLowerCase() !== after.clientId.toLowerCase()
    ? "client id"
    : login(before) !== login(after)
    ? "login host"
    : undefined;
  if (what === undefined) return;
  throw new EntraToolError(
    "usage",
    "secret_of_other_app",
    `With another ${what} the client secret of profile "${before.name}" would be sent elsewhere`,
    {
      hint:
        "Give the matching one too: --client-secret-file PATH, or --certificate PATH, or --client-secret-file= for none",
    },
  );
}
