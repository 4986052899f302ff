/**
 * Faults on demand: rules by which the emulator answers some requests wrongly, and the validation of those rules.
 *
 * Rules come from the configuration only. A request can not ask for a fault, so a client under test is exactly the
 * client that runs against Entra. What an action does to an answer is in `fault_actions.ts`.
 */

import type { JsonNode, JsonObject } from "./checked_json.ts";
import { readStsErrorOverrides, type StsErrorOverrides } from "./sts_error.ts";

/** What a rule may be about. */
export const faultEndpoints = [
  "token",
  "keys",
  "configuration",
  "instance",
  "authorize",
  "login",
  "devicecode",
  "devicelogin",
  "logout",
  "any",
] as const;
/** Those whose requests name a client. */
const clientEndpoints: readonly FaultEndpoint[] = ["token", "authorize", "devicecode", "any"];
export type FaultEndpoint = typeof faultEndpoints[number];

/** What happens to a request; `action` in JSON, its members beside it. */
export type FaultAction =
  /** An HTTP error of a gateway or of a throttling service. */
  | {
    readonly action: "status";
    /** 400 to 599. */
    readonly status: number;
    /** The Retry-After header: seconds, or text such as an HTTP date. */
    readonly retryAfter?: number | string;
    readonly body: "json" | "html" | "empty";
  }
  /** The right answer, `ms` milliseconds late. */
  | { readonly action: "delay"; readonly ms: number }
  /** The right answer, its body in pieces of `bytes` bytes, `ms` milliseconds apart. */
  | { readonly action: "slow"; readonly bytes: number; readonly ms: number }
  /** A TCP reset before any byte is answered. */
  | { readonly action: "reset" }
  /** The right answer, broken off after `bytes` bytes of its body. */
  | { readonly action: "truncate"; readonly bytes: number }
  /** A captive portal's sign-in page with status 200. */
  | { readonly action: "html" }
  /** A body of `bytes` bytes. */
  | { readonly action: "huge"; readonly bytes: number }
  /** A redirect to `location`. */
  | { readonly action: "redirect"; readonly location: string; readonly status: number }
  /** An error answer of Entra's. */
  | ({ readonly action: "aadsts"; readonly code: number } & StsErrorOverrides)
  /** The right JSON answer with members set or removed; `set` may put in any JSON value. */
  | {
    readonly action: "response";
    readonly set: Readonly<Record<string, unknown>>;
    readonly remove: readonly string[];
  };

/** When a rule applies and what it does. */
export interface FaultRule {
  readonly endpoint: FaultEndpoint;
  /** Only requests of this client. */
  readonly clientId?: string;
  /** Only token requests of this grant type, written in full or without `urn:…:`. */
  readonly grantType?: string;
  /** The first and the last request that the rule acts on, counted from 1 over those that match it. */
  readonly first: number;
  readonly last: number;
  readonly act: FaultAction;
}

/** Counts requests and says which rule, if any, acts on each. */
export class FaultPlan {
  readonly #counts: number[];

  constructor(private readonly rules: readonly FaultRule[]) {
    this.#counts = rules.map(() => 0);
  }

  /**
   * The action for a request. Every rule that matches counts the request; the first of them that is due acts.
   *
   * @param endpoint undefined for a path that is none of the emulator's
   */
  next(
    endpoint: FaultEndpoint | undefined,
    { clientId, grantType }: {
      readonly clientId: string | undefined;
      readonly grantType: string | undefined;
    },
  ): FaultAction | undefined {
    let due: FaultAction | undefined;
    this.rules.forEach((rule, index) => {
      if (rule.endpoint !== "any" && rule.endpoint !== endpoint) return;
      if (rule.clientId !== undefined && rule.clientId !== clientId) return;
      if (rule.grantType !== undefined && rule.grantType !== shortGrantType(grantType)) return;
      const count = this.#counts[index]! + 1;
      this.#counts[index] = count;
      if (count >= rule.first && count <= rule.last) due ??= rule.act;
    });
    return due;
  }
}

/** `device_code` for `urn:ietf:params:oauth:grant-type:device_code`: Entra takes either. */
function shortGrantType(grantType: string | undefined): string | undefined {
  return grantType?.replace("urn:ietf:params:oauth:grant-type:", "");
}

const selectors = ["endpoint", "clientId", "grantType", "nth", "from", "action"];
const longestMs = 10 * 60 * 1000;

/** Each action's own members, and how they are read. */
const actionReaders: {
  readonly [Name in FaultAction["action"]]: {
    readonly members: readonly string[];
    readonly read: (rule: JsonObject) => Extract<FaultAction, { action: Name }>;
  };
} = {
  status: {
    members: ["status", "retryAfter", "body"],
    read: (rule) => ({
      action: "status",
      status: rule.required("status").integer(400, 599),
      ...rule.optional("retryAfter", (node) => ({ retryAfter: retryAfter(node) }), {}),
      body: rule.optional("body", (node) => node.choice(["json", "html", "empty"]), "json"),
    }),
  },
  delay: {
    members: ["ms"],
    read: (rule) => ({ action: "delay", ms: rule.required("ms").integer(1, longestMs) }),
  },
  slow: {
    members: ["bytes", "ms"],
    read: (rule) => ({
      action: "slow",
      bytes: rule.optional("bytes", (node) => node.integer(1, 65536), 1),
      ms: rule.optional("ms", (node) => node.integer(1, longestMs), 100),
    }),
  },
  reset: { members: [], read: () => ({ action: "reset" }) },
  truncate: {
    members: ["bytes"],
    read: (rule) => ({
      action: "truncate",
      bytes: rule.optional("bytes", (node) => node.integer(0, 65536), 20),
    }),
  },
  html: { members: [], read: () => ({ action: "html" }) },
  huge: {
    members: ["bytes"],
    read: (rule) => ({
      action: "huge",
      bytes: rule.optional("bytes", (node) => node.integer(1, 2 ** 32), 64 * 1024 * 1024),
    }),
  },
  redirect: {
    members: ["location", "status"],
    read: (rule) => ({
      action: "redirect",
      location: url(rule.required("location")),
      status: rule.optional("status", (node) => node.integer(300, 308), 302),
    }),
  },
  aadsts: {
    members: ["code", "error", "status", "description", "suberror", "claims"],
    read: (rule) => ({
      action: "aadsts",
      code: rule.required("code").integer(10000, 99_999_999),
      ...readStsErrorOverrides(rule),
    }),
  },
  response: {
    members: ["set", "remove"],
    read: (rule) => ({
      action: "response",
      set: rule.optional("set", anyMembers, {}),
      remove: rule.optional("remove", (node) => node.list((item) => item.text()), []),
    }),
  },
};

/**
 * Reads one member of `faults`.
 *
 * @throws EntraToolError usage naming the file, the JSON path and what is wrong.
 */
export function readFaultRule(node: JsonNode): FaultRule {
  const names = Object.keys(actionReaders) as FaultAction["action"][];
  const members = names.flatMap((name) => actionReaders[name].members);
  const name = node.object([...selectors, ...members]).required("action").choice(names);
  const reader = actionReaders[name];
  const rule = node.object([...selectors, ...reader.members]);
  const endpoint = rule.required("endpoint").choice(faultEndpoints);
  if (rule.has("nth") && rule.has("from")) throw node.error('Give "nth" or "from", not both');
  if (rule.has("clientId") && !clientEndpoints.includes(endpoint)) {
    throw rule.required("clientId").error(`Requests to the endpoint ${endpoint} name no client`);
  }
  if (rule.has("grantType") && endpoint !== "token" && endpoint !== "any") {
    throw rule.required("grantType").error(`Requests to the endpoint ${endpoint} have no grant`);
  }
  const count = (item: JsonNode) => item.integer(1, Number.MAX_SAFE_INTEGER);
  const nth = rule.optional("nth", count, undefined);
  return {
    endpoint,
    ...rule.optional("clientId", (item) => ({ clientId: item.guid() }), {}),
    ...rule.optional("grantType", (item) => ({ grantType: shortGrantType(item.text())! }), {}),
    first: nth ?? rule.optional("from", count, 1),
    last: nth ?? Infinity,
    act: reader.read(rule),
  };
}

function retryAfter(node: JsonNode): number | string {
  // Any text is allowed: a header that makes no sense is a fault worth trying, too. A line break is none.
  return typeof node.value === "number" ? node.integer(0, 1e9) : headerText(node);
}

function headerText(node: JsonNode): string {
  const text = node.text();
  if (!/^[\x20-\x7e]+$/.test(text)) throw node.error("Expected printable ASCII text");
  return text;
}

function url(node: JsonNode): string {
  const text = headerText(node);
  if (!URL.canParse(text)) throw node.error("Expected an absolute URL");
  return text;
}

function anyMembers(node: JsonNode): Record<string, unknown> {
  const { value } = node;
  node.object(typeof value === "object" && value !== null ? Object.keys(value) : []);
  return value as Record<string, unknown>;
}
