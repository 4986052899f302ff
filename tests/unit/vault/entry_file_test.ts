import assert from "node:assert/strict";
import { entryId, importEntryKey, sealEntry, unsealEntry } from "../../../src/vault/entry_file.ts";

const key = await importEntryKey(new Uint8Array(32));

Deno.test("unsealEntry() still reads an entry of format version 1", async () => {
  // Written once, and never to be replaced: vaults like this one are on people's disks.
  const sealed = Uint8Array.fromHex(
    "455456018355f1953e940a44cb6f3e5b4bcc9d606d438f81d306937ac13a0febf3c2583cb3b0cb384f44701985578537bc496a48836e8f06f557165d36c57158d0341043c9",
  );
  assert.deepEqual(await unsealEntry(key, await entryId("name"), sealed), {
    name: "name",
    value: { answer: 42 },
  });
});

Deno.test("unsealEntry() is bound to the entry's id and key", async () => {
  const [mine, yours] = [await entryId("mine"), await entryId("yours")];
  const sealed = await sealEntry(key, mine, { name: "mine", value: 1 });
  assert.deepEqual(await unsealEntry(key, mine, sealed), { name: "mine", value: 1 });
  assert.equal(await unsealEntry(key, yours, sealed), undefined);
  const otherKey = await importEntryKey(new Uint8Array(32).fill(1));
  assert.equal(await unsealEntry(otherKey, mine, sealed), undefined);
});

Deno.test("unsealEntry() finds nothing in bytes too short for a header or a tag", async () => {
  const id = await entryId("name");
  const sealed = await sealEntry(key, id, { name: "name", value: 1 });
  for (let length = 0; length < sealed.length; length++) {
    assert.equal(await unsealEntry(key, id, sealed.slice(0, length)), undefined);
  }
});
