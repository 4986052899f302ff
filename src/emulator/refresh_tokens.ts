/** Refresh tokens: what each stands for, and which are valid no longer. */

import type { SignIn } from "./sign_in.ts";
import type { StsError } from "./sts_error.ts";
import { Vouchers } from "./vouchers.ts";

export interface RefreshToken {
  readonly signIn: SignIn;
  /** The `scope` parameter of the request that it came from. */
  readonly scope: string;
  /** Milliseconds since the epoch. */
  readonly issuedAt: number;
  readonly expiresAt: number;
  /** Whether it has been used for a newer one. */
  used: boolean;
  /** Set by a revocation. */
  refusal?: StsError;
}

export class RefreshTokens {
  readonly #issued = new Vouchers<RefreshToken>("1.", 180);

  issue(token: Omit<RefreshToken, "used" | "refusal">): string {
    return this.#issued.issue({ ...token, used: false });
  }

  find(voucher: string): RefreshToken | undefined {
    return this.#issued.find(voucher);
  }

  /** Refuses all tokens that the user has by now, each with the error that is made for it. */
  revoke(userId: string | undefined, errorFor: (token: RefreshToken) => StsError): void {
    for (const token of this.#issued.values()) {
      if (userId === undefined || token.signIn.user.id === userId) token.refusal = errorFor(token);
    }
  }
}
