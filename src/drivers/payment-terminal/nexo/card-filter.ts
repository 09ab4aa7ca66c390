/** Of a card number, as ISO/IEC 7812-1 has it: 12 digits at least, whatever stands between them in print. */
const DIGIT_RUN = /\d(?:[ .\-–]?\d){11,}/g;
const SHOWN_DIGITS = 4;
/** What stands behind the number on a stripe, with the name on it (ISO/IEC 7813). */
const TRACK_REST = /(?<=\*\d{4}[=D])[\d*]+|(?<=\*\d{4}\^)[^^]{2,26}\^[\d*]+/g;
/** Of 4 to 12 digits (ISO 9564-1), masked already where they are 12. */
const PIN = /\bPIN\W{0,4}[\d*]{4,12}/gi;

/**
 * Text with every run of digits that is as long as a card number as `*` but its last four, and so the rest of a track and a PIN.
 * Masks other long numbers, too: the price.
 */
export function maskCards(text: string): string {
  return text
    .replaceAll(DIGIT_RUN, (run) => {
      let left = run.replaceAll(/\D/g, "").length;
      return run.replaceAll(/\d/g, (digit) => (left-- > SHOWN_DIGITS ? "*" : digit));
    })
    .replaceAll(TRACK_REST, (rest) => "*".repeat(rest.length))
    .replaceAll(PIN, (pin) => pin.replaceAll(/\d/g, "*"));
}
