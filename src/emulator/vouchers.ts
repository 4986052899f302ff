/** Opaque strings that stand for something on the server: codes, refresh tokens, sign-ins under way. */

import { randomId } from "./opaque_ids.ts";

/** More than any test issues, and no more than a long-running emulator can hold. */
const kept = 10_000;

/** Issues vouchers and knows what each stands for; the oldest are forgotten when there are too many. */
export class Vouchers<T> {
  readonly #issued = new Map<string, T>();

  /** @param prefix what every voucher starts with, as Entra's start with `1.` */
  constructor(private readonly prefix: string, private readonly randomBytes: number) {}

  issue(value: T): string {
    const voucher = this.prefix + randomId(this.randomBytes);
    this.#issued.set(voucher, value);
    for (const oldest of this.#issued.keys()) {
      if (this.#issued.size <= kept) break;
      this.#issued.delete(oldest);
    }
    return voucher;
  }

  find(voucher: string): T | undefined {
    return this.#issued.get(voucher);
  }

  forget(voucher: string): void {
    this.#issued.delete(voucher);
  }

  values(): Iterable<T> {
    return this.#issued.values();
  }
}
