/**
 * From a request to an answer: finds the route, plays a fault if one is due, and gives every proper answer the
 * headers of Entra.
 */

import { authorizeRoute } from "./authorize_route.ts";
import { claimedClient } from "./client_authentication.ts";
import { deviceCodeRoute } from "./device_code_route.ts";
import { deviceLoginRoute } from "./device_login_route.ts";
import { discoveryRoutes } from "./discovery_routes.ts";
import { playFault } from "./fault_actions.ts";
import type { FaultPlan } from "./faults.ts";
import type { Answer } from "./http_server.ts";
import { loginRoute } from "./login_route.ts";
import { logoutRoute } from "./logout_route.ts";
import { type AnsweredRequest, loggableClientId } from "./request_log.ts";
import type { Call, Route, Sts } from "./route.ts";
import { isGuid } from "./checked_json.ts";
import { StsError, stsErrorBody } from "./sts_error.ts";
import { tokenRoute } from "./token_route.ts";

/** Every endpoint there is. */
const routes: readonly Route[] = [
  ...discoveryRoutes,
  tokenRoute,
  authorizeRoute,
  loginRoute,
  deviceCodeRoute,
  deviceLoginRoute,
  logoutRoute,
];

/**
 * Answers one request and says how.
 *
 * @param closed fires when the emulator closes
 */
export async function respond(
  request: Request,
  sts: Sts,
  faults: FaultPlan,
  closed: AbortSignal,
): Promise<{ readonly answer: Answer; readonly answered: AnsweredRequest }> {
  const time = sts.now();
  const start = performance.now();
  const { call, path } = await takeApart(request);
  const route = routes.find((route) => route.path === path);
  const clientId = loggableClientId(clientIdOf(call));
  let outcome = "ok";

  const refuseAsJson = (error: StsError): Response => {
    outcome = `AADSTS${error.code}`;
    const { status, body } = stsErrorBody(error, call.ids, sts.now(), sts.origin);
    return withEntraHeaders(Response.json(body, { status }), call, sts);
  };
  const refuse = (error: StsError): Response => {
    if (route?.refuse === undefined) return refuseAsJson(error);
    outcome = `AADSTS${error.code}`;
    return withEntraHeaders(route.refuse(error, call, sts), call, sts);
  };
  const answerProperly = async (): Promise<Response> => {
    try {
      return withEntraHeaders(await handle(route, call, sts), call, sts);
    } catch (error) {
      if (error instanceof StsError) return refuse(error);
      throw error;
    }
  };

  const grantType = call.form.get("grant_type") ?? undefined;
  const fault = faults.next(route?.endpoint, { clientId, grantType });
  const answer = fault === undefined
    ? await answerProperly()
    : await playFault(fault, { answer: answerProperly, refuse, refuseAsJson, closed });
  return {
    answer,
    answered: {
      time,
      method: request.method,
      path: call.url.pathname,
      status: statusOf(answer),
      durationMs: performance.now() - start,
      ...(grantType === undefined ? {} : { grantType }),
      ...(clientId === undefined ? {} : { clientId }),
      outcome: fault === undefined ? outcome : `fault:${fault.action}`,
    },
  };
}

async function handle(route: Route | undefined, call: Call, sts: Sts): Promise<Response> {
  // Entra, too, answers an unknown path with a bare 404.
  if (route === undefined) return new Response(null, { status: 404 });
  const { method } = call.request;
  if (!route.methods.includes(method)) {
    throw new StsError(900561, { allowed: route.methods.join(", "), method });
  }
  return await route.handle(call, sts);
}

function statusOf(answer: Answer): number {
  if (answer instanceof Response) return answer.status;
  return answer.kind === "truncate" ? answer.response.status : 0;
}

/** The request as routes see it, and what follows the tenant in its path. */
async function takeApart(
  request: Request,
): Promise<{ readonly call: Call; readonly path: string }> {
  const url = new URL(request.url);
  const [, tenantName = "", path = url.pathname] = /^\/([^/]+)(\/.*)$/.exec(url.pathname) ?? [];
  const form = new URLSearchParams(isForm(request) ? await request.text() : "");
  const asked = request.headers.get("client-request-id") ??
    url.searchParams.get("client-request-id") ?? form.get("client-request-id") ?? "";
  const correlationId = isGuid(asked.toLowerCase()) ? asked : crypto.randomUUID();
  return {
    call: {
      request,
      url,
      tenantName: decodePath(tenantName),
      form,
      ids: { traceId: crypto.randomUUID(), correlationId },
    },
    path,
  };
}

/** Entra reads nothing out of a body of any other type, and then misses its parameters. */
function isForm(request: Request): boolean {
  const type = request.headers.get("content-type")?.split(";")[0]?.trim().toLowerCase();
  return request.method === "POST" && type === "application/x-www-form-urlencoded";
}

function decodePath(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch {
    return segment;
  }
}

function clientIdOf(call: Call): string | undefined {
  try {
    return claimedClient(call).clientId ?? call.url.searchParams.get("client_id") ?? undefined;
  } catch {
    return undefined;
  }
}

function withEntraHeaders(response: Response, call: Call, sts: Sts): Response {
  const { headers } = response;
  if (headers.get("Content-Type") === "application/json") {
    headers.set("Content-Type", "application/json; charset=utf-8");
  }
  if (!headers.has("Cache-Control")) headers.set("Cache-Control", "no-store, no-cache");
  headers.set("Pragma", "no-cache");
  headers.set("Expires", "-1");
  headers.set("X-Content-Type-Options", "nosniff");
  const origin = call.request.headers.get("origin");
  if (origin !== null && isSinglePageApplication(origin, sts)) {
    headers.set("Access-Control-Allow-Origin", origin);
  }
  headers.set("x-ms-request-id", call.ids.traceId);
  if (call.request.headers.get("return-client-request-id")?.toLowerCase() === "true") {
    headers.set("client-request-id", call.ids.correlationId);
  }
  return response;
}

/** Whose pages may read what the emulator answers: those of apps that are registered for it. */
function isSinglePageApplication(origin: string, { directory }: Sts): boolean {
  return directory.apps.some(({ redirectUris }) =>
    redirectUris.spa.some((uri) => new URL(uri).origin === origin)
  );
}
