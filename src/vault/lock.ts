/** Locks between processes, by advisory file locks: the OS releases them with the process, however it dies. */

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
  signal.throwIfAborted();
  using _held = await lockFile(path, signal);
  return await action();
}

async function lockFile(path: string, signal: AbortSignal): Promise<Deno.FsFile> {
  let file;
  try {
    file = await Deno.open(path, { create: true, write: true, mode: 0o600 });
    if (!await file.tryLock(true)) await lockUnlessAborted(file, signal);
    return file;
  } catch (error) {
    file?.close();
    throw signal.aborted ? signal.reason : storageError(error, "lock", path);
  }
}

function lockUnlessAborted(file: Deno.FsFile, signal: AbortSignal): Promise<void> {
  signal.throwIfAborted(); // it may have fired meanwhile, and fires only once
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const giveUp = () => reject(signal.reason);
  signal.addEventListener("abort", giveUp);
  file.lock(true).then(resolve, reject).finally(() => signal.removeEventListener("abort", giveUp));
  return promise;
}
