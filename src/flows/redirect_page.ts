/** The pages that a person sees in the browser at the end of a sign-in, and the headers that protect them. */

/** What a page says; all of it may be untrusted text. */
export interface Page {
  readonly kind: "success" | "failure" | "notice";
  /** The outcome in a few words: the heading, and the title of the window. */
  readonly title: string;
  readonly message: string;
  /** What to do next; lines are kept. */
  readonly hint?: string;
}

const style = `
:root {
  color-scheme: light dark;
  --page: #f3f4f6; --card: #fff; --edge: #e2e5e9; --text: #1c2128; --quiet: #57606a;
  --success: #1a7f37; --failure: #b42318; --notice: #475467; --mark: #fff;
}
@media (prefers-color-scheme: dark) {
  :root {
    --page: #0e1116; --card: #171b22; --edge: #2b323c; --text: #e8ebef; --quiet: #a3adb8;
    --success: #5fd17a; --failure: #ff938a; --notice: #a3adb8; --mark: #10141a;
  }
}
* { box-sizing: border-box; margin: 0; }
body {
  min-height: 100vh; display: grid; place-items: center; padding: 1.5rem;
  background: var(--page); color: var(--text);
  font: 1rem/1.6 system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", sans-serif;
}
main {
  width: 100%; max-width: 30rem; padding: 2.5rem; text-align: center;
  background: var(--card); border: 1px solid var(--edge); border-radius: 1rem;
}
svg { display: block; width: 3.5rem; height: 3.5rem; margin: 0 auto 1.25rem; }
circle { fill: var(--accent); }
path { fill: none; stroke: var(--mark); stroke-width: 2.25; stroke-linecap: round; stroke-linejoin: round; }
.success { --accent: var(--success); }
.failure { --accent: var(--failure); }
.notice { --accent: var(--notice); }
h1 { margin-bottom: .5rem; font-size: 1.5rem; line-height: 1.25; font-weight: 650; }
h1, p { overflow-wrap: anywhere; white-space: pre-line; text-wrap: balance; }
.hint {
  margin-top: 1.25rem; padding: .75rem 1rem; text-align: start; text-wrap: wrap; font-size: .9375rem;
  background: var(--page); border: 1px solid var(--edge); border-radius: .5rem;
}
.next { margin-top: 1.25rem; color: var(--quiet); }
`;

/** Drawn in a circle of radius 12. */
const marks: Readonly<Record<Page["kind"], string>> = {
  success: "M7 12.5l3.4 3.4L17 9",
  failure: "M8.5 8.5l7 7m0-7l-7 7",
  notice: "M12 11v5.5M12 7.5v.01",
};

/**
 * The page as a complete HTTP response.
 *
 * Its policy allows the one style sheet, by its hash, and nothing else: no script, no image, no form, no frame around it.
 */
export async function pageResponse(page: Page, status: number): Promise<Response> {
  return new Response(renderPage(page), {
    status,
    headers: {
      ...protectiveHeaders,
      "Content-Type": "text/html; charset=utf-8",
      "Content-Security-Policy":
        `default-src 'none'; style-src 'sha256-${await styleHash()}'; base-uri 'none'; ` +
        "form-action 'none'; frame-ancestors 'none'",
    },
  });
}

/** What every response of the listener carries, with a page or without. */
export const protectiveHeaders: Readonly<Record<string, string>> = {
  "Cache-Control": "no-store",
  "Connection": "close",
  "Cross-Origin-Opener-Policy": "same-origin",
  "Cross-Origin-Resource-Policy": "same-origin",
  "Referrer-Policy": "no-referrer",
  "X-Content-Type-Options": "nosniff",
};

async function styleHash(): Promise<string> {
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(style));
  return new Uint8Array(digest).toBase64();
}

function renderPage({ kind, title, message, hint }: Page): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escapeHtml(title)} – entratool</title>
<style>${style}</style>
</head>
<body>
<main class="${kind}">
<svg viewBox="0 0 24 24" aria-hidden="true"><circle cx="12" cy="12" r="12"/><path d="${
    marks[kind]
  }"/></svg>
<h1>${escapeHtml(title)}</h1>
<p>${escapeHtml(message)}</p>
${hint === undefined ? "" : `<p class="hint">${escapeHtml(hint)}</p>\n`}${
    kind === "success" ? "" : `<p class="next">Return to the terminal.</p>\n`
  }</main>
</body>
</html>
`;
}

const entities: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};

/** The text as HTML, in content and in attributes; what would reorder or hide text is shown as a replacement character. */
function escapeHtml(text: string): string {
  return text.toWellFormed()
    .replaceAll(/(?!\n)[\p{Cc}\p{Cf}]/gu, "\ufffd")
    .replaceAll(/[&<>"']/g, (character) => entities[character] ?? "");
}
