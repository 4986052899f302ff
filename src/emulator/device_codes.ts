/** Device codes under way: what each stands for, and how the person who was shown the user code has answered. */

import type { App, DeviceCodeSettings, Tenant } from "./directory.ts";
import type { TenantAlias } from "./route.ts";
import type { SignIn } from "./sign_in.ts";
import { Vouchers } from "./vouchers.ts";

export interface DeviceCode {
  readonly userCode: string;
  readonly app: App;
  readonly tenant: Tenant | TenantAlias;
  readonly scope: string;
  readonly claims: string | null;
  /** Milliseconds since the epoch. */
  readonly expiresAt: number;
  /** Seconds that must pass between polls; more after each that came too soon. */
  interval: number;
  /** Milliseconds since the epoch. */
  polledAt?: number;
  /** How many polls have been answered that nothing has happened yet. */
  pendingPolls: number;
  outcome: "pending" | "declined" | "redeemed" | SignIn;
}

/** Letters and digits that can not be taken for one another. */
const alphabet = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789";

export class DeviceCodes {
  readonly #issued = new Vouchers<DeviceCode>("1.", 120);

  /** Starts a sign-in. */
  issue(
    request: Pick<DeviceCode, "app" | "tenant" | "scope" | "claims">,
    settings: DeviceCodeSettings,
    nowMs: number,
  ): { readonly deviceCode: string; readonly entry: DeviceCode } {
    const entry: DeviceCode = {
      ...request,
      userCode: this.#newUserCode(),
      expiresAt: nowMs + settings.lifetime * 1000,
      interval: settings.interval,
      pendingPolls: 0,
      outcome: "pending",
    };
    return { deviceCode: this.#issued.issue(entry), entry };
  }

  find(deviceCode: string): DeviceCode | undefined {
    return this.#issued.find(deviceCode);
  }

  /** The entry of a code as a person types it: in any case, with spaces or hyphens. */
  findByUserCode(typed: string): DeviceCode | undefined {
    const wanted = typed.toUpperCase().replaceAll(/[\s-]/g, "");
    return [...this.#issued.values()].find(({ userCode }) => userCode === wanted);
  }

  #newUserCode(): string {
    for (;;) {
      const bytes = crypto.getRandomValues(new Uint8Array(9));
      const code = [...bytes].map((byte) => alphabet[byte % alphabet.length]).join("");
      if (this.findByUserCode(code) === undefined) return code;
    }
  }
}
