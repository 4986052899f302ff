import assert from "node:assert/strict";
import { readTokenResponse } from "../../../src/entra/token_endpoint.ts";
import type { Answer } from "../../../src/entra/transport.ts";
import { EntraToolError, type Failure } from "../../../src/errors.ts";

const now = Date.parse("2030-01-01T00:00:00Z");
const context = {
  host: "login.example",
  now,
  profile: undefined,
  clientId: "c0ffee00-0000-4000-8000-0000000000a1",
  authorityUrl: "https://login.example/contoso.com",
};

function answer(body: unknown, rest: Partial<Answer> = {}): Answer {
  return {
    status: 200,
    contentType: "application/json; charset=utf-8",
    body: typeof body === "string" ? body : JSON.stringify(body),
    retryAfter: undefined,
    correlationId: "our id",
    requestId: undefined,
    ...rest,
  };
}

const good = { token_type: "Bearer", access_token: "opaque", expires_in: 3599 };

function failureOf(response: Answer, changes: Partial<typeof context> = {}): EntraToolError {
  try {
    readTokenResponse(response, { ...context, ...changes });
  } catch (error) {
    assert.ok(error instanceof EntraToolError);
    return error;
  }
  return assert.fail("no failure");
}

/** A JWT of these claims, signed by nobody. */
function jwt(claims: Readonly<Record<string, unknown>>): string {
  const part = (value: unknown) =>
    new TextEncoder().encode(JSON.stringify(value)).toBase64({
      alphabet: "base64url",
      omitPadding: true,
    });
  return `${part({ alg: "none" })}.${part(claims)}.c2ln`;
}

Deno.test("readTokenResponse() reads every member", () => {
  const response = answer({
    ...good,
    ext_expires_in: 7200,
    refresh_in: 1800,
    scope: "User.Read  Mail.Read",
    refresh_token: "again",
    id_token: "who",
  });
  assert.deepEqual(readTokenResponse(response, context), {
    accessToken: "opaque",
    expiresIn: 3599,
    refreshIn: 1800,
    scopes: ["User.Read", "Mail.Read"],
    refreshToken: "again",
    idToken: "who",
    clientInfo: undefined,
  });
});

Deno.test("readTokenResponse() takes what is optional for absent when it makes no sense", () => {
  for (
    const odd of [
      {},
      { refresh_in: "never", scope: 7, refresh_token: "", id_token: null },
      { refresh_in: -1, scope: " ", refresh_token: {}, id_token: [] },
      { refresh_in: 1e300, scope: null, refresh_token: false, id_token: 0 },
    ]
  ) {
    const response = readTokenResponse(answer({ ...good, ...odd }), context);
    const { refreshIn, scopes, refreshToken, idToken } = response;
    assert.deepEqual({ refreshIn, scopes, refreshToken, idToken }, {
      refreshIn: undefined,
      scopes: undefined,
      refreshToken: undefined,
      idToken: undefined,
    });
  }
});

const year = 365 * 24 * 3600;
const lifetimes: readonly [value: unknown, seconds: number | undefined][] = [
  [1, 1],
  [3599, 3599],
  [3599.9, 3599],
  ["3599", 3599],
  [year, year],
  [0, undefined],
  [0.5, undefined],
  [-1, undefined],
  ["-1", undefined],
  ["3599.5", undefined],
  ["1e3", undefined],
  ["", undefined],
  ["an hour", undefined],
  [2 * year, undefined],
  ["9".repeat(400), undefined],
  [1e300, undefined],
  [null, undefined],
  [true, undefined],
  [[3599], undefined],
  [{}, undefined],
];
for (const [value, seconds] of lifetimes) {
  const shown = JSON.stringify(value).slice(0, 20);
  Deno.test(`readTokenResponse() takes expires_in ${shown} for ${seconds}`, () => {
    const response = answer({ ...good, expires_in: value });
    if (seconds !== undefined) {
      return assert.equal(readTokenResponse(response, context).expiresIn, seconds);
    }
    const { failure, code, message } = failureOf(response);
    assert.deepEqual({ failure, code }, { failure: "network", code: "token_response_invalid" });
    assert.match(message, /expires_in is not a sensible number of seconds/);
  });
}

const expiries: readonly [exp: unknown, seconds: number | undefined][] = [
  [now / 1000 + 600, 600],
  [now / 1000, undefined],
  [now / 1000 - 600, undefined],
  [now / 1000 + 2 * year, undefined],
  ["soon", undefined],
  [undefined, undefined],
];
for (const [exp, seconds] of expiries) {
  Deno.test(`readTokenResponse() takes exp ${exp} for ${seconds} when expires_in is missing`, () => {
    const response = answer({ token_type: "Bearer", access_token: jwt({ exp }) });
    if (seconds === undefined) {
      return assert.match(failureOf(response).message, /expires_in is missing/);
    }
    assert.equal(readTokenResponse(response, context).expiresIn, seconds);
  });
}

const badTokens: readonly [token: unknown, says: RegExp][] = [
  [undefined, /is missing or not a string/],
  ["", /is missing or not a string/],
  [null, /is missing or not a string/],
  [42, /is missing or not a string/],
  [["opaque"], /is missing or not a string/],
  ["a\nb", /has characters/],
  ["a\r\nX-Evil: 1", /has characters/],
  [" opaque", /has characters/],
  ["tökèn", /has characters/],
  ["\u001b[31m", /has characters/],
  ["a\u0000", /has characters/],
];
for (const [token, says] of badTokens) {
  Deno.test(`readTokenResponse() does not take ${JSON.stringify(token)} for a token`, () => {
    const { failure, message } = failureOf(answer({ ...good, access_token: token }));
    assert.equal(failure, "network");
    assert.match(message, /^The token response of login\.example is not usable: access_token /);
    assert.match(message, says);
  });
}

Deno.test("readTokenResponse() wants a bearer token, in any case", () => {
  for (const type of ["Bearer", "bearer", "BEARER"]) {
    const { accessToken } = readTokenResponse(answer({ ...good, token_type: type }), context);
    assert.equal(accessToken, good.access_token);
  }
  for (const type of [undefined, "", "pop", "Bearer ", 1, "x".repeat(100_000)]) {
    const { message } = failureOf(answer({ ...good, token_type: type }));
    assert.match(message, /token_type /);
    assert.ok(message.length < 1000);
  }
});

interface Refusal {
  readonly answer: Answer;
  readonly failure: Failure;
  readonly code: string;
  readonly message?: RegExp;
  readonly hint?: RegExp;
}

const error = (fields: Readonly<Record<string, unknown>>, rest: Partial<Answer> = {}) =>
  answer(fields, { status: 400, ...rest });

const refusals: Readonly<Record<string, Refusal>> = {
  "an error that only has a name": {
    answer: error({ error: "invalid_client" }),
    failure: "refused",
    code: "invalid_client",
    message: /^login\.example refused the request \(invalid_client\)$/,
  },
  "an error on status 200": {
    answer: error({ error: "invalid_client" }, { status: 200 }),
    failure: "refused",
    code: "invalid_client",
  },
  "a code in error_codes": {
    answer: error({ error: "invalid_client", error_codes: [7000222] }),
    failure: "refused",
    code: "AADSTS7000222",
    message: /client secret has expired/,
    hint: /Certificates & secrets\nentratool get-token --client-secret-file PATH$/,
  },
  "a code in the description": {
    answer: error({ error: "invalid_client", error_description: "AADSTS7000222: Expired." }),
    failure: "refused",
    code: "AADSTS7000222",
  },
  "codes that are none": {
    answer: error({ error: "odd", error_codes: ["7000222", {}], error_description: 7 }),
    failure: "refused",
    code: "odd",
  },
  "an unknown code": {
    answer: error({ error: "invalid_grant", error_codes: [424242] }),
    failure: "refused",
    code: "AADSTS424242",
    message: /refused the request \(AADSTS424242\)/,
  },
  "a code with a remedy and no command": {
    answer: error({ error: "unauthorized_client", error_codes: [7000112] }),
    failure: "refused",
    code: "AADSTS7000112",
    hint: /^An administrator can enable it under Enterprise applications$/,
  },
  "interaction_required": {
    answer: error({ error: "interaction_required" }),
    failure: "interaction",
    code: "interaction_required",
  },
  "login_required": {
    answer: error({ error: "login_required" }),
    failure: "interaction",
    code: "login_required",
  },
  "consent_required": {
    answer: error({ error: "consent_required" }),
    failure: "interaction",
    code: "consent_required",
  },
  "a code that a person has to answer, under another error": {
    answer: error({ error: "invalid_grant", error_codes: [50079] }),
    failure: "interaction",
    code: "AADSTS50079",
  },
  "server_error": {
    answer: error({ error: "server_error" }),
    failure: "network",
    code: "server_error",
    message: /login\.example has a problem/,
    hint: /try again later/,
  },
  "temporarily_unavailable with a time": {
    answer: error({ error: "temporarily_unavailable" }, { retryAfter: 89_500 }),
    failure: "network",
    code: "temporarily_unavailable",
    hint: /wait 90 seconds.*--timeout 150s/,
  },
  "any error on a status of 5xx": {
    answer: error({ error: "invalid_grant" }, { status: 502 }),
    failure: "network",
    code: "invalid_grant",
  },
  "429 with JSON": {
    answer: error({ error: "temporarily_unavailable" }, { status: 429, retryAfter: 2000 }),
    failure: "network",
    code: "throttled",
    hint: /wait 2 seconds.*--timeout 62s/,
  },
  "429 without JSON": {
    answer: answer("<html>", { status: 429, contentType: "text/html" }),
    failure: "network",
    code: "throttled",
    hint: /Wait a minute/,
  },
  "429 with half a day": {
    answer: answer("", { status: 429, retryAfter: 12 * 3600 * 1000 }),
    failure: "network",
    code: "throttled",
    hint: /^The server asks to wait 43200 seconds$/,
  },
  "a token on a status that is no success": {
    answer: answer(good, { status: 403 }),
    failure: "network",
    code: "response_not_json",
  },
  "a success that is not 200": {
    answer: answer(good, { status: 201 }),
    failure: "network",
    code: "response_not_json",
  },
  "HTML on 404": {
    answer: answer("<h1>", { status: 404, contentType: "text/html" }),
    failure: "network",
    code: "response_not_json",
    message: /login\.example answered 404 without a token response/,
    hint: /wrong authority/,
  },
  "HTML on 500": {
    answer: answer("<h1>", { status: 500, contentType: "text/html" }),
    failure: "network",
    code: "server_error",
    hint: /try again later/,
  },
};
for (const [name, expected] of Object.entries(refusals)) {
  Deno.test(`readTokenResponse() explains ${name}`, () => {
    const { failure, code, message, detail } = failureOf(expected.answer);
    assert.deepEqual({ failure, code }, { failure: expected.failure, code: expected.code });
    if (expected.message !== undefined) assert.match(message, expected.message);
    if (expected.hint !== undefined) assert.match(detail.hint ?? "", expected.hint);
  });
}

Deno.test("readTokenResponse() names the profile in the next command", () => {
  const wrongSecret = error({ error: "invalid_client", error_codes: [7000215] });
  try {
    readTokenResponse(wrongSecret, { ...context, profile: "prod" });
    assert.fail("no failure");
  } catch (error) {
    assert.ok(error instanceof EntraToolError);
    assert.match(error.detail.hint!, /entratool config edit -p prod --client-secret-file PATH$/);
  }
});

Deno.test("readTokenResponse() shows the server's ids, and ours when it has none", () => {
  const ids = { correlation_id: "theirs", trace_id: "trace", timestamp: "2030-01-01 00:00:00Z" };
  const { detail } = failureOf(error({ error: "x", ...ids }, { requestId: "header" }));
  assert.equal(detail.correlationId, "theirs");
  assert.equal(detail.traceId, "trace");
  assert.equal(detail.timestamp, "2030-01-01 00:00:00Z");
  const other = failureOf(answer("", { status: 500, requestId: "header" })).detail;
  assert.equal(other.correlationId, "our id");
  assert.equal(other.traceId, "header");
});

Deno.test("readTokenResponse() shows the server's text without the ids that have lines of their own", () => {
  for (
    const end of [
      " Trace ID: 1 Correlation ID: 2 Timestamp: 3",
      "\r\nTrace ID: 1\r\nCorrelation ID: 2",
    ]
  ) {
    const { detail } = failureOf(error({ error: "x", error_description: `AADSTS1: Why.${end}` }));
    assert.equal(detail.serverText, "AADSTS1: Why.");
  }
});

Deno.test("readTokenResponse() shows the beginning of a long text, up to a space", () => {
  const long = "many words ".repeat(10_000);
  const { detail } = failureOf(error({ error: "x", error_description: long }));
  assert.match(detail.serverText!, /^many words .* (?:many|words) …$/);
  assert.ok(detail.serverText!.length < 610);
  const page = failureOf(answer(`<p>${long}`, { status: 404, contentType: "text/html" })).detail;
  assert.match(page.serverText!, /^text\/html: <p>many words .* …$/);
  assert.ok(page.serverText!.length < 140);
});

Deno.test("readTokenResponse() never cuts a secret in two, where it would not be found", () => {
  const echo = `${"x".repeat(100)} client_secret=${"canary".repeat(10)}`;
  for (
    const detail of [
      failureOf(answer(echo, { status: 404 })).detail,
      failureOf(answer(echo.replace(" ", "&"), { status: 404 })).detail,
      failureOf(error({ error: "x", error_description: `${"y".repeat(500)}${echo}` })).detail,
    ]
  ) assert.doesNotMatch(detail.serverText!, /canary/);
});

const holdsTokens: readonly string[] = [
  '[{"token_type":"Bearer","access_token":"canary"}]',
  '{"access_token": "canary',
  '{"refresh_token" :\n"canary", "access_token":"canary"',
  '"id_token":"canary"',
];
for (const body of holdsTokens) {
  Deno.test(`readTokenResponse() shows no token of ${body.slice(0, 30)}`, () => {
    const { code, detail } = failureOf(answer(body));
    assert.equal(code, "response_not_json");
    assert.match(detail.serverText!, /^application\/json: .*\[redacted\]/s);
    assert.doesNotMatch(detail.serverText!, /canary/);
  });
}

for (const body of ["", "null", "7", '"text"', "[]", "{", "\ufeff{}", "<html>"]) {
  Deno.test(`readTokenResponse() takes no token from ${JSON.stringify(body)}`, () => {
    assert.equal(failureOf(answer(body)).code, "response_not_json");
  });
}

Deno.test("readTokenResponse() is not fooled by names that every object has", () => {
  const body = '{"__proto__":{"access_token":"a","token_type":"Bearer","expires_in":1}}';
  assert.equal(failureOf(answer(body)).code, "token_response_invalid");
});
