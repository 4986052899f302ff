/** A browser without JavaScript, as small as tests need it: cookies, forms, and redirects that it does not follow. */

import assert from "node:assert/strict";

/** What the browser shows, or where it was sent. */
export interface Page {
  readonly url: string;
  readonly status: number;
  readonly headers: Headers;
  /** Where a redirect leads. */
  readonly location?: URL;
  readonly html: string;
  readonly title: string;
  /** What a person reads, entities resolved. */
  readonly text: string;
  readonly forms: readonly Form[];
}

interface Form {
  readonly action: string;
  readonly method: string;
  readonly hidden: Readonly<Record<string, string>>;
  /** The names of what a person fills in. */
  readonly inputs: readonly string[];
  readonly buttons: readonly { readonly name: string; readonly value: string }[];
}

export class PlainBrowser {
  readonly cookies = new Map<string, string>();

  async open(url: string | URL, init: RequestInit = {}): Promise<Page> {
    const headers = new Headers(init.headers);
    const cookie = [...this.cookies].map((pair) => pair.join("=")).join("; ");
    if (cookie !== "") headers.set("Cookie", cookie);
    const response = await fetch(url, { ...init, headers, redirect: "manual" });
    for (const set of response.headers.getSetCookie()) {
      const [, name = "", value = ""] = /^([^=]+)=([^;]*)/.exec(set) ?? [];
      this.cookies.set(name, value);
    }
    return readPage(String(url), response);
  }

  /** Fills in and sends the one form of the page that has these inputs and buttons. */
  submit(page: Page, answers: Readonly<Record<string, string>>): Promise<Page> {
    const form = page.forms.find(({ inputs, buttons }) =>
      Object.entries(answers).every(([name, value]) =>
        inputs.includes(name) ||
        buttons.some((button) => button.name === name && button.value === value)
      )
    );
    assert.ok(form, `no form for ${JSON.stringify(answers)} on ${page.text}`);
    return this.post(new URL(form.action, page.url), { ...form.hidden, ...answers });
  }

  post(url: string | URL, form: Readonly<Record<string, string>>): Promise<Page> {
    return this.open(url, { method: "POST", body: new URLSearchParams(form) });
  }
}

async function readPage(url: string, response: Response): Promise<Page> {
  const html = await response.text();
  const location = response.headers.get("location");
  return {
    url,
    status: response.status,
    headers: response.headers,
    ...(location === null ? {} : { location: new URL(location, url) }),
    html,
    title: resolved(/<title>([^<]*)/.exec(html)?.[1] ?? ""),
    text: resolved(
      html.replaceAll(/<style>[^]*?<\/style>|<[^>]+>/g, " ").replaceAll(/\s+/g, " ").trim(),
    ),
    forms: [...html.matchAll(/<form ([^>]*)>([^]*?)<\/form>/g)].map(([, tag = "", content = ""]) =>
      readForm(tag, content)
    ),
  };
}

function readForm(tag: string, content: string): Form {
  const inputs = [...content.matchAll(/<input ([^>]*)>/g)].map(([, text = ""]) => text);
  const isHidden = (text: string) => attribute(text, "type") === "hidden";
  return {
    action: attribute(tag, "action"),
    method: attribute(tag, "method"),
    hidden: Object.fromEntries(
      inputs.filter(isHidden).map((text) => [attribute(text, "name"), attribute(text, "value")]),
    ),
    inputs: inputs.filter((text) => !isHidden(text)).map((text) => attribute(text, "name")),
    buttons: [...content.matchAll(/<button([^>]*)>/g)].map(([, text = ""]) => ({
      name: attribute(text, "name"),
      value: attribute(text, "value"),
    })),
  };
}

function attribute(tag: string, name: string): string {
  return resolved(new RegExp(`\\b${name}="([^"]*)"`).exec(tag)?.[1] ?? "");
}

function resolved(text: string): string {
  return text.replaceAll(/&#(\d+);/g, (_, code) => String.fromCharCode(Number(code)));
}
