/**
 * What the program needs from the machine it runs on, as interfaces only: clock, randomness, environment, streams and
 * HTTP. Tests hand in their own; `host_deno.ts` is the real one. Files are not here: the modules that own files
 * (`files/`, `vault/`, `profiles/`) use Deno's directly and tests give them a folder of their own.
 */

/** One HTTP request: the client adds what HTTP demands (`host`, lengths) and what it can read, and nothing about us. */
export interface HttpRequest {
  readonly method: "GET" | "POST";
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
  readonly signal: AbortSignal;
  /** PEM certificates trusted beside the system's. */
  readonly caCertificates: readonly string[];
}

/** A connection that never carried the request: sending it again can't do anything twice. */
export class ConnectionError extends Error {
  override readonly name = "ConnectionError";
  constructor(
    readonly reason: "dns" | "refused" | "tls_untrusted" | "tls" | "proxy" | "unreachable",
    message: string,
    /** For `tls_untrusted`: who issued the certificate that the peer showed, if that could be found out. */
    readonly issuer?: string,
  ) {
    super(message);
  }
}

/** An output or input of the process. */
export interface OutputStream {
  /**
   * Writes the text as UTF-8, whole, before it returns. A reader that has gone away is no failure: it has all it wanted.
   *
   * @throws EntraToolError storage when stdout can't be written; stderr never throws
   */
  write(text: string): void;
  isTerminal(): boolean;
}

export interface InputStream {
  /** The next line without its end; undefined after the last one. Rejects with `signal.reason` when it fires first. */
  readLine(signal: AbortSignal): Promise<string | undefined>;
  /**
   * Reads to the end. Rejects with `signal.reason` when it fires first.
   *
   * @throws EntraToolError usage when there is more than `maxBytes`
   */
  readAll(maxBytes: number, signal?: AbortSignal): Promise<Uint8Array>;
  /**
   * Asks the person at the terminal for a secret: the prompt on standard error, the line without an echo. What is pasted
   * with line breaks in it comes with them.
   *
   * @throws EntraToolError cancelled at Ctrl-C
   */
  readSecret(prompt: string): Promise<string>;
  isTerminal(): boolean;
}

/** When the whole command must have ended, and the signal that fires then or when the person cancels. */
export interface Deadline {
  /** Milliseconds since the epoch, by `host.now()`. */
  readonly at: number;
  /** Its `reason` is an EntraToolError: `network` (timeout) or `cancelled`. */
  readonly signal: AbortSignal;
}

export interface Host {
  env(name: string): string | undefined;
  readonly os: "linux" | "macos" | "windows";
  /** Milliseconds since the epoch. */
  now(): number;
  /** Resolves after `ms` milliseconds; rejects with `signal.reason` when the signal fires first. */
  sleep(ms: number, signal: AbortSignal): Promise<void>;
  /** A number in [0, 1), for jitter only: never for a secret. */
  random(): number;
  /**
   * Sends the request and resolves with the response's head; never follows a redirect.
   *
   * @throws ConnectionError when the request was certainly not received.
   */
  fetch(request: HttpRequest): Promise<Response>;
  deadline(timeoutMs: number): Deadline;
  /**
   * Opens a web address in a browser; false when none could be started.
   *
   * @param command the person's own choice of program, `%s` in it standing for the address
   */
  openBrowser(url: string, command: string | undefined): Promise<boolean>;
  /** Resolves when the person presses Ctrl-C or the process is asked to end. */
  untilInterrupted(): Promise<void>;
  readonly stdin: InputStream;
  readonly stdout: OutputStream;
  readonly stderr: OutputStream;
}
