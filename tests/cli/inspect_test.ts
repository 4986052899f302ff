/** `inspect`: what a token says of itself, in whatever state it is. */

import assert from "node:assert/strict";
import { parse as parseYaml } from "yaml";
import { emulated } from "./emulated.ts";
import { type Result, runCli } from "./run_cli.ts";

const now = Date.parse("2026-03-04T05:06:07Z");
const seconds = now / 1000;

const inspect = (token: string, ...flags: readonly string[]) =>
  runCli(["inspect", ...flags], { stdin: token, now });

function base64Url(value: unknown): string {
  const text = typeof value === "string" ? value : JSON.stringify(value);
  return new TextEncoder().encode(text).toBase64({ alphabet: "base64url", omitPadding: true });
}

const jwt = (claims: unknown, header: unknown = { alg: "RS256" }) =>
  `${base64Url(header)}.${base64Url(claims)}.c2ln`;

function assertRefused({ code, stdout, stderr }: Result, message: RegExp): void {
  assert.deepEqual({ code, stdout }, { code: 4, stdout: "" });
  assert.match(stderr, message);
}

for (const [version, scope] of [["1.0", "https://graph.microsoft.com"], ["2.0", "api://orders"]]) {
  Deno.test(`a v${version} token is shown with its dates in words`, async () => {
    await using test = await emulated();
    const { stdout: token } = await runCli(["get-token", "-s", `${scope}/.default`], {
      env: test.env,
    });
    const { code, stdout, stderr } = await runCli(["inspect"], { stdin: token });
    assert.deepEqual({ code, stderr }, { code: 0, stderr: "" });
    assert.match(stdout, /^HEADER\n(?: {2}.*\n)+\nCLAIMS\n(?: {2}.*\n)+$/);
    assert.match(stdout, new RegExp(`^  ver +${version}$`, "m"));
    assert.match(stdout, new RegExp(`^  tid +${test.env.AZURE_TENANT_ID}$`, "m"));
    assert.match(stdout, /^ {2}exp +\d+ {2}\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ, in \d+ .*s$/m);
    assert.match(stdout, /^ {2}nbf +\d+ {2}.* ago$/m);
  });
}

Deno.test("a token is read from an argument, from standard input, and as it is pasted", async () => {
  const token = jwt({ sub: "ada" });
  const expected = (await inspect(token)).stdout;
  assert.match(expected, /^ {2}sub {2}ada$/m);
  const pasted = [
    ` ${token}\r\n`,
    `Bearer ${token}`,
    `bearer  ${token}\n`,
    `Authorization: Bearer ${token}`,
    `authorization:Bearer ${token}`,
    `\ufeff${token}`,
    `{"token_type": "Bearer", "access_token": "${token}"}\n`,
    `export ENTRA_ACCESS_TOKEN=${token}\n`,
  ];
  for (const text of pasted) {
    assert.equal((await inspect(text)).stdout, expected, JSON.stringify(text));
    assert.equal((await runCli(["inspect", text], { now })).stdout, expected);
    assert.equal((await inspect(text, "-")).stdout, expected);
  }
});

Deno.test("JSON and YAML hold header and claims as they are", async () => {
  const claims = { sub: "ada", roles: ["a", "b"], exp: seconds + 60, nested: { big: 2 ** 53 } };
  const decoded = { header: { alg: "RS256" }, claims };
  const { stdout, stderr } = await inspect(jwt(claims), "-o", "json");
  assert.equal(stdout, JSON.stringify(decoded, undefined, 2) + "\n");
  assert.equal(stderr, "");
  assert.deepEqual(parseYaml((await inspect(jwt(claims), "-o", "yaml")).stdout), decoded);
});

const dated: readonly (readonly [claim: string, claims: object, code: number, warning: string])[] =
  [
    ["a token that has expired", { exp: seconds - 90 }, 2, "The token expired 1 minute ago"],
    ["a token that expires now", { exp: seconds }, 2, "The token expired 0 seconds ago"],
    ["a token that still lives", { exp: seconds + 1 }, 0, ""],
    [
      "a token that is not valid yet",
      { nbf: seconds + 7200, exp: seconds + 9999 },
      2,
      "The token is not valid for another 2 hours",
    ],
    ["a token that is valid from now", { nbf: seconds }, 0, ""],
    ["a token without dates", {}, 0, ""],
    ["a token with dates that are none", { exp: "soon", nbf: null, iat: 1e300 }, 0, ""],
    ["a token with dates far away", { exp: 8.64e12, nbf: -8.64e12 }, 0, ""],
  ];

for (const [claim, claims, code, warning] of dated) {
  Deno.test(`${claim} is shown: exit code ${code}`, async () => {
    for (const output of ["pretty", "json", "yaml"]) {
      const result = await inspect(jwt({ sub: "ada", ...claims }), "-o", output);
      assert.equal(result.code, code);
      assert.match(result.stdout, /ada/);
      assert.equal(result.stderr, warning && `warning: ${warning}\n`);
    }
  });
}

const jwe = ["eyJhbGciOiJSU0EtT0FFUCJ9", "a2V5", "aXY", "dGV4dA", "dGFn"].join(".");

const unreadable: readonly (readonly [claim: string, token: string, message: RegExp])[] = [
  ["an encrypted token", jwe, /This is an encrypted token \(JWE\): only its audience can read it/],
  ["an opaque token", "0.AXEA-opaque_refresh", /This is no JWT; Entra also issues opaque tokens/],
  ["text", "hello world", /This is no JWT/],
  ["nothing", "", /the input is empty/],
  ["white space", " \n", /the input is empty/],
  ["a scheme without a token", "Bearer ", /no JWT|the input is empty/],
  ["base64 that is no JSON", "abc.def.ghi", /has the shape of a JWT, but its parts are not/],
  ["claims that are a list", jwt([]), /but its parts are not base64url JSON/],
  ["claims that are null", jwt("null"), /but its parts are not/],
  ["a header that is a string", jwt({}, '"x"'), /but its parts are not/],
  ["padded base64", `${btoa('{"a":1}')}.e30.c2ln`, /but its parts are not/],
  ["bytes that are no text", "eyJhbGciOiJub25lIn0.eyJh_-Ai.c2ln", /but its parts are not/],
  ["claims that are nested thousands deep", jwt(deep(30_000)), /nested too deeply/],
];

function deep(levels: number): string {
  return `{"a":${"[".repeat(levels)}${"]".repeat(levels)}}`;
}

for (const [claim, token, message] of unreadable) {
  Deno.test(`${claim} can not be read: exit code 4`, async () => {
    assertRefused(await inspect(token), message);
    assertRefused(await inspect(token, "-o", "json"), message);
    assertRefused(await inspect(token, "-o", "yaml"), message);
  });
}

Deno.test("input without end is refused", async () => {
  assertRefused(await inspect(`${jwt({})}${"x".repeat(256 * 1024)}`), /too large/);
});

Deno.test("a token as large as it may be is shown", async () => {
  const { code, stdout } = await inspect(jwt({ groups: "g".repeat(150_000) }));
  assert.equal(code, 0);
  assert.ok(stdout.includes("g".repeat(150_000)));
});

Deno.test("at a terminal without an argument inspect does not wait", async () => {
  const { code, stdout, stderr } = await runCli(["inspect"], { terminals: ["stdin"] });
  assert.deepEqual({ code, stdout }, { code: 4, stdout: "" });
  assert.match(stderr, /There is no token to inspect\n {2}Pipe it: entratool get-token \| /);
});

Deno.test("claims with the names of an object's own members are claims", async () => {
  const { stdout } = await inspect(jwt('{"__proto__":"x","constructor":1,"toString":null}'));
  assert.match(stdout, / {2}__proto__ +x\n {2}constructor +1\n {2}toString +null\n/);
  const { stdout: json } = await inspect(jwt('{"__proto__":"x"}'), "-o", "json");
  assert.match(json, /"__proto__": "x"/);
});

Deno.test("a claim with a line break can not forge another", async () => {
  const { stdout } = await inspect(jwt({ name: "x\n  tid  forged", "a\nb": 1 }));
  assert.match(stdout, /x\\u\{a\} {2}tid {2}forged/);
  assert.match(stdout, /a\\u\{a\}b/);
});

Deno.test("JSON without a token is called that", async () => {
  for (const text of ['{"error":"invalid_client"}', "{", '{"access_token":1}']) {
    assertRefused(await inspect(text), /This is JSON without an access_token/);
  }
});
