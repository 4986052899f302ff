/** Entra's error codes: all that research/entra-protocol.md §8 lists, in words that keep the rules. */

import assert from "node:assert/strict";
import { aadstsEntries, type NextStep, nextStepCommand } from "../../../src/entra/aadsts.ts";
import { runCli } from "../../cli/run_cli.ts";

// deno-fmt-ignore
const listed = [
  50011, 50013, 50020, 50034, 51004, 50053, 50055, 50057, 50058, 50059, 50128, 50074, 50076, 50079,
  50097, 50105, 50126, 50131, 50158, 50173, 50194, 50196, 500011, 500113, 500133, 501481, 53000,
  53001, 53003, 530003, 530035, 530036, 54005, 65001, 65002, 65004, 65005, 650057, 70000, 70001,
  7000112, 70002, 700016, 70008, 700082, 700084, 70011, 70016, 70018, 70019, 700020, 700022, 700024,
  700025, 700027, 700030, 700211, 700212, 700213, 7002138, 7002213, 70043, 7000114, 7000215,
  7000216, 7000218, 7000222, 90002, 900023, 90014, 900144, 90038, 900439, 90072, 90094, 90099,
  9001023, 9002313, 9002325, 9002326, 9002327, 9002332, 1003031,
];

Deno.test("every code of the research has a cause and a remedy", () => {
  assert.deepEqual(listed.filter((code) => aadstsEntries[code] === undefined), []);
});

Deno.test("causes and remedies begin with a capital, have no full stop and no contraction", () => {
  const bad = Object.entries(aadstsEntries).flatMap(([code, { cause, remedy }]) =>
    [cause, remedy]
      .filter((text) =>
        !/^[A-Z]/.test(text) || /[.!?:,]$/.test(text) || /n't|\b\w+'(?:re|ll|ve)\b/.test(text)
      )
      .map((text) => `${code}: ${text}`)
  );
  assert.deepEqual(bad, []);
});

Deno.test("what a person has to sign in for says so", () => {
  for (const [code, { next, interaction }] of Object.entries(aadstsEntries)) {
    assert.equal(interaction === true, next === "sign-in", code);
  }
  for (const code of [50058, 50076, 50079, 65004, 700082, 70043, 700020]) {
    assert.equal(aadstsEntries[code]?.interaction, true, `${code}`);
  }
  for (const code of [7000215, 700016, 700027, 90002, 500011, 53003]) {
    assert.equal(aadstsEntries[code]?.interaction, undefined, `${code}`);
  }
});

const home = await Deno.makeTempDir({ prefix: "entratool-aadsts-" });
addEventListener("unload", () => Deno.removeSync(home, { recursive: true }));

const steps = new Set(Object.values(aadstsEntries).map(({ next }) => next));

for (const profile of [undefined, "prod"]) {
  Deno.test(`every next step ${profile ? "with" : "without"} a profile can be typed`, async () => {
    for (const step of steps) {
      if (step === undefined) continue;
      const command = nextStepCommand(step, {
        profile,
        clientId: "a b",
        authorityUrl: "https://login.example/a.com",
      });
      if (command.startsWith("https://")) continue;
      assert.match(command, /^entratool (get-token|config edit)( |$)/);
      if (profile !== undefined) assert.ok(command.includes(" -p prod"), command);
      const argv = command.replace("GUID-or-domain", "a.com").split(" ").slice(1);
      const { code, stderr } = await runCli(argv, { env: { ENTRATOOL_HOME: home } });
      assert.ok(code !== 0 && code !== 1, `${command}: ${code}`);
      assert.doesNotMatch(
        stderr,
        /There is no (?:such )?flag|the value|argument too many/,
        command,
      );
    }
  });
}

Deno.test("the address for consent names the app and the tenant", () => {
  const step: NextStep = "consent";
  const context = { profile: "prod", clientId: "a&b", authorityUrl: "https://login.example/a.com" };
  assert.equal(
    nextStepCommand(step, context),
    "https://login.example/a.com/adminconsent?client_id=a%26b",
  );
});
