/** Spans of time in words. */

/** `59 minutes`, `1 hour 5 minutes`, `2 days 3 hours`: the two largest units of a span in seconds. */
export function formatDuration(seconds: number): string {
  const whole = Math.max(0, Math.floor(seconds));
  const units = [["day", 86_400], ["hour", 3_600], ["minute", 60], ["second", 1]] as const;
  const parts: string[] = [];
  let rest = whole;
  for (const [name, length] of units) {
    const count = Math.floor(rest / length);
    rest %= length;
    if (count > 0) parts.push(`${count} ${name}${count === 1 ? "" : "s"}`);
    if (parts.length > 0 && (parts.length === 2 || name === "minute")) break;
  }
  return parts.join(" ") || "0 seconds";
}

/** RFC 3339 in UTC with whole seconds: `2026-11-22T17:30:00Z`. @param seconds Unix seconds */
export function formatUtc(seconds: number): string {
  return new Date(seconds * 1000).toISOString().replace(/\.\d+Z$/, "Z");
}
