/**
 * Vietnamese letters → bytes of a code page. Our own tables: the common library writes question marks for cp1258
 * and control bytes for some capitals of TCVN. A letter without a byte makes the whole text unprintable this way.
 */
export type CodePageEncoding = "cp1258" | "tcvn3";

/** Windows-1258: letters with a circumflex, breve, horn or bar and a few toned ones are whole; other tones follow their vowel. */
// biome-ignore format: a table
const CP1258_WHOLE: Readonly<Record<string, number>> = {
  À: 0xc0, Á: 0xc1, Â: 0xc2, Ă: 0xc3, È: 0xc8, É: 0xc9, Ê: 0xca, Í: 0xcd, Đ: 0xd0, Ó: 0xd3, Ô: 0xd4, Ơ: 0xd5, Ù: 0xd9, Ú: 0xda, Ư: 0xdd,
  à: 0xe0, á: 0xe1, â: 0xe2, ă: 0xe3, è: 0xe8, é: 0xe9, ê: 0xea, í: 0xed, đ: 0xf0, ó: 0xf3, ô: 0xf4, ơ: 0xf5, ù: 0xf9, ú: 0xfa, ư: 0xfd, "₫": 0xfe,
};

/** Grave, hook above, tilde, acute, dot below. */
const CP1258_TONES: Readonly<Record<string, number>> = { "\u0300": 0xcc, "\u0309": 0xd2, "\u0303": 0xde, "\u0301": 0xec, "\u0323": 0xf2 };

/** TCVN 5712:1993, VN3: no capitals with tones. */
const TCVN3 = new Map<string, number>(
  Object.entries({
    161: "ĂÂÊÔƠƯĐăâêôơưđ",
    181: "àảãáạ",
    187: "ằẳẵắ",
    198: "ặầẩẫấậè",
    206: "ẻẽéẹềểễếệìỉ",
    220: "ĩíịò",
    225: "ỏõóọồổỗốộờởỡớợù",
    241: "ủũúụừửữứựỳỷỹýỵ",
  }).flatMap(([first, letters]) => [...letters].map((letter, index) => [letter, Number(first) + index] as const)),
);

/** Undefined where a letter has no place in the code page: the caller then draws the text. */
export function encodeText(text: string, encoding: CodePageEncoding): Uint8Array | undefined {
  const bytes: number[] = [];
  for (const letter of text.normalize("NFC")) {
    const encoded = encoding === "tcvn3" ? tcvn3Letter(letter) : cp1258Letter(letter);
    if (!encoded) return undefined;
    bytes.push(...encoded);
  }
  return Uint8Array.from(bytes);
}

function asciiLetter(letter: string): number[] | undefined {
  return /^[\x20-\x7e]$/.test(letter) ? [letter.charCodeAt(0)] : undefined;
}

function tcvn3Letter(letter: string): number[] | undefined {
  const byte = TCVN3.get(letter);
  return byte === undefined ? asciiLetter(letter) : [byte];
}

function cp1258Letter(letter: string): number[] | undefined {
  const whole = CP1258_WHOLE[letter];
  if (whole !== undefined) return [whole];
  const plain = asciiLetter(letter);
  if (plain) return plain;
  // Only the tone comes off: `ệ` is ê and a dot below, in whatever order Unicode decomposes it.
  const parts = [...letter.normalize("NFD")];
  const tone = parts.find((part) => CP1258_TONES[part] !== undefined);
  const toneByte = tone === undefined ? undefined : CP1258_TONES[tone];
  if (tone === undefined || toneByte === undefined) return undefined;
  const vowel = parts
    .filter((part) => part !== tone)
    .join("")
    .normalize("NFC");
  const base = CP1258_WHOLE[vowel] ?? asciiLetter(vowel)?.[0];
  return base === undefined ? undefined : [base, toneByte];
}
