import assert from "node:assert/strict";
import { EntraToolError } from "../../../src/errors.ts";
import { startRedirectListener } from "../../../src/flows/redirect_listener.ts";
import {
  assertClosed,
  assertStillWaits,
  code,
  goodForm,
  portOf,
  postResponse,
  readToEnd,
  send,
  state,
  withListener,
} from "../../flows/listening.ts";

const failure = {
  kind: "failure",
  title: "Access denied",
  message: "The app is not assigned to you",
  hint: "Ask an administrator",
} as const;

Deno.test("redirect listener takes a posted response and shows success after finish()", async () => {
  await withListener({}, async (listener) => {
    assert.match(listener.redirectUri, /^http:\/\/localhost:\d+$/);
    const answer = postResponse(listener);
    assert.deepEqual(await listener.response, { kind: "code", code });
    await listener.finish({ kind: "success" });
    const { status, headers, body } = await answer;
    assert.equal(status, 200);
    assert.equal(headers.get("content-type"), "text/html; charset=utf-8");
    assert.match(body, /<title>Signed in – entratool<\/title>[^]*return to the terminal/);
    await assertClosed(portOf(listener));
  });
});

Deno.test("redirect listener takes a response in the query and leads the browser away from it", async () => {
  await withListener({}, async (listener) => {
    const first = await send(listener, { target: `/?${goodForm}` });
    assert.equal(first.status, 303);
    assert.equal(first.headers.get("location"), `${listener.redirectUri}/`);
    assert.deepEqual(await listener.response, { kind: "code", code });
    const second = send(listener, { target: "/" });
    await listener.finish({ kind: "success" });
    assert.match((await second).body, /<h1>Signed in<\/h1>/);
  });
});

Deno.test("redirect listener waits for a browser that is still on its way from the query", async () => {
  await withListener({ limits: { delivery: 60_000 } }, async (listener) => {
    await send(listener, { target: `/?${goodForm}` });
    const finished = listener.finish({ kind: "success" });
    // it goes on listening while other requests come and go
    for (let i = 0; i < 5; i++) assert.equal((await send(listener, { target: "/no" })).status, 404);
    const { body } = await send(listener, { target: "/" });
    assert.match(body, /<h1>Signed in<\/h1>/);
    await finished;
  });
});

Deno.test("redirect listener does not wait for ever for a browser that never comes back", async () => {
  await withListener({ limits: { delivery: 1 } }, async (listener) => {
    await send(listener, { target: `/?${goodForm}` });
    await listener.finish({ kind: "success" });
    await assertClosed(portOf(listener));
  });
});

Deno.test("redirect listener takes an error and shows the failure that it is told", async () => {
  await withListener({}, async (listener) => {
    const answer = postResponse(listener, { error: "access_denied", state });
    assert.deepEqual(await listener.response, { kind: "error", error: "access_denied" });
    await listener.finish(failure);
    const { status, body } = await answer;
    assert.equal(status, 400);
    assert.match(body, /<title>Access denied – entratool<\/title>/);
    assert.match(body, /<h1>Access denied<\/h1>/);
    assert.match(body, /not assigned to you[^]*Ask an administrator[^]*Return to the terminal\./);
  });
});

Deno.test("redirect listener shows nothing before the code is redeemed", async () => {
  await withListener({}, async (listener) => {
    let isAnswered = false;
    const answer = postResponse(listener).finally(() => isAnswered = true);
    await listener.response;
    // as long as another request takes, several times over
    for (let i = 0; i < 5; i++) assert.equal((await send(listener, { target: "/no" })).status, 404);
    assert.equal(isAnswered, false);
    await listener.finish(failure);
    assert.doesNotMatch((await answer).body, /Signed in/);
  });
});

Deno.test("redirect listener sends the person to the terminal when the redemption takes too long", async () => {
  await withListener({ limits: { hold: 1 } }, async (listener) => {
    const { status, body } = await postResponse(listener);
    assert.equal(status, 200);
    assert.match(body, /<h1>Answer received<\/h1>[^]*The terminal shows how the sign-in ends/);
    await listener.finish({ kind: "success" });
  });
});

Deno.test("redirect listener delivers its last page whole, however soon it closes", async () => {
  for (let i = 0; i < 50; i++) {
    await withListener({}, async (listener) => {
      const answer = postResponse(listener);
      await listener.response;
      await listener.finish({ kind: "success" });
      assert.match((await answer).body, /<\/html>\n$/);
    });
  }
});

Deno.test("finish() without a response closes at once, and only its first call counts", async () => {
  await withListener({}, async (listener) => {
    await Promise.all([listener.finish({ kind: "success" }), listener.finish(failure)]);
    await assertClosed(portOf(listener));
    await listener.finish(failure);
  });
});

Deno.test("finish() shows the first outcome that it is given", async () => {
  await withListener({}, async (listener) => {
    const answer = postResponse(listener);
    await listener.response;
    await Promise.all([listener.finish(failure), listener.finish({ kind: "success" })]);
    assert.match((await answer).body, /<h1>Access denied<\/h1>/);
  });
});

Deno.test("finish() does not wait for a client that has gone", async () => {
  await withListener({}, async (listener) => {
    const connection = await Deno.connect({ hostname: "127.0.0.1", port: portOf(listener) });
    await connection.write(new TextEncoder().encode(
      `POST / HTTP/1.1\r\nHost: localhost:${portOf(listener)}\r\n` +
        "Content-Type: application/x-www-form-urlencoded\r\n" +
        `Content-Length: ${goodForm.length}\r\n\r\n${goodForm}`,
    ));
    await listener.response;
    connection.close();
    await listener.finish({ kind: "success" });
    await assertClosed(portOf(listener));
  });
});

Deno.test("redirect listener ends with its signal: nothing listens, the response rejects with the reason", async () => {
  const controller = new AbortController();
  const reason = new EntraToolError("cancelled", "cancelled", "Cancelled");
  await withListener({ controller }, async (listener) => {
    const idle = await Deno.connect({ hostname: "::1", port: portOf(listener) });
    controller.abort(reason);
    await assert.rejects(listener.response, (error) => error === reason);
    assert.equal(await readToEnd(idle), "");
    idle.close();
    await assertClosed(portOf(listener));
  });
});

Deno.test("redirect listener tells a browser that waits that the command has ended", async () => {
  const controller = new AbortController();
  await withListener({ controller }, async (listener) => {
    const answer = postResponse(listener);
    await listener.response;
    controller.abort();
    const { status, body } = await answer;
    assert.equal(status, 400);
    assert.match(body, /<h1>Sign-in stopped<\/h1>/);
    // what has been received stays received
    assert.equal((await listener.response).kind, "code");
  });
});

Deno.test("redirect listener that is disposed rejects its response and listens no more", async () => {
  let response: Promise<unknown> | undefined;
  await withListener({}, (listener) => {
    ({ response } = listener);
    return Promise.resolve();
  });
  await assert.rejects(response!, { failure: "cancelled" });
});

Deno.test("startRedirectListener() does not start when its signal has fired", async () => {
  const reason = new EntraToolError("network", "timeout", "No result in time");
  await assert.rejects(
    startRedirectListener({
      redirectUri: "http://localhost",
      state,
      signal: AbortSignal.abort(reason),
    }),
    (error) => error === reason,
  );
});

Deno.test("redirect listener answers on both loopback addresses", async () => {
  for (const address of ["127.0.0.1", "::1"]) {
    await withListener({}, async (listener) => {
      const answer = send(listener, { address, method: "POST", body: goodForm });
      await listener.response;
      await listener.finish({ kind: "success" });
      assert.equal((await answer).status, 200);
    });
  }
});

Deno.test("redirect listener keeps a registered URI to the letter", async () => {
  const port = freePort();
  for (
    const redirectUri of [
      `http://localhost:${port}/Signin-Oidc`,
      `http://localhost:${port}`,
      `http://localhost:${port}/`,
      `http://127.0.0.1:${port}/a%20b/`,
      `http://[::1]:${port}/callback?tenant=contoso`,
    ]
  ) {
    const address = redirectUri.includes("[::1]") ? "::1" : "127.0.0.1";
    await withListener({ redirectUri }, async (listener) => {
      assert.equal(listener.redirectUri, redirectUri);
      const { pathname, search } = new URL(redirectUri);
      const answer = send(listener, {
        address,
        method: "POST",
        target: pathname + search,
        body: goodForm,
      });
      await listener.response;
      await listener.finish({ kind: "success" });
      assert.equal((await answer).status, 200, redirectUri);
    });
  }
});

Deno.test("redirect listener takes a URL object, too", async () => {
  const redirectUri = new URL(`http://localhost:${freePort()}/callback`);
  await withListener({ redirectUri }, async (listener) => {
    assert.equal(listener.redirectUri, redirectUri.href);
    await assertStillWaits(listener);
  });
});

Deno.test("redirect listener of a literal address listens on no other", async () => {
  for (const [name, other] of [["127.0.0.1", "::1"], ["[::1]", "127.0.0.1"]] as const) {
    const port = freePort();
    await withListener({ redirectUri: `http://${name}:${port}/` }, async () => {
      await assert.rejects(
        Deno.connect({ hostname: other, port }),
        Deno.errors.ConnectionRefused,
      );
    });
  }
});

for (
  const redirectUri of [
    "https://localhost:8400/",
    "http://app.contoso.com/callback",
    "http://localhost.evil.example:8400/",
    "http://0.0.0.0:8400/",
    "http://[::]:8400/",
    "http://user@localhost:8400/",
    "http://localhost:8400/#fragment",
    "msalapp://auth",
    "localhost:8400",
    "",
  ]
) {
  Deno.test(`startRedirectListener() refuses "${redirectUri}": nothing can listen there`, async () => {
    await assert.rejects(
      startRedirectListener({ redirectUri, state, signal: new AbortController().signal }),
      { failure: "usage", code: "redirect_uri_not_loopback" },
    );
  });
}

for (const [what, hostname] of [["IPv4", "127.0.0.1"], ["IPv6", "::1"]] as const) {
  Deno.test(`startRedirectListener() says that its port is taken on ${what} alone`, async () => {
    using occupant = Deno.listen({ hostname, port: 0 });
    const { port } = occupant.addr;
    const signal = new AbortController().signal;
    await assert.rejects(
      startRedirectListener({ redirectUri: "http://localhost", port, state, signal }),
      (error) => {
        assert.ok(error instanceof EntraToolError);
        assert.equal(error.failure, "usage");
        assert.equal(error.code, "redirect_port_taken");
        assert.match(error.message, new RegExp(`^Port ${port}, .* another program`));
        assert.match(error.detail.hint ?? "", /^End that program, or leave out --port/);
        return true;
      },
    );
    const redirectUri = `http://localhost:${port}/callback`;
    await assert.rejects(startRedirectListener({ redirectUri, state, signal }), (error) => {
      assert.ok(error instanceof EntraToolError);
      assert.equal(error.code, "redirect_port_taken");
      assert.match(error.detail.hint ?? "", /^End that program, or .*--redirect-uri URI$/);
      return true;
    });
    // nothing is left on the other address
    const other = hostname === "::1" ? "127.0.0.1" : "::1";
    await assert.rejects(Deno.connect({ hostname: other, port }), Deno.errors.ConnectionRefused);
  });
}

Deno.test("redirect listener tries further ports when a free one is taken on IPv6", async () => {
  using occupant = Deno.listen({ hostname: "::1", port: 0 });
  const { port } = occupant.addr;
  let isFirst = true;
  const asked = await withServe(
    (serve) => (options) => {
      // the first port that is free on IPv4 is to be the occupant's
      const given = isFirst ? { ...options, port } : options;
      isFirst = false;
      return serve(given);
    },
    () =>
      withListener({}, async (listener) => {
        assert.notEqual(portOf(listener), port);
        await assertStillWaits(listener);
      }),
  );
  assert.deepEqual(asked.map(({ hostname }) => hostname), ["127.0.0.1", "::1", "127.0.0.1", "::1"]);
});

Deno.test("redirect listener gives up when no port is free on both addresses", async () => {
  const asked = await withServe(
    (serve) => (options) => {
      if (options.hostname === "::1") throw new Deno.errors.AddrInUse("taken");
      return serve(options);
    },
    () =>
      assert.rejects(
        startRedirectListener({
          redirectUri: "http://localhost",
          state,
          signal: new AbortController().signal,
        }),
        { failure: "usage", code: "redirect_port_unavailable" },
      ),
  );
  assert.equal(asked.length, 40);
});

for (const [missing, left] of [["::1", "127.0.0.1"], ["127.0.0.1", "::1"]] as const) {
  Deno.test(`redirect listener works on a machine that has no ${missing}`, async () => {
    await withServe(
      (serve) => (options) => {
        if (options.hostname === missing) throw new Deno.errors.AddrNotAvailable("no such address");
        return serve(options);
      },
      () =>
        withListener({}, async (listener) => {
          const answer = send(listener, { address: left, method: "POST", body: goodForm });
          await listener.response;
          await listener.finish({ kind: "success" });
          assert.equal((await answer).status, 200);
        }),
    );
  });
}

Deno.test("redirect listener says that a port may not be opened", async () => {
  await withServe(
    () => () => {
      throw new Deno.errors.PermissionDenied("privileged");
    },
    () =>
      assert.rejects(
        startRedirectListener({
          redirectUri: "http://localhost/callback",
          state,
          signal: new AbortController().signal,
        }),
        {
          failure: "usage",
          code: "redirect_port_unavailable",
          message: "Port 80, where the sign-in must end, can not be opened",
        },
      ),
  );
});

/** A port that nobody listens on now; the next to ask for it gets it. */
function freePort(): number {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  return listener.addr.port;
}

type Serve = (
  options: Deno.ServeTcpOptions,
  ...rest: unknown[]
) => Deno.HttpServer<Deno.NetAddr>;

/** Runs with another `Deno.serve`; returns what it was asked for. */
async function withServe(
  replace: (serve: (options: Deno.ServeTcpOptions) => ReturnType<Serve>) => (
    options: Deno.ServeTcpOptions,
  ) => ReturnType<Serve>,
  run: () => Promise<void>,
): Promise<readonly Deno.ServeTcpOptions[]> {
  const original = Deno.serve as Serve;
  const asked: Deno.ServeTcpOptions[] = [];
  const replacement: Serve = (options, ...rest) => {
    asked.push(options);
    return replace((changed) => original(changed, ...rest))(options);
  };
  Object.defineProperty(Deno, "serve", { value: replacement, configurable: true, writable: true });
  try {
    await run();
  } finally {
    Object.defineProperty(Deno, "serve", { value: original, configurable: true, writable: true });
  }
  return asked;
}
