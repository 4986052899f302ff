/** Plays a fault: turns the answer that a request would have got into the one that a rule asks for. */

import type { FaultAction } from "./faults.ts";
import type { Answer } from "./http_server.ts";
import { StsError } from "./sts_error.ts";

/** What an action is played on. */
export interface FaultStage {
  /** Makes the answer that the request would have got. */
  answer(): Promise<Response>;
  /** An error answer in Entra's shape, as the endpoint gives it: JSON, a redirect or a page. */
  refuse(error: StsError): Response;
  /** The same as JSON, whatever the endpoint. */
  refuseAsJson(error: StsError): Response;
  /** Fires when the emulator closes: nothing may be waited for any longer. */
  readonly closed: AbortSignal;
}

export async function playFault(action: FaultAction, stage: FaultStage): Promise<Answer> {
  switch (action.action) {
    case "status":
      return gatewayError(action, stage);
    case "delay":
      await sleep(action.ms, stage.closed);
      return stage.answer();
    case "slow":
      return dribbled(await stage.answer(), action, stage.closed);
    case "reset":
      return { kind: "reset" };
    case "truncate":
      return { kind: "truncate", response: await stage.answer(), bytes: action.bytes };
    case "html":
      return captivePortal();
    case "huge":
      return huge(action.bytes);
    case "redirect":
      return new Response(null, {
        status: action.status,
        headers: { "Location": action.location },
      });
    case "aadsts": {
      const { action: _, code, ...overrides } = action;
      return stage.refuse(new StsError(code, {}, overrides));
    }
    case "response":
      return rewritten(await stage.answer(), action);
  }
}

function gatewayError(
  { status, retryAfter, body }: Extract<FaultAction, { action: "status" }>,
  stage: FaultStage,
): Response {
  const response = body === "json"
    ? stage.refuseAsJson(new StsError(status === 429 ? 90055 : 90033, {}, { status }))
    : new Response(
      body === "html" ? page("Our services are not available right now") : null,
      { status, ...(body === "html" ? { headers: htmlHeaders } : {}) },
    );
  if (retryAfter !== undefined) response.headers.set("Retry-After", String(retryAfter));
  return response;
}

function dribbled(
  response: Response,
  { bytes, ms }: Extract<FaultAction, { action: "slow" }>,
  closed: AbortSignal,
): Response {
  const pieces = async function* () {
    const body = new Uint8Array(await response.arrayBuffer());
    for (let start = 0; start < body.length; start += bytes) {
      await sleep(ms, closed);
      yield body.slice(start, start + bytes);
    }
  };
  return new Response(ReadableStream.from(pieces()), response);
}

function huge(bytes: number): Response {
  const pieces = function* () {
    const piece = new Uint8Array(64 * 1024).fill(0x20);
    yield new TextEncoder().encode("{").subarray(0, bytes);
    for (let sent = 1; sent < bytes; sent += piece.length) {
      yield piece.subarray(0, Math.min(piece.length, bytes - sent));
    }
  };
  return new Response(ReadableStream.from(pieces()), {
    headers: { "Content-Type": "application/json; charset=utf-8" },
  });
}

async function rewritten(
  response: Response,
  { set, remove }: Extract<FaultAction, { action: "response" }>,
): Promise<Response> {
  if (!response.ok) return response;
  const body = { ...await response.json(), ...set };
  for (const name of remove) delete body[name];
  return Response.json(body, response);
}

/** What a hotel's network answers to everything until its guest has signed in. */
function captivePortal(): Response {
  return new Response(page("Welcome! Sign in to use this network"), { headers: htmlHeaders });
}

const htmlHeaders = { "Content-Type": "text/html; charset=utf-8" };

function page(text: string): string {
  return `<!DOCTYPE html>\n<html><head><title>${text}</title></head><body>${text}</body></html>\n`;
}

/** Waits; ends early when the emulator closes. */
function sleep(ms: number, closed: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (closed.aborted) return resolve();
    const end = () => {
      clearTimeout(timer);
      closed.removeEventListener("abort", end);
      resolve();
    };
    const timer = setTimeout(end, ms);
    closed.addEventListener("abort", end);
  });
}
