/** A machine in a test's hand: its own environment, streams and clock; the network is the real loopback. */

import { EntraToolError } from "../../src/errors.ts";
import type { Deadline, Host, OutputStream } from "../../src/host.ts";
import { denoHost } from "../../src/host_deno.ts";

export interface FakeHostOptions {
  readonly env?: Readonly<Record<string, string>>;
  /** What standard input holds. */
  readonly stdin?: string | Uint8Array;
  /** Which streams are a terminal. */
  readonly terminals?: readonly ("stdin" | "stdout" | "stderr")[];
  /** Milliseconds since the epoch; the clock stands still but for `sleep`. Default: the real time at the start. */
  readonly now?: number;
  /** Real time in place of a clock that stands still: for counterparts that keep time themselves. */
  readonly isRealTime?: boolean;
  readonly os?: Host["os"];
  readonly fetch?: Host["fetch"];
  /** What the person's browser does with an address; nothing by default, and no browser opens. */
  readonly browser?: (url: string) => Promise<void>;
}

export class FakeHost implements Host {
  readonly #options: FakeHostOptions;
  #now: number;
  #out = "";
  #err = "";
  readonly #interrupted = Promise.withResolvers<void>();
  readonly #cancel = new AbortController();
  /** The waits that were asked for, in milliseconds; none of them takes time. */
  readonly sleeps: number[] = [];

  constructor(options: FakeHostOptions = {}) {
    this.#options = options;
    this.#now = options.now ?? Date.now();
  }

  get stdoutText(): string {
    return this.#out;
  }

  get stderrText(): string {
    return this.#err;
  }

  get os(): Host["os"] {
    return this.#options.os ?? "linux";
  }

  readonly stdout: OutputStream = {
    write: (text) => void (this.#out += text),
    isTerminal: () => this.#isTerminal("stdout"),
  };

  readonly stderr: OutputStream = {
    write: (text) => void (this.#err += text),
    isTerminal: () => this.#isTerminal("stderr"),
  };

  readonly stdin: Host["stdin"] = {
    readAll: (maxBytes, signal) => {
      signal?.throwIfAborted();
      const { stdin = "" } = this.#options;
      const bytes = typeof stdin === "string" ? new TextEncoder().encode(stdin) : stdin;
      return bytes.length <= maxBytes ? Promise.resolve(bytes) : Promise.reject(
        new EntraToolError("usage", "stdin_too_large", "Standard input is too large"),
      );
    },
    readLine: (signal) => {
      this.#lines ??= this.#stdinLines();
      const line = this.#lines.shift();
      if (line !== undefined) return Promise.resolve(line);
      // at a terminal the next line may come at any time
      if (!this.#isTerminal("stdin")) return Promise.resolve(undefined);
      return new Promise((_, reject) => {
        signal.addEventListener("abort", () => reject(signal.reason), { once: true });
      });
    },
    readSecret: (prompt) => {
      this.#err += prompt;
      this.#lines ??= this.#stdinLines();
      const line = this.#lines.shift();
      return line === undefined
        ? Promise.reject(new EntraToolError("cancelled", "cancelled", "Cancelled"))
        : Promise.resolve(line);
    },
    isTerminal: () => this.#isTerminal("stdin"),
  };
  #lines: string[] | undefined;

  #stdinLines(): string[] {
    const { stdin = "" } = this.#options;
    const text = typeof stdin === "string" ? stdin : new TextDecoder().decode(stdin);
    return text === "" ? [] : text.replace(/\n$/, "").split("\n");
  }

  /** The addresses that were opened. */
  readonly opened: string[] = [];

  openBrowser(url: string): Promise<boolean> {
    this.opened.push(url);
    const { browser } = this.#options;
    if (browser === undefined) return Promise.resolve(false);
    // it works on its own, as a browser does
    browser(url).catch((error) => this.#cancel.abort(error));
    return Promise.resolve(true);
  }

  env(name: string): string | undefined {
    return this.#options.env?.[name];
  }

  now(): number {
    return this.#options.isRealTime ? Date.now() : this.#now;
  }

  sleep(ms: number, signal: AbortSignal): Promise<void> {
    if (signal.aborted) return Promise.reject(signal.reason);
    this.sleeps.push(ms);
    if (this.#options.isRealTime) return denoHost.sleep(ms, signal);
    this.#now += ms;
    return Promise.resolve();
  }

  /** The middle of every jitter. */
  random(): number {
    return 0.5;
  }

  readonly fetch: Host["fetch"] = (request) => (this.#options.fetch ?? denoHost.fetch)(request);

  /** Its signal fires by {@link cancel}, or after the real time, so that no test hangs. */
  deadline(timeoutMs: number): Deadline {
    const timer = setTimeout(
      () => this.#cancel.abort(new EntraToolError("network", "timeout", "No result in time")),
      timeoutMs,
    );
    Deno.unrefTimer(timer);
    this.#timers.push(timer);
    return { at: this.now() + timeoutMs, signal: this.#cancel.signal };
  }
  readonly #timers: ReturnType<typeof setTimeout>[] = [];

  /** As Ctrl-C does. */
  cancel(): void {
    this.#cancel.abort(new EntraToolError("cancelled", "cancelled", "Cancelled"));
  }

  untilInterrupted(): Promise<void> {
    return this.#interrupted.promise;
  }

  interrupt(): void {
    this.#interrupted.resolve();
  }

  /** Ends what would outlive the test. */
  [Symbol.dispose](): void {
    for (const timer of this.#timers) clearTimeout(timer);
  }

  #isTerminal(name: "stdin" | "stdout" | "stderr"): boolean {
    return this.#options.terminals?.includes(name) ?? false;
  }
}
