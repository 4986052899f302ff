/** An emulator and a configuration folder for the length of one test. */

import {
  type Emulator,
  type EmulatorOptions,
  exampleDirectory,
  parseDirectory,
  startEmulator,
} from "../../src/emulator/emulator.ts";

export interface Emulated extends AsyncDisposable {
  readonly emulator: Emulator;
  /** A configuration folder of the test's own. */
  readonly home: string;
  /** Tenant, app, secret and authority of the emulator's seed, the folder, and a key for the vault. */
  readonly env: Readonly<Record<string, string>>;
}

/**
 * Starts both.
 *
 * @param faults rules as the emulator's configuration writes them, added to the example directory
 */
export async function emulated(
  options: EmulatorOptions & { readonly faults?: readonly unknown[] } = {},
): Promise<Emulated> {
  const { faults, ...rest } = options;
  const directory = rest.directory ??
    parseDirectory(
      JSON.stringify({ ...JSON.parse(exampleDirectory()), faults: faults ?? [] }),
      "test",
    );
  const emulator = await startEmulator({ ...rest, directory });
  const home = await Deno.makeTempDir({ prefix: "entratool-test-" });
  const { seed } = emulator;
  if (seed?.clientSecret === undefined) throw new Error("the directory has no app with a secret");
  return {
    emulator,
    home,
    env: {
      ENTRATOOL_HOME: home,
      ENTRATOOL_VAULT_KEY: crypto.getRandomValues(new Uint8Array(32)).toBase64(),
      AZURE_AUTHORITY_HOST: emulator.origin,
      AZURE_TENANT_ID: seed.tenantId,
      AZURE_CLIENT_ID: seed.clientId,
      AZURE_CLIENT_SECRET: seed.clientSecret,
    },
    async [Symbol.asyncDispose]() {
      await emulator.close();
      await Deno.remove(home, { recursive: true });
    },
  };
}
