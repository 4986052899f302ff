/** The real machine: Deno's clock, environment, streams, signals and HTTP client. */

import { unlessAborted } from "./abortable.ts";
import { EntraToolError, exitCodes } from "./errors.ts";
import type { Deadline, Host, InputStream, OutputStream } from "./host.ts";
import { lazily } from "./lazy_module.ts";

const stdout: OutputStream = {
  write(text) {
    try {
      writeWhole(Deno.stdout, text);
    } catch (cause) {
      // as with `| head`: the reader has gone away, and nobody is there to complain to
      if (cause instanceof Deno.errors.BrokenPipe) return;
      throw new EntraToolError(
        "storage",
        "stdout_not_written",
        "Standard output can not be written",
        { hint: "Look where it leads: a full disk, or a file that may not be written", cause },
      );
    }
  },
  isTerminal: () => Deno.stdout.isTerminal(),
};

const stderr: OutputStream = {
  write(text) {
    try {
      writeWhole(Deno.stderr, text);
    } catch {
      // there is no other place to say so, and it must not change how the command ends
    }
  },
  isTerminal: () => Deno.stderr.isTerminal(),
};

function writeWhole(stream: typeof Deno.stdout | typeof Deno.stderr, text: string): void {
  const bytes = new TextEncoder().encode(text);
  for (let written = 0; written < bytes.length;) {
    written += stream.writeSync(bytes.subarray(written));
  }
}

const stdin: InputStream = {
  async readAll(maxBytes, signal) {
    const chunks: Uint8Array<ArrayBuffer>[] = [];
    let size = 0;
    const reader = Deno.stdin.readable.getReader();
    try {
      for (;;) {
        const { value, done } = await unlessAborted(reader.read(), signal);
        if (done) return new Uint8Array(await new Blob(chunks).arrayBuffer());
        size += value.length;
        if (size > maxBytes) {
          throw new EntraToolError(
            "usage",
            "stdin_too_large",
            `Standard input holds more than ${maxBytes} bytes`,
          );
        }
        chunks.push(value);
      }
    } finally {
      // a line may be asked for later, and then there is none
      reader.releaseLock();
    }
  },
  readLine,
  async readSecret(prompt) {
    const { readSecret } = await lazily<typeof import("./host_terminal.ts")>(
      import.meta.resolve("./host_terminal.ts"),
    );
    return await readSecret(prompt);
  },
  isTerminal: () => Deno.stdin.isTerminal(),
};

let lines: AsyncIterator<string> | undefined;

/** A read that is given up stays pending, so the lines are read by one reader that outlives it. */
async function readLine(signal: AbortSignal): Promise<string | undefined> {
  lines ??= stdinLines();
  signal.throwIfAborted();
  const { value, done } = await unlessAborted(lines.next(), signal);
  return done ? undefined : value;
}

/** An address of a redirect is the longest line that is ever read. */
const longestLine = 64 * 1024;

async function* stdinLines(): AsyncGenerator<string> {
  let rest = "";
  for await (const text of Deno.stdin.readable.pipeThrough(new TextDecoderStream())) {
    const parts = (rest + text).split(/\r?\n/);
    rest = parts.pop() ?? "";
    yield* parts;
    if (rest.length > longestLine) return;
  }
  if (rest !== "") yield rest;
}

/** A signal that fires when the time is over or the person presses Ctrl-C. */
function deadline(timeoutMs: number): Deadline {
  const controller = new AbortController();
  const at = Date.now() + timeoutMs;
  // not setTimeout, whose first use in a process costs 4 ms
  AbortSignal.timeout(Math.ceil(timeoutMs)).addEventListener("abort", () => {
    const seconds = Math.round(timeoutMs / 100) / 10;
    controller.abort(
      new EntraToolError(
        "network",
        "timeout",
        `No result within ${seconds} second${seconds === 1 ? "" : "s"}`,
        {
          hint: "Allow more time with --timeout 2m, or look at each step with --verbose",
        },
      ),
    );
  });
  Deno.addSignalListener("SIGINT", () => {
    // who asks twice meets something that does not listen to the signal
    if (controller.signal.reason?.failure === "cancelled") Deno.exit(exitCodes.cancelled);
    controller.abort(new EntraToolError("cancelled", "cancelled", "Cancelled"));
  });
  return { at, signal: controller.signal };
}

function sleep(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal.aborted) return reject(signal.reason);
    const stop = () => {
      clearTimeout(timer);
      reject(signal.reason);
    };
    const timer = setTimeout(() => {
      signal.removeEventListener("abort", stop);
      resolve();
    }, ms);
    signal.addEventListener("abort", stop, { once: true });
  });
}

function untilInterrupted(): Promise<void> {
  return new Promise((resolve) => {
    Deno.addSignalListener("SIGINT", resolve);
    if (Deno.build.os !== "windows") Deno.addSignalListener("SIGTERM", resolve);
  });
}

function readVariable(name: string): string | undefined {
  try {
    return Deno.env.get(name);
  } catch (cause) {
    if (!(cause instanceof Deno.errors.NotCapable)) throw cause;
    const message = `Deno was not allowed to read the variable ${name}`;
    throw new EntraToolError("usage", "env_not_allowed", message, {
      hint: `Add it to the permissions: --allow-env=${name}`,
      cause,
    });
  }
}

export const denoHost: Host = {
  env: readVariable,
  os: Deno.build.os === "windows" ? "windows" : Deno.build.os === "darwin" ? "macos" : "linux",
  now: () => Date.now(),
  sleep,
  random: () => Math.random(),
  fetch: async (request) =>
    (await lazily<typeof import("./host_network.ts")>(import.meta.resolve("./host_network.ts")))
      .send(request),
  deadline,
  openBrowser: async (url, command) =>
    (await lazily<typeof import("./host_browser.ts")>(import.meta.resolve("./host_browser.ts")))
      .openBrowser(url, command, denoHost),
  untilInterrupted,
  stdin,
  stdout,
  stderr,
};
