/** What a printer prints for one high byte; pages are numbered by each maker as it likes. */
export type CodePage = (byte: number) => string;

const CP437 =
  "ÇüéâäàåçêëèïîìÄÅÉæÆôöòûùÿÖÜ¢£¥₧ƒáíóúñÑªº¿⌐¬½¼¡«»░▒▓│┤╡╢╖╕╣║╗╝╜╛┐└┴┬├─┼╞╟╚╔╩╦╠═╬╧╨╤╥╙╘╒╓╫╪┘┌█▄▌▐▀αßΓπΣσµτΦΘΩδ∞φε∩≡±≥≤⌠⌡÷≈°∙·√ⁿ²■\u00a0";

/** TCVN 5712 (TCVN-3), the byte of each letter; the upper-case page has the capitals in the same places. */
const TCVN3: readonly (readonly [start: number, letters: string])[] = [
  [0xa1, "ĂÂÊÔƠƯĐăâêôơưđ"],
  [0xb5, "àảãáạ"],
  [0xbb, "ằẳẵắ"],
  [0xc6, "ặầẩẫấậè"],
  [0xce, "ẻẽéẹềểễếệìỉ"],
  [0xdc, "ĩíịò"],
  [0xe1, "ỏõóọồổỗốộờởỡớợù"],
  [0xf1, "ủũúụừửữứựỳỷỹýỵ"],
];

const table = (letters: ReadonlyMap<number, string>): CodePage => {
  return (byte) => letters.get(byte) ?? "?";
};

const cp437 = table(new Map(Array.from(CP437, (letter, index) => [0x80 + index, letter])));

const tcvn3 = (change: (letter: string) => string): CodePage =>
  table(new Map(TCVN3.flatMap(([start, letters]) => Array.from(letters, (letter, index) => [start + index, change(letter)] as const))));

/** Windows pages; 1258 answers a base letter or a combining tone, as the page is built. */
const windows = (label: string): CodePage => {
  const decoder = new TextDecoder(label);
  return (byte) => decoder.decode(Uint8Array.of(byte));
};

const lowerTcvn3 = tcvn3((letter) => letter);
const upperTcvn3 = tcvn3((letter) => letter.toUpperCase());

/** ESC t n of an Epson and of a printer of another maker. */
export const CODE_PAGES: Readonly<Record<"epson" | "other", ReadonlyMap<number, CodePage>>> = {
  epson: new Map([
    [0, cp437],
    [16, windows("windows-1252")],
    [30, lowerTcvn3],
    [31, upperTcvn3],
    [52, windows("windows-1258")],
  ]),
  other: new Map([
    [0, cp437],
    [16, windows("windows-1252")],
    [27, lowerTcvn3],
    [94, windows("windows-1258")],
  ]),
};
