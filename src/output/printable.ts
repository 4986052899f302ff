/** Makes untrusted text safe and honest on a terminal. */

/**
 * Control characters (C0, DEL, C1), line and paragraph separators, bidirectional overrides and isolates, zero-width
 * characters and lone surrogates: all that moves the cursor, changes colours, reorders or hides text.
 */
const unsafe =
  // deno-lint-ignore no-control-regex
  /[\u0000-\u001f\u007f-\u009f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ufff9-\ufffb]|[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g;

/** Shows each unsafe character as `\u{1b}`; line breaks too, so that one message stays one line. */
export function printable(text: string): string {
  return text.replaceAll(unsafe, (character) => `\\u{${character.charCodeAt(0).toString(16)}}`);
}

/** As {@link printable}, but keeps line feeds: for text whose lines are ours. */
export function printableLines(text: string): string {
  return text.split("\n").map(printable).join("\n");
}
