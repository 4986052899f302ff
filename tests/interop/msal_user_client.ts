/**
 * Signs a person in with `@azure/msal-node`, unchanged, at an emulator that answers in the person's place, and prints
 * MSAL's results as JSON.
 *
 * Run by tests as a process of its own, so that only its environment makes it trust the emulator. Reads its settings as
 * JSON from the first argument.
 */

import {
  type AuthenticationResult,
  ConfidentialClientApplication,
  type Configuration,
  CryptoProvider,
  PublicClientApplication,
} from "@azure/msal-node";

interface Settings {
  readonly flow: "interactive" | "code" | "device";
  readonly authority: string;
  readonly clientId: string;
  readonly scopes: readonly string[];
  readonly redirectUri?: string;
  readonly clientSecret?: string;
  readonly certificate?: { readonly thumbprintSha256: string; readonly privateKey: string };
  /** How often tokens are refreshed after the sign-in. */
  readonly refreshes?: number;
  /** Scopes of another resource, which are asked for silently at the end. */
  readonly otherScopes?: readonly string[];
}

const settings: Settings = JSON.parse(Deno.args[0]!);
const { authority, clientId, clientSecret, certificate } = settings;
const scopes = [...settings.scopes];
const configuration: Configuration = {
  auth: {
    clientId,
    authority,
    knownAuthorities: [new URL(authority).host],
    ...(clientSecret === undefined ? {} : { clientSecret }),
    ...(certificate === undefined ? {} : { clientCertificate: certificate }),
  },
};
const client = clientSecret === undefined && certificate === undefined
  ? new PublicClientApplication(configuration)
  : new ConfidentialClientApplication(configuration);
const printed: Record<string, unknown> = {};

/** A browser of the smallest kind: follows redirects, and sends the form that comes back to the app. */
async function browse(url: string): Promise<void> {
  const response = await fetch(url);
  const html = await response.text();
  const action = /<form method="post" action="([^"]+)">/.exec(html)?.[1];
  if (action === undefined) return;
  const inputs = html.matchAll(/<input type="hidden" name="([^"]+)" value="([^"]*)">/g);
  const body = new URLSearchParams(
    [...inputs].map(([, name = "", value = ""]) => [unescaped(name), unescaped(value)]),
  );
  const end = await fetch(unescaped(action), { method: "POST", body });
  printed.endPage = { status: end.status, text: await end.text() };
}

function unescaped(text: string): string {
  return text.replaceAll(/&#(\d+);/g, (_, code) => String.fromCharCode(Number(code)));
}

async function signIn(): Promise<AuthenticationResult | null> {
  if (settings.flow === "interactive" && client instanceof PublicClientApplication) {
    return await client.acquireTokenInteractive({ scopes, openBrowser: browse });
  }
  if (settings.flow === "device" && client instanceof PublicClientApplication) {
    return await client.acquireTokenByDeviceCode({
      scopes,
      deviceCodeCallback: (response) => printed.device = response,
    });
  }
  const redirectUri = settings.redirectUri ?? "http://localhost";
  const { verifier, challenge } = await new CryptoProvider().generatePkceCodes();
  const url = await client.getAuthCodeUrl({
    scopes,
    redirectUri,
    state: "state-1",
    nonce: "nonce-1",
    codeChallenge: challenge,
    codeChallengeMethod: "S256",
  });
  const response = await fetch(url, { redirect: "manual" });
  await response.text();
  const answer = new URL(response.headers.get("location") ?? "").searchParams;
  const code = answer.get("code") ?? "";
  return await client.acquireTokenByCode(
    { code, scopes, redirectUri, codeVerifier: verifier, state: "state-1", nonce: "nonce-1" },
    { code, state: answer.get("state") ?? "" },
  );
}

async function run(): Promise<void> {
  const first = await signIn();
  printed.first = first;
  const account = first?.account ?? undefined;
  if (account === undefined) return;
  const refreshed = [];
  for (let count = 0; count < (settings.refreshes ?? 0); count++) {
    refreshed.push(await client.acquireTokenSilent({ account, scopes, forceRefresh: true }));
  }
  printed.refreshed = refreshed;
  printed.cached = await client.acquireTokenSilent({ account, scopes });
  if (settings.otherScopes !== undefined) {
    printed.other = await client.acquireTokenSilent({
      account,
      scopes: [...settings.otherScopes],
    });
  }
}

await run().catch((error) => {
  const { errorCode, errorMessage, subError, claims } = error;
  printed.error = { name: error.name, errorCode, errorMessage, subError, claims };
});
await Deno.stdout.write(new TextEncoder().encode(JSON.stringify(printed)));
