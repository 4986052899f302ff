/**
 * A sign-in under way: the steps between a request for one (by authorize, or by a device code) and its answer.
 *
 * `advance` shows the page of the next step that is still to be done; `login_route.ts` takes what the person answers.
 */

import type { RequestedClaims } from "./claims_parameter.ts";
import { demandsSecondFactor, refusedByPolicy } from "./conditional_access.ts";
import { confirmDevicePage, consentPage } from "./consent_page.ts";
import type { App, AutomaticSignIn, Platform, Resource, Tenant, User } from "./directory.ts";
import type { Sts, TenantAlias } from "./route.ts";
import { type AskedScopes, singleResource } from "./scopes.ts";
import type { Session } from "./sessions.ts";
import { homeTenant, isMember, type SignIn, unknownAccount } from "./sign_in.ts";
import { chooseUserPage, passwordPage, secondFactorPage } from "./sign_in_page.ts";
import { StsError } from "./sts_error.ts";

/** What a sign-in is for. */
export interface Goal {
  readonly app: App;
  readonly tenant: Tenant | TenantAlias;
  readonly asked: AskedScopes;
  readonly claims: RequestedClaims;
  readonly platform: Platform;
  readonly protocol: SignIn["protocol"];
  /** Whether the person is asked even if everything has been consented to. */
  readonly alwaysConsent: boolean;
  /** What comes of it. */
  complete(signIn: SignIn): Response;
  refuse(error: StsError): Response;
}

export interface Interaction {
  readonly goal: Goal;
  /** The browser that it began in, the only one that may go on with it. */
  readonly browser: string;
  /** Whether a user who is signed in already need not give the password again. */
  readonly usesSessions: boolean;
  /** Offered first. */
  readonly hint?: User;
  /** Whose password is asked for. */
  candidate?: User;
  /** Who has signed in. */
  session?: Session;
  confirmed: boolean;
  consented: boolean;
}

/**
 * Does what can be done without the person, then shows the next page, or answers.
 *
 * @param wrong why the page is shown again
 * @throws StsError for the person: 50020, 50057, and what a policy forbids.
 */
export function advance(
  interaction: Interaction,
  flow: string,
  sts: Sts,
  wrong?: string,
): Response {
  const { goal, session, candidate } = interaction;
  const { app, asked } = goal;
  const tenant = typeof goal.tenant === "string" ? goal.tenant : goal.tenant.id;
  const form = { action: `/${tenant}/login`, flow };
  if (session === undefined) {
    if (candidate !== undefined) return passwordPage(form, candidate, wrong);
    return chooseUserPage(form, app, offered(interaction, sts), wrong);
  }
  const { user } = session;
  const signIn = admit(goal, session, sts);
  requireNoBlock(signIn, goal, sts);
  if (needsSecondFactor(goal, user, sts) && !session.methods.includes("mfa")) {
    return secondFactorPage(form, user);
  }
  if (goal.protocol === "device_code" && !interaction.confirmed) {
    return confirmDevicePage(form, app, user);
  }
  const { consents } = sts.state;
  const missing = consents.missing(user, app, asked);
  if (!interaction.consented && (goal.alwaysConsent || missing.length > 0)) {
    const listed = goal.alwaysConsent ? consents.listed(app, asked) : missing;
    return consentPage(form, app, user, asked.openid, listed);
  }
  consents.give(user, app, missing);
  sts.state.interactions.forget(flow);
  return goal.complete(signIn);
}

/**
 * The answer without any page; for `prompt=none`.
 *
 * @throws StsError 50076, 65001, and those of {@link advance}.
 */
export function completeSilently(goal: Goal, session: Session, sts: Sts): Response {
  const { app, asked, claims } = goal;
  const { user } = session;
  const signIn = admit(goal, session, sts);
  const resources = resourcesOf(asked, sts);
  const refusal = refusedByPolicy(
    sts.directory.conditionalAccess,
    "authorize",
    signIn,
    resources,
  );
  if (refusal !== undefined) throw refusal;
  if (claims.challenged && !session.methods.includes("mfa")) {
    throw new StsError(50076, { resource: resources[0]?.appId ?? "" });
  }
  if (sts.state.consents.missing(user, app, asked).length > 0) {
    throw new StsError(65001, { app: app.clientId, name: app.displayName }, {
      error: "consent_required",
    });
  }
  return goal.complete(signIn);
}

/** The answer that the configuration gives in the person's place. @throws StsError as {@link advance} does. */
export function automaticAnswer(goal: Goal, { answer, user }: AutomaticSignIn, sts: Sts): Response {
  if (answer === "deny") return goal.refuse(new StsError(65004));
  const { consents } = sts.state;
  const signIn = admit(goal, {
    id: crypto.randomUUID(),
    user,
    authenticatedAt: sts.now(),
    methods: needsSecondFactor(goal, user, sts) ? ["pwd", "mfa"] : ["pwd"],
  }, sts);
  // A device's sign-in is judged where the device asks for its tokens.
  if (goal.protocol === "authorization_code") requireNoBlock(signIn, goal, sts);
  consents.give(user, goal.app, consents.missing(user, goal.app, goal.asked));
  return goal.complete(signIn);
}

/** The sign-in that a session makes. @throws StsError 50020, 50057. */
function admit(goal: Goal, session: Session, sts: Sts): SignIn {
  const { user, methods } = session;
  const { app, platform, protocol, claims } = goal;
  const tenant = typeof goal.tenant === "string" ? homeTenant(user, sts.directory) : goal.tenant;
  if (!isMember(user, tenant)) throw unknownAccount(user, tenant, app);
  if (!user.enabled) throw new StsError(50057);
  return {
    user,
    tenant,
    app,
    platform,
    protocol,
    authenticatedAt: session.authenticatedAt,
    methods,
    sessionId: session.id,
    contexts: claims.contexts,
  };
}

/** Whatever a second factor meets is asked for on a page; the rest nobody can meet. @throws StsError a policy's. */
function requireNoBlock(signIn: SignIn, { asked }: Goal, sts: Sts): void {
  const blocked = refusedByPolicy(
    sts.directory.conditionalAccess,
    "authorize",
    { ...signIn, methods: ["pwd", "mfa"] },
    resourcesOf(asked, sts),
  );
  if (blocked !== undefined) throw blocked;
}

function needsSecondFactor({ app, asked, claims }: Goal, user: User, sts: Sts): boolean {
  return claims.challenged ||
    demandsSecondFactor(sts.directory.conditionalAccess, user, app, resourcesOf(asked, sts));
}

/** What policies look at: Graph when no resource is named. */
function resourcesOf(asked: AskedScopes, sts: Sts): readonly Resource[] {
  return asked.resources.length > 0
    ? asked.resources.map(({ resource }) => resource)
    : [singleResource(asked, sts.directory.resources).resource];
}

/** Whom the page offers: everybody with an account in the tenant, the hinted user first. */
function offered({ goal, browser, usesSessions, hint }: Interaction, sts: Sts) {
  const signedIn = usesSessions ? sts.state.sessions.of(browser, sts.now()) : [];
  const { tenant } = goal;
  return sts.directory.users
    .filter((user) => typeof tenant === "string" || isMember(user, tenant))
    .map((user) => ({ user, isSignedIn: signedIn.some((session) => session.user === user) }))
    .sort((one, other) => Number(other.user === hint) - Number(one.user === hint));
}

/** A session for a user who has just signed in with a password, or with none where none is asked for. */
export function newSession(user: User, nowMs: number): Session {
  return { id: crypto.randomUUID(), user, authenticatedAt: nowMs, methods: ["pwd"] };
}
