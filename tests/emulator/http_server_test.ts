import assert from "node:assert/strict";
import { startEmulator } from "../../src/emulator/emulator.ts";
import { EntraToolError } from "../../src/errors.ts";
import { rawExchange, rawTokenRequest, requestToken, withEmulator } from "./emulated.ts";

Deno.test("emulator answers on both loopback addresses", async () => {
  await withEmulator({}, async (emulator) => {
    const { port } = new URL(emulator.origin);
    for (const [address, host] of [["127.0.0.1", "127.0.0.1"], ["::1", "[::1]"]] as const) {
      const { text } = await rawExchange(
        emulator,
        rawTokenRequest(emulator, `${host}:${port}`),
        address,
      );
      assert.match(text, /^HTTP\/1\.1 200 /);
    }
  });
});

const outside = Deno.networkInterfaces().find(({ family, address }) =>
  family === "IPv4" && !address.startsWith("127.")
)?.address;

Deno.test({
  name: "emulator is not reachable on other addresses of this machine",
  ignore: outside === undefined,
  async fn() {
    await withEmulator({}, async (emulator) => {
      const connect = async (hostname: string) => {
        // In a process of its own: tests may reach loopback only.
        const port = Number(new URL(emulator.origin).port);
        const { stdout } = await new Deno.Command(Deno.execPath(), {
          args: [
            "eval",
            `await Deno.connect(${JSON.stringify({ hostname, port })})
              .then(() => console.log("reached"), ({ name }) => console.log(name)); Deno.exit()`,
          ],
        }).output();
        return new TextDecoder().decode(stdout).trim();
      };
      assert.equal(await connect("127.0.0.1"), "reached");
      assert.equal(await connect(outside!), "ConnectionRefused");
    });
  },
});

Deno.test("emulator refuses a Host that is not its own: DNS rebinding", async () => {
  await withEmulator({}, async (emulator) => {
    const { port } = new URL(emulator.origin);
    for (
      const host of [
        "evil.example",
        `evil.example:${port}`,
        `localhost.evil.example:${port}`,
        "localhost",
        "localhost:1",
        `login.microsoftonline.com:${port}`,
        `127.0.0.1.nip.io:${port}`,
        `0.0.0.0:${port}`,
        "",
      ]
    ) {
      const { text } = await rawExchange(emulator, rawTokenRequest(emulator, host));
      assert.match(text, /^HTTP\/1\.1 4(21|00) /, host);
      assert.doesNotMatch(text, /access_token/);
    }
    assert.deepEqual(
      new Set(emulator.requests.map(({ outcome }) => outcome)),
      new Set(["refused"]),
    );
  });
});

Deno.test("emulator takes its names in upper case", async () => {
  await withEmulator({}, async (emulator) => {
    const { port } = new URL(emulator.origin);
    const { text } = await rawExchange(emulator, rawTokenRequest(emulator, `LocalHost:${port}`));
    assert.match(text, /^HTTP\/1\.1 200 /);
  });
});

Deno.test("emulator refuses an absolute or empty request target", async () => {
  await withEmulator({}, async (emulator) => {
    const { host } = new URL(emulator.origin);
    for (const target of [`http://evil.example/common/discovery/instance`, "*"]) {
      const { text } = await rawExchange(
        emulator,
        `OPTIONS ${target} HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`,
      );
      assert.match(text, /^HTTP\/1\.1 400 [^]*The request target must be a path/, target);
    }
  });
});

Deno.test("emulator refuses methods that no browser may send", async () => {
  await withEmulator({}, async (emulator) => {
    const { host } = new URL(emulator.origin);
    const { text } = await rawExchange(
      emulator,
      `TRACE /common/discovery/instance HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`,
    );
    assert.match(text, /^HTTP\/1\.1 400 /);
  });
});

Deno.test("emulator refuses an oversized body", async () => {
  await withEmulator({}, async (emulator) => {
    const answer = await fetch(`${emulator.authority}/oauth2/v2.0/token`, {
      method: "POST",
      headers: { "Content-Type": "application/x-www-form-urlencoded" },
      body: `grant_type=client_credentials&scope=${"x".repeat(300_000)}`,
    });
    assert.equal(answer.status, 413);
    assert.match(await answer.text(), /may have 262144 bytes/);
    // And it goes on working.
    assert.equal((await requestToken(emulator, {})).status, 400);
  });
});

Deno.test("emulator survives a request that is broken off", async () => {
  await withEmulator({}, async (emulator) => {
    const port = Number(new URL(emulator.origin).port);
    const connection = await Deno.connect({ hostname: "127.0.0.1", port });
    const whole = rawTokenRequest(emulator);
    await connection.write(new TextEncoder().encode(whole.slice(0, -10)));
    connection.close();
    assert.equal((await requestToken(emulator, {})).status, 400);
  });
});

Deno.test("startEmulator() says which port is taken", async () => {
  await withEmulator({}, async (emulator) => {
    const port = Number(new URL(emulator.origin).port);
    await assert.rejects(startEmulator({ port }), (error) => {
      assert.ok(error instanceof EntraToolError);
      assert.equal(error.failure, "usage");
      assert.equal(error.message, `Port ${port} is already in use on this machine`);
      return true;
    });
  });
});

Deno.test("startEmulator() says that a port is taken on ::1 alone", async () => {
  const listener = Deno.listen({ hostname: "::1", port: 0 });
  const { port } = listener.addr as Deno.NetAddr;
  try {
    await assert.rejects(startEmulator({ port }), { code: "emulator_port_unavailable" });
  } finally {
    listener.close();
  }
});

Deno.test("startEmulator() takes the port that it is given, again after close()", async () => {
  let port = 0;
  for (let i = 0; i < 3; i++) {
    await withEmulator({ port }, (emulator) => {
      const taken = Number(new URL(emulator.origin).port);
      if (port !== 0) assert.equal(taken, port);
      port = taken;
      return Promise.resolve();
    });
  }
});

Deno.test("close() ends a connection that is idle and one that is being answered", async () => {
  const emulator = await startEmulator();
  const port = Number(new URL(emulator.origin).port);
  const idle = await Deno.connect({ hostname: "127.0.0.1", port });
  await requestToken(emulator, {});
  await emulator.close();
  await assert.rejects(Deno.connect({ hostname: "127.0.0.1", port }));
  const end = await idle.read(new Uint8Array(1)).catch(() => null);
  assert.equal(end, null);
  idle.close();
});

Deno.test("a bug in the emulator is answered with 500 and shown in the log", async () => {
  const lines: string[] = [];
  const clock = { broken: false };
  const now = () => {
    if (clock.broken) throw new Error("no clock");
    return Date.now();
  };
  await withEmulator({ now, log: (line) => lines.push(line) }, async (emulator) => {
    clock.broken = true;
    const answer = await fetch(`${emulator.authority}/discovery/v2.0/keys`);
    assert.equal(answer.status, 500);
    await answer.text();
    assert.deepEqual(lines, ["Internal error: Error: no clock"]);
  });
});
