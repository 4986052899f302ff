/** Files that people name: of any kind, of any size, and not always there. */

import { unlessAborted } from "../abortable.ts";
import { EntraToolError } from "../errors.ts";

/** Files with secrets and certificates are never larger. */
export const maxFileBytes = 1024 * 1024;

/**
 * Reads a file to its end. It may be a pipe to which nobody writes: the signal ends the wait.
 *
 * @param what what messages call it: `client secret`
 * @throws EntraToolError usage when it can't be read or holds more than {@link maxFileBytes}; `signal.reason` when it fires
 *   first
 */
export async function readBoundedFile(
  path: string,
  what: string,
  signal?: AbortSignal,
): Promise<Uint8Array<ArrayBuffer>> {
  const problem = (why: string, cause?: unknown) =>
    new EntraToolError(
      "usage",
      "file_unreadable",
      `The ${what} can not be read from ${path}: ${why}`,
      { hint: "Check the path and the file's mode", cause },
    );
  let content;
  try {
    content = await unlessAborted(readStart(path), signal);
  } catch (cause) {
    if (signal?.aborted) throw signal.reason;
    const why = cause instanceof Deno.errors.NotFound
      ? "there is no such file"
      : cause instanceof Deno.errors.PermissionDenied
      ? "permission denied"
      : cause instanceof Deno.errors.IsADirectory
      ? "it is a folder"
      : "it is no ordinary file";
    throw problem(why, cause);
  }
  if (content === undefined) throw problem(`it is larger than ${maxFileBytes} bytes`);
  return content;
}

/** The content; undefined when there is too much of it. The size that the system tells is no help: a device has none. */
async function readStart(path: string): Promise<Uint8Array<ArrayBuffer> | undefined> {
  using file = await Deno.open(path);
  const chunks: Uint8Array<ArrayBuffer>[] = [];
  for (let size = 0;;) {
    const chunk = new Uint8Array(64 * 1024);
    const length = await file.read(chunk);
    if (length === null) return new Uint8Array(await new Blob(chunks).arrayBuffer());
    size += length;
    if (size > maxFileBytes) return undefined;
    chunks.push(chunk.subarray(0, length));
  }
}
