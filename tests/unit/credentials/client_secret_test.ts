import assert from "node:assert/strict";
import { clientSecretCredential } from "../../../src/credentials/client_secret.ts";

Deno.test("clientSecretCredential() yields the secret as it is", async () => {
  const credential = clientSecretCredential(" p+ä&= ");
  assert.equal(credential.kind, "client-secret");
  assert.deepEqual(await credential.formParameters("https://example.com/token", 0), {
    client_secret: " p+ä&= ",
  });
});
