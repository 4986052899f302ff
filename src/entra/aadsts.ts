/**
 * Entra's error codes in our words: what went wrong and what to do about it.
 *
 * Codes are for hints only. Microsoft changes codes and texts, so the program itself branches on `error` and `suberror`.
 *
 * @see https://learn.microsoft.com/entra/identity-platform/reference-error-codes
 */

import { type Cloud, cloudNamed, cloudOfHost } from "./cloud.ts";

/** What kind of command a person should type next. */
export type NextStep =
  | "again"
  | "certificate"
  | "client"
  | "cloud"
  | "consent"
  | "federated"
  | "redirect"
  | "scope"
  | "secret"
  | "sign-in"
  | "tenant"
  | "wait";

export interface AadstsEntry {
  /** What happened, as the start of an error message. */
  readonly cause: string;
  /** What to do about it, and where. */
  readonly remedy: string;
  readonly next?: NextStep;
  /** A person has to sign in: the exit code says so. */
  readonly interaction?: true;
}

const entry = (cause: string, remedy: string, next?: NextStep): AadstsEntry => ({
  cause,
  remedy,
  ...(next === undefined ? {} : { next }),
  ...(next === "sign-in" ? { interaction: true } : {}),
});

const signInAgain = "Sign in again";
const interactiveSignIn = "Sign in with the browser, where the extra step can be answered";
const secretRemedy =
  "Use the secret's value, not its id; make a new one under Certificates & secrets if it is lost";
const permissionRemedy =
  "Add the permission under API permissions of the app registration, then grant consent";

/** Keyed by the number behind `AADSTS`. */
export const aadstsEntries: Readonly<Record<number, AadstsEntry>> = {
  28003: entry(
    "The scope parameter was empty",
    "Ask for a scope such as https://graph.microsoft.com/.default",
    "scope",
  ),
  50011: entry(
    "The redirect URI is not registered for this app",
    "Register exactly this redirect URI under Authentication, on the right platform",
    "redirect",
  ),
  50013: entry(
    "The assertion is not valid",
    "Check the issuer, audience and expiry of the assertion",
    "certificate",
  ),
  50020: entry(
    "The account does not belong to this tenant",
    "Sign in with an account of the tenant, have it invited as a guest, or change the tenant",
    "tenant",
  ),
  50034: entry(
    "The user is not in this directory",
    "Check the user name and the tenant",
    "sign-in",
  ),
  50053: entry(
    "The account is locked or its address is blocked",
    "Wait, then look into the sign-in log",
    "wait",
  ),
  50055: entry("The password has expired", "Reset the password, then sign in", "sign-in"),
  50057: entry("The user account is disabled", "Ask an administrator to enable it"),
  50058: entry("Nobody is signed in", "Sign in with the browser", "sign-in"),
  50059: entry(
    "The request does not say which tenant is meant",
    "Use the tenant's id or domain",
    "tenant",
  ),
  50074: entry("Multi-factor authentication is needed", interactiveSignIn, "sign-in"),
  50076: entry("Multi-factor authentication is needed", interactiveSignIn, "sign-in"),
  50079: entry(
    "The user has to register for multi-factor authentication",
    "Register at https://aka.ms/mfasetup, then sign in",
    "sign-in",
  ),
  50097: entry(
    "The device has to prove itself",
    "Sign in with the browser on a managed device",
    "sign-in",
  ),
  50105: entry(
    "The user is not assigned to this app",
    "Ask an administrator to assign the user under Enterprise applications, Users and groups",
  ),
  50126: entry("The user name or password is wrong", "Sign in with the browser", "sign-in"),
  50128: entry(
    "The tenant does not exist or the request does not name one",
    "Use the tenant's id or domain",
    "tenant",
  ),
  50131: entry(
    "Conditional Access blocked the sign-in for the device or its risk",
    "Read the Conditional Access tab of the sign-in log",
  ),
  50158: entry("An external security challenge was not met", interactiveSignIn, "sign-in"),
  50173: entry("The sign-in was revoked", signInAgain, "sign-in"),
  50194: entry(
    "The app belongs to one tenant and can not be used through /common",
    "Use the tenant's id or domain",
    "tenant",
  ),
  50196: entry(
    "Entra saw the same request in a loop and stopped answering it",
    "Stop asking for some minutes and keep the token: do not pass --force or --no-cache in a loop",
    "wait",
  ),
  51004: entry(
    "The user is not in this directory",
    "Check the user name and the tenant",
    "sign-in",
  ),
  53000: entry("The device is not compliant", "Use a managed, compliant device", "sign-in"),
  53001: entry("The device is not joined to the domain", "Use a joined device", "sign-in"),
  53003: entry(
    "Conditional Access blocked the token",
    "Read the Conditional Access tab of the sign-in log, or ask an administrator to review the policy",
  ),
  54005: entry("The authorization code was already used", "Start the sign-in again", "sign-in"),
  65001: entry(
    "Nobody has consented to this app using that resource",
    "Consent in the browser, or have an administrator do it",
    "consent",
  ),
  65002: entry(
    "A Microsoft app is not preauthorized for this resource",
    "Use an app registration of your own",
    "client",
  ),
  65004: entry("The user declined to consent", "Sign in again and accept", "sign-in"),
  65005: entry(
    "The app does not list this resource among its permissions",
    permissionRemedy,
    "consent",
  ),
  70000: entry("The grant is not valid", signInAgain, "sign-in"),
  70001: entry(
    "The app is unknown in this tenant or disabled",
    "Check client id and tenant; an administrator can enable it under Enterprise applications",
    "client",
  ),
  70002: entry("The credential is not valid", secretRemedy, "secret"),
  70003: entry("The app may not use this grant type", "Allow the flow in the app registration"),
  70008: entry("The refresh token has expired", signInAgain, "sign-in"),
  70011: entry(
    "The scope is not valid",
    "Ask for one resource, and for client credentials for its /.default",
    "scope",
  ),
  70016: entry("The sign-in with the device code is still pending", "Finish it in the browser"),
  70018: entry("The user code is wrong", "Start again and type the new code", "sign-in"),
  70019: entry("The user code has expired", "Start again and type the new code", "sign-in"),
  70043: entry("The sign-in is older than the sign-in frequency allows", signInAgain, "sign-in"),
  90002: entry(
    "The tenant does not exist in this cloud",
    "Check the tenant for typing errors, and the cloud",
    "tenant",
  ),
  90014: entry("A field is missing in the request", "The server's text names it"),
  90038: entry(
    "The tenant belongs to another national cloud",
    "Choose the tenant's cloud: public, usgov, china, france, germany or singapore",
    "cloud",
  ),
  90072: entry(
    "The external account is not in this tenant",
    "Have it invited, or sign in with another account",
    "sign-in",
  ),
  90094: entry(
    "An administrator has to consent",
    "Send an administrator the consent address",
    "consent",
  ),
  90099: entry(
    "The app is not authorized in the customer's tenant",
    "Have it preconsented for the partner relationship",
    "consent",
  ),
  500011: entry(
    "The resource does not exist in this tenant",
    "Check the identifier URI in the scope, and that the API has a service principal in this tenant",
    "scope",
  ),
  500113: entry(
    "The app has no reply address",
    "Register a redirect URI under Authentication",
    "redirect",
  ),
  500133: entry(
    "The assertion is outside its time range",
    "Get a fresh one, and check this machine's clock",
    "again",
  ),
  501481: entry(
    "The code verifier does not match the code challenge",
    "Start the sign-in again",
    "sign-in",
  ),
  530003: entry(
    "The device has to be managed",
    "Sign in with the browser on a managed device",
    "sign-in",
  ),
  530035: entry(
    "Security defaults blocked the sign-in",
    "Use a flow that allows multi-factor authentication",
    "sign-in",
  ),
  530036: entry(
    "A policy on authentication flows ended this session",
    "Sign in without the device code flow",
    "sign-in",
  ),
  650057: entry("The resource is not among the app's permissions", permissionRemedy, "consent"),
  700016: entry(
    "The app was not found in this tenant",
    "Check client id, tenant and cloud",
    "client",
  ),
  700020: entry("A person has to sign in", "Sign in with the browser", "sign-in"),
  700022: entry("The scopes span several resources", "Ask for one resource at a time", "scope"),
  700024: entry(
    "The client assertion is outside its time range",
    "Check this machine's clock: an assertion lives ten minutes",
    "again",
  ),
  700025: entry(
    "The app is public, and a secret or certificate was sent",
    "Leave the credential out, or make the app confidential",
  ),
  700027: entry(
    "The certificate is not registered for this app, or the signature is wrong",
    "Upload this certificate under Certificates & secrets and compare thumbprints",
    "certificate",
  ),
  700030: entry(
    "The certificate's subject name is not authorized",
    "Check the trusted issuer and subject of the app registration",
    "certificate",
  ),
  700082: entry("The refresh token was not used for too long", signInAgain, "sign-in"),
  700084: entry(
    "The refresh token of a single-page app ends after 24 hours",
    "Sign in again, or register the redirect URI as a desktop app's",
    "sign-in",
  ),
  700211: entry(
    "No federated credential matches the assertion's issuer",
    "Make the issuer of the federated credential equal to the token's, to the letter",
    "federated",
  ),
  700212: entry(
    "No federated credential matches the assertion's audience",
    "Make the audience of the federated credential equal to the token's, to the letter",
    "federated",
  ),
  700213: entry(
    "No federated credential matches the assertion's subject",
    "Copy the subject exactly into the federated credential",
    "federated",
  ),
  1003031: entry(
    "The app's list of permissions is empty or broken",
    "Mend it under API permissions of the app registration",
    "consent",
  ),
  7000112: entry(
    "The app is disabled",
    "An administrator can enable it under Enterprise applications",
  ),
  7000114: entry("The app may not act on behalf of users", "Ask an administrator to review it"),
  7000215: entry("The client secret is wrong", secretRemedy, "secret"),
  7000216: entry("The app sent no credential", "Give it a secret or a certificate", "secret"),
  7000218: entry(
    "The app is confidential, and no credential was sent",
    "Allow public client flows under Authentication, or choose a flow that sends the app's secret or certificate: AuthorizationCode, ClientCredentials",
    "secret",
  ),
  7000222: entry(
    "The client secret has expired",
    "Make a new one under Certificates & secrets",
    "secret",
  ),
  7002138: entry(
    "The assertion's subject differs from the federated credential's in case only",
    "Write it in the same case",
    "federated",
  ),
  7002213: entry(
    "No federated credential matches the assertion's subject",
    "Copy the subject exactly into the federated credential",
    "federated",
  ),
  900023: entry("The tenant is malformed", "Use the tenant's GUID or a verified domain", "tenant"),
  900144: entry("A parameter is missing in the request", "The server's text names it"),
  900439: entry(
    "The app or tenant belongs to another national cloud",
    "Choose the tenant's cloud: public, usgov, china, france, germany or singapore",
    "cloud",
  ),
  1002012: entry(
    "The scope of a client-credentials request has to end in /.default",
    "Write the resource's identifier and /.default",
    "scope",
  ),
  9001023: entry(
    "This grant can not be used on /common, /organizations or /consumers",
    "Use the tenant's id or domain",
    "tenant",
  ),
  9002313: entry(
    "The request is malformed",
    "Check the values that were typed for stray characters",
  ),
  9002325: entry(
    "A single-page app has to use a code challenge",
    "Register the redirect URI as a desktop app's",
    "redirect",
  ),
  9002326: entry(
    "The redirect URI is not registered as a single-page app's",
    "Register the redirect URI on the right platform",
    "redirect",
  ),
  9002327: entry(
    "The redirect URI is registered as a single-page app's",
    "Register it as a desktop or web app's instead",
    "redirect",
  ),
  9002332: entry(
    "The app is for work accounts and can not be used on /consumers",
    "Use /organizations or the tenant's id",
    "tenant",
  ),
};

/** What the next command depends on. */
export interface NextStepContext {
  /** The profile in use; undefined when the settings came from flags or environment. */
  readonly profile: string | undefined;
  readonly clientId: string;
  readonly authorityUrl: string;
  /** What was typed, where that is known: the commands then fit to it. */
  readonly typed?: TypedCommand;
}

/** What can be told wrong, and is then to be corrected where it was given. */
export type CorrectedSetting = "secret" | "certificate" | "client" | "cloud" | "tenant";

/** The command that failed. */
export interface TypedCommand {
  /** The command again, with all that leads to the same tenant and app, but without some flags. */
  get(without?: readonly string[]): string;
  /** The flag or variable that gave the setting; undefined when it is the profile's, or nobody's. */
  givenBy(setting: CorrectedSetting): { readonly kind: string; readonly name: string } | undefined;
  /** The profile's secret must not be sent for another app or to another login host. */
  readonly isSecretOfProfile: boolean;
  /** A person's flow that sends no credential, whatever is configured. */
  readonly isPublicFlow: boolean;
}

const portal = "https://entra.microsoft.com, App registrations, Authentication";

/** The next thing to type (or to open), for a step. */
export function nextStepCommand(step: NextStep, context: NextStepContext): string {
  const { profile, typed } = context;
  const get = (...without: readonly string[]) =>
    typed?.get(without) ?? `entratool get-token${profile === undefined ? "" : ` -p ${profile}`}`;
  const secret = "--client-secret-file PATH";
  const change = (setting: CorrectedSetting, flags: string, ...without: readonly string[]) => {
    const given = typed?.givenBy(setting);
    if (given?.kind === "environment") return `Correct ${given.name}, which it came from`;
    return profile === undefined || given !== undefined
      ? `${get(...without)} ${flags}`
      : `entratool config edit -p ${profile} ${flags}`;
  };
  const withSecret = typed?.isSecretOfProfile ? ` ${secret}` : "";
  switch (step) {
    case "again":
    case "federated":
      return `${get()} --force --verbose`;
    case "wait":
      return get();
    case "secret":
      return typed?.isPublicFlow ? portal : change("secret", secret, "credential");
    case "certificate":
      return change("certificate", "--certificate PATH", "credential");
    case "client":
      return change("client", `--client-id GUID${withSecret}`, "client-id");
    case "cloud": {
      const other = cloudOf(context)?.name === "public" ? "usgov" : "public";
      return change("cloud", `--cloud ${other}${withSecret}`, "cloud", "authority");
    }
    case "tenant":
      return change("tenant", "--tenant GUID-or-domain", "tenant");
    case "redirect":
      return portal;
    case "scope":
      return `${get("scope")} -s ${(cloudOf(context) ?? cloudNamed("public")).graph}/.default`;
    case "consent":
      return `${context.authorityUrl}/adminconsent?client_id=${
        encodeURIComponent(context.clientId)
      }`;
    case "sign-in":
      return `${get("flow")} -f InteractiveBrowser`;
  }
}

function cloudOf({ authorityUrl }: NextStepContext): Cloud | undefined {
  return cloudOfHost(URL.parse(authorityUrl)?.host ?? "");
}
