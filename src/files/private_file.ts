/**
 * Files that only the user may read, written so that a reader sees the old content or the new, never a part; and what
 * to tell a person when the disk refuses.
 */

import { EntraToolError } from "../errors.ts";

/** How old, in milliseconds, a temporary file must be before it is certain that its writer has died. */
const abandonedAfter = 60 * 60 * 1000;

/** Creates the folder and its parents, 0700 where the OS knows modes; leaves an existing one as it is. */
export async function ensurePrivateFolder(path: string): Promise<void> {
  await Deno.mkdir(path, { recursive: true, mode: 0o700 });
}

/**
 * Replaces the file's content: a temporary file beside it (0600), fsync, rename.
 *
 * A process that dies on the way leaves the old content, and at worst a `.tmp` file. Throws what Deno throws; nothing is
 * left behind then.
 */
export async function writePrivateFile(path: string, content: Uint8Array): Promise<void> {
  const temporary = `${path}.${crypto.randomUUID()}.tmp`;
  try {
    const file = await Deno.open(temporary, { write: true, createNew: true, mode: 0o600 });
    try {
      let written = 0;
      while (written < content.length) written += await file.write(content.subarray(written));
      await file.sync();
    } finally {
      file.close();
    }
    await replaceFile(temporary, path);
  } catch (error) {
    await Deno.remove(temporary).catch(() => {});
    throw error;
  }
}

/** Reads the file; undefined when there is none. Throws what else Deno throws. */
export async function readFileIfPresent(
  path: string,
): Promise<Uint8Array<ArrayBuffer> | undefined> {
  try {
    return await Deno.readFile(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}

/** Removes the file. Resolves to false when there was none; throws what else Deno throws. */
export async function removeFileIfPresent(path: string): Promise<boolean> {
  try {
    await Deno.remove(path);
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

/** Removes what killed writers left in the folder; a failure to do so is nobody's concern. */
export async function sweepTemporaryFiles(folder: string): Promise<void> {
  try {
    for await (const { name } of Deno.readDir(folder)) {
      if (!/\.[0-9a-f-]{36}\.tmp$/.test(name)) continue;
      const path = `${folder}/${name}`;
      const writtenAt = (await Deno.stat(path)).mtime?.getTime() ?? Infinity;
      if (Date.now() - writtenAt > abandonedAfter) await Deno.remove(path);
    }
  } catch {
    // Another process may be sweeping the same folder, and the next write tries again.
  }
}

/**
 * What a person should read when the disk refuses: a `storage` error that names the path and what to do. An
 * EntraToolError is handed back as it is.
 *
 * @param attempt what was tried, as a verb: `read`, `write`, `lock`.
 */
export function storageError(error: unknown, attempt: string, path: string): EntraToolError {
  if (error instanceof EntraToolError) return error;
  const { message, code } = error as Error & { readonly code?: string };
  // Deno appends the call and the path, which are named already: `Is a directory (os error 21): readfile '…'`
  const reason = error instanceof Deno.errors.NotCapable ? message : message.split(": ", 1)[0];
  const hint = remedies[code ?? ""];
  return new EntraToolError("storage", "storage_failed", `Cannot ${attempt} ${path}: ${reason}`, {
    cause: error,
    ...(hint === undefined ? {} : { hint }),
  });
}

const moreSpace = "Free some space there, or set ENTRATOOL_HOME to a folder on another disk";
const ownFolder = "Give your user access to it, or set ENTRATOOL_HOME to a folder of your own";
const onlyFolders = "Set ENTRATOOL_HOME to a folder: a part of this path is a file";

const remedies: Readonly<Record<string, string>> = {
  EACCES: ownFolder,
  EPERM: ownFolder,
  EROFS: "Set ENTRATOOL_HOME to a folder that can be written",
  ENOSPC: moreSpace,
  EDQUOT: moreSpace,
  ENOTDIR: onlyFolders,
  EEXIST: onlyFolders,
  EISDIR: "Move that folder away: a file belongs in its place",
  ENOLCK: "Set ENTRATOOL_HOME to a folder on a disk that knows file locks",
  ENOTSUP: "Set ENTRATOOL_HOME to a folder on a disk that knows file locks",
};

/** Moves the file to the path, over a file that is there already. */
async function replaceFile(from: string, to: string): Promise<void> {
  for (let attempt = 1;; attempt++) {
    try {
      return await Deno.rename(from, to);
    } catch (error) {
      // Windows refuses for the moment in which another process opens or replaces the same file.
      const passing = Deno.build.os === "windows" && error instanceof Deno.errors.PermissionDenied;
      if (!passing || attempt === 20) throw error;
      await new Promise((resolve) => setTimeout(resolve, 5 * attempt));
    }
  }
}
