/** Bounds what a server says before it is shown. */

/**
 * The beginning of a long text, to the last space: a secret that it repeats is not cut in two, and so can be found.
 */
export function excerpt(text: string, length = 600): string {
  if (text.length <= length) return text;
  const start = text.slice(0, length).replace(/\S*$/, "").trimEnd();
  return start === "" ? `${text.length} characters without a space` : `${start} …`;
}

/** An id, a name, a date: what is longer than this is none. */
export function shortExcerpt(text: string): string {
  return excerpt(text, 128);
}
