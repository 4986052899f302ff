/** YAML for people and programs; loaded only when it is asked for, since the library is large. */

import { Document, visit } from "yaml";
import { escapeUnsafe } from "./printable.ts";

/** The value as YAML, with the unsafe characters in its strings escaped. */
export function printableYaml(value: unknown): string {
  const document = new Document(value, { aliasDuplicateObjects: false });
  visit(document, {
    Scalar(_key, node) {
      const { value: text } = node;
      // only between double quotes does YAML know escapes
      if (typeof text === "string" && escapeUnsafe(text) !== text) node.type = "QUOTE_DOUBLE";
    },
  });
  return document.toString({ lineWidth: 0 }).split("\n").map(escapeUnsafe).join("\n");
}
