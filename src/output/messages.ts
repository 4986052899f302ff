/** What people read on stderr: errors, warnings, notes. Redacted, and safe for a terminal. */

import type { EntraToolError } from "../errors.ts";
import type { OutputStream } from "../host.ts";
import { printable } from "./printable.ts";
import type { Redactor } from "./redact.ts";

/** Longer lines of errors and warnings are cut: the values that they repeat may have any size. */
const longestLine = 1200;

export class Messages {
  constructor(
    private readonly stream: OutputStream,
    private readonly redactor: Redactor,
  ) {}

  /** An error with its hint and ids, as {@link formatError} words it. */
  error(error: EntraToolError): void {
    this.lines(this.errorLines(error));
  }

  /** The lines of an error, still to be made safe. */
  errorLines(error: EntraToolError): readonly string[] {
    return formatError(error, (text) => this.redactor.redactCut(text))
      .map((line) => this.#bounded(line));
  }

  warning(text: string): void {
    this.lines([this.#bounded(`warning: ${text}`)]);
  }

  /** A line that repeats a huge value without its middle; secrets first, as one that is cut would not be found. */
  #bounded(line: string): string {
    if (line.length <= longestLine) return line;
    const text = this.redactor.redact(line);
    const half = longestLine / 2;
    return text.length <= longestLine
      ? text
      : `${text.slice(0, half)} … (${text.length} characters) … ${text.slice(-half)}`
        .toWellFormed();
  }

  note(text: string): void {
    this.lines([text]);
  }

  /** Lines that belong together; a line break within one is shown, not obeyed. */
  lines(lines: readonly string[]): void {
    this.stream.write(lines.map((line) => `${this.safe(line)}\n`).join(""));
  }

  /** Lines in which what stands between `**` and `**` is bold on a terminal, and plain elsewhere. */
  prominent(lines: readonly string[], isTerminal: boolean): void {
    const [on, off] = isTerminal ? ["\u001b[1m", "\u001b[22m"] : ["", ""];
    this.stream.write(
      lines.map((line) => `${this.safe(line).replaceAll(/\*\*(.+?)\*\*/g, `${on}$1${off}`)}\n`)
        .join(""),
    );
  }

  /** The text without secrets and without anything that a terminal would obey. */
  safe(text: string): string {
    // secrets first: once made visible, a secret with a control character would no longer be found
    return printable(this.redactor.redact(text));
  }
}

/**
 * An error as lines: what is wrong, what the server said, what to do, and the ids to quote.
 *
 * @param redactCut takes secrets out of what the server said, which is most often only the beginning of a text
 */
function formatError(
  { message, detail }: EntraToolError,
  redactCut: (text: string) => string,
): readonly string[] {
  const ids = [
    detail.correlationId && `correlation id ${detail.correlationId}`,
    detail.traceId && `trace id ${detail.traceId}`,
    detail.timestamp,
  ].filter((id) => id);
  return [
    `error: ${message}`,
    ...(detail.serverText ? [`  The server said: ${redactCut(detail.serverText)}`] : []),
    ...(detail.hint ? detail.hint.split("\n").map((line) => `  ${line}`) : []),
    ...(ids.length > 0 ? [`  ${ids.join(", ")}`] : []),
  ];
}
