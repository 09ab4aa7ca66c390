/** `head`: the bytes after the opcode so far. */
type Head = Uint8Array;

/**
 * How many bytes follow the opcode, as far as the head tells; it may grow as more of the head is known.
 * `undefined`: a parameter is out of range. As on a real printer the command is then dropped and what follows is
 * processed as ordinary data.
 */
export type CommandLength = (head: Head) => number | undefined;

export interface CommandShape {
  readonly name: string;
  readonly length: CommandLength;
}

/** More than any sane host sends at once, and what one command may hold in memory. */
const LARGEST_BLOCK_BYTES = 4 * 1024 * 1024;

const at = (head: Head, index: number): number => head[index] ?? 0;
const u16 = (head: Head, index: number): number => at(head, index) + at(head, index + 1) * 256;

const bytes =
  (count: number): CommandLength =>
  () =>
    count;

/** A block with its length in the head: `lead` bytes, then `of(head)` more. */
const block =
  (lead: number, of: (head: Head) => number | undefined): CommandLength =>
  (head) => {
    if (head.length < lead) return lead;
    const more = of(head);
    return more === undefined || more > LARGEST_BLOCK_BYTES ? undefined : lead + more;
  };

const untilNul = (most: number): CommandLength => {
  return (head) => (head.length > 0 && (head[head.length - 1] === 0 || head.length >= most) ? head.length : head.length + 1);
};

/** GS k: form A (m 0–6) ends with NUL, form B (m 65–79) states its length. */
const barcode: CommandLength = (head) => {
  if (head.length < 1) return 1;
  const m = at(head, 0);
  if (m <= 6) return head.length > 1 && head[head.length - 1] === 0 ? head.length : head.length > 256 ? undefined : head.length + 1;
  if (m >= 65 && m <= 79) return head.length < 2 ? 2 : 2 + at(head, 1);
  return undefined;
};

/** ESC &: y c1 c2, then for each of the characters its width x and x × y bytes. */
const userCharacters: CommandLength = (head) => {
  if (head.length < 3) return 3;
  const y = at(head, 0);
  const characters = at(head, 2) - at(head, 1) + 1;
  if (y < 1 || y > 3 || characters < 1) return undefined;
  let end = 3;
  for (let index = 0; index < characters; index++) {
    if (head.length <= end) return end + 1;
    end += 1 + at(head, end) * y;
  }
  return end;
};

/** FS q: n images, each xL xH yL yH and x × y × 8 bytes. */
const nvImages: CommandLength = (head) => {
  if (head.length < 1) return 1;
  let end = 1;
  for (let index = 0; index < at(head, 0); index++) {
    if (head.length < end + 4) return end + 4;
    const size = u16(head, end) * u16(head, end + 2) * 8;
    if (size === 0 || end + size > LARGEST_BLOCK_BYTES) return undefined;
    end += 4 + size;
  }
  return end;
};

const columnImage = block(3, (head) => {
  const columns = u16(head, 1);
  const m = at(head, 0);
  if (m === 0 || m === 1) return columns;
  return m === 32 || m === 33 ? columns * 3 : undefined;
});

/** GS v 0: the ranges of a current printer (yH ≤ 15); anything beyond is not an image but lost synchronisation. */
const rasterImage = block(6, (head) => {
  const width = u16(head, 2);
  const height = u16(head, 4);
  const m = at(head, 1);
  const known = at(head, 0) === 0x30 && (m <= 3 || (m >= 48 && m <= 51));
  return known && width >= 1 && width <= 1023 && height >= 1 && height <= 4095 ? width * height : undefined;
});

const cut: CommandLength = (head) => {
  if (head.length < 1) return 1;
  const m = at(head, 0);
  if (m === 0 || m === 1 || m === 48 || m === 49) return 1;
  return m === 65 || m === 66 ? 2 : undefined;
};

/** GS g 0 m nL nH resets and GS g 2 m nL nH transmits a maintenance counter. */
const maintenance: CommandLength = (head) => {
  if (head.length < 1) return 1;
  return at(head, 0) === 0x30 || at(head, 0) === 0x32 ? 4 : undefined;
};

const realTimeRequest: CommandLength = (head) => (head.length < 1 ? 1 : { 1: 3, 2: 3, 3: 7, 7: 2, 8: 8 }[at(head, 0)]);

/** Every opcode with its length, by its two bytes in hexadecimal: Epson's command reference, standard mode. */
export const COMMANDS: ReadonlyMap<string, CommandShape> = new Map(
  Object.entries({
    "1004": { name: "DLE EOT", length: bytes(1) },
    "1005": { name: "DLE ENQ", length: bytes(1) },
    "1014": { name: "DLE DC4", length: realTimeRequest },
    "1b20": { name: "ESC SP", length: bytes(1) },
    "1b21": { name: "ESC !", length: bytes(1) },
    "1b24": { name: "ESC $", length: bytes(2) },
    "1b25": { name: "ESC %", length: bytes(1) },
    "1b26": { name: "ESC &", length: userCharacters },
    "1b2a": { name: "ESC *", length: columnImage },
    "1b2d": { name: "ESC -", length: bytes(1) },
    "1b32": { name: "ESC 2", length: bytes(0) },
    "1b33": { name: "ESC 3", length: bytes(1) },
    "1b3d": { name: "ESC =", length: bytes(1) },
    "1b3f": { name: "ESC ?", length: bytes(1) },
    "1b40": { name: "ESC @", length: bytes(0) },
    "1b44": { name: "ESC D", length: untilNul(33) },
    "1b45": { name: "ESC E", length: bytes(1) },
    "1b47": { name: "ESC G", length: bytes(1) },
    "1b4a": { name: "ESC J", length: bytes(1) },
    "1b4c": { name: "ESC L", length: bytes(0) },
    "1b4d": { name: "ESC M", length: bytes(1) },
    "1b52": { name: "ESC R", length: bytes(1) },
    "1b53": { name: "ESC S", length: bytes(0) },
    "1b54": { name: "ESC T", length: bytes(1) },
    "1b56": { name: "ESC V", length: bytes(1) },
    "1b57": { name: "ESC W", length: bytes(8) },
    "1b5c": { name: "ESC \\", length: bytes(2) },
    "1b61": { name: "ESC a", length: bytes(1) },
    "1b63": { name: "ESC c", length: bytes(2) },
    "1b64": { name: "ESC d", length: bytes(1) },
    "1b69": { name: "ESC i", length: bytes(0) },
    "1b6d": { name: "ESC m", length: bytes(0) },
    "1b70": { name: "ESC p", length: bytes(3) },
    "1b72": { name: "ESC r", length: bytes(1) },
    "1b74": { name: "ESC t", length: bytes(1) },
    "1b7b": { name: "ESC {", length: bytes(1) },
    "1c21": { name: "FS !", length: bytes(1) },
    "1c26": { name: "FS &", length: bytes(0) },
    "1c28": { name: "FS (", length: block(3, (head) => u16(head, 1)) },
    "1c2d": { name: "FS -", length: bytes(1) },
    "1c2e": { name: "FS .", length: bytes(0) },
    "1c43": { name: "FS C", length: bytes(1) },
    "1c53": { name: "FS S", length: bytes(2) },
    "1c57": { name: "FS W", length: bytes(1) },
    "1c70": { name: "FS p", length: bytes(2) },
    "1c71": { name: "FS q", length: nvImages },
    "1d21": { name: "GS !", length: bytes(1) },
    "1d24": { name: "GS $", length: bytes(2) },
    "1d28": { name: "GS (", length: block(3, (head) => u16(head, 1)) },
    "1d2a": { name: "GS *", length: block(2, (head) => at(head, 0) * at(head, 1) * 8 || undefined) },
    "1d2f": { name: "GS /", length: bytes(1) },
    "1d38": { name: "GS 8", length: block(5, (head) => u16(head, 1) + u16(head, 3) * 65_536) },
    "1d3a": { name: "GS :", length: bytes(0) },
    "1d42": { name: "GS B", length: bytes(1) },
    "1d48": { name: "GS H", length: bytes(1) },
    "1d49": { name: "GS I", length: bytes(1) },
    "1d4c": { name: "GS L", length: bytes(2) },
    "1d50": { name: "GS P", length: bytes(2) },
    "1d56": { name: "GS V", length: cut },
    "1d57": { name: "GS W", length: bytes(2) },
    "1d5c": { name: "GS \\", length: bytes(2) },
    "1d5e": { name: "GS ^", length: bytes(3) },
    "1d61": { name: "GS a", length: bytes(1) },
    "1d62": { name: "GS b", length: bytes(1) },
    "1d66": { name: "GS f", length: bytes(1) },
    "1d67": { name: "GS g", length: maintenance },
    "1d68": { name: "GS h", length: bytes(1) },
    "1d6b": { name: "GS k", length: barcode },
    "1d72": { name: "GS r", length: bytes(1) },
    "1d76": { name: "GS v 0", length: rasterImage },
    "1d77": { name: "GS w", length: bytes(1) },
  }),
);
