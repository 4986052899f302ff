/**
 * The vault's key and where it may come from: the interface that the environment, and later each OS keychain, plugs
 * into. Knows no source itself.
 */

/** The length of the vault's key in bytes. */
export const vaultKeyBytes = 32;

/** What a source needs, beside what it holds itself, to find the key again. Kept in `vault.json`: never a secret. */
export type KeyParameters = Readonly<Record<string, unknown>>;

/** Why a source did not give the key. */
export interface KeyRefusal {
  /**
   * - `foreign`: the vault was made with another kind of source
   * - `missing`: the source works and holds no key
   * - `locked`: a person must unlock the source first
   * - `unavailable`: there is no such source on this machine, or it does not answer as it should
   * - `denied`: a person or a policy refused
   * - `timeout`: no answer in time
   */
  readonly outcome: "foreign" | "missing" | "locked" | "unavailable" | "denied" | "timeout";
  /** What happened, worded as the message of an EntraToolError. */
  readonly message: string;
  /** What to type to mend it. */
  readonly hint: string;
}

export interface FoundKey {
  readonly outcome: "found";
  /** {@link vaultKeyBytes} random bytes. */
  readonly key: Uint8Array<ArrayBuffer>;
}

export interface CreatedKey extends FoundKey {
  readonly parameters: KeyParameters;
}

/** One place that the vault's key can come from. Never falls back to another. */
export interface VaultKeySource {
  /** Names the kind of source in `vault.json`; stable. */
  readonly kind: string;
  /** What a person calls it, for messages: `ENTRATOOL_VAULT_KEY`. */
  readonly label: string;
  /** The key of the vault that was created with these parameters. */
  find(parameters: KeyParameters): Promise<FoundKey | KeyRefusal>;
  /**
   * The key for a new vault. Called while this process holds the lock on the vault's creation, so a source that stores
   * a key may do so without regard for others.
   */
  create(): Promise<CreatedKey | KeyRefusal>;
}

/** Names a key without telling anything about it: 32 hexadecimal digits. */
export async function vaultKeyId(key: Uint8Array): Promise<string> {
  // The prefix keeps this hash apart from every other use of the key.
  const prefix = new TextEncoder().encode("entratool vault key id\0");
  const digest = await crypto.subtle.digest("SHA-256", new Uint8Array([...prefix, ...key]));
  return new Uint8Array(digest, 0, 16).toHex();
}
