import { type ReportDescriptor, type ReportField, type Usage, valuesOf } from "./descriptor.js";

/** HID Point of Sale Usage Tables 1.02 §3, page 0x8C; the byte count is of the Generic Desktop page. */
const USAGE = {
  preventRead: 0x8c005f,
  initiateRead: 0x8c0060,
  symbologyIdentifier1: 0x8c00fb,
  symbologyIdentifier2: 0x8c00fc,
  symbologyIdentifier3: 0x8c00fd,
  decodedData: 0x8c00fe,
  decodedDataContinued: 0x8c00ff,
  byteCount: 0x01003b,
  keyboard: 0x010006,
  keypad: 0x010007,
  leftControlKey: 0x0700e0,
} as const;
const KEY_PAGE = 0x07;
const AIM_BYTES = 3;

/** Where a report keeps its part of a code; offsets from the start of the report, its number not counted. */
export interface CodeLayout {
  /** Of the whole report: a shorter one has lost something. */
  readonly reportBytes: number;
  readonly data: { readonly at: number; readonly bytes: number };
  /** How many of the data bytes are the code's. */
  readonly count: { readonly bitOffset: number; readonly bits: number } | undefined;
  /** Offsets of the three characters of the AIM identifier. */
  readonly aim: readonly number[] | undefined;
  /** Set where the next report goes on with the same code. */
  readonly continuedBit: number | undefined;
}

export interface KeyboardLayout {
  readonly reportId: number;
  /** A byte with a bit for each modifier, left control first. */
  readonly modifiersAt: number;
  readonly keys: { readonly at: number; readonly count: number };
}

/** By report number: where codes are. Empty: the device sends none that could be told from other data. */
export function codeLayouts({ fields, reportBytes }: ReportDescriptor): ReadonlyMap<number, CodeLayout> {
  const layouts = new Map<number, CodeLayout>();
  for (const id of new Set(fields.map(({ reportId }) => reportId))) {
    const input = fields.filter(({ type, reportId }) => type === "input" && reportId === id);
    const data = bytesOf(input, USAGE.decodedData);
    if (!data) continue;
    const count = bitsOf(input, USAGE.byteCount);
    const identifiers = [USAGE.symbologyIdentifier1, USAGE.symbologyIdentifier2, USAGE.symbologyIdentifier3].flatMap((usage) => {
      const found = bytesOf(input, usage);
      return found ? Array.from({ length: found.bytes }, (_, index) => found.at + index) : [];
    });
    layouts.set(id, {
      reportBytes: reportBytes("input", id),
      data,
      count: count && count.bits <= 16 ? count : undefined,
      aim: identifiers.length >= AIM_BYTES ? identifiers.slice(0, AIM_BYTES) : undefined,
      // Some declare all eight bits of the byte as this flag: the lowest is the one that is set.
      continuedBit: bitsOf(input, USAGE.decodedDataContinued)?.bitOffset,
    });
  }
  return layouts;
}

/** The output reports that start or stop reading, number first; empty where the device has no trigger. */
export function triggerReports(descriptor: ReportDescriptor, on: boolean): readonly Uint8Array[] {
  const reports = new Map<number, Uint8Array>();
  for (const [usage, set] of [
    [USAGE.initiateRead, on],
    [USAGE.preventRead, !on],
  ] as const) {
    for (const field of descriptor.fields) {
      const bit = field.type === "output" ? bitsOf([field], usage)?.bitOffset : undefined;
      if (bit === undefined) continue;
      const { reportId } = field;
      const report = reports.get(reportId) ?? new Uint8Array(1 + descriptor.reportBytes("output", reportId));
      report[0] = reportId;
      if (set) report[1 + (bit >> 3)] = (report[1 + (bit >> 3)] ?? 0) | (1 << (bit & 7));
      reports.set(reportId, report);
      break;
    }
  }
  return [...reports.values()];
}

/** Where a keyboard's report has its keys; undefined for what is none. */
export function keyboardLayout({ applications, fields }: ReportDescriptor): KeyboardLayout | undefined {
  if (!applications.some((usage) => usage === USAGE.keyboard || usage === USAGE.keypad)) return undefined;
  for (const { type, variable, reportId, bitOffset, bitsEach, count, usages } of fields) {
    const page = (usages[0]?.first ?? 0) >>> 16;
    if (type !== "input" || variable || bitsEach !== 8 || bitOffset % 8 !== 0 || page !== KEY_PAGE) continue;
    const sameReport = fields.filter((field) => field.type === "input" && field.reportId === reportId);
    const modifiers = bitsOf(sameReport, USAGE.leftControlKey);
    if (modifiers && modifiers.bits === 1 && modifiers.bitOffset % 8 === 0) {
      return { reportId, modifiersAt: modifiers.bitOffset / 8, keys: { at: bitOffset / 8, count } };
    }
  }
  return undefined;
}

export function isKeyboard(descriptor: ReportDescriptor): boolean {
  return descriptor.applications.some((usage) => usage === USAGE.keyboard || usage === USAGE.keypad);
}

function bitsOf(fields: readonly ReportField[], usage: Usage): { bitOffset: number; bits: number } | undefined {
  for (const field of fields) {
    const found = field.variable ? valuesOf(field, usage) : undefined;
    if (found) return { bitOffset: field.bitOffset + found.index * field.bitsEach, bits: field.bitsEach };
  }
  return undefined;
}

/** Whole bytes side by side, as many as have this usage. A text field may be declared as an array, which means nothing. */
function bytesOf(fields: readonly ReportField[], usage: Usage): { at: number; bytes: number } | undefined {
  for (const field of fields) {
    const found = valuesOf(field, usage);
    if (!found || field.bitsEach % 8 !== 0 || field.bitOffset % 8 !== 0) continue;
    const each = field.bitsEach / 8;
    return { at: field.bitOffset / 8 + found.index * each, bytes: found.length * each };
  }
  return undefined;
}
