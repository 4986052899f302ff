/** `entratool inspect`: decode, judge the dates, print. */

import { EntraToolError, exitCodes } from "../../errors.ts";
import { formatDuration, formatUtc } from "../../output/duration.ts";
import { printable, printableJson } from "../../output/printable.ts";
import { type DecodedJwt, decodeJwt, timeClaim } from "../../token/jwt.ts";
import type { AppContext } from "../context.ts";
import type { InspectFlags } from "./inspect.ts";

/** Entra's largest tokens, with all optional claims, stay far below. */
const maxTokenBytes = 256 * 1024;

/** Real claims have three or four levels; thousands would make printing them fail. */
const deepest = 50;

/** Claims that hold a date (RFC 7519 §4.1, OIDC Core §2, Entra's xms_ ones). */
const timeClaims: readonly string[] = ["exp", "nbf", "iat", "auth_time"];

export default async function inspect(
  this: AppContext,
  flags: InspectFlags,
  argument?: string,
): Promise<void> {
  const { host } = this;
  const token = await readToken.call(this, argument);
  const decoded = decodeJwt(token);
  if (decoded === undefined) throw notReadable(token);
  if (isDeeperThan(decoded, deepest)) throw unreadable("The token's claims are nested too deeply");
  const output = flags.output ?? "pretty";
  host.stdout.write(
    output === "pretty"
      ? pretty(decoded, host.now() / 1000)
      : output === "json"
      ? printableJson(decoded)
      : (await import("../../output/yaml_text.ts")).printableYaml(decoded),
  );
  const problem = dateProblem(decoded, host.now() / 1000);
  if (problem !== undefined) {
    this.messages.warning(problem);
    this.process.exitCode = exitCodes.refused;
  }
}

async function readToken(this: AppContext, argument: string | undefined): Promise<string> {
  const { stdin } = this.host;
  if (argument !== undefined && argument !== "-") return clean(argument);
  if (argument === undefined && stdin.isTerminal()) {
    throw new EntraToolError("usage", "token_missing", "There is no token to inspect", {
      hint: "Pipe it: entratool get-token | entratool inspect",
    });
  }
  return clean(new TextDecoder().decode(await stdin.readAll(maxTokenBytes)));
}

/** Takes the token as people paste it: with spaces around it, as a whole header, or in any format of `get-token`. */
function clean(text: string): string {
  const trimmed = text.trim();
  return accessTokenOf(trimmed) ??
    trimmed.replace(/^(?:(?:Authorization:\s*)?Bearer\s+|export ENTRA_ACCESS_TOKEN=)/i, "");
}

/** The access token in a token response, ours or the server's. */
function accessTokenOf(text: string): string | undefined {
  if (!text.startsWith("{")) return undefined;
  try {
    const { access_token: token } = JSON.parse(text);
    return typeof token === "string" ? token : undefined;
  } catch {
    return undefined;
  }
}

/** Whether objects and arrays lie in each other deeper than so many levels. */
function isDeeperThan(value: unknown, levels: number): boolean {
  if (typeof value !== "object" || value === null) return false;
  return levels === 0 || Object.values(value).some((each) => isDeeperThan(each, levels - 1));
}

function notReadable(token: string): EntraToolError {
  const parts = token.split(".").length;
  const what = token === ""
    ? "There is no token to inspect: the input is empty"
    : parts === 5
    ? "This is an encrypted token (JWE): only its audience can read it"
    : parts === 3
    ? "This has the shape of a JWT, but its parts are not base64url JSON"
    : token.startsWith("{")
    ? "This is JSON without an access_token"
    : "This is no JWT; Entra also issues opaque tokens, which only their audience can read";
  return unreadable(what);
}

function unreadable(what: string): EntraToolError {
  return new EntraToolError("usage", "token_unreadable", what, {
    hint: "A JWT looks like eyJ….eyJ….…",
  });
}

function dateProblem({ claims }: DecodedJwt, now: number): string | undefined {
  const expires = timeClaim(claims, "exp");
  const begins = timeClaim(claims, "nbf");
  if (expires !== undefined && expires <= now) {
    return `The token expired ${formatDuration(now - expires)} ago`;
  }
  if (begins !== undefined && begins > now) {
    return `The token is not valid for another ${formatDuration(begins - now)}`;
  }
  return undefined;
}

function pretty({ header, claims }: DecodedJwt, now: number): string {
  return [section("HEADER", header, now), section("CLAIMS", claims, now)].join("\n");
}

function section(title: string, fields: Readonly<Record<string, unknown>>, now: number): string {
  const width = Math.max(0, ...Object.keys(fields).map((name) => name.length));
  const lines = Object.keys(fields).map((name) => {
    const time = timeClaims.includes(name) ? timeClaim(fields, name) : undefined;
    const value = fields[name];
    const text = typeof value === "string" ? value : JSON.stringify(value);
    return printable(
      `  ${name.padEnd(width)}  ${text}${time === undefined ? "" : `  ${describeTime(time, now)}`}`,
    );
  });
  return [title, ...lines, ""].join("\n");
}

function describeTime(time: number, now: number): string {
  const distance = time > now
    ? `in ${formatDuration(time - now)}`
    : `${formatDuration(now - time)} ago`;
  return `${formatUtc(time)}, ${distance}`;
}
