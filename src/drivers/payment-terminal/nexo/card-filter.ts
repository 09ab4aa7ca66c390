/** Of a card number, as ISO/IEC 7812-1 has it: 12 digits at least, whatever stands between them in print. */
const DIGIT_RUN = /\d(?:[ .\-–]?\d){11,}/g;
const SHOWN_DIGITS = 4;

/** Text with every run of digits that is as long as a card number as `*` but its last four. Masks other long numbers, too: the price. */
export function maskCards(text: string): string {
  return text.replaceAll(DIGIT_RUN, (run) => {
    let left = run.replaceAll(/\D/g, "").length;
    return run.replaceAll(/\d/g, (digit) => (left-- > SHOWN_DIGITS ? "*" : digit));
  });
}
