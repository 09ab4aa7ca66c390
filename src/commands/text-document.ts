import { DeviceError } from "../kernel/errors.js";
import type { ParamsInput } from "../protocol/methods.js";

type PrintDocument = ParamsInput<"printer.print">["document"];

/** Limits of a `text` block and of a document: see the protocol's PrintDocument. */
const BLOCK_CHARACTERS = 4_000;
const BLOCKS = 500;
const TAB_STOPS = 8;

/**
 * A document from a file or a pipe: JSON where it starts with `{`, otherwise plain text that is printed as it is.
 * @throws DeviceError `invalid_params`, `too_large`. Whether the blocks are right, the agent says.
 */
export function documentFrom(text: string): PrintDocument {
  return text.trimStart().startsWith("{") ? jsonDocument(text) : textDocument(text);
}

function jsonDocument(text: string): PrintDocument {
  try {
    return JSON.parse(text) as PrintDocument;
  } catch (cause) {
    throw new DeviceError("invalid_params", {
      message: "the document starts like JSON but is none",
      hint: 'Correct the JSON: { "blocks": [ … ] }; see docs/protocol.md, printer.print',
      cause,
    });
  }
}

/** As few text blocks as the limits allow, broken between lines. A form feed cuts the paper. */
export function textDocument(text: string): PrintDocument {
  const pages = text
    .replace(/^\ufeff/, "")
    .replaceAll(/\r\n?/g, "\n")
    .replace(/\f\s*$/, "")
    .split("\f");
  const blocks = pages.flatMap((page, index) => [...(index > 0 ? [{ type: "cut" as const }] : []), ...textBlocks(page)]);
  if (blocks.length === 0) {
    throw new DeviceError("invalid_params", { message: "there is nothing to print", hint: "The file holds no text" });
  }
  if (blocks.length > BLOCKS) {
    throw new DeviceError("too_large", { message: "the text is too long for one receipt", hint: "Split it into several files" });
  }
  return { blocks };
}

function textBlocks(page: string): { type: "text"; text: string }[] {
  const blocks: string[] = [];
  let block: string | undefined;
  for (const line of page.trimEnd().split("\n").flatMap(printable)) {
    const longer: string = block === undefined ? line : `${block}\n${line}`;
    if (longer.length > BLOCK_CHARACTERS && block !== undefined) {
      blocks.push(block);
      block = line;
    } else block = longer;
  }
  if (block !== undefined && block !== "") blocks.push(block);
  return blocks.map((text) => ({ type: "text", text }));
}

/** Tabs as blanks, no control characters; a line that no block holds, in several. */
function printable(line: string): string[] {
  let text = "";
  for (const letter of line.normalize("NFC")) {
    if (letter === "\t") text += " ".repeat(TAB_STOPS - ([...text].length % TAB_STOPS));
    else if (!/\p{Cc}/u.test(letter)) text += letter;
  }
  const letters = [...text.trimEnd()];
  if (letters.length === 0) return [""];
  const parts: string[] = [];
  // A letter outside the basic plane counts twice.
  for (let from = 0; from < letters.length; from += BLOCK_CHARACTERS / 2)
    parts.push(letters.slice(from, from + BLOCK_CHARACTERS / 2).join(""));
  return parts;
}
