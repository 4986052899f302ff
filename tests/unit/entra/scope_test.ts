/** What client credentials may ask for, and what to write instead of anything else. */

import assert from "node:assert/strict";
import fc from "fast-check";
import { cloudNamed } from "../../../src/entra/cloud.ts";
import { checkScopes, clientCredentialsScope } from "../../../src/entra/scope.ts";
import { EntraToolError } from "../../../src/errors.ts";

const guid = "7f0d6e2c-1111-4222-8333-444455556666";
const graph = "https://graph.microsoft.com";
const publicCloud = cloudNamed("public");

/** The scope that is sent, or what the hint says to write. */
function ask(...scopes: readonly string[]): { sent: string } | { write: readonly string[] } {
  try {
    return { sent: clientCredentialsScope(scopes, publicCloud) };
  } catch (error) {
    assert.ok(error instanceof EntraToolError && error.failure === "usage", `${error}`);
    return {
      write: [...error.detail.hint?.matchAll(/-s (\S+?)(?=:? |$)/g) ?? []].map(([, text]) =>
        text ?? ""
      ),
    };
  }
}

Deno.test("nothing asked for is everything granted at Microsoft Graph, in each cloud", () => {
  assert.deepEqual(ask(), { sent: `${graph}/.default` });
  assert.equal(
    clientCredentialsScope([], cloudNamed("usgov")),
    "https://graph.microsoft.us/.default",
  );
});

Deno.test("a resource's .default is sent as it is", () => {
  const scopes = [
    `${graph}/.default`,
    "api://orders/.default",
    `${guid}/.default`,
    // the resource's identifier ends in a slash, which is part of it
    "https://vault.azure.net//.default",
    "urn:orders/.default",
  ];
  for (const scope of scopes) assert.deepEqual(ask(scope), { sent: scope });
});

const instead: readonly (readonly [asked: string, write: string])[] = [
  ["User.Read", `${graph}/.default`],
  ["openid", `${graph}/.default`],
  ["offline_access", `${graph}/.default`],
  [".default", `${graph}/.default`],
  ["/.default", `${graph}/.default`],
  [graph, `${graph}/.default`],
  [`${graph}/User.Read`, `${graph}/.default`],
  [`${graph}/.Default`, `${graph}/.default`],
  ["https://database.windows.net/", "https://database.windows.net//.default"],
  ["api://orders", "api://orders/.default"],
  ["api://orders/Orders.Read", "api://orders/.default"],
  [`api://contoso.com/${guid}/Read`, `api://contoso.com/${guid}/.default`],
  [guid, `${guid}/.default`],
  [`${guid}/Orders.Read`, `${guid}/.default`],
];

for (const [asked, write] of instead) {
  Deno.test(`for ${asked} the hint says to write ${write}`, () => {
    assert.deepEqual(ask(asked), { write: [write] });
  });
}

Deno.test("several scopes of one resource become one, of several resources one at a time", () => {
  assert.deepEqual(ask("User.Read", "Mail.Read", `${graph}/.default`), {
    write: [`${graph}/.default`],
  });
  assert.deepEqual(ask("User.Read", "api://orders/.default"), {
    write: [`${graph}/.default`, "api://orders/.default"],
  });
});

const scopeToken = fc.stringMatching(/^[\x21\x23-\x5b\x5d-\x7e]{1,30}$/);

Deno.test("whatever is asked for is sent, or the hint names something that is", () => {
  fc.assert(
    fc.property(fc.oneof(scopeToken, fc.webUrl(), fc.uuid()), (scope) => {
      const answer = ask(scope);
      if ("sent" in answer) return assert.match(answer.sent, /.\/\.default$/);
      assert.equal(answer.write.length, 1, scope);
      for (const each of answer.write) assert.deepEqual(ask(each), { sent: each }, scope);
    }),
  );
});

Deno.test("characters that no scope has are refused", () => {
  for (const scope of ['a"b', "a\\b", "ä", "a\u001bb", "a b", "", "\u202e"]) {
    assert.throws(() => checkScopes(["openid", scope]), /has a character that no scope can have/);
  }
  fc.assert(fc.property(fc.array(scopeToken), (scopes) => checkScopes(scopes)));
});
