/** To the second: when a cached token is handed out, renewed, or given up. */

import assert from "node:assert/strict";
import fc from "fast-check";
import { freshness } from "../../../src/token/freshness.ts";
import type { TokenSet } from "../../../src/token/token_set.ts";

const start = 1_772_604_366;

function token(life: number, refreshIn?: number): TokenSet {
  return {
    tokenType: "Bearer",
    accessToken: "x",
    obtainedAt: start,
    expiresAt: start + life,
    ...(refreshIn === undefined ? {} : { refreshAt: start + refreshIn }),
    scopes: [],
    tenantId: "x",
    flow: "ClientCredentials",
  };
}

type State = ReturnType<typeof freshness>;

const cases: readonly (readonly [
  claim: string,
  token: TokenSet,
  states: readonly (readonly [afterSeconds: number, state: State])[],
])[] = [
  ["an hour: until five minutes before its end", token(3600), [
    [0, "fresh"],
    [3299.999, "fresh"],
    [3300, "expired"],
    [3600, "expired"],
  ]],
  ["ten minutes: until a quarter of its life is left", token(600), [
    [449, "fresh"],
    [450, "expired"],
  ]],
  ["twenty minutes: where both margins meet", token(1200), [[899, "fresh"], [900, "expired"]]],
  ["a day that should be renewed at noon", token(86_400, 43_200), [
    [43_199, "fresh"],
    [43_200, "renew"],
    [86_099, "renew"],
    [86_100, "expired"],
  ]],
  ["renewal wanted only after the end", token(3600, 3500), [[3299, "fresh"], [3300, "expired"]]],
  ["no life at all", token(0), [[0, "expired"]]],
  ["an end before the start", token(-10), [[-10, "expired"], [0, "expired"]]],
  ["a clock that was put back", token(3600), [[-1_000_000, "fresh"]]],
];

for (const [claim, set, states] of cases) {
  Deno.test(`freshness of ${claim}`, () => {
    for (const [after, state] of states) {
      assert.equal(freshness(set, (start + after) * 1000), state, `after ${after} s`);
    }
  });
}

Deno.test("a token never becomes fresher with time, and is never handed out after its end", () => {
  const order: readonly State[] = ["fresh", "renew", "expired"];
  fc.assert(
    fc.property(
      fc.nat(100_000),
      fc.option(fc.nat(100_000), { nil: undefined }),
      fc.nat(200_000),
      fc.nat(200_000),
      (life, refreshIn, first, second) => {
        const at = (after: number) =>
          order.indexOf(freshness(token(life, refreshIn), (start + after) * 1000));
        assert.ok(at(Math.min(first, second)) <= at(Math.max(first, second)));
        if (first >= life) assert.equal(order[at(first)], "expired");
      },
    ),
  );
});
