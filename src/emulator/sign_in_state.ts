/** All that the emulator remembers of people's sign-ins; it lasts as long as the emulator runs. */

import type { CodeGrant } from "./authorization_code_grant.ts";
import { Consents } from "./consents.ts";
import { DeviceCodes } from "./device_codes.ts";
import type { Resource } from "./directory.ts";
import type { Interaction } from "./interaction.ts";
import { RefreshTokens } from "./refresh_tokens.ts";
import { Sessions } from "./sessions.ts";
import { Vouchers } from "./vouchers.ts";

export interface SignInState {
  readonly sessions: Sessions;
  readonly consents: Consents;
  /** Sign-ins under way in a browser. */
  readonly interactions: Vouchers<Interaction>;
  readonly codes: Vouchers<CodeGrant>;
  readonly deviceCodes: DeviceCodes;
  readonly refreshTokens: RefreshTokens;
}

export function createSignInState(resources: readonly Resource[]): SignInState {
  return {
    sessions: new Sessions(),
    consents: new Consents(resources),
    interactions: new Vouchers("", 24),
    codes: new Vouchers("1.", 120),
    deviceCodes: new DeviceCodes(),
    refreshTokens: new RefreshTokens(),
  };
}
