/** `@azure/msal-node`, unchanged, signs people in at the emulator over TLS. */

import assert from "node:assert/strict";
import { decodeJwt } from "jose";
import type { EmulatorOptions } from "../../src/emulator/emulator.ts";
import { contoso } from "./emulated.ts";
import { openssl, opensslIsMissing, withClients } from "./microsoft_clients.ts";
import { ada, approving, changed, desktop, webShop } from "./signing_in.ts";

const msal = new URL("../interop/msal_user_client.ts", import.meta.url);
const strict = { refreshTokens: { rotation: "strict" } };

interface Result {
  readonly accessToken: string;
  readonly idToken: string;
  readonly scopes: readonly string[];
  readonly fromCache: boolean;
  readonly account: {
    readonly homeAccountId: string;
    readonly username: string;
    readonly localAccountId: string;
    readonly tenantId: string;
  };
}

interface Printed {
  readonly first?: Result;
  readonly refreshed?: readonly Result[];
  readonly cached?: Result;
  readonly other?: Result;
  readonly endPage?: { readonly status: number; readonly text: string };
  readonly device?: Record<string, unknown>;
  readonly error?: Record<string, unknown>;
}

async function signIn(
  options: EmulatorOptions,
  settings: Record<string, unknown>,
  then: (printed: Printed, outcomes: readonly string[]) => void,
): Promise<void> {
  await withClients(options, async (emulator, run) => {
    const printed: Printed = await run(msal, { authority: emulator.authority, ...settings });
    const outcomes = emulator.requests.filter(({ path }) => !path.includes("well-known"))
      .map(({ path, grantType, outcome }) => `${grantType ?? path.split("/").at(-1)} ${outcome}`);
    then(printed, outcomes);
  });
}

/** What is true of every sign-in of Ada's with two refreshes. */
function requireAda({ first, refreshed, cached, error }: Printed, clientId: string): void {
  assert.equal(error, undefined, JSON.stringify(error));
  assert.equal(first?.account.homeAccountId, `${ada.id}.${contoso.tenantId}`);
  assert.equal(first.account.username, ada.name);
  assert.equal(first.account.tenantId, contoso.tenantId);
  assert.equal(decodeJwt(first.accessToken).oid, ada.id);
  assert.equal(decodeJwt(first.accessToken).appid, clientId);
  assert.equal(decodeJwt(first.idToken).aud, clientId);
  assert.equal(refreshed?.length, 2);
  for (const { accessToken, fromCache, account } of refreshed) {
    assert.equal(fromCache, false);
    assert.notEqual(accessToken, first.accessToken);
    assert.deepEqual(account.homeAccountId, first.account.homeAccountId);
  }
  assert.equal(cached?.fromCache, true);
  assert.equal(cached.accessToken, refreshed[1]?.accessToken);
}

Deno.test("msal-node signs in interactively by form_post, and refreshes under strict rotation", async () => {
  const settings = {
    flow: "interactive",
    clientId: desktop.clientId,
    scopes: ["User.Read"],
    refreshes: 2,
  };
  await signIn(approving(strict), settings, (printed, outcomes) => {
    requireAda(printed, desktop.clientId);
    assert.equal(printed.endPage?.status, 200, JSON.stringify(printed.endPage));
    assert.deepEqual(outcomes, [
      "authorize ok",
      "authorization_code ok",
      "refresh_token ok",
      "refresh_token ok",
    ]);
  });
});

Deno.test("msal-node redeems a code with PKCE as a public client", async () => {
  const settings = {
    flow: "code",
    clientId: desktop.clientId,
    redirectUri: "http://localhost:45679",
    scopes: ["https://graph.microsoft.com/.default"],
    otherScopes: ["api://orders/.default"],
    refreshes: 2,
  };
  await signIn(approving(strict), settings, (printed) => {
    requireAda(printed, desktop.clientId);
    assert.equal(decodeJwt(printed.other!.accessToken).aud, contoso.ordersAppId);
    assert.equal(decodeJwt(printed.other!.accessToken).azpacr, "0");
  });
});

Deno.test("msal-node signs in by device code", async () => {
  const settings = {
    flow: "device",
    clientId: desktop.clientId,
    scopes: ["User.Read"],
    refreshes: 2,
  };
  const options = {
    ...approving({ ...strict, deviceCode: { interval: 1 } }),
    signIn: { autoApprove: ada.name, pendingPolls: 1 },
  };
  await signIn(options, settings, (printed, outcomes) => {
    requireAda(printed, desktop.clientId);
    assert.match(String(printed.device?.message), /enter the code [A-Z0-9]{9} to authenticate/);
    assert.deepEqual(outcomes, [
      "devicecode ok",
      "device_code AADSTS70016",
      "device_code ok",
      "refresh_token ok",
      "refresh_token ok",
    ]);
  });
});

Deno.test("msal-node reads a person's no, in the browser and at the device", async () => {
  const options = { signIn: { autoDeny: ada.name } };
  const asked = { clientId: desktop.clientId, scopes: ["User.Read"] };
  await signIn(options, { ...asked, flow: "interactive" }, ({ error }) => {
    assert.equal(error?.errorCode, "access_denied", JSON.stringify(error));
    assert.match(String(error.errorMessage), /AADSTS65004/);
  });
  await signIn(options, { ...asked, flow: "device" }, ({ error }) => {
    assert.equal(error?.errorMessage, "authorization_declined", JSON.stringify(error));
  });
});

Deno.test("msal-node reads a challenge on refresh as interaction required, with suberror and claims", async () => {
  const conditionalAccess = [{ require: "mfa", at: ["refresh_token"] }];
  const settings = {
    flow: "code",
    clientId: desktop.clientId,
    scopes: ["User.Read"],
    refreshes: 1,
  };
  await signIn(approving({ conditionalAccess }), settings, ({ first, error }) => {
    assert.ok(first?.accessToken);
    assert.equal(error?.name, "InteractionRequiredAuthError");
    assert.equal(error.subError, "basic_action");
    assert.match(String(error.claims), /capolids/);
  });
});

const asWebShop = {
  flow: "code",
  clientId: webShop.clientId,
  redirectUri: webShop.redirectUri,
  scopes: ["User.Read"],
  refreshes: 2,
};

Deno.test("msal-node redeems a code as a web app with its secret", async () => {
  const settings = { ...asWebShop, clientSecret: webShop.secret };
  await signIn(approving(strict), settings, (printed) => {
    requireAda(printed, webShop.clientId);
    assert.equal(decodeJwt(printed.first!.accessToken).appidacr, "1");
  });
});

Deno.test({
  name: "msal-node redeems a code as a web app with its certificate",
  ignore: opensslIsMissing,
  async fn() {
    const folder = await Deno.makeTempDir();
    try {
      const [keyFile, certificateFile] = [`${folder}/key.pem`, `${folder}/certificate.pem`];
      await openssl(
        ...["req", "-x509", "-newkey", "rsa:2048", "-noenc", "-subj", "/CN=shop", "-days", "2"],
        ...["-keyout", keyFile, "-out", certificateFile],
      );
      const { stdout } = await openssl(
        ...["x509", "-in", certificateFile, "-noout", "-fingerprint", "-sha256"],
      );
      const [, thumbprint = ""] = new TextDecoder().decode(stdout).trim().split("=");
      const app = { secrets: [], certificates: [await Deno.readTextFile(certificateFile)] };
      const settings = {
        ...asWebShop,
        certificate: {
          thumbprintSha256: thumbprint.replaceAll(":", ""),
          privateKey: await Deno.readTextFile(keyFile),
        },
      };
      await signIn(approving({ ...strict, ...changed("apps", 3, app) }), settings, (printed) => {
        requireAda(printed, webShop.clientId);
        assert.equal(decodeJwt(printed.first!.accessToken).appidacr, "2");
      });
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  },
});
