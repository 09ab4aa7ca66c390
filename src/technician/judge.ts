import type { Scan } from "../protocol/barcode-scanner.js";
import type { PictureQuality } from "../protocol/camera.js";
import { TEST_CODE } from "./test-page.js";

/** What a test found, as sentences. Nothing personal is in them. */
export interface Judgement {
  readonly good: boolean;
  readonly notes: readonly string[];
}

/** What a scanner made of the test code. Whatever else it reads is not repeated. */
export function judgeScan({ text, parsed }: Pick<Scan, "text" | "parsed">): Judgement {
  if (text === TEST_CODE) return { good: true, notes: ["It read the code letter by letter, Vietnamese ones too."] };
  if (text.replaceAll(/[^\x20-\x7e]/g, "").startsWith("STATIOND-TEST")) {
    return {
      good: false,
      notes: [
        "It read the code, but not its Vietnamese letters.",
        "Set the scanner to UTF-8 and to no keyboard layout: see its manual, and the driver's page.",
      ],
    };
  }
  const what = parsed.kind === "plain" ? "another code" : parsed.kind === "vietqr" ? "a bank's code" : "an ID card";
  return { good: false, notes: [`It works, but read ${what} of ${[...text].length} characters.`, "Show it the code above."] };
}

export type CardFamily = "unknown" | "random-uid" | "fixed-uid";

/** What lies on the reader. `uid` undefined: the card or the reader does not tell one. */
export function judgeCard(uid: { readonly uid: string; readonly random: boolean } | undefined): { family: CardFamily; note: string } {
  if (!uid)
    return { family: "unknown", note: "A card is there. It tells no number: one with contacts, or this reader does not pass it on." };
  if (uid.random) return { family: "random-uid", note: "A contactless chip with a number of the moment, as ID cards have." };
  return { family: "fixed-uid", note: `A contactless card or tag with the number ${masked(uid.uid)}: no ID card.` };
}

/** The last three characters. */
export function masked(number: string): string {
  return `${"*".repeat(Math.max(0, number.length - 3))}${number.length > 6 ? number.slice(-3) : "*".repeat(Math.min(3, number.length))}`;
}

/** Below it a picture is blurred: see `camera.snapshot`. */
const BLURRED = 100;
const DARK = 40;
const BRIGHT = 225;

/** Whether a face on such a picture could be compared. */
export function judgePicture({ sharpness, brightness }: PictureQuality): Judgement {
  const wrong = [
    ...(sharpness < BLURRED ? ["It is blurred: clean the lens, take off its foil, turn its focus ring."] : []),
    ...(brightness < DARK ? ["It is dark: light, or something covers the lens."] : []),
    ...(brightness > BRIGHT ? ["It is too bright: no window or lamp behind the person."] : []),
  ];
  const measured = `Sharpness ${Math.round(sharpness)} (below ${BLURRED} is blurred), brightness ${Math.round(brightness)} of 255.`;
  return { good: wrong.length === 0, notes: [measured, ...wrong] };
}

interface PageSize {
  readonly widthPx: number;
  readonly heightPx: number;
  readonly resolutionDpi: number;
  readonly blank: boolean;
}

/** A page that was scanned to try the scanner. */
export function judgePage({ widthPx, heightPx, resolutionDpi, blank }: PageSize, bytes: number): Judgement {
  return {
    good: !blank,
    notes: [
      `One page, ${widthPx} × ${heightPx} pixels at ${resolutionDpi} dpi, ${kilobytes(bytes)}.`,
      blank ? "It is BLANK: lay a page with print on it, the printed side towards the glass." : "There is something on it.",
    ],
  };
}

export const kilobytes = (bytes: number): string => `${Math.ceil(bytes / 1_000)} kB`;
