/** `entratool emulator`: start, say how to use it, serve until interrupted. */

import { dirname, join } from "node:path";
import {
  type Directory,
  type Emulator,
  exampleDirectory,
  parseDirectory,
  startEmulator,
} from "../../emulator/emulator.ts";
import { EntraToolError } from "../../errors.ts";
import { ensurePrivateFolder, writePrivateFile } from "../../files/private_file.ts";
import { shellWord } from "../../output/shell_word.ts";
import { configHome } from "../../profiles/profile_store.ts";
import type { AppContext } from "../context.ts";
import type { EmulatorFlags } from "./emulator.ts";

export default async function emulator(this: AppContext, flags: EmulatorFlags): Promise<void> {
  const { host, messages } = this;
  if (flags.example) {
    host.stdout.write(`${exampleDirectory().trimEnd()}\n`);
    return;
  }
  // before anything is printed: whoever reads that it runs may also end it
  const interrupted = host.untilInterrupted();
  const running = await startEmulator({
    ...(flags.port === undefined ? {} : { port: flags.port }),
    ...(flags.tls ? { tls: true } : {}),
    ...(flags.tenant === undefined ? {} : { tenantId: flags.tenant }),
    ...(flags.config === undefined ? {} : { directory: readDirectory(flags.config) }),
    log: (line) => messages.note(line),
  });
  let caFile: string | undefined;
  try {
    if (running.caCertificate !== undefined) {
      caFile = await writeCaFile(configHome(host), running);
    }
    messages.lines([
      `Emulator of Entra at ${running.origin}; Ctrl-C ends it`,
      "To use it from another terminal:",
    ]);
    host.stdout.write(
      variables(running, caFile).map(([name, value]) => `export ${name}=${shellWord(value)}\n`)
        .join(
          "",
        ),
    );
    await interrupted;
  } finally {
    await running.close();
    // without its emulator the certificate is of no use
    if (caFile !== undefined) await Deno.remove(caFile).catch(() => {});
  }
}

/** What Azure's SDKs and this program read; the last ones make Deno, Node and OpenSSL trust the certificate. */
function variables({ origin, tenantId, seed }: Emulator, caFile: string | undefined) {
  return [
    ["AZURE_AUTHORITY_HOST", origin],
    ["AZURE_TENANT_ID", seed?.tenantId ?? tenantId],
    ["AZURE_CLIENT_ID", seed?.clientId],
    ["AZURE_CLIENT_SECRET", seed?.clientSecret],
    ["SSL_CERT_FILE", caFile],
    ["NODE_EXTRA_CA_CERTS", caFile],
    ["DENO_CERT", caFile],
  ].filter((pair): pair is [string, string] => pair[1] !== undefined);
}

function readDirectory(path: string): Directory {
  const read = (file: string) => {
    try {
      return Deno.readTextFileSync(file);
    } catch (cause) {
      throw new EntraToolError("usage", "file_unreadable", `The file can not be read: ${file}`, {
        hint: "Check the path and the file's mode",
        cause,
      });
    }
  };
  // certificates are named relative to the configuration
  return parseDirectory(read(path), path, (file) => read(join(dirname(path), file)));
}

/** One file for each run: two emulators have two certificate authorities, and never the same port. */
async function writeCaFile(home: string, { origin, caCertificate }: Emulator): Promise<string> {
  const path = join(home, `emulator-ca-${new URL(origin).port}.pem`);
  try {
    await ensurePrivateFolder(home);
    await writePrivateFile(path, new TextEncoder().encode(caCertificate));
    return path;
  } catch (cause) {
    throw new EntraToolError(
      "storage",
      "file_not_written",
      `The certificate can not be written to ${path}`,
      {
        hint: "Choose another folder with ENTRATOOL_HOME",
        cause,
      },
    );
  }
}
