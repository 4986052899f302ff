/** Plain tables. */

import assert from "node:assert/strict";
import { formatTable } from "../../../src/output/table.ts";

Deno.test("columns are as wide as their longest cell, and no line ends in spaces", () => {
  assert.equal(
    formatTable(["NAME", "X"], [["a", "long cell"], ["much longer", ""], ["🔑", "b"]]),
    "NAME         X\na            long cell\nmuch longer\n🔑            b\n",
  );
});

Deno.test("a table without rows is its head", () => {
  assert.equal(formatTable(["A", "B"], []), "A  B\n");
});
