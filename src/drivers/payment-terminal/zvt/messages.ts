import { type Apdu, decodeApdu } from "./apdu.js";
import { leadingLllVar, splitBmps, tlvLeaves } from "./bmp.js";
import { decodeIntermediateStatus, type IntermediateStatus } from "./intermediate-status.js";
import { maskCardNumbers } from "./pan-filter.js";
import { decodeStatusInformation, type StatusInformation } from "./status-information.js";
import { decodeDigits, decodeNumber, decodeText } from "./values.js";

export interface PrintLine {
  /** Card numbers masked, control characters gone. */
  readonly text: string;
  /** As it came: the alignment and size of the line. Undefined where a block says none. */
  readonly attribute: number | undefined;
}

/** What the terminal sends, for one who pays. Anything else, and what cannot be read, is `other`. */
export type TerminalMessage =
  /** 80 00: the command is understood and runs. Says nothing of its end. */
  | { readonly type: "accepted" }
  /** 84 xx: the command was not begun. */
  | { readonly type: "refused"; readonly code: number }
  | { readonly type: "intermediateStatus"; readonly status: IntermediateStatus }
  /** 04 0F. Not before our positive answer is it final. */
  | { readonly type: "statusInformation"; readonly status: StatusInformation }
  | { readonly type: "printLine"; readonly line: PrintLine }
  | { readonly type: "printBlock"; readonly receiptType: number | undefined; readonly lines: readonly PrintLine[] }
  /** 06 0F: the command came to its end. For one to 05 01 see `decodeStatusReport`. */
  | { readonly type: "completion"; readonly completion: Completion }
  /** 06 1E: the command ended with this code, and did not do what it was for. */
  | { readonly type: "aborted"; readonly code: number; readonly receipt: number | undefined }
  | { readonly type: "other"; readonly control: number };

export interface Completion {
  readonly resultCode: number | undefined;
  /** After a registration. */
  readonly statusByte: number | undefined;
  readonly terminalId: string | undefined;
  readonly currency: number | undefined;
}

/** Reads one message of the terminal. Never throws. */
export function decodeMessage(bytes: Uint8Array): TerminalMessage {
  const apdu = decodeApdu(bytes);
  const control = apdu?.control ?? (bytes[0] ?? 0) * 256 + (bytes[1] ?? 0);
  return (apdu && read(apdu)) ?? { type: "other", control };
}

function read({ control, data }: Apdu): TerminalMessage | undefined {
  switch (control) {
    // Both are in use for "understood" (PA00P015, positive answer).
    case 0x8000:
    case 0x8400:
      return { type: "accepted" };
    case 0x04ff: {
      const status = decodeIntermediateStatus(data);
      return status && { type: "intermediateStatus", status };
    }
    case 0x040f:
      return { type: "statusInformation", status: decodeStatusInformation(data) };
    case 0x06d1:
      return data[0] === undefined ? undefined : { type: "printLine", line: printLine(data.subarray(1), data[0]) };
    case 0x06d3:
      return printBlock(data);
    case 0x060f:
      return { type: "completion", completion: completion(data) };
    case 0x061e:
      return data[0] === undefined ? undefined : { type: "aborted", code: data[0], receipt: number(splitAbort(data).rest, 0x87) };
    default:
      return control >>> 8 === 0x84 ? { type: "refused", code: control & 0xff } : undefined;
  }
}

/** The value of a BMP that occurs once. */
function value(data: Uint8Array, bmp: number): Uint8Array | undefined {
  const found = splitBmps(data).fields.filter((field) => field.bmp === bmp);
  return found.length === 1 ? found[0]?.value : undefined;
}

function number(data: Uint8Array, bmp: number): number | undefined {
  const found = value(data, bmp);
  return found && decodeNumber(found);
}

function completion(data: Uint8Array): Completion {
  const terminalId = value(data, 0x29);
  return {
    resultCode: value(data, 0x27)?.[0],
    statusByte: value(data, 0x19)?.[0],
    terminalId: terminalId && decodeDigits(terminalId),
    currency: number(data, 0x49),
  };
}

const WRONG_CURRENCY = 0x6f;

/** 06 1E: the code, after "wrong currency" the terminal's own currency without a number before it, then BMPs. */
export function splitAbort(data: Uint8Array): { head: Uint8Array; rest: Uint8Array } {
  const headed = data[0] === WRONG_CURRENCY ? 3 : 1;
  return { head: data.subarray(0, headed), rest: data.subarray(headed) };
}

function printLine(bytes: Uint8Array, attribute: number | undefined): PrintLine {
  return { text: maskCardNumbers(decodeText(bytes)), attribute };
}

const RECEIPT_TYPE = 0x1f07;
const TEXT_LINE = 0x07;
const ATTRIBUTE = 0x09;

/** 06 D3: lines in a container 25, each with the attribute that was said last before it. */
function printBlock(data: Uint8Array): TerminalMessage {
  let receiptType: number | undefined;
  let attribute: number | undefined;
  const lines: PrintLine[] = [];
  for (const leaf of tlvLeaves(value(data, 0x06) ?? new Uint8Array())) {
    if (leaf.tag === RECEIPT_TYPE) receiptType = leaf.value[0];
    if (leaf.tag === ATTRIBUTE) attribute = leaf.value[0];
    if (leaf.tag === TEXT_LINE) lines.push(printLine(leaf.value, attribute));
  }
  return { type: "printBlock", receiptType, lines };
}

export interface StatusReport {
  readonly softwareVersion: string | undefined;
  /** 0 is ready; see `resultCode`. */
  readonly statusCode: number;
}

/**
 * The 06 0F that ends a status enquiry, and looks like no other: the software version (its length in three digits, no
 * number), a status code, a container. Undefined where it says no status.
 */
export function decodeStatusReport(data: Uint8Array): StatusReport | undefined {
  const version = leadingLllVar(data);
  const statusCode = (version?.rest ?? data)[0];
  if (statusCode === undefined) return undefined;
  return { softwareVersion: version && maskCardNumbers(decodeText(version.value)), statusCode };
}
