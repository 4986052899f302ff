import assert from "node:assert/strict";
import fc from "fast-check";
import {
  readAuthorizationResponse,
  readPastedResponse,
} from "../../../src/flows/authorization_response.ts";

const state = "the-state-of-this-request";
const code = "1.AXkAu_code-of-43-characters.and~some!more*";
const good = { code, state };

const read = (parameters: string | string[][] | Record<string, string>) =>
  readAuthorizationResponse(new URLSearchParams(parameters), state);

Deno.test("readAuthorizationResponse() reads a code and what Entra adds to it", () => {
  assert.deepEqual(read(good), { kind: "code", code });
  assert.deepEqual(
    read({ ...good, client_info: "eyJ1aWQ", session_state: "s", iss: "https://issuer/", x: "y" }),
    { kind: "code", code, clientInfo: "eyJ1aWQ", sessionState: "s", issuer: "https://issuer/" },
  );
});

Deno.test("readAuthorizationResponse() reads an error and what Entra adds to it", () => {
  assert.deepEqual(read({ error: "access_denied", state }), {
    kind: "error",
    error: "access_denied",
  });
  assert.deepEqual(
    read({
      error: "interaction_required",
      error_description: "AADSTS50076: …\r\nTrace ID: t",
      suberror: "basic_action",
      claims: '{"access_token":{}}',
      trace_id: "t",
      correlation_id: "c",
      timestamp: "2026-11-22 17:30:00Z",
      error_uri: "https://evil.example/",
      state,
    }),
    {
      kind: "error",
      error: "interaction_required",
      description: "AADSTS50076: …\r\nTrace ID: t",
      suberror: "basic_action",
      claims: '{"access_token":{}}',
      traceId: "t",
      correlationId: "c",
      timestamp: "2026-11-22 17:30:00Z",
    },
  );
});

const forged: Readonly<Record<string, string | string[][]>> = {
  "nothing at all": "",
  "no state": [["code", code]],
  "no state, but an error": [["error", "access_denied"]],
  "an empty state": [["code", code], ["state", ""]],
  "another state": [["code", code], ["state", "another-state-of-a-request"]],
  "the beginning of the state": [["code", code], ["state", state.slice(0, -1)]],
  "more than the state": [["code", code], ["state", `${state}x`]],
  "the state in another case": [["code", code], ["state", state.toUpperCase()]],
  "the name of the state in another case": [["code", code], ["State", state]],
  "the state twice": [["code", code], ["state", state], ["state", state]],
  "the state before a forged one": [["code", code], ["state", state], ["state", "forged"]],
  "the state after a forged one": [["state", "forged"], ["code", code], ["state", state]],
};

for (const [what, parameters] of Object.entries(forged)) {
  Deno.test(`readAuthorizationResponse() believes nothing that has ${what}`, () => {
    assert.deepEqual(read(parameters), { kind: "foreign", reason: "state" });
  });
}

const malformed: Readonly<Record<string, string[][]>> = {
  "no code and no error": [],
  "an empty code": [["code", ""]],
  "an empty error": [["error", ""]],
  "two codes": [["code", code], ["code", code]],
  "two errors": [["error", "a"], ["error", "b"]],
  "two descriptions": [["error", "a"], ["error_description", "b"], ["error_description", "c"]],
  "a code and an error": [["code", code], ["error", "access_denied"]],
  "a code and an empty error": [["code", code], ["error", ""]],
  "a line break in the code": [["code", "abc\r\nSet-Cookie: a=b"]],
  "a character outside ASCII in the code": [["code", "cöde"]],
  "a code of 16 KiB and one": [["code", "x".repeat(16 * 1024 + 1)]],
  "a line break in the error": [["error", "access\ndenied"]],
  "markup in the error": [["error", 'a"b']],
  "an error of 201 characters": [["error", "x".repeat(201)]],
  "claims of 16 KiB and one": [["error", "a"], ["claims", "x".repeat(16 * 1024 + 1)]],
};

for (const [what, parameters] of Object.entries(malformed)) {
  Deno.test(`readAuthorizationResponse() refuses ${what}, even with the right state`, () => {
    assert.deepEqual(read([["state", state], ...parameters]), {
      kind: "foreign",
      reason: "malformed",
    });
  });
}

Deno.test("readAuthorizationResponse() takes a code of 16 KiB, and cuts a long description", () => {
  const longCode = "x".repeat(16 * 1024);
  assert.deepEqual(read({ code: longCode, state }), { kind: "code", code: longCode });
  const error = read({ error: "a", error_description: "x".repeat(10_000), state });
  assert.equal(error.kind === "error" && error.description?.length, 4096);
});

Deno.test("readAuthorizationResponse() takes nothing without the state, whatever it is", () => {
  const name = fc.oneof(fc.constantFrom("code", "state", "error", "claims"), fc.string());
  fc.assert(
    fc.property(fc.array(fc.tuple(name, fc.string())), (parameters) => {
      assert.deepEqual(read(parameters), { kind: "foreign", reason: "state" });
    }),
  );
});

const redirectUri = "http://localhost:8400/callback";
const paste = (text: string, uri = redirectUri) => readPastedResponse(text, uri, state);
const query = `code=${encodeURIComponent(code)}&state=${state}`;

for (
  const [what, text] of Object.entries({
    "the whole URL": `${redirectUri}?${query}`,
    "the whole URL with its response in the fragment": `${redirectUri}#${query}`,
    "the whole URL with an empty fragment": `${redirectUri}?${query}#`,
    "the URL with spaces and a line break around it": `  ${redirectUri}?${query}\r\n`,
    "the URL as a terminal wrapped it": `${redirectUri}?${query.slice(0, 20)}\n${query.slice(20)}`,
    "the URL in double quotes": `"${redirectUri}?${query}"`,
    "the URL in single quotes": `'${redirectUri}?${query}'`,
    "the URL in angle brackets": `<${redirectUri}?${query}>`,
    "the query alone": query,
    "the query with its question mark": `?${query}`,
    "the fragment with its hash": `#${query}`,
    "the path and the query": `/callback?${query}`,
    "the code alone": code,
  })
) {
  Deno.test(`readPastedResponse() takes ${what}`, () => {
    assert.deepEqual(paste(text), { kind: "code", code });
  });
}

Deno.test("readPastedResponse() takes an error, too", () => {
  assert.deepEqual(paste(`${redirectUri}?error=access_denied&state=${state}`), {
    kind: "error",
    error: "access_denied",
  });
});

Deno.test("readPastedResponse() takes a redirect URI without a path with and without its slash", () => {
  for (const uri of ["http://localhost:8400", "http://localhost:8400/"]) {
    for (const pasted of ["http://localhost:8400", "http://localhost:8400/"]) {
      assert.deepEqual(paste(`${pasted}?${query}`, uri), { kind: "code", code });
    }
  }
});

Deno.test("readPastedResponse() takes https redirect URIs and schemes of apps", () => {
  for (const uri of ["https://app.contoso.com/signin-oidc", "msalapp://auth/done"]) {
    assert.deepEqual(paste(`${uri}?${query}`, uri), { kind: "code", code });
  }
});

for (
  const [what, text] of Object.entries({
    "another host": `http://localhost.evil.example:8400/callback?${query}`,
    "another port": `http://localhost:8401/callback?${query}`,
    "another path": `http://localhost:8400/callback2?${query}`,
    "the path in another case": `http://localhost:8400/Callback?${query}`,
    "another scheme": `https://localhost:8400/callback?${query}`,
    "a user name": `http://evil@localhost:8400/callback?${query}`,
    "the authorization endpoint":
      `https://login.microsoftonline.com/common/oauth2/v2.0/authorize?state=${state}`,
  })
) {
  Deno.test(`readPastedResponse() refuses a URL with ${what}`, () => {
    assert.deepEqual(paste(text), { kind: "foreign", reason: "location" });
  });
}

Deno.test("readPastedResponse() refuses a URL or query without the state, or with it twice", () => {
  for (
    const text of [
      `code=${code}`,
      `${redirectUri}?code=${code}`,
      `${redirectUri}?code=${code}&state=other`,
      `${redirectUri}?${query}&state=${state}`,
      `${redirectUri}?${query}#state=${state}`,
    ]
  ) {
    assert.deepEqual(paste(text), { kind: "foreign", reason: "state" }, text);
  }
  assert.deepEqual(paste(`${redirectUri}?${query}#code=other`), {
    kind: "foreign",
    reason: "malformed",
  });
});

Deno.test("readPastedResponse() refuses what does not look like a code", () => {
  for (
    const text of [
      "",
      "y",
      "yes please",
      "ls -la /tmp",
      "\u001b[200~",
      "ABCD-EFGH",
      "a code with spaces in it and more",
      "<script>alert(1)</script>xxxxxxxxxx",
      "x".repeat(16 * 1024 + 1),
      "x".repeat(100_000),
      "://",
    ]
  ) {
    assert.deepEqual(paste(text), { kind: "foreign", reason: "text" }, text.slice(0, 40));
  }
});

Deno.test("readPastedResponse() reads no more than 64 KiB", () => {
  const more = Array.from({ length: 7 }, (_, i) => `&x${i}=${"x".repeat(10_000)}`).join("");
  assert.deepEqual(paste(`${query}${more}`), { kind: "foreign", reason: "text" });
});

Deno.test("readPastedResponse() throws at nothing", () => {
  const part = fc.oneof(
    fc.constantFrom("http://localhost:8400/callback", "?", "#", "&", "=", "state", state, "code"),
    fc.string({ unit: "binary" }),
  );
  fc.assert(fc.property(fc.array(part), (parts) => {
    assert.ok(paste(parts.join("")).kind);
  }));
});
