import assert from "node:assert/strict";
import { EntraToolError } from "../../../src/errors.ts";
import {
  readFileIfPresent,
  removeFileIfPresent,
  storageError,
  writePrivateFile,
} from "../../../src/files/private_file.ts";

async function inNewFolder(action: (folder: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    await action(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

Deno.test("writePrivateFile() replaces a file and leaves nothing beside it", () =>
  inNewFolder(async (folder) => {
    const path = `${folder}/file`;
    for (const content of [new Uint8Array(300_000).fill(1), new Uint8Array(), new Uint8Array(3)]) {
      await writePrivateFile(path, content);
      assert.deepEqual(await readFileIfPresent(path), content);
    }
    assert.deepEqual([...Deno.readDirSync(folder)].map(({ name }) => name), ["file"]);
    if (Deno.build.os !== "windows") assert.equal((await Deno.stat(path)).mode! & 0o777, 0o600);
  }));

Deno.test("writePrivateFile() leaves nothing behind when it fails", () =>
  inNewFolder(async (folder) => {
    await Deno.mkdir(`${folder}/taken/below`, { recursive: true });
    await assert.rejects(writePrivateFile(`${folder}/taken`, new Uint8Array(3)));
    assert.deepEqual([...Deno.readDirSync(folder)].map(({ name }) => name), ["taken"]);
  }));

Deno.test("reading and removing a file that is not there is no error", () =>
  inNewFolder(async (folder) => {
    assert.equal(await readFileIfPresent(`${folder}/file`), undefined);
    assert.equal(await removeFileIfPresent(`${folder}/file`), false);
    await writePrivateFile(`${folder}/file`, new Uint8Array(1));
    assert.equal(await removeFileIfPresent(`${folder}/file`), true);
  }));

Deno.test("storageError() names the path, the reason and what to do", () => {
  const full = Object.assign(new Error("No space left on device (os error 28): write '/x'"), {
    code: "ENOSPC",
  });
  const error = storageError(full, "write", "/x");
  assert.equal(error.failure, "storage");
  assert.equal(error.message, "Cannot write /x: No space left on device (os error 28)");
  assert.match(error.detail.hint!, /^Free some space/);

  const notAllowed = new Deno.errors.NotCapable('Requires write access to "/x"');
  assert.equal(
    storageError(notAllowed, "write", "/x").message,
    'Cannot write /x: Requires write access to "/x"',
  );
  const own = new EntraToolError("storage", "own", "Own");
  assert.equal(storageError(own, "write", "/x"), own);
});
