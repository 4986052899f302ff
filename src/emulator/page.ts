/**
 * The frame of every page that a person sees: one card, light or dark, without JavaScript, and nothing from elsewhere.
 *
 * @see https://www.w3.org/TR/CSP3/
 */

import { createHash } from "node:crypto";
import { Html, markup } from "./markup.ts";

const style = `
:root { color-scheme: light dark; --ink: light-dark(#1b1a19, #f3f2f1);
  --quiet: light-dark(#5c5a58, #b3b0ad); --card: light-dark(#fff, #252423);
  --ground: light-dark(#f0f1f5, #161514); --line: light-dark(#d2d0ce, #484644);
  --hover: light-dark(#f3f2f1, #323130); --accent: light-dark(#0f5cad, #7ab8f5);
  --on-accent: light-dark(#fff, #10243a); --wrong: light-dark(#b1101f, #ff9aa2); }
* { box-sizing: border-box; }
body { margin: 0; min-height: 100vh; display: grid; place-items: center; padding: 1rem;
  background: var(--ground); color: var(--ink); font: 1rem/1.5 system-ui, sans-serif; }
main { width: min(27rem, 100%); padding: 2rem; border: 1px solid var(--line);
  border-radius: .75rem; background: var(--card); box-shadow: 0 2px 12px #0002; }
h1 { margin: 0 0 .75rem; font-size: 1.4rem; line-height: 1.25; overflow-wrap: anywhere; }
p, ul { margin: 0 0 1rem; overflow-wrap: anywhere; }
ul { padding-left: 1.25rem; }
label { display: block; margin-bottom: .25rem; font-weight: 600; }
input { width: 100%; margin-bottom: 1rem; padding: .55rem .7rem; font: inherit; color: inherit;
  border: 1px solid var(--quiet); border-radius: .4rem; background: var(--ground); }
::placeholder { color: var(--quiet); opacity: 1; }
.code { font: 1.4rem ui-monospace, monospace; letter-spacing: .15em; text-transform: uppercase; }
button { padding: .5rem 1.25rem; font: inherit; color: inherit; border: 1px solid var(--line);
  border-radius: .4rem; background: none; cursor: pointer; }
button:hover { background: var(--hover); }
button.primary { border-color: var(--accent); background: var(--accent); color: var(--on-accent); }
button.primary:hover { filter: brightness(1.1); }
button.user { display: block; width: 100%; margin-bottom: .5rem; padding: .7rem 1rem;
  text-align: left; }
button.user span { display: block; color: var(--quiet); font-size: .875rem; }
:focus-visible { outline: 3px solid var(--accent); outline-offset: 2px; }
.actions { display: flex; flex-wrap: wrap; gap: .5rem; justify-content: flex-end; }
.quiet { color: var(--quiet); font-size: .875rem; }
.wrong { color: var(--wrong); }
hr { margin: 1.25rem 0; border: 0; border-top: 1px solid var(--line); }
footer { margin-top: 1.5rem; color: var(--quiet); font-size: .8rem; }
`;

/** The one script there is: it spares the person a click on the way back to the app. */
const submitScript = "document.forms[0].submit()";

/** Sends the page's form as soon as the page is there; without JavaScript its button does. */
export const submitAtOnce = new Html(`<script>${submitScript}</script>`);

/**
 * There is no `form-action`: browsers hold every redirect after a form to it, and a web app may go on from its
 * redirect URI to wherever it likes.
 */
const policy = [
  "default-src 'none'",
  `style-src '${hashOf(style)}'`,
  `script-src '${hashOf(submitScript)}'`,
  "base-uri 'none'",
  "frame-ancestors 'none'",
].join("; ");

/** A page with a heading, which is its title, too. */
export function page(
  title: string,
  content: Html,
  { status = 200, script }: { readonly status?: number; readonly script?: Html } = {},
): Response {
  const body = markup`<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${title}</title>
<style>${new Html(style)}</style>
</head>
<body>
<main>
<h1>${title}</h1>
${content}
<footer>Local emulator of Microsoft Entra ID. Its tokens open nothing but tests.</footer>
</main>
${script}
</body>
</html>
`;
  return new Response(body.text, {
    status,
    headers: {
      "Content-Type": "text/html; charset=utf-8",
      "Content-Security-Policy": policy,
      "X-Frame-Options": "DENY",
      // As Entra's: the redirect URI learns where it was come from, and nothing of the query.
      "Referrer-Policy": "strict-origin-when-cross-origin",
    },
  });
}

function hashOf(text: string): string {
  return `sha256-${createHash("sha256").update(text).digest("base64")}`;
}
