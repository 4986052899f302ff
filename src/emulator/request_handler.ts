/**
 * From a request to an answer: finds the route, plays a fault if one is due, and gives every proper answer the
 * headers of Entra.
 */

import { claimedClient } from "./client_authentication.ts";
import { discoveryRoutes } from "./discovery_routes.ts";
import { playFault } from "./fault_actions.ts";
import type { FaultPlan } from "./faults.ts";
import type { Answer } from "./http_server.ts";
import { type AnsweredRequest, loggableClientId } from "./request_log.ts";
import type { Call, Route, Sts } from "./route.ts";
import { isGuid } from "./checked_json.ts";
import { StsError, stsErrorBody } from "./sts_error.ts";
import { tokenRoute } from "./token_route.ts";

/** Every endpoint there is. */
const routes: readonly Route[] = [...discoveryRoutes, tokenRoute];

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

  const refuse = (error: StsError): Response => {
    outcome = `AADSTS${error.code}`;
    const { status, body } = stsErrorBody(error, call.ids, sts.now(), sts.origin);
    return withEntraHeaders(Response.json(body, { status }), call);
  };
  const answerProperly = async (): Promise<Response> => {
    try {
      return withEntraHeaders(await handle(route, call, sts), call);
    } catch (error) {
      if (error instanceof StsError) return refuse(error);
      throw error;
    }
  };

  const fault = faults.next(route?.endpoint, clientId);
  const answer = fault === undefined
    ? await answerProperly()
    : await playFault(fault, { answer: answerProperly, refuse, closed });
  const grantType = call.form.get("grant_type");
  return {
    answer,
    answered: {
      time,
      method: request.method,
      path: call.url.pathname,
      status: statusOf(answer),
      durationMs: performance.now() - start,
      ...(grantType === null ? {} : { grantType }),
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
  const [, tenantName = "", path = ""] = /^\/([^/]+)(\/.*)$/.exec(url.pathname) ?? [];
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
    return claimedClient(call).clientId;
  } catch {
    return undefined;
  }
}

function withEntraHeaders(response: Response, call: Call): Response {
  const { headers } = response;
  if (headers.get("Content-Type") === "application/json") {
    headers.set("Content-Type", "application/json; charset=utf-8");
  }
  if (!headers.has("Cache-Control")) headers.set("Cache-Control", "no-store, no-cache");
  headers.set("Pragma", "no-cache");
  headers.set("Expires", "-1");
  headers.set("X-Content-Type-Options", "nosniff");
  headers.set("x-ms-request-id", call.ids.traceId);
  if (call.request.headers.get("return-client-request-id")?.toLowerCase() === "true") {
    headers.set("client-request-id", call.ids.correlationId);
  }
  return response;
}
