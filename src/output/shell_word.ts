/** Text as one word of a command line. */

/** The text as a POSIX shell reads it back; quoted only where it is needed, as for a tilde, which may stand for a folder. */
export function shellWord(text: string): string {
  return /^[\w./:@%+=,-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;
}
