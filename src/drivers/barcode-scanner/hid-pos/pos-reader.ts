import type { ScannedCode } from "../../../contracts/barcode-scanner.js";
import { concatBytes } from "../../../kernel/bytes.js";
import type { CodeLayout } from "./layout.js";
import { type ReadOutcome, type ReportReader, withoutSuffix } from "./reader.js";

/** Reports of one code follow each other in milliseconds. */
const UNFINISHED_AFTER_MS = 1_000;
/** Without a flag for it, a full report may be followed by another one of the same code. */
const SILENCE_MS = 100;

export interface PosReaderOptions {
  readonly layouts: ReadonlyMap<number, CodeLayout>;
  readonly numbered: boolean;
  readonly maxCodeBytes: number;
  /** The device marks each full report as continued, the last one too. */
  readonly fullReportMayEnd?: boolean;
}

/** One report's part of a code. */
interface Fragment {
  readonly data: Uint8Array;
  readonly aim: string | undefined;
  /** `unknown`: the data field is full, and the layout has no flag or one that is not to be believed. */
  readonly continued: "yes" | "no" | "unknown";
}

/** Codes of a device that describes them by the usages of the bar code scanner page. */
export function createPosReader({ layouts, numbered, maxCodeBytes, fullReportMayEnd = false }: PosReaderOptions): ReportReader {
  let parts: Uint8Array[] = [];
  let length = 0;
  let aim: string | undefined;
  let waitMs: number | undefined;
  let tooLong = false;

  const forget = (): void => {
    parts = [];
    length = 0;
    aim = undefined;
    waitMs = undefined;
    tooLong = false;
  };
  const finish = (): readonly ReadOutcome[] => {
    const bytes = withoutSuffix(concatBytes(parts));
    const symbology = aim;
    forget();
    return bytes.length === 0 ? [] : [{ type: "code", code: decodeCode(bytes, symbology) }];
  };

  return {
    get waitMs() {
      return waitMs;
    },
    push(report) {
      const layout = layouts.get(numbered ? (report[0] ?? 0) : 0);
      // Reports of other numbers are answers and states.
      if (!layout) return [];
      const fragment = readFragment(layout, numbered ? report.subarray(1) : report, fullReportMayEnd);
      if (!fragment) {
        forget();
        return [{ type: "dropped", reason: "bad_report" }];
      }
      aim ??= fragment.aim;
      length += fragment.data.length;
      waitMs = fragment.continued === "yes" ? UNFINISHED_AFTER_MS : SILENCE_MS;
      const told = tooLong;
      tooLong ||= length > maxCodeBytes;
      if (tooLong) parts = [];
      else parts.push(fragment.data);
      // The rest of a code that is too long is still waited for: half of it must not look like the next one.
      const outcomes: ReadOutcome[] = tooLong && !told ? [{ type: "dropped", reason: "code_too_long" }] : [];
      if (fragment.continued === "no") outcomes.push(...finish());
      return outcomes;
    },
    flush() {
      if (waitMs === SILENCE_MS) return finish();
      const told = tooLong;
      forget();
      return told ? [] : [{ type: "dropped", reason: "code_unfinished" }];
    },
  };
}

/** Undefined for a report that is shorter than its descriptor says, or counts more bytes than it has room for. */
function readFragment(layout: CodeLayout, body: Uint8Array, fullReportMayEnd: boolean): Fragment | undefined {
  const { reportBytes, data, count, aim, continuedBit } = layout;
  if (body.length < reportBytes) return undefined;
  const field = body.subarray(data.at, data.at + data.bytes);
  // Without a count the padding is told by its NULs.
  const used = count ? readBits(body, count.bitOffset, count.bits) : field.findLastIndex((byte) => byte !== 0) + 1;
  if (used > data.bytes) return undefined;
  const isFull = used === data.bytes;
  const flag = continuedBit === undefined ? isFull : readBits(body, continuedBit, 1) === 1;
  const believed = continuedBit !== undefined && !(fullReportMayEnd && isFull);
  return {
    data: field.slice(0, used),
    aim: aim && aimOf(aim.map((at) => body[at] ?? 0)),
    continued: !flag ? "no" : believed ? "yes" : "unknown",
  };
}

/** §5.8 of HID 1.11: little-endian, the lowest bit first; at most 16 bits. */
function readBits(body: Uint8Array, bitOffset: number, bits: number): number {
  const at = bitOffset >> 3;
  const three = (body[at] ?? 0) | ((body[at + 1] ?? 0) << 8) | ((body[at + 2] ?? 0) << 16);
  return (three >> (bitOffset & 7)) & ((1 << bits) - 1);
}

/** ISO/IEC 15424: `]`, a letter for the symbology, a modifier. Devices that have none send NULs, or a name of their own. */
function aimOf(bytes: readonly number[]): string | undefined {
  const identifier = String.fromCharCode(...bytes);
  return /^\][A-Za-z][0-9A-Za-z]$/.test(identifier) ? identifier : undefined;
}

/** UTF-8, decoded once over the whole code: a letter may lie across two reports. A byte order mark is left out of `text`. */
function decodeCode(bytes: Uint8Array, symbology: string | undefined): ScannedCode {
  const identified = symbology === undefined ? { bytes } : { bytes, symbology };
  try {
    return { ...identified, text: new TextDecoder("utf-8", { fatal: true }).decode(bytes), encoding: "utf-8" };
  } catch {
    return { ...identified, text: new TextDecoder().decode(bytes), encoding: "lossy" };
  }
}
