/**
 * How authorize answers an app: by a redirect, or by a form that the browser posts.
 *
 * @see https://openid.net/specs/oauth-v2-multiple-response-types-1_0.html#ResponseModes
 * @see https://openid.net/specs/oauth-v2-form-post-response-mode-1_0.html
 */

import { markup } from "./markup.ts";
import { page, submitAtOnce } from "./page.ts";

export const responseModes = ["query", "fragment", "form_post"] as const;
export type ResponseMode = typeof responseModes[number];

/** Where an answer goes, and how. */
export interface AnswerTarget {
  readonly redirectUri: string;
  readonly responseMode: ResponseMode;
  readonly state?: string;
}

/** Answers with these parameters and the app's own state. */
export function answerApp(
  { redirectUri, responseMode, state }: AnswerTarget,
  parameters: Readonly<Record<string, string | undefined>>,
): Response {
  const answer = Object.entries({ ...parameters, state })
    .filter((pair): pair is [string, string] => pair[1] !== undefined);
  // A URI without a path comes back with a slash.
  const { href } = new URL(redirectUri);
  if (responseMode === "form_post") return formPostPage(href, answer);
  const mark = responseMode === "fragment" ? "#" : href.includes("?") ? "&" : "?";
  return new Response(null, {
    status: 302,
    headers: { "Location": href + mark + new URLSearchParams(answer) },
  });
}

function formPostPage(action: string, answer: readonly (readonly [string, string])[]): Response {
  const inputs = answer.map(([name, value]) =>
    markup`<input type="hidden" name="${name}" value="${value}">
`
  );
  return page(
    "Working…",
    markup`<form method="post" action="${action}">
${inputs}<p>You are being taken back to the app.</p>
<div class="actions"><button class="primary">Continue</button></div>
</form>`,
    { script: submitAtOnce },
  );
}
