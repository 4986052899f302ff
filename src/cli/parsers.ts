/** From a flag's text to its value. What these throw is shown, so it never quotes the text: it may be a misplaced secret. */

import {
  type CloudName,
  cloudNames,
  type FlowName,
  flowNames,
  type OutputFormat,
  outputFormats,
  parseCloudName,
  parseFlowName,
} from "../names.ts";

/** A value that can't be read: its message names what was expected. */
export class ValueError extends Error {
  override readonly name = "ValueError";
}

export function parseText(text: string): string {
  if (text.trim() === "") throw new ValueError("the value is empty");
  return text;
}

/** A login host's URL without what may be a secret: later messages repeat it. */
export function parseAuthority(text: string): string {
  if (/[@?#]/.test(text)) {
    throw new ValueError(
      "the value has a user name, a query or a fragment: write https://HOST or https://HOST/TENANT",
    );
  }
  return parseText(text);
}

/** One or more scopes in one text. */
export function parseScope(text: string): string {
  if (text.replaceAll(/[\s,]/g, "") === "") throw new ValueError("the value holds no scope");
  return text;
}

/** A secret: any text, never quoted in a message. */
export function parseSecret(text: string): string {
  if (text === "") throw new ValueError("the value is empty");
  return text;
}

export function parseFlow(text: string): FlowName {
  return parseFlowName(text) ?? fail("a flow", flowNames);
}

export function parseCloud(text: string): CloudName {
  return parseCloudName(text) ?? fail("a cloud", cloudNames);
}

export function parseOutputFormat(text: string): OutputFormat {
  return outputFormats.find((format) => format === text.toLowerCase()) ??
    fail("an output format", outputFormats);
}

/** One of a few words, in any case. */
export function oneOf<T extends string>(what: string, values: readonly T[]): (text: string) => T {
  return (text) =>
    values.find((value) => value.toLowerCase() === text.toLowerCase()) ?? fail(what, values);
}

function fail(what: string, values: readonly string[]): never {
  throw new ValueError(`the value is not ${what}: use one of ${values.join(", ")}`);
}

const unitMilliseconds: Readonly<Record<string, number>> = {
  "": 1000,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
};
/** Timers of JavaScript hold no more than 2³¹ ms; nobody waits a day for a token. */
const longestDuration = 24 * 3_600_000;

/** `30s`, `2m`, `1h`, or a plain number of seconds; in milliseconds. */
export function parseDuration(text: string): number {
  const [, number, unit] = /^(\d+(?:\.\d+)?)\s*([smh]?)$/.exec(text.trim()) ?? [];
  const milliseconds = Number(number) * (unitMilliseconds[unit ?? ""] ?? Number.NaN);
  if (milliseconds >= 1 && milliseconds <= longestDuration) return milliseconds;
  throw new ValueError("the value is not a duration between 0 and 24 hours: write 30s, 2m or 1h");
}

/** `30`, or with a unit as in {@link parseDuration}; in minutes. */
export function parseMinutes(text: string): number {
  const [, number, unit] = /^(\d{1,6})\s*([smh]?)$/.exec(text.trim()) ?? [];
  const minutes = Number(number) * (unitMilliseconds[unit || "m"] ?? Number.NaN) / 60_000;
  if (Number.isFinite(minutes)) return minutes;
  throw new ValueError("the value is not a number of minutes: write 30, 90m or 2h");
}

export function parsePort(text: string): number {
  const port = Number(text);
  if (/^\d{1,5}$/.test(text) && port <= 65_535) return port;
  throw new ValueError("the value is not a port: use a number from 0 (any free port) to 65535");
}
