/** Spans and moments in words. */

import assert from "node:assert/strict";
import fc from "fast-check";
import { formatDuration, formatUtc } from "../../../src/output/duration.ts";

const spans: readonly (readonly [seconds: number, text: string])[] = [
  [-5, "0 seconds"],
  [0, "0 seconds"],
  [0.9, "0 seconds"],
  [1, "1 second"],
  [59, "59 seconds"],
  [60, "1 minute"],
  [119, "1 minute"],
  [3599, "59 minutes"],
  [3600, "1 hour"],
  [3900, "1 hour 5 minutes"],
  [86_399, "23 hours 59 minutes"],
  [86_400, "1 day"],
  [86_700, "1 day 5 minutes"],
  [183_600, "2 days 3 hours"],
];

Deno.test("a span is told in its two largest units", () => {
  for (const [seconds, text] of spans) assert.equal(formatDuration(seconds), text);
});

Deno.test("a span is never told longer than it is, and less than a minute or an hour in sixty short", () => {
  const lengths: Record<string, number> = { day: 86_400, hour: 3600, minute: 60, second: 1 };
  fc.assert(
    fc.property(fc.nat({ max: 400 * 86_400 }), (seconds) => {
      const parts = [...formatDuration(seconds).matchAll(/(\d+) (day|hour|minute|second)(s?)/g)];
      assert.ok(parts.length >= 1 && parts.length <= 2);
      let told = 0;
      for (const [, count, unit = "", plural] of parts) {
        assert.equal(plural === "s", count !== "1");
        told += Number(count) * (lengths[unit] ?? Number.NaN);
      }
      assert.ok(told <= seconds && seconds - told < (seconds < 86_400 ? 60 : 3600), `${told}`);
    }),
  );
});

Deno.test("a moment is told in UTC with whole seconds", () => {
  assert.equal(formatUtc(0), "1970-01-01T00:00:00Z");
  assert.equal(formatUtc(1_772_604_366.9), "2026-03-04T06:06:06Z");
});
