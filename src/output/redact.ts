/** Keeps secrets out of everything that is shown: the one redactor of the program. */

const replacement = "[redacted]";

/** Anything that has the shape of a JWT (or of a JWE), whoever sent it. */
const jwtShape = /eyJ[A-Za-z0-9_-]{5,}(?:\.[A-Za-z0-9_-]*){2,4}/g;

/** The beginning of a JWT at the end of a text. */
const cutJwtShape = /eyJ[A-Za-z0-9_-]*(?:\.[A-Za-z0-9_-]*)*$/;

/** User name and password in a URL. */
const urlCredentials = /:\/\/[^\s/?#@]+@/g;

/** Shorter secrets are not looked for: they would blot out ordinary words. */
const shortestSecret = 4;

/**
 * Remembers the secrets of this run and takes them out of text, in each form in which a request or an echoing server would
 * carry them.
 */
export class Redactor {
  readonly #secrets = new Set<string>();

  /** Remembers a secret. Costs nothing more: most runs have nothing to say in which it could be. */
  add(secret: string): void {
    if (secret.length >= shortestSecret) this.#secrets.add(secret);
  }

  /** The text without any remembered secret, without passwords in URLs and without anything shaped like a token. */
  redact(text: string): string {
    return this.#forms().reduce((rest, form) => rest.replaceAll(form, replacement), text)
      .replaceAll(jwtShape, replacement)
      .replaceAll(urlCredentials, `://${replacement}@`);
  }

  /** As {@link redact}, for a text that ends where somebody cut it: perhaps in the middle of a secret. */
  redactCut(text: string): string {
    const [, end = ""] = /(\s*…?)$/.exec(text) ?? [];
    const whole = this.redact(text.slice(0, text.length - end.length))
      .replace(cutJwtShape, replacement);
    for (const form of this.#forms()) {
      for (let length = form.length - 1; length >= shortestSecret; length--) {
        if (!whole.endsWith(form.slice(0, length))) continue;
        return whole.slice(0, -length) + replacement + end;
      }
    }
    return whole + end;
  }

  /** Every form of every secret, the longest first, so that a secret that contains another leaves no rest. */
  #forms(): readonly string[] {
    return [...new Set([...this.#secrets].flatMap(formsOf))].sort((a, b) => b.length - a.length);
  }
}

/** A secret as it is, and as requests and echoing servers write it: in URLs, forms, JSON, HTML and base64. */
function formsOf(secret: string): readonly string[] {
  const percent = encodeURIComponent(secret.toWellFormed());
  const form = new URLSearchParams({ "": secret }).toString().slice(1);
  const json = JSON.stringify(secret).slice(1, -1);
  const html = secret.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;")
    .replaceAll('"', "&quot;");
  return [
    secret,
    percent,
    percent.toLowerCase(),
    form,
    form.toLowerCase(),
    json,
    json.replaceAll("/", "\\/"),
    json.replaceAll(/[^ -~]/g, unicodeEscape),
    // as .NET writes it, of which Entra is made
    json.replaceAll('\\"', "\\u0022")
      .replaceAll(/['+<>&`]|[^ -~]/g, (unit) => `\\u${unicodeEscape(unit).slice(2).toUpperCase()}`),
    html,
    html.replaceAll("'", "&#39;"),
    ...base64Forms(new TextEncoder().encode(secret)),
  ];
}

function unicodeEscape(unit: string): string {
  return `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`;
}

/** The base64 of the bytes, alone and as part of something longer: there it begins at any of three places in a group. */
function base64Forms(bytes: Uint8Array<ArrayBuffer>): readonly string[] {
  return (["base64", "base64url"] as const).flatMap((alphabet) => {
    const encode = (part: Uint8Array<ArrayBuffer>) => part.toBase64({ alphabet });
    const wholeGroups = [0, 1, 2].map((start) =>
      bytes.subarray(start, bytes.length - (bytes.length - start) % 3)
    );
    return [encode(bytes), encode(bytes).replace(/=+$/, ""), ...wholeGroups.map(encode)];
  }).filter((text) => text.length >= 8);
}
