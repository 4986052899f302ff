/** The profiles file: found, read, and changed without ever losing what is in it. */

import { EntraToolError } from "../errors.ts";
import { ensurePrivateFolder, readFileIfPresent, writePrivateFile } from "../files/private_file.ts";
import type { Host } from "../host.ts";
import { type Profile, ProfileFieldError, readProfile, sameProfileName } from "./profile.ts";

const formatVersion = 1;

/**
 * The folder of configuration and vault: `$ENTRATOOL_HOME`, else `entratool` in the system's configuration folder.
 *
 * @throws EntraToolError storage when the environment names no home at all
 * @see https://specifications.freedesktop.org/basedir-spec/latest/
 */
export function configHome(host: Pick<Host, "env" | "os">): string {
  const own = host.env("ENTRATOOL_HOME");
  if (own) return own;
  const slash = host.os === "windows" ? "\\" : "/";
  const inHome = host.env("HOME");
  const base = host.os === "windows"
    ? host.env("APPDATA")
    : host.env("XDG_CONFIG_HOME") || (inHome ? `${inHome}${slash}.config` : undefined);
  if (base) return `${base}${slash}entratool`;
  throw new EntraToolError(
    "storage",
    "home_unknown",
    "No folder for configuration: neither ENTRATOOL_HOME nor HOME is set",
    { hint: "Set ENTRATOOL_HOME to a folder that only you can read" },
  );
}

/** Where the profiles are, in the configuration folder. */
export function profilesPath(home: string): string {
  return `${home}/profiles.json`;
}

/**
 * Reads all profiles, in the order of the file; none when there is no file.
 *
 * @throws EntraToolError storage, with the path, when the file can't be read or understood; it is left as it is
 */
export async function readProfiles(home: string): Promise<readonly Profile[]> {
  const path = profilesPath(home);
  let bytes: Uint8Array | undefined;
  try {
    bytes = await readFileIfPresent(path);
  } catch (cause) {
    throw storageError(
      "profiles_unreadable",
      `${path} can not be read: ${reason(cause)}`,
      "Check the file's owner and mode",
      cause,
    );
  }
  if (bytes === undefined) return [];
  let value: { version?: unknown; profiles?: unknown };
  try {
    value = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch (cause) {
    throw storageError(
      "profiles_unreadable",
      `${path} is not valid JSON`,
      "Mend the file, or move it away to start over",
      cause,
    );
  }
  if (typeof value?.version === "number" && value.version > formatVersion) {
    throw storageError(
      "profiles_newer",
      `${path} was written by a newer version of entratool (format ${value.version})`,
      "Update entratool",
    );
  }
  if (value?.version !== formatVersion || !Array.isArray(value.profiles)) {
    throw storageError(
      "profiles_unreadable",
      `${path} is not a profiles file: it needs "version": ${formatVersion} and a list "profiles"`,
      "Mend the file, or move it away to start over",
    );
  }
  const profiles: Profile[] = [];
  for (const [index, each] of value.profiles.entries()) {
    try {
      const profile = readProfile(each);
      if (profiles.some(({ name }) => sameProfileName(name, profile.name))) {
        throw new ProfileFieldError(`"name" is the name of another profile too`);
      }
      profiles.push(profile);
    } catch (cause) {
      if (!(cause instanceof ProfileFieldError)) throw cause;
      throw storageError(
        "profiles_unreadable",
        `${path} has an invalid profile at position ${index + 1}: ${cause.message}`,
        "Mend the file, or move it away to start over",
      );
    }
  }
  return profiles;
}

/** How {@link changeProfiles} goes about it. */
export interface ChangeOptions {
  /** What must not happen before the new list is written, and before another process may change it. */
  afterwards?(): Promise<void>;
  /** How long to wait for another process, in milliseconds. */
  readonly patience?: number;
}

/**
 * Replaces the list of profiles by what `change` makes of it, one process at a time. `change` must not wait for a person.
 *
 * @throws EntraToolError storage when the file can't be read or written, or another process does not come to an end;
 *   then nothing has changed
 */
export async function changeProfiles(
  home: string,
  change: (profiles: readonly Profile[]) => Promise<readonly Profile[]>,
  { afterwards, patience = 10_000 }: ChangeOptions = {},
): Promise<void> {
  const path = profilesPath(home);
  try {
    await ensurePrivateFolder(home);
    using lock = await Deno.open(`${path}.lock`, { create: true, write: true, mode: 0o600 });
    await takeLock(lock, path, patience);
    const profiles = await change(await readProfiles(home));
    const text = JSON.stringify({ version: formatVersion, profiles }, undefined, 2) + "\n";
    await writePrivateFile(path, new TextEncoder().encode(text));
    await afterwards?.();
  } catch (cause) {
    if (cause instanceof EntraToolError) throw cause;
    throw storageError(
      "profiles_not_written",
      `${path} can not be written: ${reason(cause)}`,
      "Check the folder's owner and mode, or choose another one with ENTRATOOL_HOME",
      cause,
    );
  }
}

/** A wait for a lock can't be called off, so this asks again and again instead. */
async function takeLock(lock: Deno.FsFile, path: string, patience: number): Promise<void> {
  // Deno before 2.7 can only wait
  if (typeof lock.tryLock !== "function") return await lock.lock(true);
  const end = Date.now() + patience;
  while (!await lock.tryLock(true)) {
    if (Date.now() >= end) {
      throw storageError(
        "profiles_busy",
        `Another process has been changing ${path} for ${patience / 1000} seconds`,
        "End the other entratool process, then try again",
      );
    }
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

/**
 * Finds a profile by name, in any case.
 *
 * @throws EntraToolError profile_not_found, naming those there are
 */
export function findProfile(profiles: readonly Profile[], name: string): Profile {
  const found = profiles.find((profile) => sameProfileName(profile.name, name));
  if (found !== undefined) return found;
  const names = profiles.map((profile) => profile.name);
  throw new EntraToolError(
    "profile_not_found",
    "profile_not_found",
    `There is no profile "${name}"`,
    {
      hint: names.length === 0
        ? `Make it: entratool config create -p ${name} --tenant GUID-or-domain --client-id GUID`
        : `There are: ${names.join(", ")}`,
    },
  );
}

function storageError(
  code: string,
  message: string,
  hint: string,
  cause?: unknown,
): EntraToolError {
  return new EntraToolError("storage", code, message, { hint, cause });
}

/** What the system said, without the call that Deno appends. */
function reason(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).split(/: \w+ '/)[0] ?? "";
}
