/** Runs Microsoft's own clients, unchanged, in processes that may reach loopback only, against an emulator over TLS. */

import assert from "node:assert/strict";
import type { Emulator, EmulatorOptions } from "../../src/emulator/emulator.ts";
import { programFlags } from "../interop/program.ts";
import { withEmulator } from "./emulated.ts";

export const openssl = (...args: string[]): Promise<Deno.CommandOutput> =>
  new Deno.Command("openssl", { args, stdin: "null", stdout: "piped", stderr: "null" }).output();
export const opensslIsMissing: boolean = await openssl("version").then(
  ({ success }) => !success,
  () => true,
);

/** Runs with an emulator over TLS and a way to run clients that trust it and nothing else. */
export async function withClients(
  options: EmulatorOptions,
  test: (
    emulator: Emulator,
    run: (client: URL, settings: Record<string, unknown>) => Promise<Record<string, unknown>>,
  ) => Promise<void>,
): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    await withEmulator({ ...options, tls: true }, async (emulator) => {
      const caFile = `${folder}/ca.pem`;
      await Deno.writeTextFile(caFile, emulator.caCertificate!);
      await test(emulator, async (client, settings) => {
        const { stdout, stderr } = await new Deno.Command(Deno.execPath(), {
          args: [...programFlags, client.pathname, JSON.stringify(settings)],
          // Both clients use node:https, which in Deno knows this variable and not --cert.
          env: { NODE_EXTRA_CA_CERTS: caFile, NO_PROXY: "localhost" },
        }).output();
        const text = new TextDecoder().decode(stdout);
        assert.ok(text.startsWith("{"), new TextDecoder().decode(stderr));
        return JSON.parse(text);
      });
    });
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}
