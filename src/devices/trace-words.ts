import type { Passed } from "../kernel/tap.js";

const MOST_CHARACTERS = 300;

/** How a link begins and ends, which is the same for every driver; undefined for what only the driver understands. */
export function openingWords({ what }: Passed): string | undefined {
  if (what === "open") return "opens the device";
  const [verb = ""] = what.split(" ", 1);
  if (verb === "opened") return "is there";
  if (verb === "refused") return `cannot be opened: ${kindOf(what)}`;
  if (verb === "end") return `ends the link: ${kindOf(what)}`;
  return undefined;
}

/** Of the error, its kind and no more: messages may hold what a device said. */
function kindOf(what: string): string {
  return /"kind":"([a-z_]{1,40})"/.exec(what)?.[1] ?? "unknown";
}

/** One line, without anything that steers a terminal. */
export function shortened(words: string): string {
  const line = words.replaceAll(/[\p{Cc}\u2028\u2029]+/gu, " ");
  return line.length > MOST_CHARACTERS ? `${line.slice(0, MOST_CHARACTERS - 1)}…` : line;
}
