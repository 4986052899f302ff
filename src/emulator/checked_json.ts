/**
 * Reads untrusted JSON strictly: every value is asked for by name and kind, and whatever is wrong is reported with
 * the file and the JSON path at which it stands.
 */

import { EntraToolError } from "../errors.ts";

/** A JSON value, the path that leads to it (`apps[0].secrets`), and the file that it came from. */
export class JsonNode {
  constructor(readonly value: unknown, readonly path: string, readonly source: string) {}

  /** What to throw when something is wrong with this value. */
  error(problem: string): EntraToolError {
    const where = this.path === "" ? this.source : `${this.source}: ${this.path}`;
    return new EntraToolError("usage", "emulator_config_invalid", `${where}: ${problem}`, {
      hint: "entratool emulator --example",
    });
  }

  /** @throws EntraToolError usage when the value is no string, or an empty one. */
  text(): string {
    if (typeof this.value !== "string") {
      throw this.error(`Expected a string, found ${kindOf(this.value)}`);
    }
    if (this.value.trim() === "") throw this.error("The string is empty");
    return this.value;
  }

  /** @throws EntraToolError usage when the value is no GUID; hexadecimal digits become lower case. */
  guid(): string {
    const text = this.text().toLowerCase();
    if (!isGuid(text)) {
      throw this.error("Expected a GUID such as c0ffee00-0000-4000-8000-000000000001");
    }
    return text;
  }

  /** @throws EntraToolError usage. */
  flag(): boolean {
    if (typeof this.value !== "boolean") {
      throw this.error(`Expected true or false, found ${kindOf(this.value)}`);
    }
    return this.value;
  }

  /** @throws EntraToolError usage when the value is no whole number within the bounds. */
  integer(minimum: number, maximum: number): number {
    const { value } = this;
    if (typeof value !== "number" || !Number.isInteger(value)) {
      throw this.error(`Expected a whole number, found ${kindOf(value)}`);
    }
    if (value < minimum || value > maximum) {
      throw this.error(`Expected a number from ${minimum} to ${maximum}, found ${value}`);
    }
    return value;
  }

  /** @throws EntraToolError usage when the value is none of the choices. */
  choice<const T extends string>(choices: readonly T[]): T {
    const found = choices.find((choice) => choice === this.value);
    if (found === undefined) throw this.error(`Expected one of ${choices.join(", ")}`);
    return found;
  }

  /** The milliseconds since the epoch of an ISO 8601 date. @throws EntraToolError usage. */
  date(): number {
    const text = this.text();
    const time = /^\d{4}-\d{2}-\d{2}/.test(text) ? Date.parse(text) : NaN;
    if (Number.isNaN(time)) {
      throw this.error("Expected a date such as 2030-01-31 or 2030-01-31T12:00:00Z");
    }
    return time;
  }

  /** @throws EntraToolError usage when the value is no array. */
  list<T>(read: (item: JsonNode) => T): T[] {
    if (!Array.isArray(this.value)) {
      throw this.error(`Expected an array, found ${kindOf(this.value)}`);
    }
    return this.value.map((item, index) =>
      read(new JsonNode(item, `${this.path}[${index}]`, this.source))
    );
  }

  /** @throws EntraToolError usage when the value is no object, or has a member that is not in `known`. */
  object(known: readonly string[]): JsonObject {
    const { value } = this;
    if (typeof value !== "object" || value === null || Array.isArray(value)) {
      throw this.error(`Expected an object, found ${kindOf(value)}`);
    }
    const unknown = Object.keys(value).find((name) => !known.includes(name));
    if (unknown !== undefined) {
      throw this.error(
        `Unknown member ${JSON.stringify(unknown)}, expected one of ${known.join(", ")}`,
      );
    }
    return new JsonObject(value as Record<string, unknown>, this);
  }
}

/** An object whose members are known to be allowed; their values are not checked yet. */
export class JsonObject {
  constructor(
    private readonly members: Readonly<Record<string, unknown>>,
    readonly node: JsonNode,
  ) {}

  has(name: string): boolean {
    return Object.hasOwn(this.members, name);
  }

  /** @throws EntraToolError usage when there is no such member. */
  required(name: string): JsonNode {
    if (!this.has(name)) throw this.node.error(`The member ${JSON.stringify(name)} is missing`);
    const path = this.node.path === "" ? name : `${this.node.path}.${name}`;
    return new JsonNode(this.members[name], path, this.node.source);
  }

  /** What `read` makes of the member, or `fallback` when there is no such member. */
  optional<T, F>(name: string, read: (node: JsonNode) => T, fallback: F): T | F {
    return this.has(name) ? read(this.required(name)) : fallback;
  }
}

/** Whether the text is a GUID in lower case. */
export function isGuid(text: string): boolean {
  return /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(text);
}

/**
 * Parses JSON text.
 *
 * @throws EntraToolError usage when it is no JSON.
 */
export function parseJson(json: string, source: string): JsonNode {
  try {
    return new JsonNode(JSON.parse(json), "", source);
  } catch {
    // The parser's own message quotes the text, and the text may hold secrets.
    throw new JsonNode(undefined, "", source).error("The file is not valid JSON");
  }
}

function kindOf(value: unknown): string {
  if (value === null) return "null";
  if (Array.isArray(value)) return "an array";
  return typeof value === "object" ? "an object" : `a ${typeof value}`;
}
