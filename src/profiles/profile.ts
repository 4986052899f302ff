/** What a profile holds and what makes one valid. No secret is ever part of it. */

import {
  type AssertionAlgorithm,
  assertionAlgorithms,
  type CloudName,
  type FlowName,
  parseCloudName,
  parseFlowName,
} from "../names.ts";

/** How the app proves itself; the secrets themselves are in the vault. */
export type ProfileCredential =
  | { readonly kind: "client-secret" }
  | {
    readonly kind: "certificate";
    /** An absolute path to a PEM or PFX file. */
    readonly path: string;
    /** Whether the vault holds the file's password. */
    readonly passwordInVault: boolean;
    readonly algorithm: AssertionAlgorithm;
    /** Whether assertions carry the certificate chain (subject name and issuer authentication). */
    readonly sendX5c: boolean;
  };

export interface Profile {
  readonly name: string;
  readonly tenantId: string;
  readonly clientId: string;
  readonly cloud?: CloudName;
  readonly authority?: string;
  readonly scopes?: readonly string[];
  readonly defaultFlow?: FlowName;
  readonly credential?: ProfileCredential;
  readonly redirectUri?: string;
  /** The only tenant whose tokens are accepted: a GUID. */
  readonly pinnedTenant?: string;
  /** The only account whose tokens are accepted: a user name. */
  readonly pinnedAccount?: string;
  /** RFC 3339, UTC. */
  readonly createdAt: string;
  readonly updatedAt: string;
}

/** Letters and digits of any script, and `. _ @ + -`: a name that needs no quotes in a shell. */
export function isProfileName(text: string): boolean {
  // most names are ASCII, and the classes of all scripts take half a millisecond to build
  return /^[A-Za-z0-9][\w.@+-]{0,63}$/.test(text) ||
    /^[\p{L}\p{N}][\p{L}\p{N}\p{M}._@+-]{0,63}$/u.test(text);
}

/** Names differ only if they differ in more than case and Unicode form. */
export function sameProfileName(a: string, b: string): boolean {
  return foldName(a) === foldName(b);
}

/** The form of a name under which its vault entries are kept. */
export function foldName(name: string): string {
  // a small letter with an accent may have a form of its own where the capital has none
  return name.normalize("NFC").toLowerCase().normalize("NFC");
}

/** What a profile may have in the vault. */
export const secretNames = ["client-secret", "certificate-password"] as const;

/** The name of the vault entry that holds a profile's secret. */
export function secretEntryName(profile: string, secret: (typeof secretNames)[number]): string {
  return `profile:${foldName(profile)}:${secret}`;
}

/** Thrown by {@link readProfile}: which field, and what is wrong with it. */
export class ProfileFieldError extends Error {
  override readonly name = "ProfileFieldError";
}

/**
 * Reads one profile of the profiles file.
 *
 * @throws ProfileFieldError naming the field
 */
export function readProfile(value: unknown): Profile {
  const fields = object(value, "the profile", profileFields);
  const name = string(fields, "name");
  if (!isProfileName(name)) throw new ProfileFieldError(`"name" is not a profile name`);
  const cloud = optional(fields, "cloud", parseCloudName);
  const defaultFlow = optional(fields, "defaultFlow", parseFlowName);
  const text = (field: string) => {
    const value = optional(fields, field, (each) => each);
    return value === undefined ? {} : { [field]: value };
  };
  return {
    name,
    tenantId: string(fields, "tenantId"),
    clientId: string(fields, "clientId"),
    ...(cloud === undefined ? {} : { cloud }),
    ...text("authority"),
    ...(fields.scopes === undefined ? {} : { scopes: strings(fields, "scopes") }),
    ...(defaultFlow === undefined ? {} : { defaultFlow }),
    ...(fields.credential === undefined ? {} : { credential: readCredential(fields.credential) }),
    ...text("redirectUri"),
    ...text("pinnedTenant"),
    ...text("pinnedAccount"),
    createdAt: string(fields, "createdAt"),
    updatedAt: string(fields, "updatedAt"),
  };
}

function readCredential(value: unknown): ProfileCredential {
  const fields = object(value, `"credential"`, credentialFields);
  if (fields.kind === "client-secret") return { kind: "client-secret" };
  if (fields.kind !== "certificate") throw new ProfileFieldError(`"credential.kind" is unknown`);
  const algorithm = assertionAlgorithms.find((each) => each === fields.algorithm);
  if (algorithm === undefined) throw new ProfileFieldError(`"credential.algorithm" is unknown`);
  return {
    kind: "certificate",
    path: string(fields, "path"),
    passwordInVault: boolean(fields, "passwordInVault"),
    algorithm,
    sendX5c: boolean(fields, "sendX5c"),
  };
}

type Fields = Readonly<Record<string, unknown>>;

const profileFields = [
  "name",
  "tenantId",
  "clientId",
  "cloud",
  "authority",
  "scopes",
  "defaultFlow",
  "credential",
  "redirectUri",
  "pinnedTenant",
  "pinnedAccount",
  "createdAt",
  "updatedAt",
];
const credentialFields = ["kind", "path", "passwordInVault", "algorithm", "sendX5c"];

/** A field that is not known is an error: it may be misspelt, and writing the file would lose it. */
function object(value: unknown, what: string, known: readonly string[]): Fields {
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw new ProfileFieldError(`${what} is not an object`);
  }
  const unknown = Object.keys(value).find((name) => !known.includes(name));
  if (unknown !== undefined) {
    throw new ProfileFieldError(`${what} has a field that is not known: "${unknown}"`);
  }
  return value as Fields;
}

function string(fields: Fields, name: string): string {
  const value = fields[name];
  if (typeof value === "string" && value !== "") return value;
  throw new ProfileFieldError(`"${name}" is missing or not a string`);
}

function boolean(fields: Fields, name: string): boolean {
  const value = fields[name];
  if (typeof value === "boolean") return value;
  throw new ProfileFieldError(`"${name}" is missing or not true or false`);
}

function strings(fields: Fields, name: string): readonly string[] {
  const value = fields[name];
  if (Array.isArray(value) && value.every((each) => typeof each === "string")) return value;
  throw new ProfileFieldError(`"${name}" is not a list of strings`);
}

function optional<T>(
  fields: Fields,
  name: string,
  parse: (text: string) => T | undefined,
): T | undefined {
  if (fields[name] === undefined) return undefined;
  const value = parse(string(fields, name));
  if (value === undefined) throw new ProfileFieldError(`"${name}" has an unknown value`);
  return value;
}
