/** The pages of the emulator in Chromium: that they work there, keep their own policy, and look as they should. */

import assert from "node:assert/strict";
import { browse, type BrowserStep, chromiumIsMissing } from "../interop/program.ts";
import { answered, withEmulator } from "./emulated.ts";
import { alan, authorizeUrl, commandLine, desktop, userScope } from "./signing_in.ts";

/** An app that waits for the answer at its redirect URI and then goes on to another address of its own. */
async function withApp(
  run: (redirectUri: string, answers: readonly URLSearchParams[]) => Promise<void>,
): Promise<void> {
  const answers: URLSearchParams[] = [];
  const home = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen: () => {} },
    () => new Response("<h1>Welcome back</h1>", { headers: { "Content-Type": "text/html" } }),
  );
  const app = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen: () => {} },
    async (request) => {
      const { pathname, searchParams } = new URL(request.url);
      if (pathname !== "/") return new Response(null, { status: 404 });
      assert.match(request.headers.get("origin") ?? "http://localhost", /^http:\/\/localhost/);
      answers.push(
        request.method === "POST" ? new URLSearchParams(await request.text()) : searchParams,
      );
      return Response.redirect(`http://127.0.0.1:${home.addr.port}/`, 303);
    },
  );
  try {
    await run(`http://localhost:${app.addr.port}`, answers);
  } finally {
    await Promise.all([app.shutdown(), home.shutdown()]);
  }
}

const click = (name: string): BrowserStep => ({ click: { role: "button", name } });

for (const colorScheme of ["light", "dark"] as const) {
  Deno.test({
    name: `a person signs in with a password and consents in Chromium, ${colorScheme}`,
    ignore: chromiumIsMissing,
    async fn() {
      const folder = Deno.env.get("SCREENSHOTS") ?? await Deno.makeTempDir();
      const shot = (name: string): BrowserStep => ({
        screenshot: `${folder}/emulator-${name}-${colorScheme}.png`,
      });
      await withApp(async (redirect_uri, answers) => {
        await withEmulator({}, async (emulator) => {
          const url = authorizeUrl(emulator, {
            client_id: desktop.clientId,
            redirect_uri,
            response_mode: "form_post",
          });
          const { title, text, policyViolations, messages } = await browse({
            colorScheme,
            steps: [
              { goto: url.href },
              { waitForText: "Choose who continues" },
              shot("choose"),
              click("Alan Turing alan@contoso.onmicrosoft.com"),
              { fill: { label: "Password" }, value: "guess" },
              click("Sign in"),
              { waitForText: "account or password is incorrect" },
              shot("password"),
              { fill: { label: "Password" }, value: alan.password },
              click("Sign in"),
              { waitForText: "Permissions requested" },
              shot("consent"),
              click("Accept"),
              { waitForText: "Welcome back" },
            ],
          });
          assert.equal(text, "Welcome back", title);
          assert.deepEqual(policyViolations, []);
          assert.deepEqual(messages.filter((message) => message.startsWith("pageerror")), []);
          assert.equal(answers.length, 1);
          assert.ok(answers[0]?.get("code"));
          assert.equal(answers[0]?.get("state"), "st ate&=#ü");
        });
      });
      for await (const { name } of Deno.readDir(folder)) {
        const bytes = await Deno.readFile(`${folder}/${name}`);
        assert.ok(bytes.length > 5000, name);
      }
      if (Deno.env.get("SCREENSHOTS") === undefined) await Deno.remove(folder, { recursive: true });
    },
  });
}

Deno.test({
  name: "a person cancels in Chromium, and an error that must not redirect stays a page",
  ignore: chromiumIsMissing,
  async fn() {
    await withApp(async (redirect_uri, answers) => {
      await withEmulator({}, async (emulator) => {
        const url = authorizeUrl(emulator, { redirect_uri });
        const cancelled = await browse({
          steps: [{ goto: url.href }, click("Cancel"), { waitForText: "Welcome back" }],
        });
        assert.deepEqual(cancelled.policyViolations, []);
        assert.equal(answers[0]?.get("error"), "access_denied");
        const wrong = await browse({
          steps: [
            { goto: authorizeUrl(emulator, { redirect_uri: "https://evil.example" }).href },
            { waitForText: "AADSTS50011" },
          ],
        });
        assert.equal(new URL(wrong.url).origin, emulator.origin);
      });
    });
  },
});

Deno.test({
  name: "a person enters a device's code in Chromium; next time the session is still there",
  ignore: chromiumIsMissing,
  async fn() {
    await withApp(async (redirect_uri, answers) => {
      await withEmulator({}, async (emulator) => {
        const { body } = await answered(
          await fetch(`${emulator.authority}/oauth2/v2.0/devicecode`, {
            method: "POST",
            body: new URLSearchParams({ client_id: commandLine.clientId, scope: userScope }),
          }),
        );
        const { policyViolations, values } = await browse({
          steps: [
            { goto: String(body.verification_uri) },
            { fill: { label: "Code" }, value: String(body.user_code).toLowerCase() },
            click("Next"),
            click("Grace Hopper grace@contoso.onmicrosoft.com"),
            { waitForText: "Only continue as grace@" },
            click("Continue"),
            { waitForText: "You have signed in to Command line" },
            // A script that found the session's cookie could take the session over.
            { evaluate: "document.cookie" },
            { goto: authorizeUrl(emulator, { redirect_uri }).href },
            { waitForText: "Welcome back" },
          ],
        });
        assert.deepEqual(policyViolations, []);
        assert.deepEqual(values, [""]);
        assert.ok(answers[0]?.get("code"));
      });
    });
  },
});
