import assert from "node:assert/strict";
import type { Emulator } from "../../src/emulator/emulator.ts";
import { withEmulator } from "./emulated.ts";
import { PlainBrowser } from "./plain_browser.ts";
import {
  ada,
  answerOf,
  approving,
  authorizeUrl,
  grace,
  shopFront,
  tokensFor,
  webShop,
} from "./signing_in.ts";

function logoutUrl({ authority }: Emulator, parameters: Record<string, string> = {}): URL {
  return new URL(`${authority}/oauth2/v2.0/logout?${new URLSearchParams(parameters)}`);
}

async function signedIn(emulator: Emulator, ...users: { readonly name: string }[]) {
  const browser = new PlainBrowser();
  for (const { name } of users) {
    const page = await browser.open(authorizeUrl(emulator, { prompt: "select_account" }));
    await browser.submit(page, { user: name });
  }
  return browser;
}

async function silently(browser: PlainBrowser, emulator: Emulator, user = ada) {
  const url = authorizeUrl(emulator, { prompt: "none", login_hint: user.name });
  return answerOf(await browser.open(url)).error;
}

Deno.test("logout ends the session, by GET and by POST", async () => {
  await withEmulator({}, async (emulator) => {
    for (const method of ["GET", "POST"]) {
      const browser = await signedIn(emulator, ada, grace);
      assert.equal(await silently(browser, emulator), undefined);
      const page = await browser.open(logoutUrl(emulator), { method });
      assert.equal(page.title, "You signed out of your account");
      for (const user of [ada, grace]) {
        assert.equal(await silently(browser, emulator, user), "login_required");
      }
    }
  });
});

Deno.test("logout_hint signs out one user", async () => {
  const hint = await (async () => {
    let claim = "";
    await withEmulator(approving(), async (emulator) => {
      const { id_token } = await tokensFor(emulator);
      claim = JSON.parse(atob(String(id_token).split(".")[1]!)).login_hint;
    });
    return claim;
  })();
  await withEmulator({}, async (emulator) => {
    const browser = await signedIn(emulator, ada, grace);
    await browser.open(logoutUrl(emulator, { logout_hint: hint }));
    assert.equal(await silently(browser, emulator, ada), "login_required");
    assert.equal(await silently(browser, emulator, grace), undefined);
  });
});

Deno.test("logout goes back to registered URIs only, with state", async () => {
  await withEmulator({}, async (emulator) => {
    const leadsTo = async (parameters: Record<string, string>) =>
      (await new PlainBrowser().open(logoutUrl(emulator, parameters))).location?.href;
    const post_logout_redirect_uri = webShop.redirectUri;
    const good = { post_logout_redirect_uri, state: "a b" };
    assert.equal(await leadsTo(good), `${webShop.redirectUri}?state=a+b`);
    assert.equal(await leadsTo({ ...good, client_id: webShop.clientId }), await leadsTo(good));
    assert.equal(await leadsTo({ ...good, client_id: shopFront.clientId }), undefined);
    for (
      const uri of ["https://evil.example/", "/login", "javascript:alert(1)", "http://localhost/x"]
    ) {
      assert.equal(await leadsTo({ post_logout_redirect_uri: uri }), undefined, uri);
    }
  });
});

Deno.test("an id_token_hint says whose redirect URIs count", async () => {
  await withEmulator(approving(), async (emulator) => {
    const { id_token } = await tokensFor(emulator);
    const leadsTo = async (uri: string, hint = String(id_token)) =>
      (await new PlainBrowser().open(
        logoutUrl(emulator, { post_logout_redirect_uri: uri, id_token_hint: hint }),
      )).location?.href;
    assert.equal(await leadsTo("http://localhost:7"), "http://localhost:7/");
    assert.equal(await leadsTo(webShop.redirectUri), undefined);
    assert.equal(await leadsTo(webShop.redirectUri, "no token"), webShop.redirectUri);
  });
});

Deno.test("logout of an unknown tenant is a page", async () => {
  await withEmulator({}, async (emulator) => {
    const page = await new PlainBrowser().open(`${emulator.origin}/x.example/oauth2/v2.0/logout`);
    assert.match(page.text, /AADSTS90002/);
  });
});
