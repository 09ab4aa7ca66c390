import assert from "node:assert/strict";

/** The nibbles of BCD as digits; undefined where one of them is none. */
export function decodeDigits(value: Uint8Array): string | undefined {
  let digits = "";
  for (const byte of value) digits += (byte >>> 4).toString(16) + (byte & 0x0f).toString(16);
  return /^\d*$/.test(digits) ? digits : undefined;
}

/** BCD of up to 7 bytes as a number; undefined where a nibble is no digit. */
export function decodeNumber(value: Uint8Array): number | undefined {
  assert(value.length <= 7);
  const digits = decodeDigits(value);
  return digits ? Number(digits) : undefined;
}

export function encodeDigits(digits: string): Uint8Array {
  assert(/^(\d\d)*$/.test(digits));
  return Uint8Array.from({ length: digits.length / 2 }, (_, index) => Number.parseInt(digits.slice(2 * index, 2 * index + 2), 16));
}

/** BCD, filled up with zeros from the left. The caller has checked the range. */
export function encodeNumber(value: number, byteLength: number): Uint8Array {
  const digits = String(value).padStart(2 * byteLength, "0");
  assert(digits.length === 2 * byteLength);
  return encodeDigits(digits);
}

/** Code page 437 from 80 on, ZVT's character set unless another one was agreed on. */
const CP437 =
  "ÇüéâäàåçêëèïîìÄÅÉæÆôöòûùÿÖÜ¢£¥₧ƒáíóúñÑªº¿⌐¬½¼¡«»░▒▓│┤╡╢╖╕╣║╗╝╜╛┐└┴┬├─┼╞╟╚╔╩╦╠═╬╧╨╤╥╙╘╒╓╫╪┘┌█▄▌▐▀αßΓπΣσµτΦΘΩδ∞φε∩≡±≥≤⌠⌡÷≈°∙·√ⁿ²■\u00a0";

/** Text of the terminal, fit to show and to print: control characters become blanks, blanks and NULs at the end go. */
export function decodeText(value: Uint8Array): string {
  let text = "";
  for (const byte of value) text += byte >= 0x80 ? CP437[byte - 0x80] : byte < 0x20 || byte === 0x7f ? " " : String.fromCharCode(byte);
  return text.trimEnd();
}
