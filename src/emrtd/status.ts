import { DeviceError, type ErrorKind } from "../kernel/errors.js";
import { NO_ANSWER, UNVERIFIED } from "./apdu.js";

interface Meaning {
  readonly meaning: string;
  readonly kind?: ErrorKind;
  readonly hint?: string;
}

const AGAIN = "Lay the card flat, keep it still and read again";
const REPORT = "The chip does not do what its files promise: try another card of this kind and report the status word";

/** ISO 7816-4 §5.6, as far as eMRTDs answer with it (ICAO 9303-11 §4, ICAO 9303-10 §3.6). */
const MEANINGS: Readonly<Record<number, Meaning>> = {
  [NO_ANSWER]: { meaning: "the command did not get through", hint: AGAIN },
  [UNVERIFIED]: { meaning: "the answer does not verify", hint: AGAIN },
  25218: { meaning: "the file ends early", hint: REPORT },
  25344: { meaning: "authentication failed", kind: "access_denied" },
  26368: { meaning: "wrong length", hint: "The card or reader refuses long answers: read again, shorter ones are tried" },
  26754: { meaning: "secure messaging not supported", hint: REPORT },
  27010: { meaning: "security status not satisfied", hint: "This file needs rights that the station has not" },
  27011: { meaning: "authentication method blocked", kind: "access_denied", hint: "The card has blocked this key: try the other one" },
  27013: { meaning: "conditions of use not satisfied", hint: AGAIN },
  27014: { meaning: "no file is selected", hint: REPORT },
  27015: { meaning: "secure messaging objects missing", hint: AGAIN },
  27016: { meaning: "secure messaging objects incorrect", hint: AGAIN },
  27264: { meaning: "incorrect parameters in the data", hint: REPORT },
  27266: { meaning: "file or application not found" },
  27270: { meaning: "incorrect P1 or P2", hint: REPORT },
  27272: { meaning: "referenced key not found", hint: REPORT },
  27392: { meaning: "offset outside the file", hint: REPORT },
  27904: { meaning: "instruction not supported", hint: REPORT },
  28160: { meaning: "class not supported", hint: REPORT },
  28416: { meaning: "the chip has a problem that it does not name", hint: AGAIN },
};

/** A status word as an error: `card_error` unless the word or `kind` says otherwise. `doing` says which step it was, for technicians. */
export function statusError(doing: string, sw: number, kind?: ErrorKind): DeviceError {
  // 63Cx: x tries are left (ISO 7816-4 §5.6).
  const known: Meaning = MEANINGS[sw >> 4 === 0x63c ? 0x6300 : sw] ?? { meaning: "unexpected status", hint: REPORT };
  const word = sw.toString(16).padStart(4, "0");
  const spoken = sw === NO_ANSWER || sw === UNVERIFIED;
  return new DeviceError(kind ?? known.kind ?? "card_error", {
    message: spoken ? `${doing}: ${known.meaning}` : `${doing}: ${known.meaning} (${word})`,
    // A kind's own hint is the better one where the step decided the kind.
    ...(known.hint === undefined || (kind !== undefined && kind !== "card_error") ? {} : { hint: known.hint }),
    ...(spoken ? {} : { details: { status: word } }),
  });
}

/**
 * A chip's no to a key, at the step that proves it: 63xx after the standard, others in the field
 * (ICAO 9303-11 §4.3.4.2, §4.4.4.2).
 */
export function keyRefused(sw: number): boolean {
  return sw >> 8 === 0x63 || [0x6982, 0x6983, 0x6984, 0x6985, 0x6988, 0x6a80].includes(sw);
}

/** The chip sent what the standard does not let it send. */
export function malformed(what: string, cause?: unknown): DeviceError {
  return new DeviceError("card_error", {
    message: `the chip sent a malformed ${what}`,
    retryable: false,
    hint: "The chip's contents are damaged or forged: check the document by hand",
    ...(cause === undefined ? {} : { cause }),
  });
}
