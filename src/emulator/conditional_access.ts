/**
 * Conditional Access: what an administrator demands of sign-ins beyond the password, and how Entra refuses the
 * sign-ins that do not meet it.
 *
 * @see https://learn.microsoft.com/entra/identity/conditional-access/overview
 * @see https://learn.microsoft.com/entra/identity-platform/v2-conditional-access-dev-guide
 */

import type { JsonNode } from "./checked_json.ts";
import { type App, findResource, findUser, type Resource, type User } from "./directory.ts";
import type { SignIn } from "./sign_in.ts";
import { readStsErrorOverrides, StsError, type StsErrorOverrides } from "./sts_error.ts";

/** Where a rule is looked at: the browser, and the grants of the token endpoint. */
export const stages = [
  "authorize",
  "authorization_code",
  "device_code",
  "refresh_token",
] as const;
export type Stage = typeof stages[number];

/** What a rule demands. The first two are met by a sign-in with a second factor, the others never. */
const requirements = ["mfa", "mfaRegistration", "block", "blockDeviceCode"] as const;
type Requirement = typeof requirements[number];

/** Who is concerned, where, by what; of user, client and resource all that are named must match. */
export interface ConditionalAccessRule {
  readonly require: Requirement;
  readonly userId?: string;
  readonly clientId?: string;
  /** The appId. */
  readonly resource?: string;
  readonly at: readonly Stage[];
  /** Instead of the requirement's own. */
  readonly code?: number;
  readonly overrides: StsErrorOverrides;
}

/** A sign-in as the rules see it. */
export type Judged = Pick<SignIn, "user" | "app" | "methods" | "protocol">;

/** The error that refuses the sign-in tokens for the resources, if a rule demands it. */
export function refusedByPolicy(
  rules: readonly ConditionalAccessRule[],
  stage: Stage,
  signIn: Judged,
  resources: readonly Resource[],
): StsError | undefined {
  const rule = rules.find((rule) =>
    rule.at.includes(stage) && concerns(rule, signIn.user, signIn.app, resources) &&
    !isMet(rule.require, stage, signIn)
  );
  return rule && errorOf(rule, stage, resources);
}

/** Whether a rule makes the person prove themselves a second time. */
export function demandsSecondFactor(
  rules: readonly ConditionalAccessRule[],
  user: User,
  app: App,
  resources: readonly Resource[],
): boolean {
  return rules.some((rule) =>
    (rule.require === "mfa" || rule.require === "mfaRegistration") &&
    rule.at.includes("authorize") && concerns(rule, user, app, resources)
  );
}

function concerns(
  { userId, clientId, resource }: Pick<ConditionalAccessRule, "userId" | "clientId" | "resource">,
  user: User,
  app: App,
  resources: readonly Resource[],
): boolean {
  return (userId === undefined || userId === user.id) &&
    (clientId === undefined || clientId === app.clientId) &&
    (resource === undefined || resources.some(({ appId }) => appId === resource));
}

function isMet(require: Requirement, stage: Stage, { methods, protocol }: Judged): boolean {
  if (require === "block") return false;
  // The flow is known at the token endpoint only: in the browser its sign-in is one like any other.
  if (require === "blockDeviceCode") return protocol !== "device_code" || stage === "authorize";
  return methods.includes("mfa");
}

const usualCodes: Readonly<Record<Requirement, number>> = {
  mfa: 50076,
  mfaRegistration: 50079,
  block: 53003,
  blockDeviceCode: 53003,
};

function errorOf(
  { require, code, overrides, ...rule }: ConditionalAccessRule,
  stage: Stage,
  resources: readonly Resource[],
): StsError {
  const isBlock = require === "block" || require === "blockDeviceCode";
  const isSilent = stage === "refresh_token";
  const usual = require === "blockDeviceCode" && isSilent ? 530036 : usualCodes[require];
  // The policies that a person can satisfy are named in a claims challenge, which the client hands on to authorize.
  const challenge = { access_token: { capolids: { essential: true, values: [policyId(rule)] } } };
  return new StsError(code ?? usual, { resource: resources[0]?.appId ?? "" }, {
    error: isSilent || (isBlock && stage !== "authorize")
      ? "invalid_grant"
      : "interaction_required",
    suberror: isBlock ? "message_only" : "basic_action",
    ...(isBlock ? {} : { claims: JSON.stringify(challenge) }),
    ...overrides,
  });
}

/** A GUID for a policy: what it is, nobody can look up. */
function policyId(rule: { readonly clientId?: string; readonly resource?: string }): string {
  return rule.resource ?? rule.clientId ?? "c0ffee00-0000-4000-8000-0000000000ca";
}

/**
 * Reads one member of `conditionalAccess`.
 *
 * @throws EntraToolError usage naming the file, the JSON path and what is wrong.
 */
export function readConditionalAccessRule(
  node: JsonNode,
  users: readonly User[],
  resources: readonly Resource[],
): ConditionalAccessRule {
  const rule = node.object([
    "require",
    "user",
    "clientId",
    "resource",
    "at",
    "code",
    "error",
    "status",
    "description",
    "suberror",
    "claims",
  ]);
  return {
    require: rule.required("require").choice(requirements),
    ...rule.optional("user", (item) => {
      const user = findUser(users, item.text());
      if (user === undefined) throw item.error("No user has this userPrincipalName");
      return { userId: user.id };
    }, {}),
    ...rule.optional("clientId", (item) => ({ clientId: item.guid() }), {}),
    ...rule.optional("resource", (item) => {
      const resource = findResource(resources, item.text());
      if (resource === undefined) {
        throw item.error("No resource has this appId or identifier URI");
      }
      return { resource: resource.appId };
    }, {}),
    at: rule.optional("at", (item) => item.list((stage) => stage.choice(stages)), [...stages]),
    ...rule.optional("code", (item) => ({ code: item.integer(10000, 99_999_999) }), {}),
    overrides: readStsErrorOverrides(rule),
  };
}
