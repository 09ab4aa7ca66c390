import sharp, { type Sharp } from "sharp";
import type { Assembled, AssembleOrder, PreparedPage } from "../contracts/imaging.js";
import { bestFit, type Sized, type Step, stepsFrom } from "./document-fit.js";
import { BEST_QUALITY, encodeBlackWhite, toJpeg } from "./document-page.js";
import { type PdfPage, writePdf } from "./document-pdf.js";
import { MAX_PIXELS } from "./document-source.js";

interface Made extends Sized {
  readonly pages: readonly PdfPage[];
  readonly document?: Uint8Array;
}

const BLACK_WHITE_THRESHOLD = 160;

/** Runs in the documents child. `createdAt` in milliseconds since the epoch. @throws DeviceError `too_large`; the signal's reason between two pages */
export async function assemblePages(
  pages: readonly PreparedPage[],
  { format, maxBytes }: AssembleOrder,
  createdAt: number,
  signal: AbortSignal,
): Promise<Assembled> {
  const mostDpi = Math.max(...pages.map(({ resolutionDpi }) => resolutionDpi));
  const hasQuality = format === "jpeg" || (format === "pdf" && pages.some(({ mediaType }) => mediaType === "image/jpeg"));
  const make = async (step: Step): Promise<Made> => {
    const kept: PdfPage[] = [];
    for (const page of pages) {
      signal.throwIfAborted();
      kept.push(await keep(page, format, step));
    }
    if (format !== "pdf") return { pages: kept, totalBytes: kept.reduce((sum, { bytes }) => sum + bytes.length, 0) };
    const document = await writePdf(kept, createdAt);
    return { pages: kept, document, totalBytes: document.length };
  };
  const { step, result } = await bestFit(stepsFrom(mostDpi, hasQuality), maxBytes ?? Number.POSITIVE_INFINITY, make);
  return {
    images: result.document ? [] : result.pages.map(({ bytes, widthPx, heightPx }) => ({ bytes, widthPx, heightPx })),
    ...(result.document ? { document: result.document } : {}),
    ...(hasQuality ? { jpegQuality: step.quality } : {}),
    resolutionDpi: step.resolutionDpi,
  };
}

/** A page that is good already is not encoded once more. */
async function keep(page: PreparedPage, format: AssembleOrder["format"], step: Step): Promise<PdfPage> {
  const wanted = format === "pdf" ? page.mediaType : format === "png" ? "image/png" : "image/jpeg";
  const resolutionDpi = Math.min(page.resolutionDpi, step.resolutionDpi);
  const isSame = wanted === page.mediaType && resolutionDpi === page.resolutionDpi;
  if (isSame && (wanted === "image/png" || step.quality === BEST_QUALITY)) return page;
  const image = resized(page, resolutionDpi);
  const { data, info } =
    wanted === "image/jpeg"
      ? await toJpeg(image, step.quality, resolutionDpi, await isColorful(image))
      : page.mediaType === "image/png"
        ? await encodeBlackWhite(image, resolutionDpi, BLACK_WHITE_THRESHOLD)
        : await image.png({ compressionLevel: 6 }).withDensity(resolutionDpi).toBuffer({ resolveWithObject: true });
  return { mediaType: wanted, bytes: data, widthPx: info.width, heightPx: info.height, resolutionDpi };
}

/** As its page was kept: see `toJpeg`. */
async function isColorful(image: Sharp): Promise<boolean> {
  return (await image.metadata()).chromaSubsampling !== "4:2:0";
}

function resized({ bytes, widthPx, heightPx, resolutionDpi: from, mediaType }: PreparedPage, to: number): Sharp {
  const image = sharp(bytes, { sequentialRead: true, limitInputPixels: MAX_PIXELS + 4 * 65_500 });
  const scaled = to === from ? image : image.resize(Math.round((widthPx * to) / from), Math.round((heightPx * to) / from), { fit: "fill" });
  return mediaType === "image/png" ? scaled.toColourspace("b-w") : scaled;
}
