/** The help as people read it: in 80 columns, with what each flag takes. Stricli writes lines of any length without it. */

import type { AppContext } from "./context.ts";
import type { Command } from "@stricli/core";

const width = 80;
/** Where the words on a flag begin; a longer flag has a line of its own. */
const flagColumn = 30;

type Parameters = Command<AppContext>["parameters"];

/** Lays out the help of a command, or of a group of commands when there are no parameters. */
export function formatHelp(help: string, parameters: Parameters | undefined): string {
  const sections = help.trimEnd().split(/^(?=[A-Z]+(?: [A-Z]+)*$)/m);
  return sections.map((section) => formatSection(section, parameters)).join("\n");
}

function formatSection(section: string, parameters: Parameters | undefined): string {
  const [title = "", ...lines] = section.trimEnd().split("\n");
  switch (title) {
    case "USAGE": {
      // the description follows without a title of its own
      const end = lines.indexOf("");
      const usage = (end === -1 ? lines : lines.slice(0, end))
        .map((line) => usageLine(line, parameters));
      const description = end === -1 ? [] : ["", ...paragraphs(lines.slice(end + 1))];
      return text([title, ...usage.flatMap((line) => wrapped(line, "      ")), ...description]);
    }
    case "EXAMPLES":
      return text([title, ...lines.flatMap(commandLines)]);
    case "FLAGS":
      return text([title, ...lines.flatMap((line) => flagLines(line, parameters))]);
    case "ARGUMENTS":
    case "COMMANDS":
      return text([title, ...lines.flatMap((line) => rowLines(line))]);
    default:
      return text([
        title,
        ...paragraphs(lines.map((line) => line.trim())).map((line) => `  ${line}`),
      ]);
  }
}

const text = (lines: readonly string[]) => lines.join("\n") + "\n";

/** `  entratool get-token` becomes `  entratool get-token [flags]`. */
function usageLine(line: string, parameters: Parameters | undefined): string {
  if (/ --\w+$| \.\.\.$/.test(line)) return line;
  const positional = parameters?.positional?.kind === "tuple"
    ? parameters.positional.parameters.map(({ placeholder }) => ` [${placeholder?.toUpperCase()}]`)
    : [];
  return `${line}${positional.join("")} [flags]`;
}

/** Joins the lines of each paragraph and breaks them anew. */
function paragraphs(lines: readonly string[]): readonly string[] {
  return lines.join("\n").trim().split(/\n\n+/).flatMap((paragraph, index) => [
    ...(index === 0 ? [] : [""]),
    ...wrapped(paragraph.replaceAll("\n", " "), "", width - 2),
  ]);
}

/** A command goes on in the next line behind a backslash, so that it can be copied as it is. */
function commandLines(line: string): readonly string[] {
  const lines = wrapped(line, "      ", width - 2);
  return lines.map((each, index) => index === lines.length - 1 ? each : `${each} \\`);
}

/** `  -o [--output]  brief` becomes `  -o, --output FORMAT  brief`. */
function flagLines(line: string, parameters: Parameters | undefined): readonly string[] {
  const [, alias, name, brief = ""] =
    /^ {2}(?:(-\w) | {2,3}) *\[?(--[\w\/-]*)\]?(?:\.\.\.)? +(.*)$/.exec(line) ?? [];
  if (name === undefined) return [line];
  // what Stricli says of `--` is not how people speak
  const words = name === "--"
    ? "All that follows is no flag"
    : brief.replace(/^Print (\w+) information and exit$/, "Print the $1");
  const label = `  ${alias === undefined ? "   " : `${alias},`} ${name}${
    placeholderOf(name, parameters)
  }`;
  return column(label, words, flagColumn);
}

function placeholderOf(name: string, parameters: Parameters | undefined): string {
  const camel = name.slice(2).replaceAll(/-(\w)/g, (_, letter: string) => letter.toUpperCase());
  const flag = parameters?.flags?.[camel];
  const placeholder = flag?.kind === "parsed" ? flag.placeholder : undefined;
  return placeholder === undefined ? "" : ` ${placeholder}`;
}

/** A name and its description, as Stricli has set them. */
function rowLines(line: string): readonly string[] {
  const [, label = "", brief = ""] = /^( {2}\S+ +)(.*)$/.exec(line) ?? [];
  return label === "" ? [line] : column(label.trimEnd(), brief, label.length);
}

function column(label: string, words: string, start: number): readonly string[] {
  const [first = "", ...rest] = wrapped(words, "", width - start);
  const indent = " ".repeat(start);
  const body = rest.map((each) => indent + each);
  return label.length + 2 > start
    ? [label, indent + first, ...body]
    : [label.padEnd(start) + first, ...body];
}

/** A word, one between quotes, or a flag with its value. */
const unbroken = /--?[a-z][\w-]* (?:[^\s"-]|"[^"]*")(?:[^\s"]|"[^"]*")*|(?:[^\s"]|"[^"]*")+|\S+/g;

/** Breaks between what belongs together; `indent` stands before all lines but the first. */
function wrapped(line: string, indent: string, limit = width): readonly string[] {
  const [, start = "", rest = ""] = /^( *)(.*)$/.exec(line) ?? [];
  const lines: string[] = [];
  let current = start;
  for (const word of rest.match(unbroken) ?? []) {
    const isFirst = current.trim() === "";
    if (!isFirst && current.length + 1 + word.length > limit) {
      lines.push(current);
      current = indent + word;
    } else current += isFirst ? word : ` ${word}`;
  }
  return [...lines, current];
}
