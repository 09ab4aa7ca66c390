import type { Random } from "../../../kernel/random.js";

/** Crockford's base 32: no letter that a person takes for a digit. */
const ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
/** 60 random bits: nobody meets another one's, neither by chance nor by guessing. */
const RANDOM_CHARACTERS = 12;

/** A purpose that names one payment: at most 22 characters, digits and capitals only, which every bank passes on (NAPAS: 25, ASCII). */
export function newPurpose(prefix: string, random: Random): string {
  return prefix + Array.from(random.bytes(RANDOM_CHARACTERS), (byte) => ALPHABET[byte % ALPHABET.length]).join("");
}

/** A bank's text as purposes are looked for in it: banks put their own numbers around them, change the case and break them at a line's end. */
export function plainText(text: string): string {
  return text.toUpperCase().replace(/[^0-9A-Z]/g, "");
}

/** Whether a bank's text has this purpose in it. */
export function hasPurpose(text: string, purpose: unknown): boolean {
  if (typeof purpose !== "string" || purpose.length < RANDOM_CHARACTERS) return false;
  return plainText(text).includes(purpose);
}
