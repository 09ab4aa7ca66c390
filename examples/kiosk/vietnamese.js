/** Vietnamese letters for who types them one by one. */

/** Combining marks, as Unicode has them: sắc, huyền, hỏi, ngã, nặng. */
export const TONES = { acute: "\u0301", grave: "\u0300", hook: "\u0309", tilde: "\u0303", dot: "\u0323" };
const TONE = /[\u0300\u0301\u0303\u0309\u0323]/g;

const plain = (letter) => letter.normalize("NFD").replace(TONE, "").normalize("NFC");
const isVowel = (letter) => /[aăâeêioôơuưy]/i.test(plain(letter));

/**
 * The text with a tone on the syllable at its end: on the letter where it is written, whichever was typed last. The tone
 * that is there already is taken away.
 */
export function withTone(text, tone) {
  const letters = [...text.normalize("NFC")];
  let end = letters.length;
  while (end > 0 && /\p{L}/u.test(letters[end - 1]) && !isVowel(letters[end - 1])) end -= 1;
  let start = end;
  while (start > 0 && isVowel(letters[start - 1])) start -= 1;
  // The u of "qu" and the i of "gi" belong to the consonant.
  const initial = `${letters[start - 1] ?? ""}${plain(letters[start] ?? "")}`.toLowerCase();
  if (end - start > 1 && (initial === "qu" || initial === "gi")) start += 1;
  if (start === end) return text;
  const vowels = letters.slice(start, end);
  const marked = vowels.findLastIndex((letter) => /[ăâêôơư]/i.test(plain(letter)));
  const open = end === letters.length && vowels.length > 1;
  const at = start + (marked >= 0 ? marked : open ? vowels.length - 2 : vowels.length - 1);
  const bare = plain(letters[at]);
  const toned = `${bare}${tone}`.normalize("NFC");
  const again = toned === letters[at];
  for (let index = start; index < end; index++) letters[index] = plain(letters[index]);
  if (!again) letters[at] = toned;
  return letters.join("");
}
