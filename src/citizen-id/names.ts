/** Capital letters A to Z of each word, as an MRZ has them (ICAO 9303-3 §6: diacritics are left out, Đ is D). */
function lettersOf(name: string): string[] {
  return name
    .replaceAll(/[ĐđÐð]/g, "D")
    .normalize("NFD")
    .toUpperCase()
    .replaceAll(/[^A-Z\s-]/g, "")
    .split(/[\s-]+/)
    .filter((word) => word !== "");
}

/**
 * Is a name of an MRZ the transliteration of a printed one? `mayBeCut`: it fills its line, so that it, or each of its words, may have
 * lost its end (ICAO 9303-3 §4.6).
 */
export function isTransliterated(printed: string, mrzName: string, mayBeCut: boolean): boolean {
  const [whole, short] = [lettersOf(printed), lettersOf(mrzName)];
  // Where words part is not compared: hyphens and apostrophes of the printed name come out either way.
  if (whole.join("") === short.join("")) return true;
  if (!mayBeCut || short.length === 0) return false;
  return whole.join("").startsWith(short.join("")) || short.every((word, index) => whole[index]?.startsWith(word));
}
