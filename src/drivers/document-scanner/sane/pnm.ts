/** Channels of the raw formats that scanimage writes (pbm(5), pgm(5), ppm(5)). */
const CHANNELS = { P4: 0, P5: 1, P6: 3 } as const;
const MOST_SIDE = 100_000;
const MOST_HEADER_BYTES = 512;

/** The file is one whole picture: no byte is missing, and none too many. */
export function isWholePnm(file: Uint8Array): boolean {
  const head = new TextDecoder("latin1").decode(file.subarray(0, MOST_HEADER_BYTES));
  // Comments end with their line; scanimage writes one.
  const gap = "(?:\\s|#[^\\n]*\\n)+";
  const [all, magic, wide, high, most] = new RegExp(`^(P4)${gap}(\\d{1,6})${gap}(\\d{1,6})\\s`).exec(head) ??
    new RegExp(`^(P[56])${gap}(\\d{1,6})${gap}(\\d{1,6})${gap}(\\d{1,5})\\s`).exec(head) ?? [""];
  const [width, height, maxval] = [Number(wide), Number(high), Number(most ?? 1)];
  if (magic === undefined || !(width >= 1 && width <= MOST_SIDE && height >= 1 && height <= MOST_SIDE && maxval >= 1 && maxval <= 65_535))
    return false;
  const channels = CHANNELS[magic as keyof typeof CHANNELS];
  const rowBytes = channels === 0 ? Math.ceil(width / 8) : width * channels * (maxval > 255 ? 2 : 1);
  return file.length === all.length + rowBytes * height;
}
