/** What goes over the wire and to whom; TLS, proxies, and networks that fail before a server is reached. */

import assert from "node:assert/strict";
import { serverCertificate } from "../fixtures/network_certificates.ts";
import { startFront } from "../fixtures/network_front.ts";
import {
  pipe,
  type RawHandler,
  send,
  startRawServer,
  tokenAnswer,
} from "../fixtures/network_server.ts";
import { type Emulated, emulated } from "./emulated.ts";
import { type Result, runCli, runProcess } from "./run_cli.ts";

// One request, and nothing in it that does not belong there.

Deno.test("get-token sends one request over one connection, to the byte what Entra documents", async () => {
  await using server = startRawServer((connection) => send(connection, tokenAnswer("opaque")));
  await using test = await emulated();
  const { AZURE_TENANT_ID, AZURE_CLIENT_ID } = test.env;
  const { code, stdout, stderr } = await runCli(["get-token", "-s", "api://orders/.default"], {
    env: {
      ...test.env,
      AZURE_AUTHORITY_HOST: `http://127.0.0.1:${server.port}`,
      AZURE_CLIENT_SECRET: "s€cret&client_id=x+ %41",
    },
  });
  assert.deepEqual({ code, stdout, stderr }, { code: 0, stdout: "opaque\n", stderr: "" });
  assert.equal(server.connections, 1);
  const [request, ...more] = server.requests;
  assert.deepEqual(more, []);
  assert.equal(request?.line, `POST /${AZURE_TENANT_ID}/oauth2/v2.0/token HTTP/1.1`);
  assert.deepEqual([...new URLSearchParams(request?.body)], [
    ["grant_type", "client_credentials"],
    ["client_id", AZURE_CLIENT_ID],
    ["scope", "api://orders/.default"],
    ["client_secret", "s€cret&client_id=x+ %41"],
  ]);
  const { "client-request-id": id, "user-agent": agent, ...headers } = request!.headers;
  assert.match(id!, /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  assert.match(agent!, /^entratool\/\d+\.\d+\.\d+$/);
  assert.equal(headers.accept, "application/json");
  assert.equal(headers["content-type"], "application/x-www-form-urlencoded;charset=utf-8");
  assert.equal(headers.host, `127.0.0.1:${server.port}`);
  assert.equal(headers["return-client-request-id"], "true");
  for (const name of ["origin", "cookie", "authorization", "referer"]) {
    assert.equal(headers[name], undefined, name);
  }
});

Deno.test("get-token sends the same client-request-id with each retry, and another next time", async () => {
  await using server = startRawServer((connection) =>
    send(connection, "HTTP/1.1 503 Busy\r\ncontent-length: 0\r\n\r\n")
  );
  await using test = await emulated();
  const env = { ...test.env, AZURE_AUTHORITY_HOST: `http://127.0.0.1:${server.port}` };
  const { stderr } = await runCli(["get-token"], { env });
  const ids = () => server.requests.map(({ headers }) => headers["client-request-id"]);
  assert.equal(ids().length, 4);
  assert.equal(new Set(ids()).size, 1);
  assert.ok(stderr.includes(`correlation id ${ids()[0]}`));
  await runCli(["get-token"], { env });
  assert.equal(new Set(ids()).size, 2);
});

Deno.test("get-token makes one request per token that is not cached, and none for one that is", async () => {
  await using test = await emulated();
  const scopes = ["https://graph.microsoft.com/.default", "api://orders/.default"];
  for (const scope of [...scopes, ...scopes, ...scopes]) {
    assert.equal((await runCli(["get-token", "-s", scope], { env: test.env })).code, 0);
  }
  assert.deepEqual(test.emulator.requests.map(({ path }) => path), [
    `/${test.emulator.tenantId}/oauth2/v2.0/token`,
    `/${test.emulator.tenantId}/oauth2/v2.0/token`,
  ]);
});

/** Runs the program with the permission to connect to these hosts only. */
async function runWithNet(
  net: string,
  env: Readonly<Record<string, string>>,
): Promise<Result> {
  const main = new URL("../../main.ts", import.meta.url);
  const output = await new Deno.Command(Deno.execPath(), {
    args: [
      ...["run", "--quiet", "--no-prompt", "--cached-only", "--allow-read", "--allow-write"],
      ...["--allow-env", `--allow-net=${net}`, main.href, "get-token"],
    ],
    env: { ...env, NO_COLOR: "1" },
  }).output();
  const decoder = new TextDecoder();
  return {
    code: output.code,
    stdout: decoder.decode(output.stdout),
    stderr: decoder.decode(output.stderr),
  };
}

Deno.test("get-token needs the network permission for the login host alone", async () => {
  await using test = await emulated();
  const { code, stderr } = await runWithNet(new URL(test.emulator.origin).host, test.env);
  assert.deepEqual({ code, stderr }, { code: 0, stderr: "" });
});

Deno.test("get-token names the host that Deno's permissions keep it from", async () => {
  await using test = await emulated();
  const { host } = new URL(test.emulator.origin);
  const { code, stdout, stderr } = await runWithNet("login.microsoftonline.com:443", test.env);
  assert.match(stderr, /^error: Deno was not allowed to connect to localhost:\d+$/m);
  assert.ok(stderr.includes(`--allow-net=${host}`));
  assert.deepEqual({ code, stdout }, { code: 4, stdout: "" });
});

// TLS.

/** Writes a PEM file that is there as long as the test's folder. */
async function fileWith(test: Emulated, name: string, text: string): Promise<string> {
  const path = `${test.home}/${name}`;
  await Deno.writeTextFile(path, text);
  return path;
}

for (const name of ["localhost", "127.0.0.1", "[::1]"]) {
  Deno.test(`get-token sends nothing to ${name} with a certificate that nobody vouches for`, async () => {
    await using test = await emulated({ tls: true });
    const AZURE_AUTHORITY_HOST = test.emulator.origin.replace("localhost", name);
    const { code, stdout, stderr } = await runProcess(["get-token"], {
      env: { ...test.env, AZURE_AUTHORITY_HOST },
    });
    assert.ok(
      stderr.startsWith(
        `error: The certificate of ${new URL(AZURE_AUTHORITY_HOST).host} is not trusted; ` +
          'it was issued by "entratool emulator ',
      ),
      stderr,
    );
    assert.match(stderr, /^ {2}If your organization inspects TLS, .* --ca-file PATH$/m);
    assert.deepEqual({ code, stdout }, { code: 5, stdout: "" });
    assert.deepEqual(test.emulator.requests, []);
  });
}

const trusting: readonly [
  name: string,
  settings: (path: string) => { argv?: string[]; env?: Record<string, string> },
][] = [
  ["--ca-file", (path) => ({ argv: ["--ca-file", path] })],
  ["ENTRATOOL_CA_FILE", (path) => ({ env: { ENTRATOOL_CA_FILE: path } })],
  ["SSL_CERT_FILE", (path) => ({ env: { SSL_CERT_FILE: path } })],
];
for (const [name, settings] of trusting) {
  Deno.test(`get-token trusts each certificate of ${name}`, async () => {
    await using test = await emulated({ tls: true });
    const { caCertificate } = await serverCertificate("login.test");
    const path = await fileWith(test, "ca.pem", caCertificate + test.emulator.caCertificate);
    const { argv = [], env } = settings(path);
    const result = await runProcess(["get-token", ...argv], { env: { ...test.env, ...env } });
    assert.deepEqual({ code: result.code, stderr: result.stderr }, { code: 0, stderr: "" });
    assert.match(result.stdout, /^eyJ/);
    assert.equal(test.emulator.requests.length, 1);
  });

  Deno.test(`get-token trusts no other certificate for ${name}`, async () => {
    await using test = await emulated({ tls: true });
    const { caCertificate } = await serverCertificate("login.test");
    const { argv = [], env } = settings(await fileWith(test, "ca.pem", caCertificate));
    const { code, stderr } = await runProcess(["get-token", ...argv], {
      env: { ...test.env, ...env },
    });
    assert.match(stderr, /issued by "entratool emulator/);
    assert.equal(code, 5);
    assert.deepEqual(test.emulator.requests, []);
  });
}

const brokenPem =
  "-----BEGIN CERTIFICATE-----\nbm90IGEgY2VydGlmaWNhdGU=\n-----END CERTIFICATE-----\n";
const badFiles: readonly [name: string, text: string | undefined, says: RegExp][] = [
  ["missing", undefined, /The CA file can not be read from .*ca\.pem: there is no such file/],
  ["empty", "", /The CA file .*ca\.pem holds no PEM certificate/],
  ["no PEM", "hello", /The CA file .*ca\.pem holds no PEM certificate/],
  ["broken", brokenPem, /The CA file holds a broken certificate/],
  ["cut off", brokenPem.slice(0, 50), /The CA file holds a broken certificate/],
];
for (const [name, text, says] of badFiles) {
  Deno.test(`get-token refuses a CA file that is ${name}`, async () => {
    await using test = await emulated({ tls: true });
    const path = `${test.home}/ca.pem`;
    if (text !== undefined) await Deno.writeTextFile(path, text);
    const { code, stdout, stderr } = await runCli(["get-token", "--ca-file", path], {
      env: test.env,
    });
    assert.match(stderr, says);
    assert.deepEqual({ code, stdout }, { code: 4, stdout: "" });
    assert.deepEqual(test.emulator.requests, []);
  });
}

for (const [name, text] of [["missing", undefined], ["broken", brokenPem]] as const) {
  Deno.test(`get-token says so when SSL_CERT_FILE is ${name}`, async () => {
    await using test = await emulated({ tls: true });
    const path = `${test.home}/ca.pem`;
    if (text !== undefined) await Deno.writeTextFile(path, text);
    const { code, stdout, stderr } = await runProcess(["get-token"], {
      env: { ...test.env, SSL_CERT_FILE: path },
    });
    assert.match(
      stderr,
      /^error: The certificates of SSL_CERT_FILE can not be read from .*ca\.pem$/m,
    );
    assert.match(stderr, /unset SSL_CERT_FILE/);
    assert.deepEqual({ code, stdout }, { code: 4, stdout: "" });
  });
}

const badCertificates: readonly [name: string, host: string, notAfter: number, says: RegExp][] = [
  ["another host's", "login.test", Date.now() + 1e9, /not valid for name.*login\.test/],
  ["an expired", "localhost", Date.now() - 1e9, /expired/],
];
for (const [name, host, notAfter, says] of badCertificates) {
  Deno.test(`get-token sends nothing to a server with ${name} certificate`, async () => {
    await using test = await emulated();
    const tls = await serverCertificate(host, { notAfter });
    await using front = startFront({ target: test.emulator.origin, tls });
    const path = await fileWith(test, "ca.pem", tls.caCertificate);
    const { code, stdout, stderr, host: { sleeps } } = await runCli(
      ["get-token", "--ca-file", path],
      { env: { ...test.env, AZURE_AUTHORITY_HOST: `https://localhost:${front.port}` } },
    );
    assert.match(
      stderr,
      /^error: The certificate of localhost:\d+ is not trusted; it was issued by/,
    );
    assert.match(stderr, says);
    assert.match(stderr, /host name and this machine's clock/);
    assert.deepEqual({ code, stdout, sleeps }, { code: 5, stdout: "", sleeps: [] });
    assert.equal(front.count, 0);
  });
}

Deno.test("get-token explains a server that does not speak TLS", async () => {
  await using test = await emulated();
  const { code, stderr } = await runCli(["get-token"], {
    env: { ...test.env, AZURE_AUTHORITY_HOST: test.emulator.origin.replace("http:", "https:") },
  });
  assert.match(stderr, /^error: A secure connection to localhost:\d+ failed: /);
  assert.equal(code, 5);
});

// Proxies. `login.test` is nowhere: it can only be reached through one.

interface Proxied extends AsyncDisposable {
  readonly test: Emulated;
  readonly caFile: string;
  /** The arguments and the environment without a proxy. */
  readonly argv: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly port: number;
  /** What the proxy was asked for. */
  asked(): readonly string[];
  readonly headers: () => readonly Readonly<Record<string, string>>[];
}

/** `https://login.test` with the emulator behind it, and a proxy that knows the way. */
async function proxied(refuse?: RawHandler): Promise<Proxied> {
  const test = await emulated();
  const tls = await serverCertificate("login.test");
  const front = startFront({ target: test.emulator.origin, tls });
  const proxy = startRawServer(
    refuse ?? (async (connection) => {
      const upstream = await Deno.connect({ hostname: "127.0.0.1", port: front.port });
      await send(connection, "HTTP/1.1 200 Connection established\r\n\r\n");
      await pipe(connection, upstream);
    }),
  );
  const caFile = await fileWith(test, "ca.pem", tls.caCertificate);
  const { AZURE_AUTHORITY_HOST: _, ...env } = test.env;
  return {
    test,
    caFile,
    argv: ["get-token", "--authority", "https://login.test"],
    env,
    port: proxy.port,
    asked: () => proxy.requests.map(({ line }) => line),
    headers: () => proxy.requests.map(({ headers }) => headers),
    async [Symbol.asyncDispose]() {
      await proxy[Symbol.asyncDispose]();
      await front[Symbol.asyncDispose]();
      await test[Symbol.asyncDispose]();
    },
  };
}

const connect = "CONNECT login.test:443 HTTP/1.1";

for (const variable of ["HTTPS_PROXY", "https_proxy", "ALL_PROXY"]) {
  Deno.test(`get-token goes through the proxy of ${variable}`, async () => {
    await using via = await proxied();
    const { code, stdout, stderr } = await runProcess([...via.argv, "--ca-file", via.caFile], {
      env: { ...via.env, [variable]: `http://127.0.0.1:${via.port}` },
    });
    assert.deepEqual({ code, stderr }, { code: 0, stderr: "" });
    assert.match(stdout, /^eyJ/);
    assert.deepEqual(via.asked(), [connect]);
    assert.equal(via.test.emulator.requests.length, 1);
  });
}

Deno.test("get-token signs in to the proxy with what HTTPS_PROXY holds, and with nothing else", async () => {
  await using via = await proxied();
  const { code } = await runProcess([...via.argv, "--ca-file", via.caFile], {
    env: { ...via.env, HTTPS_PROXY: `http://ada:proxy-canary@127.0.0.1:${via.port}` },
  });
  assert.equal(code, 0);
  const [headers] = via.headers();
  assert.equal(headers?.["proxy-authorization"], `Basic ${btoa("ada:proxy-canary")}`);
  assert.equal(headers?.["client-request-id"], undefined);
});

Deno.test("get-token names the issuer of a certificate that it was shown through a proxy", async () => {
  await using via = await proxied();
  const { code, stderr } = await runProcess(via.argv, {
    env: { ...via.env, HTTPS_PROXY: `http://ada:proxy-canary@127.0.0.1:${via.port}` },
  });
  assert.match(
    stderr,
    /^error: The certificate of login\.test is not trusted; it was issued by "Contoso Inspection CA"/,
  );
  assert.match(stderr, /--ca-file PATH/);
  assert.doesNotMatch(stderr, /proxy-canary/);
  assert.equal(code, 5);
  assert.ok(via.asked().every((line) => line === connect));
  assert.deepEqual(via.test.emulator.requests, []);
});

const exceptions = ["login.test", ".test", "*", "example.com, login.test"];
for (const exception of exceptions) {
  Deno.test(`get-token goes past the proxy when NO_PROXY is ${exception}`, async () => {
    await using via = await proxied();
    const { code, stderr } = await runProcess([...via.argv, "--timeout", "1s"], {
      env: {
        ...via.env,
        HTTPS_PROXY: `http://127.0.0.1:${via.port}`,
        NO_PROXY: exception,
      },
    });
    // so it does not find login.test
    assert.match(stderr, /^error: The name login\.test can not be resolved$/m);
    assert.equal(code, 5);
    assert.deepEqual(via.asked(), []);
  });
}

const refusing: readonly [name: string, answer: string, says: RegExp][] = [
  ["403", "HTTP/1.1 403 Forbidden\r\ncontent-length: 0\r\n\r\n", /unsuccessful tunnel/],
  ["502", "HTTP/1.1 502 Bad Gateway\r\ncontent-length: 0\r\n\r\n", /unsuccessful tunnel/],
  [
    "407",
    'HTTP/1.1 407 Who are you\r\nproxy-authenticate: Basic realm="x"\r\ncontent-length: 0\r\n\r\n',
    /proxy authentication required/,
  ],
  ["nothing", "", /eof/],
];
for (const [name, answer, says] of refusing) {
  Deno.test(`get-token names the proxy when it answers ${name}`, async () => {
    await using via = await proxied((connection) => send(connection, answer));
    const { code, stdout, stderr } = await runProcess([...via.argv, "--timeout", "1s"], {
      env: { ...via.env, HTTPS_PROXY: `http://ada:proxy-canary@127.0.0.1:${via.port}` },
    });
    const start =
      `error: The proxy did not connect to login.test: 127.0.0.1:${via.port} (HTTPS_PROXY)`;
    assert.ok(stderr.startsWith(start), stderr);
    assert.match(stderr, says);
    assert.match(stderr, /Check HTTPS_PROXY .* and NO_PROXY/);
    assert.doesNotMatch(stderr, /proxy-canary/);
    assert.deepEqual({ code, stdout }, { code: 5, stdout: "" });
  });
}

/** A port of this machine that nobody listens on. */
function deadPort(): number {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  return listener.addr.port;
}

for (const proxy of [`127.0.0.1:${deadPort()}`, "proxy.invalid:8080"]) {
  Deno.test(`get-token names the proxy when it can not be reached: ${proxy.split(":")[0]}`, async () => {
    await using test = await emulated();
    const { code, stderr } = await runProcess(
      ["get-token", "--authority", "https://login.test", "--timeout", "1s"],
      { env: { ...test.env, HTTPS_PROXY: `http://${proxy}` } },
    );
    assert.ok(
      stderr.startsWith(
        `error: The proxy did not connect to login.test: ${proxy} (HTTPS_PROXY) says: `,
      ),
      stderr,
    );
    assert.equal(code, 5);
  });
}

for (const noProxy of [{}, { NO_PROXY: "example.com" }, { no_proxy: "example.com" }]) {
  const [exception = "no NO_PROXY"] = Object.keys(noProxy);
  Deno.test(`get-token never reaches this machine through a proxy, with ${exception}`, async () => {
    await using server = startRawServer((connection) => send(connection, tokenAnswer("stolen")));
    await using test = await emulated({ tls: true });
    await using plain = await emulated();
    const proxy = `http://127.0.0.1:${server.port}`;
    const proxies = { HTTP_PROXY: proxy, HTTPS_PROXY: proxy, ALL_PROXY: proxy, ...noProxy };
    const caFile = await fileWith(test, "ca.pem", test.emulator.caCertificate!);
    for (const { env, emulator } of [test, plain]) {
      for (const name of ["localhost", "127.0.0.1"]) {
        const authority = emulator.origin.replace("localhost", name);
        const { code, stderr } = await runProcess(
          ["get-token", "--ca-file", caFile, "--authority", authority],
          { env: { ...env, ...proxies } },
        );
        assert.deepEqual({ code, stderr }, { code: 0, stderr: "" });
      }
    }
    assert.equal(server.connections, 0);
  });
}

const otherLoopback = ["127.0.0.2", "127.8.8.8", "[::1]"];
for (const name of otherLoopback) {
  Deno.test(`get-token never reaches ${name} through a proxy`, async () => {
    await using server = startRawServer((connection) => send(connection, tokenAnswer("stolen")));
    await using test = await emulated();
    const proxy = `http://127.0.0.1:${server.port}`;
    const authority = `http://${name}:${deadPort()}`;
    const { code, stdout } = await runProcess(
      ["get-token", "--authority", authority, "--timeout", "1s"],
      { env: { ...test.env, HTTP_PROXY: proxy, HTTPS_PROXY: proxy, ALL_PROXY: proxy } },
    );
    assert.deepEqual({ code, stdout }, { code: 5, stdout: "" });
    assert.deepEqual({ requests: server.requests, connections: server.connections }, {
      requests: [],
      connections: 0,
    });
  });
}

Deno.test("get-token takes a name that only looks like loopback to the proxy", async () => {
  await using via = await proxied((connection) => send(connection, "HTTP/1.1 403 No\r\n\r\n"));
  const { code } = await runProcess(
    ["get-token", "--authority", "https://127.evil.test", "--timeout", "1s"],
    { env: { ...via.env, HTTPS_PROXY: `http://127.0.0.1:${via.port}` } },
  );
  assert.equal(code, 5);
  assert.equal(via.asked()[0], "CONNECT 127.evil.test:443 HTTP/1.1");
});

// Networks that end before the server.

Deno.test("get-token tells a name that can not be resolved", async () => {
  await using test = await emulated();
  const { code, stdout, stderr } = await runProcess(
    ["get-token", "--authority", "https://nosuch.invalid", "--timeout", "20s"],
    { env: test.env },
  );
  assert.match(stderr, /^error: The name nosuch\.invalid can not be resolved$/m);
  assert.match(stderr, /Check the network, the cloud and the authority for typing errors/);
  assert.deepEqual({ code, stdout }, { code: 5, stdout: "" });
});

Deno.test("get-token tells a port that nobody listens on, after three retries", async () => {
  await using test = await emulated();
  const port = deadPort();
  const { code, stdout, stderr, host } = await runCli(["get-token"], {
    env: { ...test.env, AZURE_AUTHORITY_HOST: `http://127.0.0.1:${port}` },
  });
  assert.ok(stderr.startsWith(`error: 127.0.0.1:${port} refused the connection\n`), stderr);
  assert.match(stderr, /Check that the server runs/);
  assert.deepEqual({ code, stdout, waits: host.sleeps }, {
    code: 5,
    stdout: "",
    waits: [375, 750, 1500],
  });
});

Deno.test("get-token tells a port that the Fetch standard forbids", async () => {
  await using test = await emulated();
  const { code, stderr } = await runCli(["get-token", "--authority", "http://127.0.0.1:25"], {
    env: test.env,
  });
  assert.match(stderr, /^error: 127\.0\.0\.1:25 can not be reached: .*port 25/);
  assert.equal(code, 5);
});

Deno.test("get-token sends no secret over http to another machine", async () => {
  await using test = await emulated();
  for (const authority of ["http://login.microsoftonline.com", "http://127.evil.example"]) {
    const { code, stdout, stderr } = await runCli(["get-token", "--authority", authority], {
      env: test.env,
    });
    assert.match(stderr, /secrets would cross the network in the clear/);
    assert.deepEqual({ code, stdout }, { code: 4, stdout: "" });
  }
});
