/** Of a card number, as ISO/IEC 7812-1 has it: 13 (old ones) to 19 digits. */
const SHORTEST = 13;
const LONGEST = 19;
const SHOWN_DIGITS = 4;

/** ISO/IEC 7812-1 annex B. */
export function passesLuhn(digits: string): boolean {
  let sum = 0;
  for (let index = 0; index < digits.length; index++) {
    const digit = Number(digits[digits.length - 1 - index]);
    const doubled = index % 2 === 1 ? 2 * digit : digit;
    sum += doubled > 9 ? doubled - 9 : doubled;
  }
  return sum % 10 === 0;
}

/** A stripe's number, masked already or not, and what stands behind it: track 2 or 3, and track 1 with its name (ISO/IEC 7813). */
const TRACK = /([\d*]{12,21})([=D][\d*]+|\^[^^]{2,26}\^[\d*]+)/g;
/** Of 4 to 12 digits (ISO 9564-1). */
const PIN = /\bPIN\W{0,4}\d{4,12}/gi;

/**
 * Text with each card number's digits but the last four as `*`, and so the rest of a track and a PIN; its length kept. Looks at runs of digits with single
 * blanks or hyphens among them. In one of up to 19 digits a card number begins and ends where a group does (a tenth of
 * all other numbers that long is masked, too: the price); in a longer one anywhere, for a track has its expiry glued on.
 */
export function maskCardNumbers(text: string): string {
  return text
    .replaceAll(/\d(?:[ -]?\d){12,}/g, maskRun)
    .replaceAll(TRACK, (_, number: string, rest: string) => `${maskPan(number)}${rest[0]}${"*".repeat(rest.length - 1)}`)
    .replaceAll(PIN, (pin) => pin.replaceAll(/\d/g, "*"));
}

function maskRun(run: string): string {
  const masked = Array.from(run);
  /** Of each digit: where it stands, and whether a card number could begin or end with it. */
  const places = masked.flatMap((character, at) => (/\d/.test(character) ? [at] : []));
  const digits = places.map((at) => run[at]).join("");
  const anywhere = places.length > LONGEST;
  const begins = (index: number): boolean => anywhere || index === 0 || (places[index] ?? 0) - (places[index - 1] ?? 0) > 1;
  const ends = (index: number): boolean => anywhere || index === places.length - 1 || begins(index + 1);
  for (let first = 0; first + SHORTEST <= digits.length; first++) {
    if (!begins(first)) continue;
    for (let length = SHORTEST; length <= LONGEST && first + length <= digits.length; length++) {
      if (!ends(first + length - 1) || !passesLuhn(digits.slice(first, first + length))) continue;
      for (const at of places.slice(first, first + length - SHOWN_DIGITS)) masked[at] = "*";
    }
  }
  return masked.join("");
}

/** All but the last four digits as `*`; all of them where so few are no card number. */
export function maskPan(digits: string): string {
  const visible = digits.length > 2 * SHOWN_DIGITS ? SHOWN_DIGITS : 0;
  return "*".repeat(digits.length - visible) + digits.slice(digits.length - visible);
}
