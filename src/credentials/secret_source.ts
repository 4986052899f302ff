/** Reads secrets and credential files from where the settings say that they are. */

import { EntraToolError } from "../errors.ts";
import { maxFileBytes, readBoundedFile } from "../files/bounded_file.ts";
import type { Host } from "../host.ts";
import type { Redactor } from "../output/redact.ts";
import type { SecretSource } from "../token_request.ts";
import type { Vault } from "../vault/vault.ts";

export interface SecretContext {
  readonly vault: Pick<Vault, "read" | "storesAnything">;
  readonly host: Pick<Host, "stdin">;
  readonly redactor: Pick<Redactor, "add">;
  /** Ends the wait for a pipe or for standard input; undefined where Ctrl-C alone does. */
  readonly signal?: AbortSignal;
}

/**
 * Reads a secret and tells the redactor.
 *
 * One line break at the end of a file or of standard input is not part of it: editors and `echo` put it there.
 *
 * @throws EntraToolError usage when it can't be read or is empty; storage when the vault does not have it
 */
export async function readSecret(
  source: SecretSource,
  what: string,
  context: SecretContext,
): Promise<string> {
  const secret = await readRawSecret(source, what, context);
  if (secret === "") {
    throw new EntraToolError("usage", "secret_empty", `The ${what} is empty`, {
      hint: source.from === "file"
        ? `Look at ${source.path === "-" ? "standard input" : source.path}`
        : "Set it",
    });
  }
  context.redactor.add(secret);
  if (/[\r\n]/.test(secret)) {
    throw new EntraToolError("usage", "secret_lines", `The ${what} has a line break in it`, {
      hint: "Give it as one line, with nothing but a line break behind it",
    });
  }
  return secret;
}

async function readRawSecret(
  source: SecretSource,
  what: string,
  context: SecretContext,
): Promise<string> {
  if (source.from === "value") return source.value;
  if (source.from === "file") {
    const { stdin } = context.host;
    if (source.path === "-" && stdin.isTerminal()) {
      return await stdin.readSecret(`${what[0]?.toUpperCase()}${what.slice(1)}: `);
    }
    const bytes = await readInput(source.path, what, context);
    try {
      const text = new TextDecoder("utf-8", { fatal: true }).decode(bytes);
      return text.replace(/\r?\n$/, "");
    } catch {
      throw new EntraToolError(
        "usage",
        "secret_not_text",
        `The ${what} in ${source.path} is not UTF-8 text`,
        { hint: "Save the file as UTF-8" },
      );
    }
  }
  const value = await context.vault.read(source.entry);
  if (typeof value === "string") return value;
  throw new EntraToolError(
    "storage",
    "secret_missing",
    `The vault does not hold the ${what} of this profile`,
    {
      hint: context.vault.storesAnything
        ? "Store it again: entratool config edit -p NAME --client-secret-file PATH"
        : "Unlock the vault that it was stored in: set ENTRATOOL_VAULT_KEY or ENTRATOOL_VAULT_PASSPHRASE",
    },
  );
}

/** Reads a file, or standard input for `-`. @throws EntraToolError usage when it can't be read or is too large */
export async function readInput(
  path: string,
  what: string,
  { host, signal }: Pick<SecretContext, "host" | "signal">,
): Promise<Uint8Array> {
  return path === "-"
    ? await host.stdin.readAll(maxFileBytes, signal)
    : await readBoundedFile(path, what, signal);
}
