/**
 * Entra's error answers: which AADSTS code comes with which OAuth error, HTTP status and wording, and the JSON body
 * around it. The wording is Entra's own, so that a client which reads it (and none should) meets the real thing.
 *
 * @see https://learn.microsoft.com/entra/identity-platform/reference-error-codes
 */

import type { JsonObject } from "./checked_json.ts";

/** What is the same for every answer that carries one AADSTS code. */
interface StsErrorKind {
  /** RFC 6749 §5.2 or one of Entra's own, such as `invalid_resource`. */
  readonly error: string;
  readonly status: number;
  /** Entra's sentence; `{name}` is filled in from the error's details. */
  readonly text: string;
}

const certificateDocument =
  "https://learn.microsoft.com/entra/identity-platform/certificate-credentials";

/** The codes that the emulator knows. Any other can still be answered by a fault rule. */
export const stsErrorKinds: Readonly<Record<number, StsErrorKind>> = {
  16000: {
    error: "interaction_required",
    status: 400,
    text:
      "Either multiple user identities are available for the current request or selected account is not supported for the scenario.",
  },
  50011: {
    error: "invalid_request",
    status: 400,
    text:
      "The redirect URI '{redirectUri}' specified in the request does not match the redirect URIs configured for the application '{app}'. Make sure the redirect URI sent in the request matches one added to your application in the Azure portal. Navigate to https://aka.ms/redirectUriMismatchError to learn more about how to troubleshoot this error.",
  },
  50020: {
    error: "invalid_grant",
    status: 400,
    text:
      "User account '{user}' from identity provider '{provider}' does not exist in tenant '{tenant}' and cannot access the application '{app}'({name}) in that tenant. The account needs to be added as an external user in the tenant first. Sign out and sign in again with a different Azure Active Directory user account.",
  },
  50027: {
    error: "invalid_request",
    status: 400,
    text: "JWT token is invalid or malformed.",
  },
  50034: {
    error: "invalid_grant",
    status: 400,
    text:
      "The user account {user} does not exist in the {tenant} directory. To sign into this application, the account must be added to the directory.",
  },
  50049: {
    error: "invalid_instance",
    status: 400,
    text: "Unknown or invalid instance.",
  },
  50057: {
    error: "invalid_grant",
    status: 400,
    text: "The user account is disabled.",
  },
  50058: {
    error: "login_required",
    status: 400,
    text: "A silent sign-in request was sent but no user is signed in.",
  },
  50059: {
    error: "invalid_request",
    status: 400,
    text:
      "No tenant-identifying information found in either the request or implied by any provided credentials.",
  },
  50076: {
    error: "interaction_required",
    status: 400,
    text:
      "Due to a configuration change made by your administrator, or because you moved to a new location, you must use multi-factor authentication to access '{resource}'.",
  },
  50079: {
    error: "interaction_required",
    status: 400,
    text:
      "Due to a configuration change made by your administrator, or because you moved to a new location, you must enroll in multi-factor authentication to access '{resource}'.",
  },
  50126: {
    error: "invalid_grant",
    status: 400,
    text: "Error validating credentials due to invalid username or password.",
  },
  50147: {
    error: "invalid_request",
    status: 400,
    text: "The size of the Code_Challenge parameter is not valid.",
  },
  50149: {
    error: "invalid_request",
    status: 400,
    text: "Invalid Code_Challenge_method parameter.",
  },
  50173: {
    error: "invalid_grant",
    status: 400,
    text:
      "The provided grant has expired due to it being revoked, a fresh auth token is needed. The user might have changed or reset their password. The grant was issued on '{issued}' and the TokensValidFrom date (before which tokens are not valid) for this user is '{validFrom}'.",
  },
  50194: {
    error: "invalid_request",
    status: 400,
    text:
      "Application '{app}'({name}) is not configured as a multi-tenant application. Usage of the /common endpoint is not supported for such apps created after '10/15/2018'. Use a tenant-specific endpoint or configure the application to be multi-tenant.",
  },
  50196: {
    error: "invalid_grant",
    status: 400,
    text:
      "The server terminated an operation because it encountered a client request loop. Please contact your app vendor.",
  },
  53003: {
    error: "invalid_grant",
    status: 400,
    text:
      "Access has been blocked by Conditional Access policies. The access policy does not allow token issuance.",
  },
  54005: {
    error: "invalid_grant",
    status: 400,
    text:
      "OAuth2 Authorization code was already redeemed, please retry with a new valid code or use an existing refresh token.",
  },
  65001: {
    error: "invalid_grant",
    status: 400,
    text:
      "The user or administrator has not consented to use the application with ID '{app}' named '{name}'. Send an interactive authorization request for this user and resource.",
  },
  65004: {
    error: "access_denied",
    status: 400,
    text: "User declined to consent to access the app.",
  },
  70000: {
    error: "invalid_grant",
    status: 400,
    text: "Provided grant is invalid or malformed.",
  },
  70003: {
    error: "unsupported_grant_type",
    status: 400,
    text: "The app requested an unsupported grant type '{grantType}'.",
  },
  70005: {
    error: "unsupported_response_type",
    status: 400,
    text: "The app returned an unsupported response type '{responseType}'.",
  },
  70007: {
    error: "unsupported_response_mode",
    status: 400,
    text: "'{responseMode}' is not a supported value of 'response_mode' when requesting a token.",
  },
  70008: {
    error: "invalid_grant",
    status: 400,
    text:
      "The provided authorization code or refresh token has expired due to inactivity. Send a new interactive authorization request for this user and resource.",
  },
  70011: {
    error: "invalid_scope",
    status: 400,
    text:
      "The provided request must include a 'scope' input parameter. The provided value for the input parameter 'scope' is not valid. The scope {scope} is not valid.",
  },
  70016: {
    error: "authorization_pending",
    status: 400,
    text: "OAuth 2.0 device flow error. Authorization is pending. Continue polling.",
  },
  70018: {
    error: "bad_verification_code",
    status: 400,
    text: "Invalid verification code.",
  },
  70019: {
    error: "expired_token",
    status: 400,
    text: "Verification code expired.",
  },
  70020: {
    error: "expired_token",
    status: 400,
    text:
      "The provided value for the input parameter 'device_code' is not valid. This device code has expired.",
  },
  90002: {
    error: "invalid_request",
    status: 400,
    text:
      "Tenant '{tenant}' not found. Check to make sure you have the correct tenant ID and are signing into the correct cloud. Check with your subscription administrator, this may happen if there are no active subscriptions for the tenant.",
  },
  90014: {
    error: "invalid_request",
    status: 400,
    text:
      "The required field '{parameter}' is missing from the credential. Ensure that you have all the necessary parameters for the login request.",
  },
  90023: {
    error: "invalid_request",
    status: 400,
    text: "Unsupported '{parameter}' value.",
  },
  90033: {
    error: "temporarily_unavailable",
    status: 503,
    text: "A transient error has occurred. Please try again.",
  },
  90055: {
    error: "temporarily_unavailable",
    status: 429,
    text: "The tenant or its requests are throttled: there are too many incoming requests.",
  },
  90102: {
    error: "invalid_request",
    status: 400,
    text: "'redirect_uri' value must be a valid absolute Uri.",
  },
  165000: {
    error: "invalid_request",
    status: 400,
    text:
      "Invalid Request: The request did not include the required tokens for the user context. One or more of the user context values (cookies; form fields; headers) were not supplied, every request must include these values and maintain them across a complete single user flow.",
  },
  500011: {
    error: "invalid_resource",
    status: 400,
    text:
      "The resource principal named {resource} was not found in the tenant named {tenant}. This can happen if the application has not been installed by the administrator of the tenant or consented to by any user in the tenant. You might have sent your authentication request to the wrong tenant.",
  },
  500112: {
    error: "invalid_client",
    status: 401,
    text:
      "The reply address '{redirectUri}' does not match the reply address '{expected}' provided when requesting Authorization code.",
  },
  500113: {
    error: "invalid_request",
    status: 400,
    text: "No reply address is registered for the application.",
  },
  501481: {
    error: "invalid_grant",
    status: 400,
    text:
      "The Code_Verifier does not match the code_challenge supplied in the authorization request.",
  },
  530036: {
    error: "invalid_grant",
    status: 400,
    text:
      "The refresh token is not valid because of the authentication flow that it was issued through. Conditional Access policies do not allow this flow.",
  },
  650053: {
    error: "invalid_client",
    status: 400,
    text:
      "The application '{name}' asked for scope '{scope}' that doesn't exist on the resource '{resource}'. Contact the app vendor.",
  },
  650057: {
    error: "invalid_resource",
    status: 400,
    text:
      "Invalid resource. The client has requested access to a resource which is not listed in the requested permissions in the client's application registration. Client app ID: {app}({name}). Resource value from request: {asked}. Resource app ID: {resource}. List of valid resources from app registration: {registered}.",
  },
  700005: {
    error: "invalid_grant",
    status: 400,
    text: "Provided Authorization Code is intended to use against other tenant, thus rejected.",
  },
  700016: {
    error: "unauthorized_client",
    status: 400,
    text:
      "Application with identifier '{app}' was not found in the directory '{tenant}'. This can happen if the application has not been installed by the administrator of the tenant or consented to by any user in the tenant. You may have sent your authentication request to the wrong tenant.",
  },
  700021: {
    error: "invalid_client",
    status: 401,
    text:
      "Client assertion application identifier doesn't match 'client_id' parameter. Review the documentation at " +
      `${certificateDocument} .`,
  },
  700022: {
    error: "invalid_request",
    status: 400,
    text:
      "The provided value for the input parameter 'scope' is not valid because it contains more than one resource. Scope {scope} is not valid.",
  },
  700023: {
    error: "invalid_client",
    status: 401,
    text:
      "Client assertion audience claim does not match Realm issuer. Review the documentation at " +
      `${certificateDocument} .`,
  },
  700024: {
    error: "invalid_client",
    status: 401,
    text:
      "Client assertion is not within its valid time range. Current time: {now}, assertion valid from {notBefore}, expiry time of assertion {expires}. Review the documentation at " +
      `${certificateDocument} .`,
  },
  700025: {
    error: "invalid_client",
    status: 401,
    text: "Client is public so neither 'client_assertion' nor 'client_secret' should be presented.",
  },
  700027: {
    error: "invalid_client",
    status: 401,
    text:
      "The certificate with identifier used to sign the client assertion is not registered on application. [Reason - {reason} Please visit the Azure Portal, Graph Explorer or directly use MS Graph to see configured keys for app Id '{app}'.]",
  },
  700051: {
    error: "unsupported_response_type",
    status: 400,
    text: "response_type 'token' is not enabled for the application.",
  },
  700054: {
    error: "unsupported_response_type",
    status: 400,
    text: "response_type 'id_token' is not enabled for the application.",
  },
  700082: {
    error: "invalid_grant",
    status: 400,
    text:
      "The refresh token has expired due to inactivity. The token was issued on {issued} and was inactive for {inactive}.",
  },
  700084: {
    error: "invalid_grant",
    status: 400,
    text:
      "The refresh token was issued to a single page app (SPA), and therefore has a fixed, limited lifetime of {lifetime}, which cannot be extended. It is now expired and a new sign in request must be sent by the SPA to the sign in page. The token was issued on {issued}.",
  },
  900023: {
    error: "invalid_request",
    status: 400,
    text:
      "Specified tenant identifier '{tenant}' is neither a valid DNS name, nor a valid external domain.",
  },
  900144: {
    error: "invalid_request",
    status: 400,
    text: "The request body must contain the following parameter: '{parameter}'.",
  },
  900561: {
    error: "invalid_request",
    status: 405,
    text: "The endpoint only accepts {allowed} requests. Received a {method} request.",
  },
  1002012: {
    error: "invalid_scope",
    status: 400,
    text:
      "The provided value for scope {scope} is not valid. Client credential flows must have a scope value with /.default suffixed to the resource identifier (application ID URI).",
  },
  5002730: {
    error: "invalid_request",
    status: 400,
    text: "Invalid JWT token. Unsupported key for the signing algorithm.",
  },
  7000112: {
    error: "unauthorized_client",
    status: 400,
    text: "Application '{app}'({name}) is disabled.",
  },
  7000215: {
    error: "invalid_client",
    status: 401,
    text:
      "Invalid client secret provided. Ensure the secret being sent in the request is the client secret value, not the client secret ID, for a secret added to app '{app}'.",
  },
  7000216: {
    error: "invalid_client",
    status: 401,
    text:
      "'client_assertion', 'client_secret' or 'request' is required for the '{grantType}' grant type.",
  },
  7000218: {
    error: "invalid_client",
    status: 401,
    text:
      "The request body must contain the following parameter: 'client_assertion' or 'client_secret'.",
  },
  7000222: {
    error: "invalid_client",
    status: 401,
    text:
      "The provided client secret keys for app '{app}' are expired. Visit the Azure portal to create new keys for your app: https://aka.ms/NewClientSecret, or consider using certificate credentials for added security: https://aka.ms/certCreds.",
  },
  9001023: {
    error: "invalid_request",
    status: 400,
    text:
      "The grant type is not supported over the /common or /consumers endpoints. Please use the /organizations or tenant-specific endpoint.",
  },
  9002313: {
    error: "invalid_request",
    status: 400,
    text: "Invalid request. Request is malformed or invalid.",
  },
  9002325: {
    error: "invalid_request",
    status: 400,
    text: "Proof Key for Code Exchange is required for cross-origin authorization code redemption.",
  },
  9002326: {
    error: "invalid_request",
    status: 400,
    text:
      "Cross-origin token redemption is permitted only for the 'Single-Page Application' client-type. Request origin: '{origin}'.",
  },
  9002327: {
    error: "invalid_request",
    status: 400,
    text:
      "Tokens issued for the 'Single-Page Application' client-type may only be redeemed via cross-origin requests.",
  },
  9002332: {
    error: "invalid_request",
    status: 400,
    text:
      "Application '{app}'({name}) is configured for use by Azure Active Directory users only. Please do not use the /consumers endpoint to serve this request.",
  },
};

/** What a fault rule may say about a code, known to {@link stsErrorKinds} or not. */
export interface StsErrorOverrides {
  readonly error?: string;
  readonly status?: number;
  readonly description?: string;
  readonly suberror?: string;
  /** A claims challenge: JSON as a string, as Entra sends it. */
  readonly claims?: string;
}

/** @throws EntraToolError usage when a member of the configuration is none that an error answer can have. */
export function readStsErrorOverrides(rule: JsonObject): StsErrorOverrides {
  return {
    ...rule.optional("error", (node) => ({ error: node.text() }), {}),
    ...rule.optional("status", (node) => ({ status: node.integer(400, 599) }), {}),
    ...rule.optional("description", (node) => ({ description: node.text() }), {}),
    ...rule.optional("suberror", (node) => ({ suberror: node.text() }), {}),
    ...rule.optional("claims", (node) => ({ claims: node.text() }), {}),
  };
}

/** Ends the handling of a request with one of Entra's error answers. */
export class StsError extends Error {
  override readonly name = "StsError";

  constructor(
    readonly code: number,
    readonly details: Readonly<Record<string, string>> = {},
    readonly overrides: StsErrorOverrides = {},
  ) {
    super(`AADSTS${code}`);
  }
}

/** The ids that Entra gives each request and repeats in the answer. */
export interface RequestIds {
  readonly traceId: string;
  readonly correlationId: string;
}

/** `2026-11-22 17:30:34Z`, as Entra writes it in errors. */
function stsTimestamp(nowMs: number): string {
  return new Date(nowMs).toISOString().replace("T", " ").replace(/\.\d+Z$/, "Z");
}

/** The status and body of an error answer. */
export function stsErrorBody(
  error: StsError,
  ids: RequestIds,
  nowMs: number,
  origin: string,
): { readonly status: number; readonly body: Readonly<Record<string, unknown>> } {
  const kind = stsErrorKinds[error.code];
  const { overrides } = error;
  const text = overrides.description ??
    (kind?.text ?? "The request was refused.").replaceAll(
      /\{(\w+)\}/g,
      (_, name: string) => error.details[name] ?? "unknown",
    );
  const timestamp = stsTimestamp(nowMs);
  return {
    status: overrides.status ?? kind?.status ?? 400,
    body: {
      error: overrides.error ?? kind?.error ?? "invalid_grant",
      error_description: `AADSTS${error.code}: ${text} Trace ID: ${ids.traceId} ` +
        `Correlation ID: ${ids.correlationId} Timestamp: ${timestamp}`,
      error_codes: [error.code],
      timestamp,
      trace_id: ids.traceId,
      correlation_id: ids.correlationId,
      error_uri: `${origin}/error?code=${error.code}`,
      ...(overrides.suberror === undefined ? {} : { suberror: overrides.suberror }),
      ...(overrides.claims === undefined ? {} : { claims: overrides.claims }),
    },
  };
}
