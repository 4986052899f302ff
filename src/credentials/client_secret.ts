/** The client secret as a credential. */

import type { ClientCredential } from "./credential.ts";

/** Sends the secret as a form parameter (`client_secret_post`, RFC 6749 §2.3.1). */
export function clientSecretCredential(secret: string): ClientCredential {
  return {
    kind: "client-secret",
    formParameters: () => Promise.resolve({ client_secret: secret }),
  };
}
