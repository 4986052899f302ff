/**
 * Attacks on the redirect listener, one by one: what another web page, another program of this machine or a broken client can
 * send. Each must leave it waiting, unless it is the answer; and nothing of the answer may be seen by anybody else.
 */

import assert from "node:assert/strict";
import type { RedirectListener } from "../../src/flows/redirect_listener.ts";
import { browse, chromiumIsMissing } from "../interop/program.ts";
import {
  assertClosed,
  assertStillWaits,
  code,
  exchange,
  goodForm,
  parseAnswer,
  portOf,
  postResponse,
  type RawRequest,
  rawRequest,
  readToEnd,
  send,
  state,
  withListener,
} from "./listening.ts";

interface Attack {
  readonly status: number;
  readonly request: RawRequest;
  readonly redirectUri?: string;
}

const post = (form: string, more: RawRequest = {}): RawRequest => ({
  method: "POST",
  body: form,
  ...more,
});
const get = (query: string, more: RawRequest = {}): RawRequest => ({
  target: `/?${query}`,
  ...more,
});

const attacks: Readonly<Record<string, Attack>> = {
  "posts a code without state": { status: 400, request: post(`code=${code}`) },
  "sends a code without state": { status: 400, request: get(`code=${code}`) },
  "posts a code with a forged state": { status: 400, request: post(`code=${code}&state=forged`) },
  "sends a code with a forged state": { status: 400, request: get(`code=${code}&state=forged`) },
  "posts an error with a forged state": {
    status: 400,
    request: post("error=access_denied&state=forged"),
  },
  "sends an error without state": { status: 400, request: get("error=access_denied") },
  "posts the state twice": { status: 400, request: post(`${goodForm}&state=${state}`) },
  "posts a forged state and the right one": { status: 400, request: post(`state=x&${goodForm}`) },
  "sends the state twice": { status: 400, request: get(`${goodForm}&state=${state}`) },
  "posts two codes": { status: 400, request: post(`${goodForm}&code=other`) },
  "posts a code and an error": { status: 400, request: post(`${goodForm}&error=access_denied`) },
  "posts the response in the query": {
    status: 400,
    request: { method: "POST", target: `/?${goodForm}`, body: "" },
  },
  "posts the state in the query": {
    status: 400,
    request: { method: "POST", target: `/?state=${state}`, body: `code=${code}` },
  },
  "posts an empty form": { status: 400, request: post("") },
  "splits the response in the code": {
    status: 400,
    request: post(`code=a%0d%0aSet-Cookie:%20a=b&state=${state}`),
  },
  "splits the response in the state": {
    status: 400,
    request: get(`code=a&state=${state}%0d%0aSet-Cookie:%20a=b`),
  },

  "asks for another path": { status: 404, request: { target: `/other?${goodForm}` } },
  "posts to another path": { status: 404, request: post(goodForm, { target: "/callback/" }) },
  "asks for the path below a registered one": {
    status: 404,
    request: { target: `/callback/x?${goodForm}` },
    redirectUri: "/callback",
  },
  "asks for a registered path in another case": {
    status: 404,
    request: { target: `/Callback?${goodForm}` },
    redirectUri: "/callback",
  },
  "asks for a registered path in other characters": {
    status: 404,
    request: { target: `/%63allback?${goodForm}` },
    redirectUri: "/callback",
  },
  "asks for a registered path by a detour": {
    status: 404,
    request: { target: `/x/../callback?${goodForm}` },
    redirectUri: "/callback",
  },
  "asks for the root instead of a registered path": {
    status: 404,
    request: { target: `/?${goodForm}` },
    redirectUri: "/callback",
  },
  "asks for a path with two slashes": { status: 404, request: { target: `//?${goodForm}` } },
  "asks for a path with a fragment": { status: 404, request: { target: `/#?${goodForm}` } },

  "sends HEAD": { status: 405, request: get(goodForm, { method: "HEAD" }) },
  "sends PUT": { status: 405, request: post(goodForm, { method: "PUT" }) },
  "sends DELETE": { status: 405, request: get(goodForm, { method: "DELETE" }) },
  "sends TRACE": { status: 405, request: get(goodForm, { method: "TRACE" }) },
  "sends a method of its own": { status: 405, request: get(goodForm, { method: "STEAL" }) },
  "asks by a preflight": {
    status: 405,
    request: {
      method: "OPTIONS",
      headers: {
        "Origin": "https://evil.example",
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Private-Network": "true",
      },
    },
  },
  "connects through it": {
    status: 400,
    request: { method: "CONNECT", target: "evil.example:443" },
  },

  "names another host": { status: 421, request: get(goodForm, { host: "evil.example" }) },
  "names no host": { status: 421, request: get(goodForm, { host: null }) },
  "names an empty host": { status: 421, request: get(goodForm, { host: "" }) },
  "names the host without its port": { status: 421, request: get(goodForm, { host: "localhost" }) },
  "names another port": { status: 421, request: get(goodForm, { host: "localhost:1" }) },
  "names the address instead of the name": {
    status: 421,
    request: get(goodForm, { host: "127.0.0.1:PORT" }),
  },
  "names a host that begins like ours": {
    status: 421,
    request: get(goodForm, { host: "localhost.evil.example:PORT" }),
  },
  "names a host that holds a path": {
    status: 421,
    request: get(goodForm, { host: "localhost:PORT/x?" }),
  },
  "names a user at our host": {
    status: 421,
    request: get(goodForm, { host: "evil@localhost:PORT" }),
  },
  "names another host in its target": {
    status: 400,
    request: { target: `http://evil.example/?${goodForm}` },
  },
  "has no path": { status: 404, request: { method: "OPTIONS", target: "*" } },

  "posts JSON": {
    status: 415,
    request: post(JSON.stringify({ code, state }), {
      headers: { "Content-Type": "application/json" },
    }),
  },
  "posts plain text": {
    status: 415,
    request: post(goodForm, { headers: { "Content-Type": "text/plain" } }),
  },
  "posts multipart": {
    status: 415,
    request: post(goodForm, { headers: { "Content-Type": "multipart/form-data; boundary=x" } }),
  },
  "posts a type that begins like a form's": {
    status: 415,
    request: post(goodForm, { headers: { "Content-Type": "application/x-www-form-urlencodedx" } }),
  },
  "posts without a type": {
    status: 415,
    request: post(goodForm, { headers: { "Content-Type": "" } }),
  },

  "announces a huge body": {
    status: 413,
    request: post("", { headers: { "Content-Length": "65537" } }),
  },
  "sends a huge body in one piece": {
    status: 413,
    request: post(`${goodForm}&x=${"x".repeat(64 * 1024)}`),
  },
  "sends a huge body in chunks": {
    status: 413,
    request: post(
      ["8000", "x".repeat(0x8000), "8000", "x".repeat(0x8000), "1", "x", "0", "", ""].join("\r\n"),
      { headers: { "Content-Length": "", "Transfer-Encoding": "chunked" } },
    ),
  },
  "asks for a huge URL": { status: 414, request: get(`${goodForm}&x=${"x".repeat(32 * 1024)}`) },
  "asks for a URL beyond what Deno takes": {
    status: 400,
    request: get(`${goodForm}&x=${"x".repeat(70_000)}`),
  },

  "posts by fetch of a page elsewhere": {
    status: 403,
    request: post(goodForm, {
      headers: {
        "Origin": "https://evil.example",
        "Sec-Fetch-Site": "cross-site",
        "Sec-Fetch-Mode": "no-cors",
        "Sec-Fetch-Dest": "empty",
      },
    }),
  },
  "asks by fetch of a page elsewhere": {
    status: 403,
    request: get(goodForm, { headers: { "Sec-Fetch-Mode": "cors" } }),
  },
  "shows it in a frame": {
    status: 403,
    request: get(goodForm, {
      headers: { "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "iframe" },
    }),
  },
  "loads it as an image": {
    status: 403,
    request: get(goodForm, { headers: { "Sec-Fetch-Mode": "no-cors", "Sec-Fetch-Dest": "image" } }),
  },
  "opens a web socket": {
    status: 403,
    request: get(goodForm, {
      headers: {
        "Connection": "Upgrade",
        "Upgrade": "websocket",
        "Sec-Fetch-Mode": "websocket",
        "Sec-Fetch-Dest": "websocket",
        "Sec-WebSocket-Version": "13",
        "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
      },
    }),
  },

  "asks for the icon": { status: 204, request: { target: "/favicon.ico" } },
  "asks for the page without a response": { status: 200, request: { target: "/" } },
  "asks for the page with another query": { status: 200, request: get("utm_source=x") },
};

for (const [what, { status, request, redirectUri: path }] of Object.entries(attacks)) {
  Deno.test(`redirect listener answers ${status} to whoever ${what}, and waits on`, async () => {
    const redirectUri = path === undefined
      ? "http://localhost"
      : `http://localhost:${freePort()}${path}`;
    await withListener({ redirectUri }, async (listener) => {
      const port = String(portOf(listener));
      const { host } = request;
      const answer = await send(listener, {
        ...request,
        ...(typeof host === "string" ? { host: host.replace("PORT", port) } : {}),
      });
      assert.equal(answer.status, status);
      assertReveals(answer, listener);
      await assertStillWaits(listener);
    });
  });
}

/** A port that nobody listens on now; the next to ask for it gets it. */
function freePort(): number {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  return listener.addr.port;
}

/** Nothing of the response, and nothing that lets a page elsewhere read the answer. */
function assertReveals(
  { status, headers, body }: ReturnType<typeof parseAnswer>,
  listener: RedirectListener,
): void {
  const all = `${[...headers].join("\n")}\n${body}`;
  for (const secret of [code, state, "canary", String(portOf(listener))]) {
    assert.ok(!all.includes(secret), `the answer holds ${secret}`);
  }
  for (const [name] of headers) {
    assert.doesNotMatch(name, /^access-control-|^set-cookie$|^location$/);
  }
  // Deno itself answers what is no HTTP, with nothing in it
  if (status === 400 && body === "") return;
  assert.equal(headers.get("cache-control"), "no-store");
  assert.equal(headers.get("referrer-policy"), "no-referrer");
  assert.equal(headers.get("x-content-type-options"), "nosniff");
  assert.equal(headers.get("cross-origin-resource-policy"), "same-origin");
  assert.equal(headers.get("cross-origin-opener-policy"), "same-origin");
  if (body === "") return;
  const policy = headers.get("content-security-policy") ?? "";
  assert.match(policy, /^default-src 'none'; style-src 'sha256-[\w+/]{43}='; /);
  assert.match(policy, /; base-uri 'none'; form-action 'none'; frame-ancestors 'none'$/);
  assert.doesNotMatch(policy, /unsafe|https?:|\*/);
  assert.doesNotMatch(body, /<script|<form|<img|<link|\son\w+=|href=|url\(|@import/i);
}

Deno.test("redirect listener takes the posts of real browsers, whatever their Origin", async () => {
  for (const Origin of ["https://login.microsoftonline.com", "null", "https://login.contoso.com"]) {
    await withListener({}, async (listener) => {
      const answer = send(listener, {
        method: "POST",
        body: goodForm,
        host: `LocalHost:${portOf(listener)}`,
        headers: {
          Origin,
          "Content-Type": "Application/X-WWW-Form-Urlencoded; charset=UTF-8",
          "Sec-Fetch-Site": "cross-site",
          "Sec-Fetch-Mode": "navigate",
          "Sec-Fetch-Dest": "document",
        },
      });
      assert.deepEqual(await listener.response, { kind: "code", code });
      await listener.finish({ kind: "success" });
      const received = await answer;
      assert.equal(received.status, 200);
      assertReveals(received, listener);
    });
  }
});

Deno.test("redirect listener gives the first answer alone: later ones get 409", async () => {
  await withListener({}, async (listener) => {
    const first = postResponse(listener);
    await listener.response;
    const later = [
      await postResponse(listener),
      await postResponse(listener, { code: "another-code-of-another-request", state }),
      await postResponse(listener, { error: "access_denied", state }),
      await send(listener, { target: `/?${goodForm}` }),
    ];
    for (const answer of later) {
      assert.equal(answer.status, 409);
      assert.match(answer.body, /<h1>Already answered<\/h1>/);
      assertReveals(answer, listener);
    }
    // a forged one learns nothing of the first
    const forged = await postResponse(listener, { code, state: "forged" });
    assert.equal(forged.status, 400);
    assert.deepEqual(await listener.response, { kind: "code", code });
    await listener.finish({ kind: "success" });
    assert.match((await first).body, /<h1>Signed in<\/h1>/);
  });
});

Deno.test("redirect listener takes one of a hundred right answers at once", async () => {
  await withListener({}, async (listener) => {
    const answers = Array.from(
      { length: 100 },
      (_, i) =>
        postResponse(listener, { code: `code-number-${i}-of-this-request`, state }).then((
          answer,
        ) => ({
          i,
          status: answer.status,
        })),
    );
    const response = await listener.response;
    // all of them have been answered but the one that is held
    const refused = await firstOf(99, answers);
    assert.deepEqual(new Set(refused.map(({ status }) => status)), new Set([409]));
    await listener.finish({ kind: "success" });
    const taken = (await Promise.all(answers)).filter(({ status }) => status === 200);
    assert.equal(taken.length, 1);
    assert.deepEqual(response, {
      kind: "code",
      code: `code-number-${taken[0]?.i}-of-this-request`,
    });
  });
});

/** The first of them to resolve. */
async function firstOf<Value>(
  count: number,
  promises: readonly Promise<Value>[],
): Promise<readonly Value[]> {
  const { promise, resolve } = Promise.withResolvers<readonly Value[]>();
  const values: Value[] = [];
  for (const each of promises) {
    each.then((value) => {
      values.push(value);
      if (values.length === count) resolve([...values]);
    });
  }
  return await promise;
}

Deno.test("two redirect listeners at once keep their answers apart", async () => {
  await withListener({ state: "state-of-the-first" }, async (first) => {
    await withListener({ state: "state-of-the-second" }, async (second) => {
      assert.notEqual(portOf(first), portOf(second));
      const form = { code, state: "state-of-the-first" };
      assert.equal((await postResponse(second, form)).status, 400);
      const answer = postResponse(first, form);
      assert.deepEqual(await first.response, { kind: "code", code });
      await first.finish({ kind: "success" });
      await answer;
      const other = postResponse(second, { error: "access_denied", state: "state-of-the-second" });
      assert.deepEqual(await second.response, { kind: "error", error: "access_denied" });
      await second.finish({ kind: "success" });
      await other;
    });
  });
});

Deno.test("redirect listener is not disturbed by clients that are slow, silent or half open", async () => {
  await withListener({ limits: { body: 60_000 } }, async (listener) => {
    const head = rawRequest(listener, post(goodForm)).split("\r\n\r\n")[0];
    const beginnings = [
      "",
      "G",
      "POST / HTTP/1.1\r\nHo",
      `${head}\r\n\r\n`,
      `${head}\r\n\r\ncode=`,
    ];
    const connections = await Promise.all(beginnings.map(async (text) => {
      const connection = await connect(listener);
      await connection.write(new TextEncoder().encode(text));
      return connection;
    }));
    const halfOpen = await connect(listener);
    await halfOpen.closeWrite();
    connections.push(halfOpen);
    await assertStillWaits(listener);
    for (const connection of connections) {
      // the listener has gone, so each of them ends
      await readToEnd(connection);
      connection.close();
    }
  });
});

Deno.test("redirect listener gives up on a body that does not arrive in time", async () => {
  await withListener({ limits: { body: 1 } }, async (listener) => {
    const whole = rawRequest(listener, post(goodForm));
    const end = (text: string) => text.includes("\r\n\r\n");
    const answer = parseAnswer(await exchange(listener, whole.slice(0, -5), end));
    assert.equal(answer.status, 408);
    assertReveals(answer, listener);
    await listener.finish({ kind: "success" });
  });
});

Deno.test("redirect listener survives a body that breaks off", async () => {
  await withListener({}, async (listener) => {
    const connection = await connect(listener);
    const whole = rawRequest(listener, post(goodForm));
    await connection.write(new TextEncoder().encode(whole.slice(0, -5)));
    connection.close();
    await assertStillWaits(listener);
  });
});

const garbage: Readonly<Record<string, string>> = {
  "a TLS handshake": "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
  "no HTTP": "hello\r\n\r\n",
  "HTTP 0.9": "GET /\r\n\r\n",
  "zero bytes": "\0".repeat(100),
  "two hosts": "GET / HTTP/1.1\r\nHost: localhost\r\nHost: evil.example\r\n\r\n",
  "a folded header": "GET / HTTP/1.1\r\nHost: localhost\r\nX: a\r\n b\r\n\r\n",
  "two lengths":
    "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
  "a length and chunks":
    "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
  "a space before the colon": "GET / HTTP/1.1\r\nHost : localhost\r\n\r\n",
  "headers of a megabyte": `GET / HTTP/1.1\r\nHost: localhost\r\nX: ${
    "x".repeat(1024 * 1024)
  }\r\n\r\n`,
};

for (const [what, bytes] of Object.entries(garbage)) {
  Deno.test(`redirect listener refuses ${what}`, async () => {
    await withListener({}, async (listener) => {
      const text = await exchange(listener, bytes);
      assert.match(text, /^(HTTP\/1\.1 400 |$)/);
      await assertStillWaits(listener);
    });
  });
}

Deno.test("redirect listener refuses HTTP/2, which comes without a Host header", async () => {
  await withListener({}, async (listener) => {
    using client = Deno.createHttpClient({ http1: false, http2: true });
    const answer = await fetch(`${listener.redirectUri}/?${goodForm}`, {
      client,
      redirect: "manual",
    });
    await answer.body?.cancel();
    assert.equal(answer.status, 421);
    await assertStillWaits(listener);
  });
});

Deno.test("redirect listener takes no second request that is hidden behind the first", async () => {
  await withListener({}, async (listener) => {
    const forged = rawRequest(listener, post(`code=${code}&state=forged`));
    const pipelined = forged.replace("Connection: close\r\n", "") +
      rawRequest(listener, { target: "/no" });
    const text = await exchange(listener, pipelined);
    assert.deepEqual(text.match(/HTTP\/1\.1 \d+/g), ["HTTP/1.1 400", "HTTP/1.1 404"]);
    // a length that ends too early leaves its rest as a request of its own, which is none
    const smuggled = rawRequest(
      listener,
      post("state=forged\r\n\r\n", { headers: { "Content-Length": "5" } }),
    ).replace("Connection: close\r\n", "");
    const answers = await exchange(listener, smuggled);
    assert.deepEqual(answers.match(/HTTP\/1\.1 \d+/g), ["HTTP/1.1 400", "HTTP/1.1 400"]);
    await assertStillWaits(listener);
  });
});

Deno.test("redirect listener closes connections that are kept alive", async () => {
  await withListener({}, async (listener) => {
    const connection = await connect(listener);
    const request = rawRequest(listener, { target: "/favicon.ico" })
      .replace("Connection: close\r\n", "");
    await connection.write(new TextEncoder().encode(request));
    await connection.read(new Uint8Array(1024));
    await assertStillWaits(listener);
    assert.equal(await readToEnd(connection), "");
    connection.close();
    await assertClosed(portOf(listener));
  });
});

function connect(listener: RedirectListener): Promise<Deno.TcpConn> {
  return Deno.connect({ hostname: "127.0.0.1", port: portOf(listener) });
}

/** Markup, and characters that reorder or hide text. */
const hostile = `</p><script>document.title="stolen"</script><img src=x onerror=alert(1)>` +
  `"><svg onload=alert(1)>&lt;b&gt;' \u202egnp.exe\u0007\u001b[31m\ud800`;

Deno.test("redirect listener escapes what it is told of the failure", async () => {
  await withListener({}, async (listener) => {
    const answer = postResponse(listener, { error: "x", error_description: hostile, state });
    const response = await listener.response;
    assert.ok(response.kind === "error");
    const message = response.description ?? "";
    await listener.finish({ kind: "failure", title: message, message, hint: message });
    const { body, headers, status } = await answer;
    assertReveals({
      body: body.replaceAll("&#39;", "'").replaceAll(/on\w+=/g, ""),
      headers,
      status,
    }, listener);
    assert.equal(body.match(/&lt;script&gt;/g)?.length, 4);
    // deno-lint-ignore no-control-regex
    assert.doesNotMatch(body, /[\u202e\u0007\u001b]/);
    assert.deepEqual(body.match(/<(?:script|img|b)\b/g), null);
  });
});

const listenerModule = JSON.stringify(
  new URL("../../src/flows/redirect_listener.ts", import.meta.url).href,
);

Deno.test("redirect listener is not moved to other addresses by DENO_SERVE_ADDRESS", async () => {
  const port = freePort();
  const program = `
    import { startRedirectListener } from ${listenerModule};
    const signal = new AbortController().signal;
    try {
      await startRedirectListener({ redirectUri: "http://localhost", state: "s", signal });
      console.log("started");
    } catch (error) {
      console.log(error.code, error.message);
      await Deno.connect({ hostname: "127.0.0.1", port: ${port} })
        .then(() => console.log("reached"), ({ name }) => console.log(name));
    }
    Deno.exit();`;
  const { stdout } = await new Deno.Command(Deno.execPath(), {
    args: ["eval", program],
    env: { DENO_SERVE_ADDRESS: `tcp:0.0.0.0:${port}`, NO_COLOR: "1" },
  }).output();
  assert.equal(
    new TextDecoder().decode(stdout),
    "redirect_listener_moved DENO_SERVE_ADDRESS would have the sign-in end at 0.0.0.0, " +
      "not on loopback\nConnectionRefused\n",
  );
});

const outside = Deno.networkInterfaces().find(({ family, address }) =>
  family === "IPv4" && !address.startsWith("127.")
)?.address;

Deno.test({
  name: "redirect listener is not reachable on other addresses of this machine",
  ignore: outside === undefined,
  async fn() {
    await withListener({}, async (listener) => {
      // in a process of its own: tests may reach loopback only
      const { stdout } = await new Deno.Command(Deno.execPath(), {
        args: [
          "eval",
          `await Deno.connect(${JSON.stringify({ hostname: outside, port: portOf(listener) })})
            .then(() => console.log("reached"), ({ name }) => console.log(name)); Deno.exit()`,
        ],
      }).output();
      assert.equal(new TextDecoder().decode(stdout), "ConnectionRefused\n");
    });
  },
});

Deno.test({
  name: "redirect listener refuses other machines where DENO_SERVE_ADDRESS lets them in",
  ignore: outside === undefined,
  async fn() {
    const port = freePort();
    const program = `
    import { startRedirectListener } from ${listenerModule};
    const signal = new AbortController().signal;
    const listener = await startRedirectListener({
      redirectUri: "http://localhost", state: "s", signal,
    });
    const connection = await Deno.connect({ hostname: "${outside}", port: ${port} });
    const request = "GET /?code=x&state=s HTTP/1.1\\r\\nHost: " +
      new URL(listener.redirectUri).host + "\\r\\nConnection: close\\r\\n\\r\\n";
    await connection.write(new TextEncoder().encode(request));
    console.log((await new Response(connection.readable).text()).split("\\r\\n")[0]);
    Deno.exit();`;
    const { stdout } = await new Deno.Command(Deno.execPath(), {
      args: ["eval", program],
      env: { DENO_SERVE_ADDRESS: `duplicate,tcp:0.0.0.0:${port}`, NO_COLOR: "1" },
    }).output();
    assert.equal(new TextDecoder().decode(stdout), "HTTP/1.1 403 Forbidden\n");
  },
});

const browserTest = (name: string, fn: () => Promise<void>) =>
  Deno.test({ name, ignore: chromiumIsMissing, fn });

/** A page elsewhere: of another port and, being an address, of another site. */
async function withPage(
  html: string,
  run: (url: string) => Promise<void>,
): Promise<void> {
  const server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen() {} },
    () =>
      new Response(`<!doctype html><title>Elsewhere</title>${html}`, {
        headers: { "Content-Type": "text/html" },
      }),
  );
  try {
    await run(`http://127.0.0.1:${server.addr.port}/`);
  } finally {
    await server.shutdown();
  }
}

/** As Entra's page posts the response to us. */
function postingPage(listener: RedirectListener, form: Readonly<Record<string, string>>): string {
  const fields = Object.entries(form).map(([name, value]) =>
    `<input type="hidden" name="${name}" value="${
      value.replaceAll("&", "&amp;").replaceAll('"', "&quot;")
    }">`
  );
  return `<form method="post" action="${listener.redirectUri}">${fields.join("")}</form>
    <script>document.forms[0].submit()</script>`;
}

browserTest(
  "a browser that is posted to the redirect listener shows success, and no more",
  async () => {
    for (const colorScheme of ["light", "dark"] as const) {
      await withListener({}, async (listener) => {
        await withPage(postingPage(listener, { code, state }), async (url) => {
          const browsing = browse({
            colorScheme,
            steps: [
              { goto: url },
              { waitForText: "Signed in" },
              { screenshot: screenshot(`success_${colorScheme}`) },
              { evaluate: "[getComputedStyle(document.body).display, history.length]" },
            ],
          });
          assert.deepEqual(await listener.response, { kind: "code", code });
          await listener.finish({ kind: "success" });
          const result = await browsing;
          assert.equal(result.title, "Signed in – entratool");
          assert.equal(result.url, `${listener.redirectUri}/`);
          assert.match(result.text, /return to the terminal/);
          assert.deepEqual(result.policyViolations, []);
          // the style sheet has passed the policy
          assert.equal((result.values[0] as unknown[])[0], "grid");
        });
      });
    }
  },
);

browserTest(
  "a browser that is sent to the redirect listener by a query ends without it",
  async () => {
    await withListener({}, async (listener) => {
      const browsing = browse({
        steps: [
          { goto: `${listener.redirectUri}/?${goodForm}` },
          { waitForText: "Signed in" },
        ],
      });
      assert.deepEqual(await listener.response, { kind: "code", code });
      await listener.finish({ kind: "success" });
      const result = await browsing;
      assert.equal(result.url, `${listener.redirectUri}/`);
      assert.deepEqual(result.policyViolations, []);
    });
  },
);

browserTest("a browser shows the failure as text, whatever the server said", async () => {
  for (const colorScheme of ["light", "dark"] as const) {
    await withListener({}, async (listener) => {
      const form = { error: "access_denied", error_description: hostile, state };
      await withPage(postingPage(listener, form), async (url) => {
        const browsing = browse({
          colorScheme,
          steps: [{ goto: url }, { waitForText: "Return to the terminal" }, {
            evaluate: "document.querySelectorAll('script, img, b, svg[onload]').length",
          }],
        });
        const response = await listener.response;
        assert.ok(response.kind === "error");
        await listener.finish({
          kind: "failure",
          title: "Access denied",
          message: response.description ?? "",
        });
        const result = await browsing;
        assert.equal(result.title, "Access denied – entratool");
        assert.match(result.text, /<script>document\.title="stolen"<\/script>/);
        assert.deepEqual(result.values, [0]);
        assert.deepEqual(result.policyViolations, []);
      });
    });
  }
});

browserTest("pages of failure and notice are as they should look, in light and dark", async () => {
  for (const colorScheme of ["light", "dark"] as const) {
    await withListener({}, async (listener) => {
      const waiting = await browse({
        colorScheme,
        steps: [
          { goto: listener.redirectUri },
          { screenshot: screenshot(`waiting_${colorScheme}`) },
          { goto: `${listener.redirectUri}/?code=x&state=forged` },
          { screenshot: screenshot(`foreign_${colorScheme}`) },
        ],
      });
      assert.equal(waiting.title, "Not the awaited sign-in – entratool");
      const browsing = browse({
        colorScheme,
        steps: [
          { goto: `${listener.redirectUri}/?error=access_denied&state=${state}` },
          { screenshot: screenshot(`failure_${colorScheme}`) },
        ],
      });
      await listener.response;
      await listener.finish({
        kind: "failure",
        title: "The app expects a client secret",
        message:
          "The app is registered as a web app, so the code can only be redeemed with its secret or certificate (AADSTS7000218)",
        hint: "Pass --client-secret-file PATH, or register the redirect URI for a desktop app",
      });
      assert.deepEqual((await browsing).policyViolations, []);
    });
  }
});

browserTest(
  "a page elsewhere can neither read the redirect listener nor answer in its place",
  async () => {
    await withListener({}, async (listener) => {
      await withPage("", async (url) => {
        const target = JSON.stringify(`${listener.redirectUri}/`);
        const form = JSON.stringify(goodForm);
        const forged = JSON.stringify(`code=${code}&state=forged`);
        const type = `headers: { "Content-Type": "application/x-www-form-urlencoded" }`;
        const attempt = (options: string, path = target) =>
          `fetch(${path}, { ${options} }).then(
          async (answer) => answer.type + " " + answer.status + " " + await answer.text(),
          (error) => error.name)`;
        const result = await browse({
          steps: [
            { goto: url },
            { evaluate: attempt(`method: "POST", body: ${forged}, ${type}`) },
            // even one that has learned the state: fetch is no navigation
            { evaluate: attempt(`method: "POST", body: ${form}, ${type}`) },
            { evaluate: attempt(`method: "POST", body: ${form}, ${type}, mode: "no-cors"`) },
            { evaluate: attempt(`mode: "no-cors"`, `${target} + "?" + ${form}`) },
            { evaluate: attempt(`method: "PUT", body: ${form}`) },
            {
              evaluate: `new Promise((resolve) => {
              const frame = document.body.appendChild(document.createElement("iframe"));
              frame.onload = () => {
                try { resolve(frame.contentDocument.body.innerText) } catch (e) { resolve(e.name) }
              };
              frame.src = ${target} + "?" + ${form};
            }).then((text) => text === null ? "null" : text)`,
            },
            {
              evaluate: `new Promise((resolve) => {
              const image = new Image();
              image.onload = () => resolve("loaded");
              image.onerror = () => resolve("failed");
              image.src = ${target} + "?" + ${form};
            })`,
            },
          ],
        });
        for (const value of result.values) {
          assert.match(String(value), /^(TypeError|opaque 0 |failed|.*null.*)$/);
        }
        assert.equal(result.values.length, 7);
        await assertStillWaits(listener);
      });
    });
  },
);

browserTest(
  "a page that rebinds its name to loopback gets nothing from the redirect listener",
  async () => {
    await withListener({}, async (listener) => {
      const origin = `http://evil.example:${portOf(listener)}`;
      await assert.rejects(
        browse({
          hosts: { "evil.example": "127.0.0.1" },
          steps: [{ goto: `${origin}/?${goodForm}` }],
        }),
        /HTTP ERROR 421/,
      );
      await assertStillWaits(listener);
    });
  },
);

/** Where the pictures go; git ignores the folder. */
function screenshot(name: string): string {
  return new URL(`../../screenshots/redirect_${name}.png`, import.meta.url).pathname;
}
