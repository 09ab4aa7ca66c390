import { apduExtent, decodeApdu } from "./apdu.js";
import { BMPS, leadingLllVar, splitBmps, tlvLeaves } from "./bmp.js";
import { splitIntermediateStatus } from "./intermediate-status.js";
import { splitAbort } from "./messages.js";

/** Stands for a masked byte: `E` is ZVT's own sign for a masked digit. */
const MASK = 0xee;
const PASSWORD_BYTES = 3;
/** Of a TLV object: long enough for what a trace is read for, too short for a card number in any encoding. */
const MOST_SHOWN_BYTES = 6;

/**
 * A copy of an APDU that a trace or a log may hold, of the same length. What is shown is listed here, in the table of
 * BMPs and in `SHOWN_TAGS`; all else, and whatever cannot be read for certain, is masked.
 */
export function maskApdu(apdu: Uint8Array): Uint8Array {
  const copy = apdu.slice();
  const decoded = decodeApdu(copy);
  const mask = decoded && BODIES.get(decoded.control);
  if (mask) mask(decoded.data);
  // Of an unknown command all but its length, and of what is no APDU all but its first two bytes.
  else copy.fill(MASK, decoded ? apduExtent(copy)?.dataAt : 2);
  return copy;
}

/** All of these mask in place. */
type MaskBody = (data: Uint8Array) => void;

/** A password by its place, then `shown` bytes by theirs, then BMPs. */
const afterPassword =
  (shown = 0): MaskBody =>
  (data) => {
    data.subarray(0, PASSWORD_BYTES).fill(MASK);
    maskBmps(data.subarray(PASSWORD_BYTES + shown));
  };

const BODIES: ReadonlyMap<number, MaskBody> = new Map<number, MaskBody>([
  // Config byte and currency.
  [0x0600, afterPassword(3)],
  [0x0601, maskBmps],
  [0x0620, afterPassword()],
  [0x0622, maskBmps],
  [0x0623, maskBmps],
  [0x0625, maskBmps],
  [0x0630, afterPassword()],
  [0x0631, afterPassword()],
  [0x0650, afterPassword()],
  [0x0501, afterPassword()],
  [0x04ff, (data) => maskBmps(splitIntermediateStatus(data).rest)],
  [0x040f, maskBmps],
  // The attribute stays; the text may be anything.
  [0x06d1, (data) => data.fill(MASK, 1)],
  [0x06d3, maskBmps],
  [0x060f, maskCompletion],
  [0x061e, (data) => maskBmps(splitAbort(data).rest)],
]);

/** After a status enquiry there is a version before the status code, or the code alone; else BMPs. */
function maskCompletion(data: Uint8Array): void {
  if (data.length === 1) return;
  const version = leadingLllVar(data);
  version?.value.fill(MASK);
  maskBmps(version ? version.rest.subarray(1) : data);
}

function maskBmps(data: Uint8Array): void {
  const { fields, rest } = splitBmps(data);
  for (const { bmp, value } of fields) {
    const trace = BMPS.get(bmp)?.trace;
    if (trace === "pan") maskPanDigits(value);
    else if (trace === "tlv") maskTlv(value);
    else if (trace !== "shown") value.fill(MASK);
  }
  rest.fill(MASK);
}

/** BCD: two bytes are the last four digits, or three with one shared where an F fills up an odd count. */
function maskPanDigits(value: Uint8Array): void {
  const odd = ((value.at(-1) ?? 0) & 0x0f) === 0x0f;
  const masked = value.length - (odd ? 3 : 2);
  // Too short, or too long (19 digits are ten bytes), for a card number: some other thing is in here.
  if (value.length < 5 || value.length > 10) {
    value.fill(MASK);
    return;
  }
  value.fill(MASK, 0, masked);
  if (odd) value[masked] = (MASK & 0xf0) | ((value[masked] ?? 0) & 0x0f);
}

/** Tags without anything of a card or a person: how a receipt looks, when, and what the terminal is called. */
const SHOWN_TAGS: ReadonlySet<number> = new Set([
  0x08, // receipt number
  0x09, // attribute
  0x12, // characters a line
  0x13, // extra result code
  0x14, // character set
  0x1a, // longest APDU
  0x1b, // kind of diagnosis
  0x1f04, // receipt parameter
  0x1f05, // transaction parameter
  0x1f07, // kind of receipt
  0x1f0e, // date
  0x1f0f, // time
  0x1f10, // cardholder authentication
  0x1f11, // online
  0x1f12, // card technology
  0x1f16, // extended error code
  0x1f2b, // trace number
]);

function maskTlv(container: Uint8Array): void {
  for (const { tag, value } of tlvLeaves(container, (broken) => broken.fill(MASK))) {
    if (!SHOWN_TAGS.has(tag) || value.length > MOST_SHOWN_BYTES) value.fill(MASK);
  }
}
