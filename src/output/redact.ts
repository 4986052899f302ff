/** Keeps secrets out of everything that is shown: the one redactor of the program. */

const replacement = "[redacted]";

/** Anything that has the shape of a JWT (or of a JWE), whoever sent it. */
const jwtShape = /eyJ[A-Za-z0-9_-]{5,}(?:\.[A-Za-z0-9_-]*){2,4}/g;

/** Shorter secrets are not looked for: they would blot out ordinary words. */
const shortestSecret = 4;

/**
 * Remembers the secrets of this run and takes them out of text, in each form in which a request or an echoing server would
 * carry them.
 */
export class Redactor {
  readonly #forms = new Set<string>();

  /** Remembers a secret. */
  add(secret: string): void {
    if (secret.length < shortestSecret) return;
    const percent = encodeURIComponent(secret.toWellFormed());
    for (
      const form of [
        secret,
        percent,
        percent.toLowerCase(),
        new URLSearchParams({ "": secret }).toString().slice(1),
        JSON.stringify(secret).slice(1, -1),
      ]
    ) this.#forms.add(form);
  }

  /** The text without any remembered secret and without anything shaped like a token. */
  redact(text: string): string {
    let result = text;
    // longest first, so that a secret that contains another leaves no rest
    for (const form of [...this.#forms].sort((a, b) => b.length - a.length)) {
      result = result.replaceAll(form, replacement);
    }
    return result.replaceAll(jwtShape, replacement);
  }
}
