/** What a person sees when an error must not, or can not, be told to the app. */

import { markup } from "./markup.ts";
import { page } from "./page.ts";
import type { Call, Sts } from "./route.ts";
import { type StsError, stsErrorBody } from "./sts_error.ts";

export function errorPage(error: StsError, call: Call, sts: Sts): Response {
  const { status, body } = stsErrorBody(error, call.ids, sts.now(), sts.origin);
  const [message = ""] = String(body.error_description).split(" Trace ID: ");
  return page(
    "Sorry, but we’re having trouble signing you in",
    markup`<p role="alert">${message}</p>
<p class="quiet">Request ID: ${call.ids.traceId}<br>Correlation ID: ${call.ids.correlationId}<br>
Timestamp: ${String(body.timestamp)}</p>`,
    { status },
  );
}
