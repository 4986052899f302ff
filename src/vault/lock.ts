/** Locks between processes, by advisory file locks: the OS releases them with the process, however it dies. */

import { unlessAborted } from "../abortable.ts";
import { storageError } from "../files/private_file.ts";

/**
 * Runs the action while this process, and in it this call, alone holds the lock on the file; creates the file (0600),
 * never deletes it, since others may be waiting on it.
 *
 * The wait ends when the signal fires, but the call to the OS can't be taken back: it keeps the process alive until
 * the lock is free, so a program that gives up should end by `Deno.exit`.
 *
 * @throws EntraToolError storage when the file cannot be opened or locked; `signal.reason` when it fires first.
 */
export async function withFileLock<T>(
  path: string,
  signal: AbortSignal,
  action: () => Promise<T>,
): Promise<T> {
  using _held = await acquireFileLock(path, signal);
  return await action();
}

/** Acquires the lock alone, which ends with the file. @throws as {@link withFileLock} */
export async function acquireFileLock(path: string, signal: AbortSignal): Promise<Deno.FsFile> {
  signal.throwIfAborted();
  let file;
  try {
    file = await Deno.open(path, { create: true, write: true, mode: 0o600 });
    await unlessAborted(file.lock(true), signal);
    return file;
  } catch (error) {
    file?.close();
    throw signal.aborted ? signal.reason : storageError(error, "lock", path);
  }
}
