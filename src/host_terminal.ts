/** Secrets that are typed: the terminal in raw mode, where it neither echoes nor edits and Ctrl-C is a character too. */

import { EntraToolError } from "./errors.ts";

/** Asks for one line on standard error and reads it without an echo. @throws EntraToolError cancelled at Ctrl-C */
export async function readSecret(prompt: string): Promise<string> {
  const decoder = new TextDecoder();
  const buffer = new Uint8Array(4096);
  let line = "";
  write(prompt);
  Deno.stdin.setRaw(true);
  try {
    for (;;) {
      const size = await Deno.stdin.read(buffer);
      if (size === null) return line;
      const characters = [...decoder.decode(buffer.subarray(0, size), { stream: true })];
      for (const [index, character] of characters.entries()) {
        switch (character) {
          case "\u0003": // Ctrl-C
            throw new EntraToolError("cancelled", "cancelled", "Cancelled");
          case "\u0004": // Ctrl-D
            return line;
          case "\r":
          case "\n":
            return line + behind(characters.slice(index));
          case "\u0015": // Ctrl-U
            line = "";
            break;
          case "\b":
          case "\u007f":
            line = [...line].slice(0, -1).join("");
            break;
          default:
            line += character;
        }
      }
    }
  } finally {
    Deno.stdin.setRaw(false);
    write("\n");
  }
}

/** What was pasted together with the line: its other lines must not be lost in silence. */
function behind(rest: readonly string[]): string {
  const text = rest.join("");
  return text.trim() === "" ? "" : text;
}

function write(text: string): void {
  Deno.stderr.writeSync(new TextEncoder().encode(text));
}
