/** Makes untrusted text safe and honest on a terminal. */

/**
 * Control and format characters (C0, DEL, C1, bidirectional overrides and isolates, tags), line and paragraph separators,
 * lone surrogates, and all else that is drawn as nothing: what moves the cursor, changes colours, reorders or hides text.
 */
function unsafe(): RegExp {
  // not a constant: the classes take half a millisecond to build, and most runs show nothing
  return /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}]/gu;
}

/** Shows each unsafe character as `\u{1b}`; line breaks too, so that one message stays one line. */
export function printable(text: string): string {
  return text.replaceAll(unsafe(), (character) => `\\u{${character.codePointAt(0)?.toString(16)}}`);
}

/** The value as JSON in lines: the unsafe characters in its strings are escaped, so it means the same. */
export function printableJson(value: unknown): string {
  return JSON.stringify(value, undefined, 2).split("\n").map(escapeUnsafe).join("\n") + "\n";
}

/** Escapes the unsafe characters as JSON and double-quoted YAML do. */
export function escapeUnsafe(text: string): string {
  return text.replaceAll(
    unsafe(),
    (character) =>
      character.split("").map((unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`)
        .join(""),
  );
}
