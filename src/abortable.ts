/** Giving up what can't be stopped. */

/**
 * The outcome of the promise, or a rejection with `signal.reason` when it fires first. What is given up goes on in the
 * background, so a program with such a read or lock pending has to exit, not return.
 */
export async function unlessAborted<T>(
  pending: Promise<T>,
  signal: AbortSignal | undefined,
): Promise<T> {
  if (signal === undefined) return await pending;
  const aborted = Promise.withResolvers<never>();
  const stop = () => aborted.reject(signal.reason);
  if (signal.aborted) stop();
  signal.addEventListener("abort", stop, { once: true });
  try {
    return await Promise.race([aborted.promise, pending]);
  } finally {
    signal.removeEventListener("abort", stop);
  }
}
