/** How `get-token` prints a token. The names of the fields are a contract: they never change. */

import { lazily } from "../lazy_module.ts";
import type { OutputFormat } from "../names.ts";
import type { TokenSet } from "../token/token_set.ts";
import { formatUtc } from "./duration.ts";
import { printableJson } from "./printable.ts";
import { shellWord } from "./shell_word.ts";

/** What the output says beside the token itself. */
export interface TokenOutputOptions {
  readonly fromCache: boolean;
  /** Milliseconds since the epoch. */
  readonly now: number;
  /** What is only printed when asked for. */
  readonly show: { readonly refreshToken: boolean; readonly idToken: boolean };
}

/** The text for stdout or a file, with the line break at its end. */
export async function formatToken(
  token: TokenSet,
  format: OutputFormat,
  options: TokenOutputOptions,
): Promise<string> {
  switch (format) {
    case "token":
      return `${token.accessToken}\n`;
    case "header":
      return `Authorization: ${token.tokenType} ${token.accessToken}\n`;
    case "env":
      // a checked token has no character that a shell would take for its own
      return `export ENTRA_ACCESS_TOKEN=${shellWord(token.accessToken)}\n`;
    case "json":
      return printableJson(tokenFields(token, options));
    case "yaml": {
      const { printableYaml } = await lazily<typeof import("./yaml_text.ts")>(
        import.meta.resolve("./yaml_text.ts"),
      );
      return printableYaml(tokenFields(token, options));
    }
  }
}

/** The fields of JSON and YAML, in their order. */
function tokenFields(token: TokenSet, { fromCache, now, show }: TokenOutputOptions) {
  return {
    token_type: token.tokenType,
    access_token: token.accessToken,
    expires_in: Math.max(0, Math.floor(token.expiresAt - now / 1000)),
    expires_on: token.expiresAt,
    expires_at: formatUtc(token.expiresAt),
    scope: token.scopes.join(" "),
    tenant_id: token.tenantId,
    account: token.account?.username ?? null,
    from_cache: fromCache,
    ...(show.refreshToken && token.refreshToken !== undefined
      ? { refresh_token: token.refreshToken }
      : {}),
    ...(show.idToken && token.idToken !== undefined ? { id_token: token.idToken } : {}),
  };
}
