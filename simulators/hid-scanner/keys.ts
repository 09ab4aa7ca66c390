/** Characters and their keys on a US keyboard (HID Usage Tables §10): key without and with shift. */
const PAIRS = "aA bB cC dD eE fF gG hH iI jJ kK lL mM nN oO pP qQ rR sS tT uU vV wW xX yY zZ 1! 2@ 3# 4$ 5% 6^ 7& 8* 9( 0)".split(" ");
const MORE: Readonly<Record<string, number>> = {
  "-_": 0x2d,
  "=+": 0x2e,
  "[{": 0x2f,
  "]}": 0x30,
  "\\|": 0x31,
  ";:": 0x33,
  "'\"": 0x34,
  "`~": 0x35,
  ",<": 0x36,
  ".>": 0x37,
  "/?": 0x38,
};
const LEFT_SHIFT = 0x02;
const ENTER = 0x28;

/** A press and a release per character; what has no key is left out, as such scanners do with Vietnamese letters. */
export function keyReports(text: string): Uint8Array[] {
  const strokes: [modifiers: number, key: number][] = [];
  for (const character of text) {
    if (character === " ") strokes.push([0, 0x2c]);
    for (const [pair, key] of [...PAIRS.map((pair, index) => [pair, 4 + index] as const), ...Object.entries(MORE)]) {
      if (pair.includes(character)) strokes.push([pair[1] === character ? LEFT_SHIFT : 0, key]);
    }
  }
  strokes.push([0, ENTER]);
  return strokes.flatMap(([modifiers, key]) => [Uint8Array.of(modifiers, 0, key, 0, 0, 0, 0, 0), new Uint8Array(8)]);
}
