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
 * Replaces the file's content: a temporary file beside it (0600), fsync, rename. A symbolic link stays: the file that it leads to
 * is replaced.
 *
 * A process that dies on the way leaves the old content, and at worst a `.tmp` file. Throws what Deno throws; nothing is
 * left behind then.
 */
export async function writePrivateFile(path: string, content: Uint8Array): Promise<void> {
  const target = await targetOf(path);
  const temporary = `${target}.${crypto.randomUUID()}.tmp`;
  try {
    {
      // closed before it is moved, as Windows wants it
      using file = await Deno.open(temporary, { write: true, createNew: true, mode: 0o600 });
      await writeWhole(file, content);
      await file.sync();
    }
    await replaceFile(temporary, target);
  } catch (error) {
    await Deno.remove(temporary).catch(() => {});
    throw error;
  }
}

/**
 * Writes to a path that a person named, as {@link writePrivateFile} where that is a file or nothing yet. Into a device or a pipe
 * it writes as they are: `/dev/null` must stay what it is.
 *
 * Throws what Deno throws, also for a folder.
 */
export async function writeNamedFile(path: string, content: Uint8Array): Promise<void> {
  const info = await infoOf(path, Deno.stat);
  if (info === undefined || info.isFile) return await writePrivateFile(path, content);
  // this refuses a folder
  using file = await Deno.open(path, { write: true });
  await writeWhole(file, content);
}

/** Where a symbolic link leads, even when there is nothing yet; else the path itself. */
async function targetOf(path: string): Promise<string> {
  let target = path;
  // as many links as Linux follows
  for (let links = 0; links < 40; links++) {
    if (!(await infoOf(target, Deno.lstat))?.isSymlink) return target;
    const link = await Deno.readLink(target);
    const isAbsolute = /^(?:[A-Za-z]:)?[\\/]/.test(link);
    target = isAbsolute ? link : (/^.*[\\/]/s.exec(target)?.[0] ?? "") + link;
  }
  throw new Error("Too many levels of symbolic links");
}

async function infoOf(
  path: string,
  look: (path: string) => Promise<Deno.FileInfo>,
): Promise<Deno.FileInfo | undefined> {
  try {
    return await look(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}

async function writeWhole(file: Deno.FsFile, content: Uint8Array): Promise<void> {
  for (let written = 0; written < content.length;) {
    written += await file.write(content.subarray(written));
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
