import { DeviceError, type ErrorKind } from "../../../kernel/errors.js";

interface Meaning {
  readonly kind: ErrorKind;
  readonly message: string;
  readonly hint?: string;
  /** As sane_strstatus() says it in the C locale. */
  readonly text: string;
}

const REPLUG = "Switch the scanner off and on, check its cable, and look whether `scanimage -L` shows it";

/** SANE_Status, which is scanimage's exit code (SANE standard 1.06, table 1). */
const STATUS: Readonly<Record<number, Meaning>> = {
  1: { kind: "unsupported", message: "the scanner does not support that", text: "Operation not supported" },
  2: { kind: "device_fault", message: "the scan was stopped at the scanner", hint: "Scan again", text: "Operation was canceled" },
  3: {
    kind: "busy",
    message: "the scanner is busy",
    hint: "Wait until the scanner is ready, or end what another computer does with it",
    text: "Device busy",
  },
  4: {
    kind: "unsupported",
    message: "the scanner refuses these settings",
    hint: "Try another size, resolution or mode",
    text: "Invalid argument",
  },
  5: { kind: "device_fault", message: "the scanner gave no picture", text: "End of file reached" },
  6: { kind: "document_jam", message: "a page is jammed in the feeder", text: "Document feeder jammed" },
  7: { kind: "feeder_empty", message: "there is no page", text: "Document feeder out of documents" },
  8: { kind: "cover_open", message: "the scanner's cover is open", text: "Scanner cover is open" },
  9: { kind: "device_fault", message: "the scanner does not answer as it should", hint: REPLUG, text: "Error during device I/O" },
  10: {
    kind: "device_fault",
    message: "there is not enough memory for the scan",
    hint: "Scan at a lower resolution",
    text: "Out of memory",
  },
  11: {
    kind: "device_fault",
    message: "the scanner may not be used",
    hint: "Give the agent's user access to the scanner: group `scanner`, or a udev rule",
    text: "Access to resource has been denied",
  },
};

/** What scanimage says on stderr when it does not get as far as scanning. */
const OPEN_FAILED = /^\S*scanimage: open of device .* failed: /;
const SETTING_FAILED = /^\S*scanimage: (setting of option .* failed|.*(unrecognized option|invalid option|bad option value))/;

/** What it says when a page fails, before it ends with the code of that. */
const PAGE_FAILED = /^\S*scanimage: sane_(?:start|read): (.+)$/;
export interface Failure {
  readonly error: DeviceError;
  /** The device could not be opened: it may have another name now, or be gone. */
  readonly notOpened: boolean;
}

/** Why scanimage ended with this code, or with none (killed, or hung after its work), having said this. */
export function failureOf(code: number | undefined, said: readonly string[]): Failure {
  const open = said.find((line) => OPEN_FAILED.test(line));
  if (open !== undefined) {
    const meaning = Object.values(STATUS).find(({ text }) => open.endsWith(text));
    // Backends say "invalid argument" of a name that they do not know.
    if (meaning && /^(busy|cover_open)$/.test(meaning.kind)) return { error: made(meaning), notOpened: false };
    if (meaning === STATUS[11]) return { error: made(meaning as Meaning), notOpened: false };
    return { error: new DeviceError("device_absent", { message: "the scanner cannot be opened", hint: REPLUG }), notOpened: true };
  }
  if (said.some((line) => SETTING_FAILED.test(line))) return { error: made(STATUS[4] as Meaning), notOpened: false };
  const text = said.flatMap((line) => PAGE_FAILED.exec(line)?.[1] ?? [])[0];
  const meaning = code === undefined ? Object.values(STATUS).find((one) => one.text === text) : STATUS[code];
  if (meaning) return { error: made(meaning), notOpened: false };
  const message = code === undefined || code >= 128 ? "scanimage crashed or hung" : `scanimage ended with code ${code}`;
  return { error: new DeviceError("device_fault", { message, hint: REPLUG }), notOpened: false };
}

function made({ kind, message, hint }: Meaning): DeviceError {
  return new DeviceError(kind, { message, ...(hint === undefined ? {} : { hint }) });
}

/** What a line of scanimage says of its end: nothing, that a page failed, or that it has done its work. */
export function endOf(line: string, pages: number): "failed" | "done" | undefined {
  if (line.startsWith("Batch terminated")) return "done";
  const text = PAGE_FAILED.exec(line)?.[1];
  if (text === undefined) return undefined;
  // A dry feeder after at least one page is the end of the stack.
  return pages > 0 && text === STATUS[7]?.text ? "done" : "failed";
}
