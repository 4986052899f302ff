import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { decodeJwt } from "jose";
import {
  type Emulator,
  type EmulatorOptions,
  exampleDirectory,
} from "../../src/emulator/emulator.ts";
import { contoso, exampleWith, exampleWithApps, requestToken, withEmulator } from "./emulated.ts";
import { type Page, PlainBrowser } from "./plain_browser.ts";
import {
  ada,
  alan,
  answerOf,
  authorizeUrl,
  changed,
  desktop,
  grace,
  type Parameters,
  redemption,
} from "./signing_in.ts";

const asDesktop: Parameters = { client_id: desktop.clientId };
const fabrikamId = "c0ffee00-0000-4000-8000-000000000002";
const eve = { id: "c0ffee00-0000-4000-8000-0000000000e1", name: "eve@fabrikam.com" };

/** The example with a second tenant, an app for both, and Eve, who may be a guest. */
function twoTenants(guestOf: readonly string[] = []) {
  const { tenants, users, apps } = JSON.parse(exampleDirectory());
  return exampleWith({
    tenants: [...tenants, { id: fabrikamId, name: "Fabrikam", domains: ["fabrikam.com"] }],
    users: [...users, { id: eve.id, tenant: fabrikamId, userPrincipalName: eve.name, guestOf }],
    apps: [{ ...apps[1], multiTenant: true }, ...apps.slice(2)],
  });
}

/** Who the code of an answer is for. */
async function userOf(emulator: Emulator, page: Page, tenant = emulator.tenantId) {
  const { code = "" } = answerOf(page);
  const { body } = await requestToken(emulator, redemption(code), { tenant });
  assert.ok(body.access_token, JSON.stringify(body));
  return decodeJwt(String(body.access_token));
}

Deno.test("a person chooses a user and is back at the app, without JavaScript", async () => {
  await withEmulator({}, async (emulator) => {
    const browser = new PlainBrowser();
    const page = await browser.open(authorizeUrl(emulator));
    assert.equal(page.status, 200);
    assert.equal(page.title, "Sign in");
    assert.match(page.text, /continues to Command line/);
    for (const { name } of [ada, grace, alan]) assert.ok(page.text.includes(name), name);
    const back = await browser.submit(page, { user: grace.name });
    assert.equal(back.status, 302);
    const { code, state, session_state, ...more } = answerOf(back);
    assert.match(code ?? "", /^1\.[\w-]{100,}$/);
    assert.equal(state, "st ate&=#ü");
    assert.match(session_state ?? "", /^[0-9a-f-]{36}$/);
    assert.deepEqual(more, {});
    assert.equal((await userOf(emulator, back)).oid, grace.id);
  });
});

Deno.test("a person writes the user's name, in any case; an unknown one is said to be", async () => {
  await withEmulator({}, async (emulator) => {
    const browser = new PlainBrowser();
    const page = await browser.open(authorizeUrl(emulator));
    const again = await browser.submit(page, { user: "<b>@x" });
    assert.match(again.html, /role="alert">We couldn/);
    const back = await browser.submit(again, { user: ` ${ada.name.toUpperCase()} ` });
    assert.equal((await userOf(emulator, back)).oid, ada.id);
  });
});

Deno.test("a user with a password gives it, and may go back to choose another", async () => {
  await withEmulator({}, async (emulator) => {
    const browser = new PlainBrowser();
    const page = await browser.open(authorizeUrl(emulator));
    const password = await browser.submit(page, { user: alan.name });
    assert.equal(password.title, "Enter password");
    for (const wrong of ["", "guess", `${alan.password} `]) {
      const again = await browser.submit(password, { password: wrong });
      assert.equal(again.title, "Enter password", wrong);
      assert.match(again.text, /account or password is incorrect/);
    }
    const other = await browser.submit(password, { answer: "other" });
    assert.equal(other.title, "Sign in");
    const once = await browser.submit(other, { user: alan.name });
    const back = await browser.submit(once, { password: alan.password });
    assert.equal((await userOf(emulator, back)).oid, alan.id);
  });
});

Deno.test("no form gets around the password", async () => {
  await withEmulator({}, async (emulator) => {
    const browser = new PlainBrowser();
    const page = await browser.open(authorizeUrl(emulator));
    const password = await browser.submit(page, { user: alan.name });
    const { action, hidden } = password.forms[0]!;
    for (const answer of ["accept", "confirm", "approve", "nonsense"]) {
      const still = await browser.post(new URL(action, page.url), { ...hidden, answer });
      assert.equal(still.title, "Enter password", answer);
      assert.equal(still.location, undefined);
    }
  });
});

Deno.test("a person consents to what is listed, once for each app", async () => {
  await withEmulator({}, async (emulator) => {
    const browser = new PlainBrowser();
    const url = authorizeUrl(emulator, { ...asDesktop, scope: "openid offline_access User.Read" });
    const consent = await browser.submit(await browser.open(url), { user: ada.name });
    assert.equal(consent.title, "Permissions requested");
    assert.match(consent.text, /Desktop app asks ada@contoso.onmicrosoft.com to let it:/);
    assert.match(consent.text, /User\.Read of Microsoft Graph/);
    assert.match(consent.text, /Maintain access to data/);
    assert.doesNotMatch(consent.text, /Mail\.Read|profile/);
    assert.ok(answerOf(await browser.submit(consent, { answer: "accept" })).code);
    // The second time neither page comes.
    assert.ok(answerOf(await browser.open(url)).code);
    // Another permission, another consent.
    const more = await browser.open(authorizeUrl(emulator, { ...asDesktop, scope: "Mail.Read" }));
    assert.equal(more.title, "Permissions requested");
    assert.doesNotMatch(more.text, /User\.Read/);
  });
});

Deno.test("consent to .default is consent to everything that the app is registered for", async () => {
  await withEmulator({}, async (emulator) => {
    const browser = new PlainBrowser();
    const url = (resource: string) =>
      authorizeUrl(emulator, { ...asDesktop, scope: `${resource}/.default` });
    const page = await browser.open(url("api://orders"));
    const consent = await browser.submit(page, { user: ada.name });
    for (const name of ["User.Read", "Mail.Read", "Orders.Read", "user_impersonation"]) {
      assert.ok(consent.text.includes(name), name);
    }
    await browser.submit(consent, { answer: "accept" });
    assert.ok(answerOf(await browser.open(url("https://management.azure.com/"))).code);
  });
});

Deno.test("prompt=consent asks again", async () => {
  await withEmulator({}, async (emulator) => {
    const browser = new PlainBrowser();
    const page = await browser.open(authorizeUrl(emulator, { prompt: "consent" }));
    const consent = await browser.submit(page, { user: ada.name });
    assert.equal(consent.title, "Permissions requested");
    assert.match(consent.text, /User\.Read/);
    assert.ok(answerOf(await browser.submit(consent, { answer: "accept" })).code);
  });
});

for (const where of ["choice of a user", "consent"]) {
  Deno.test(`who cancels at the ${where} is taken back to the app with access_denied`, async () => {
    await withEmulator({}, async (emulator) => {
      const browser = new PlainBrowser();
      let page = await browser.open(authorizeUrl(emulator, asDesktop));
      if (where === "consent") page = await browser.submit(page, { user: ada.name });
      const answer = answerOf(await browser.submit(page, { answer: "cancel" }));
      assert.equal(answer.error, "access_denied");
      assert.equal(answer.error_subcode, "cancel");
      assert.match(answer.error_description ?? "", /^AADSTS65004: User declined to consent/);
      assert.equal(answer.state, "st ate&=#ü");
      // Nothing was consented to.
      const again = await browser.submit(
        await new PlainBrowser().open(authorizeUrl(emulator, asDesktop)),
        { answer: "cancel" },
      );
      assert.match(again.text, /AADSTS165000/);
    });
  });
}

Deno.test("response modes carry the same answer by query, fragment and form", async () => {
  await withEmulator({}, async (emulator) => {
    const ask = async (response_mode: string | undefined) => {
      const browser = new PlainBrowser();
      const page = await browser.open(authorizeUrl(emulator, { response_mode, client_info: "1" }));
      return browser.submit(page, { user: ada.name });
    };
    for (const mode of [undefined, "query", "fragment"]) {
      const page = await ask(mode);
      const { href } = page.location!;
      assert.ok(href.startsWith(`${desktop.redirectUri}/${mode === "fragment" ? "#" : "?"}code=`));
    }
    const page = await ask("form_post");
    assert.equal(page.status, 200);
    const [form] = page.forms;
    assert.equal(form?.method, "post");
    assert.equal(form.action, `${desktop.redirectUri}/`);
    const { code, client_info, state, session_state } = form.hidden;
    assert.ok(code && session_state);
    assert.equal(state, "st ate&=#ü");
    assert.deepEqual(
      JSON.parse(new TextDecoder().decode(Uint8Array.fromBase64(client_info!, base64url))),
      { uid: ada.id, utid: contoso.tenantId },
    );
    // For a browser without JavaScript there is a button.
    assert.equal(form.buttons.length, 1);
    const [, script = ""] = /<script>(.*)<\/script>/.exec(page.html) ?? [];
    assert.equal(script, "document.forms[0].submit()");
    const hash = createHash("sha256").update(script).digest("base64");
    assert.ok(page.headers.get("content-security-policy")?.includes(`script-src 'sha256-${hash}'`));
    assert.equal(page.headers.get("referrer-policy"), "strict-origin-when-cross-origin");
  });
});
const base64url = { alphabet: "base64url" } as const;

Deno.test("whoever has signed in is signed in for the next app", async (t) => {
  await withEmulator({}, async (emulator) => {
    const browser = new PlainBrowser();
    const signIn = async (user: string, changes: Parameters = {}) =>
      browser.submit(
        await browser.open(authorizeUrl(emulator, { prompt: "select_account", ...changes })),
        { user },
      );
    const first = answerOf(await signIn(ada.name)).session_state;

    await t.step("without a prompt, and with none", async () => {
      for (const prompt of [undefined, "none"]) {
        const page = await browser.open(authorizeUrl(emulator, { prompt }));
        assert.equal(answerOf(page).session_state, first);
        assert.equal((await userOf(emulator, page)).oid, ada.id);
      }
    });
    await t.step("but with prompt=login signs in again", async () => {
      for (const prompt of ["login", "create", "select_account"]) {
        const page = await browser.open(authorizeUrl(emulator, { prompt }));
        assert.equal(page.title, "Sign in", prompt);
        assert.equal(/signed in/.test(page.text), prompt === "select_account", prompt);
      }
    });
    await t.step("prompt=none says when consent is missing", async () => {
      const page = await browser.open(authorizeUrl(emulator, { ...asDesktop, prompt: "none" }));
      assert.equal(answerOf(page).error, "consent_required");
      assert.match(answerOf(page).error_description ?? "", /^AADSTS65001/);
    });
    await t.step("a hint or a domain that does not fit finds nobody", async () => {
      for (const hint of [{ login_hint: grace.name }, { domain_hint: "fabrikam.com" }]) {
        const page = await browser.open(authorizeUrl(emulator, { ...hint, prompt: "none" }));
        assert.equal(answerOf(page).error, "login_required");
      }
      for (const domain_hint of ["contoso.onmicrosoft.com", "organizations"]) {
        const page = await browser.open(authorizeUrl(emulator, { domain_hint, prompt: "none" }));
        assert.ok(answerOf(page).code);
      }
    });
    await t.step("of two users one must be named", async () => {
      const second = answerOf(await signIn(grace.name)).session_state;
      const none = answerOf(await browser.open(authorizeUrl(emulator, { prompt: "none" })));
      assert.equal(none.error, "interaction_required");
      assert.match(none.error_description ?? "", /^AADSTS16000/);
      assert.equal((await browser.open(authorizeUrl(emulator))).title, "Sign in");
      for (
        const [hint, session] of [
          [{ login_hint: ada.name.toUpperCase() }, first],
          [{ login_hint: grace.name }, second],
          [{ sid: first }, first],
        ] as const
      ) {
        const page = await browser.open(authorizeUrl(emulator, { ...hint, prompt: "none" }));
        assert.equal(answerOf(page).session_state, session);
      }
    });
    await t.step("and nobody in another browser", async () => {
      const page = await new PlainBrowser().open(authorizeUrl(emulator, { prompt: "none" }));
      assert.equal(answerOf(page).error, "login_required");
    });
  });
});

Deno.test("a session ends after a day", async () => {
  let time = Date.now();
  await withEmulator({ now: () => time }, async (emulator) => {
    const browser = new PlainBrowser();
    await browser.submit(await browser.open(authorizeUrl(emulator)), { user: ada.name });
    const silently = async () =>
      answerOf(await browser.open(authorizeUrl(emulator, { prompt: "none" }))).error;
    time += 23 * 3600_000;
    assert.equal(await silently(), undefined);
    time += 3600_000;
    assert.equal(await silently(), "login_required");
  });
});

Deno.test("login_hint goes to the password at once, or puts its user first", async () => {
  await withEmulator({}, async (emulator) => {
    const open = (login_hint: string) =>
      new PlainBrowser().open(authorizeUrl(emulator, { login_hint }));
    assert.equal((await open(alan.name)).title, "Enter password");
    assert.equal((await open(grace.name)).forms[0]?.buttons[0]?.value, grace.name);
    assert.equal((await open("nobody@contoso.com")).forms[0]?.buttons[0]?.value, ada.name);
  });
});

Deno.test("the login_hint claim of an id_token is a hint, too", async () => {
  await withEmulator({}, async (emulator) => {
    const browser = new PlainBrowser();
    const page = await browser.submit(await browser.open(authorizeUrl(emulator)), {
      user: alan.name,
    });
    const back = await browser.submit(page, { password: alan.password });
    const { body } = await requestToken(emulator, redemption(answerOf(back).code ?? ""));
    const { login_hint } = decodeJwt(String(body.id_token));
    assert.match(String(login_hint), /^O\./);
    const fresh = await new PlainBrowser().open(
      authorizeUrl(emulator, { login_hint: String(login_hint) }),
    );
    assert.match(fresh.text, /^Enter password .*alan@/);
  });
});

Deno.test("users sign in at their own tenant, at common as themselves, elsewhere only as guests", async (t) => {
  const signIn = async (emulator: Emulator, tenant: string) => {
    const browser = new PlainBrowser();
    const page = await browser.open(authorizeUrl(emulator, {}, tenant));
    return browser.submit(page, { user: eve.name });
  };
  await withEmulator(twoTenants(), async (emulator) => {
    await t.step("at common", async () => {
      for (const tenant of ["common", "organizations", fabrikamId]) {
        const claims = await userOf(emulator, await signIn(emulator, tenant), tenant);
        assert.equal(claims.tid, fabrikamId);
        assert.equal(claims.oid, eve.id);
      }
    });
    await t.step("AADSTS50020 elsewhere", async () => {
      const page = await signIn(emulator, contoso.tenantId);
      assert.match(page.text, /AADSTS50020: User account 'eve@fabrikam.com' from identity/);
      assert.equal(page.location, undefined);
      assert.equal(emulator.requests.at(-1)?.outcome, "AADSTS50020");
    });
    await t.step("a session of another tenant is no session here", async () => {
      const browser = new PlainBrowser();
      await browser.submit(await browser.open(authorizeUrl(emulator, {}, "common")), {
        user: eve.name,
      });
      assert.equal((await browser.open(authorizeUrl(emulator))).title, "Sign in");
    });
  });
  await t.step("as a guest", async () => {
    await withEmulator(twoTenants([contoso.tenantId]), async (emulator) => {
      const claims = await userOf(emulator, await signIn(emulator, contoso.tenantId));
      assert.equal(claims.tid, contoso.tenantId);
      assert.notEqual(claims.oid, eve.id);
      assert.equal(claims.idp, `https://sts.windows.net/${fabrikamId}/`);
      assert.equal(claims.unique_name, eve.name);
      assert.equal(claims.upn, undefined);
    });
  });
});

Deno.test("a disabled user is shown AADSTS50057, and somebody else may sign in then", async () => {
  await withEmulator(exampleWith(changed("users", 0, { enabled: false })), async (emulator) => {
    const browser = new PlainBrowser();
    const page = await browser.open(authorizeUrl(emulator));
    const refused = await browser.submit(page, { user: ada.name });
    assert.match(refused.text, /AADSTS50057: The user account is disabled/);
    assert.ok(answerOf(await browser.submit(page, { user: grace.name })).code);
  });
});

Deno.test("forms are taken from the browser that the sign-in began in, and once", async () => {
  await withEmulator({}, async (emulator) => {
    const browser = new PlainBrowser();
    const page = await browser.open(authorizeUrl(emulator));
    const refused = async (other: PlainBrowser, from: Page, answers: Record<string, string>) => {
      const answer = await other.submit(from, answers);
      assert.match(answer.text, /AADSTS165000/);
      assert.equal(answer.status, 400);
    };
    await refused(new PlainBrowser(), page, { user: ada.name });
    const attacker = new PlainBrowser();
    await attacker.open(authorizeUrl(emulator));
    await refused(attacker, page, { user: ada.name });
    const forged = await browser.post(`${emulator.authority}/login`, { user: ada.name, flow: "x" });
    assert.match(forged.text, /AADSTS165000/);
    assert.ok(answerOf(await browser.submit(page, { user: ada.name })).code);
    await refused(browser, page, { user: ada.name });
  });
});

Deno.test("the session's cookie is out of reach of scripts and of other sites' forms", async () => {
  for (const tls of [false, true]) {
    await withEmulator({ tls }, async (emulator) => {
      const client = tls
        ? Deno.createHttpClient({ caCerts: [emulator.caCertificate!] })
        : undefined;
      const response = await fetch(authorizeUrl(emulator), client === undefined ? {} : { client });
      await response.text();
      client?.close();
      const [, port] = emulator.origin.split("localhost:");
      assert.match(
        response.headers.get("set-cookie") ?? "",
        new RegExp(
          `^entra_emulator_${port}=[\\w-]{32}; Path=/; HttpOnly; SameSite=Lax${
            tls ? "; Secure" : ""
          }$`,
        ),
      );
    });
  }
});

Deno.test("a cookie that the emulator has not made is not taken", async () => {
  await withEmulator({}, async (emulator) => {
    const browser = new PlainBrowser();
    const name = `entra_emulator_${new URL(emulator.origin).port}`;
    browser.cookies.set(name, "chosen-by-somebody");
    await browser.open(authorizeUrl(emulator));
    assert.match(browser.cookies.get(name) ?? "", /^[\w-]{32}$/);
  });
});

const script = `"><script>alert('x')</script>&#x27;`;

Deno.test("whatever a request or the directory says is text on the pages", async () => {
  const app = {
    clientId: "c0ffee00-0000-4000-8000-0000000000f1",
    displayName: script,
    redirectUris: { publicClient: ["http://localhost"] },
    permissions: [{ resource: "https://graph.microsoft.com", userConsent: ["User.Read"] }],
  };
  const { directory } = exampleWith({
    ...changed("users", 0, { displayName: script }),
    apps: [app, { ...app, clientId: contoso.clientId, redirectUris: {} }],
  });
  await withEmulator({ directory: directory! }, async (emulator) => {
    const browser = new PlainBrowser();
    const asApp = { client_id: app.clientId, state: script, response_mode: "form_post" };
    const choice = await browser.open(authorizeUrl(emulator, asApp));
    const consent = await browser.submit(choice, { user: ada.name });
    const back = await browser.submit(consent, { answer: "accept" });
    const wrong = await browser.open(
      authorizeUrl(emulator, { ...asApp, redirect_uri: `x:${script}` }),
    );
    for (const page of [choice, consent, wrong]) {
      assert.doesNotMatch(page.html, /<script/);
      assert.ok(page.text.includes(script), page.text);
    }
    assert.equal(back.forms[0]?.hidden.state, script);
    assert.equal(back.html.match(/<script/g)?.length, 1);
  });
});

Deno.test("pages take nothing from elsewhere and can not be framed", async () => {
  await withEmulator({}, async (emulator) => {
    const page = await new PlainBrowser().open(authorizeUrl(emulator));
    const policy = page.headers.get("content-security-policy") ?? "";
    assert.match(
      policy,
      /^default-src 'none'; style-src 'sha256-[^']+'; script-src 'sha256-[^']+'/,
    );
    assert.match(policy, /base-uri 'none'; frame-ancestors 'none'$/);
    assert.equal(page.headers.get("x-frame-options"), "DENY");
    assert.equal(page.headers.get("x-content-type-options"), "nosniff");
    assert.equal(page.headers.get("cache-control"), "no-store, no-cache");
    assert.doesNotMatch(page.html, /https?:\/\/|<script|\son\w+=/);
    const [, style = ""] = /<style>([^]*?)<\/style>/.exec(page.html) ?? [];
    const hash = createHash("sha256").update(style).digest("base64");
    assert.ok(policy.includes(hash));
    assert.match(page.html, /^<!DOCTYPE html>\n<html lang="en">/);
    assert.match(page.html, /<label for="user">/);
  });
});

Deno.test("signIn answers at once: autoApprove with a code, autoDeny with access_denied", async () => {
  const open = async (options: EmulatorOptions) => {
    let answer: Readonly<Record<string, string>> = {};
    await withEmulator(options, async (emulator) => {
      const page = await new PlainBrowser().open(
        authorizeUrl(emulator, { ...asDesktop, prompt: "login" }),
      );
      answer = answerOf(page);
    });
    return answer;
  };
  for (
    const options of [
      { signIn: { autoApprove: grace.name } },
      exampleWith({ signIn: { autoApprove: grace.name } }),
    ]
  ) {
    assert.ok((await open(options)).code);
  }
  for (
    const options of [
      { signIn: { autoDeny: grace.name } },
      exampleWith({ signIn: { autoDeny: grace.name } }),
    ]
  ) {
    const { error, error_description } = await open(options);
    assert.equal(error, "access_denied");
    assert.match(error_description ?? "", /^AADSTS65004/);
  }
});

Deno.test("an app that nobody is asked for can not be approved without its redirect URI", async () => {
  const app = { clientId: "c0ffee00-0000-4000-8000-0000000000f1" };
  await withEmulator(
    { ...exampleWithApps(app), signIn: { autoApprove: ada.name } },
    async (emulator) => {
      const page = await new PlainBrowser().open(
        authorizeUrl(emulator, { client_id: app.clientId }),
      );
      assert.match(page.text, /AADSTS500113/);
    },
  );
});
