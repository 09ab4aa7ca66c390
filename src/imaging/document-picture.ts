import type { Picture } from "../contracts/imaging.js";
import { asDamaged, openSource } from "./document-source.js";

export interface PictureBox {
  readonly maxWidthPx?: number;
  readonly maxHeightPx?: number;
}

const MEASURED_WIDTH = 320;
const MEASURED_HEIGHT = 1_280;
const QUALITY = 85;
const DARK_BELOW = 16;
const BRIGHT_ABOVE = 239;

/** Runs in the pictures child. A picture that fits its box is passed on byte by byte. @throws DeviceError `device_fault`, `too_large` */
export async function judgePicture(jpeg: Uint8Array, box: PictureBox): Promise<Picture> {
  const source = await openSource(jpeg, "image/jpeg");
  const { maxWidthPx: width, maxHeightPx: height } = box;
  const fits = source.width <= (width ?? source.width) && source.height <= (height ?? source.height);
  try {
    // Both go over the file, but the decoder makes the picture small on the way: cheaper than decoding it once in full.
    const [measured, shrunk] = await Promise.all([
      source
        .read()
        .resize({ width: MEASURED_WIDTH, height: MEASURED_HEIGHT, fit: "inside", withoutEnlargement: true })
        .toColourspace("b-w")
        .raw()
        .toBuffer({ resolveWithObject: true }),
      fits
        ? undefined
        : source
            .read()
            .resize({ ...(width === undefined ? {} : { width }), ...(height === undefined ? {} : { height }), fit: "inside" })
            .jpeg({ quality: QUALITY })
            .toBuffer({ resolveWithObject: true }),
    ]);
    const quality = qualityOf(measured.data, measured.info.width, measured.info.height);
    if (!shrunk) return { bytes: jpeg, widthPx: source.width, heightPx: source.height, quality };
    return { bytes: shrunk.data, widthPx: shrunk.info.width, heightPx: shrunk.info.height, quality };
  } catch (thrown) {
    return asDamaged(thrown);
  }
}

/** Of a grey picture, one byte a pixel. */
export function qualityOf(pixels: Uint8Array, width: number, height: number): Picture["quality"] {
  let [sum, dark, bright] = [0, 0, 0];
  for (const value of pixels) {
    sum += value;
    if (value < DARK_BELOW) dark++;
    if (value > BRIGHT_ABOVE) bright++;
  }
  const share = (count: number): number => count / Math.max(1, pixels.length);
  return { sharpness: sharpness(pixels, width, height), brightness: share(sum), darkShare: share(dark), brightShare: share(bright) };
}

/** Variance of the Laplacian: how much pixels differ from the mean of their four neighbours. */
function sharpness(pixels: Uint8Array, width: number, height: number): number {
  let [sum, squares, count] = [0, 0, 0];
  for (let y = 1; y < height - 1; y++) {
    for (let x = 1; x < width - 1; x++) {
      const at = y * width + x;
      const near = (pixels[at - 1] ?? 0) + (pixels[at + 1] ?? 0) + (pixels[at - width] ?? 0) + (pixels[at + width] ?? 0);
      const difference = near - 4 * (pixels[at] ?? 0);
      sum += difference;
      squares += difference * difference;
      count++;
    }
  }
  return count === 0 ? 0 : squares / count - (sum / count) ** 2;
}
