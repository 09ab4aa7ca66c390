/** What a result code means to a payment. Only `approved` is money, and only as 27=00 in a status information. */
export type ResultMeaning =
  | "approved"
  /** The host said no. */
  | "declined"
  /** The card is unreadable, unknown, expired, blocked or of the wrong kind. */
  | "card_refused"
  /** By the cardholder, or nobody came in time. */
  | "cancelled"
  | "communication"
  /** Not now: ask again later. */
  | "busy"
  | "not_possible"
  | "already_reversed"
  | "not_reversible"
  | "end_of_day_needed"
  /** The terminal did not understand us, or did not want it from us. */
  | "protocol"
  | "terminal_fault"
  /** Not in the specification's list. */
  | "unknown";

export interface ResultCode {
  readonly meaning: ResultMeaning;
  /** For technicians, English. */
  readonly text: string;
}

/** "Error messages" of PA00P015. */
// biome-ignore format: a table
const TABLE: Readonly<Record<number, readonly [meaning: ResultMeaning, text: string]>> = {
  0: ["approved", "no error"],
  100: ["card_refused", "card not readable"],
  101: ["card_refused", "no data on the card"],
  102: ["card_refused", "card could not be processed"],
  103: ["card_refused", "not for debit cards"],
  104: ["card_refused", "not for credit and fuel cards"],
  106: ["end_of_day_needed", "turnover file full"],
  107: ["protocol", "terminal is not registered"],
  108: ["cancelled", "time-out, or cancelled on the terminal"],
  110: ["card_refused", "card is on the blocked list"],
  111: ["not_possible", "wrong currency"],
  113: ["declined", "not enough credit on the card"],
  114: ["card_refused", "fault of the chip"],
  115: ["card_refused", "card data wrong"],
  116: ["terminal_fault", "no keys left"],
  117: ["protocol", "text not authentic"],
  118: ["card_refused", "card is not on the permitted list"],
  119: ["not_possible", "end of day not possible"],
  120: ["card_refused", "card expired"],
  121: ["card_refused", "card not valid yet"],
  122: ["card_refused", "card unknown"],
  123: ["card_refused", "magnetic stripe not permitted for this card"],
  124: ["card_refused", "magnetic stripe not permitted"],
  125: ["communication", "no communication with the host"],
  126: ["card_refused", "magnetic stripe not permitted, debit note possible"],
  131: ["not_possible", "function not possible"],
  133: ["terminal_fault", "key missing"],
  137: ["terminal_fault", "PIN pad defective"],
  154: ["protocol", "protocol error"],
  155: ["communication", "dial-up failed"],
  156: ["busy", "please wait"],
  160: ["busy", "receiver not ready"],
  161: ["communication", "host does not answer"],
  163: ["communication", "no connection"],
  164: ["communication", "purse payments could not be submitted"],
  165: ["not_possible", "forbidden by the rules of the card industry"],
  177: ["terminal_fault", "memory full"],
  178: ["end_of_day_needed", "journal full"],
  180: ["already_reversed", "already reversed"],
  181: ["not_reversible", "reversal not possible"],
  183: ["not_possible", "amount wrong, or above the pre-authorisation"],
  184: ["not_possible", "pre-authorisation wrong"],
  191: ["terminal_fault", "supply voltage too low"],
  192: ["terminal_fault", "card lock defective"],
  193: ["not_possible", "merchant card locked"],
  194: ["not_possible", "diagnosis needed"],
  195: ["not_possible", "amount too high"],
  196: ["not_possible", "card profiles must be loaded"],
  197: ["not_possible", "payment method not supported"],
  198: ["not_possible", "currency not supported"],
  200: ["not_possible", "amount too small"],
  201: ["not_possible", "highest permitted amount too small"],
  203: ["not_possible", "function in euro only"],
  204: ["terminal_fault", "printer not ready"],
  205: ["not_possible", "cash back not possible"],
  210: ["card_refused", "not for service cards"],
  220: ["busy", "a card is inserted"],
  221: ["terminal_fault", "card could not be ejected"],
  222: ["terminal_fault", "card could not be drawn in"],
  224: ["busy", "remote maintenance is on"],
  226: ["terminal_fault", "card reader does not answer"],
  227: ["terminal_fault", "shutter closed"],
  228: ["not_possible", "terminal must be activated"],
  231: ["not_possible", "no goods group found"],
  232: ["not_possible", "no goods groups loaded"],
  233: ["card_refused", "restriction code not permitted"],
  234: ["card_refused", "card code not permitted"],
  235: ["terminal_fault", "PIN algorithm unknown"],
  236: ["terminal_fault", "PIN cannot be processed"],
  237: ["terminal_fault", "PIN pad defective"],
  240: ["end_of_day_needed", "an end of day is open"],
  241: ["communication", "offline payment failed"],
  245: ["terminal_fault", "personalisation error"],
  246: ["terminal_fault", "terminal must be personalised"],
  250: ["communication", "offline payments could not be sent"],
  251: ["terminal_fault", "turnover record defective"],
  252: ["terminal_fault", "a needed part is missing or defective"],
  253: ["protocol", "baud rate not supported"],
  254: ["protocol", "register unknown"],
  255: ["terminal_fault", "system error"],
};

/** Of BMP 27, of an abort (06 1E), of a negative answer (84 xx) and of a status enquiry. */
export function resultCode(code: number): ResultCode {
  const known = TABLE[code];
  if (known) return { meaning: known[0], text: known[1] };
  // 01–63 are the host's own, of which the terminal knows nothing.
  if (code >= 0x01 && code <= 0x63) return { meaning: "declined", text: `declined by the host (${code.toString(16).padStart(2, "0")})` };
  return { meaning: "unknown", text: `code ${code.toString(16).padStart(2, "0")}` };
}
