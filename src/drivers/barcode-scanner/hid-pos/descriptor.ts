import { DeviceError } from "../../../kernel/errors.js";

/** A usage with its page: page × 65536 + id. */
export type Usage = number;

/** What one main item of a report descriptor says: `count` values of `bitsEach` that lie side by side in a report. */
export interface ReportField {
  readonly type: "input" | "output" | "feature";
  /** 0: the device's reports have no number. */
  readonly reportId: number;
  /** From the start of the report, its number not counted. */
  readonly bitOffset: number;
  readonly bitsEach: number;
  readonly count: number;
  /** One usage per value. Otherwise each value is a selector among the usages. */
  readonly variable: boolean;
  /** Ranges in the order of the values; the last usage is that of all further ones. */
  readonly usages: readonly { readonly first: Usage; readonly last: Usage }[];
}

export interface ReportDescriptor {
  /** What the device is: a usage per application collection. */
  readonly applications: readonly Usage[];
  /** Padding left out. */
  readonly fields: readonly ReportField[];
  /** Each report begins with its number. */
  readonly numbered: boolean;
  /** Length of a report, its number not counted. */
  reportBytes(type: ReportField["type"], reportId: number): number;
}

/** HID_MAX_DESCRIPTOR_SIZE of the kernel. */
const MAX_DESCRIPTOR_BYTES = 4_096;
const MAX_REPORT_BITS = 4_096 * 8;
/** The kernel's own limit. */
const MAX_BITS_EACH = 256;
const MAX_DEPTH = 32;
const MAX_RANGES = 256;

/** §6.2.2.2: type and tag of a short item, the size bits masked out. */
const ITEM = {
  input: 0x80,
  output: 0x90,
  feature: 0xb0,
  collection: 0xa0,
  endCollection: 0xc0,
  usagePage: 0x04,
  reportSize: 0x74,
  reportId: 0x84,
  reportCount: 0x94,
  push: 0xa4,
  pop: 0xb4,
  usage: 0x08,
  usageMinimum: 0x18,
  usageMaximum: 0x28,
} as const;
const TYPES: Readonly<Record<number, ReportField["type"] | undefined>> = {
  [ITEM.input]: "input",
  [ITEM.output]: "output",
  [ITEM.feature]: "feature",
};
/** §6.2.2.3: of tools for a use of their own; skipped. */
const LONG_ITEM = 0xfe;
const APPLICATION = 0x01;
const CONSTANT = 0x01;
const VARIABLE = 0x02;

interface Item {
  readonly tag: number;
  readonly size: number;
  readonly value: number;
}

/** §6.2.2.7: what holds until it is said anew. */
interface Globals {
  readonly usagePage: number;
  readonly reportSize: number;
  readonly reportCount: number;
  readonly reportId: number;
}

/**
 * Reads a report descriptor, HID 1.11 §6.2.2.
 * @throws DeviceError `device_fault` where it is none: it comes from the device, and is bounded in everything.
 */
export function parseReportDescriptor(bytes: Uint8Array): ReportDescriptor {
  if (bytes.length > MAX_DESCRIPTOR_BYTES) throw broken("is too long");
  let globals: Globals = { usagePage: 0, reportSize: 0, reportCount: 0, reportId: 0 };
  const saved: Globals[] = [];
  let usages: { first: Usage; last: Usage }[] = [];
  let minimum: Usage | undefined;
  let depth = 0;
  const applications: Usage[] = [];
  const fields: ReportField[] = [];
  const bits = new Map<string, number>();

  /** §6.2.2.8: one of four bytes brings its own page, any other is of the current one. */
  const usageOf = ({ size, value }: Item): Usage => (size === 4 ? value : globals.usagePage * 0x10000 + value);
  const addUsages = (first: Usage, last: Usage): void => {
    if (last < first || usages.length >= MAX_RANGES) throw broken("has usages out of bounds");
    usages.push({ first, last });
  };

  const addField = (type: ReportField["type"], flags: number): void => {
    const { reportSize: bitsEach, reportCount: count, reportId } = globals;
    const key = `${type} ${reportId}`;
    const bitOffset = bits.get(key) ?? 0;
    const end = bitOffset + bitsEach * count;
    if (bitsEach > MAX_BITS_EACH || end > MAX_REPORT_BITS) throw broken("has a report that is too long");
    bits.set(key, end);
    if ((flags & CONSTANT) !== 0 || usages.length === 0 || end === bitOffset) return;
    fields.push({ type, reportId, bitOffset, bitsEach, count, variable: (flags & VARIABLE) !== 0, usages });
  };

  for (const item of itemsOf(bytes)) {
    const { tag, value } = item;
    const type = TYPES[tag];
    if (type) addField(type, value);
    else if (tag === ITEM.collection) {
      if (++depth > MAX_DEPTH) throw broken("nests too deep");
      if (value === APPLICATION && usages[0]) applications.push(usages[0].first);
    } else if (tag === ITEM.endCollection) {
      if (--depth < 0) throw broken("ends a collection that has not begun");
    } else if (tag === ITEM.usagePage) globals = { ...globals, usagePage: value & 0xffff };
    else if (tag === ITEM.reportSize) globals = { ...globals, reportSize: value };
    else if (tag === ITEM.reportCount) globals = { ...globals, reportCount: value };
    else if (tag === ITEM.reportId) {
      if (value < 1 || value > 255) throw broken("has a report number out of bounds");
      globals = { ...globals, reportId: value };
    } else if (tag === ITEM.push) {
      if (saved.push(globals) > MAX_DEPTH) throw broken("nests too deep");
    } else if (tag === ITEM.pop) {
      const restored = saved.pop();
      if (!restored) throw broken("pops what was not pushed");
      globals = restored;
    } else if (tag === ITEM.usage) addUsages(usageOf(item), usageOf(item));
    else if (tag === ITEM.usageMinimum) minimum = usageOf(item);
    else if (tag === ITEM.usageMaximum) {
      if (minimum !== undefined) addUsages(minimum, usageOf(item));
      minimum = undefined;
    }
    // §6.2.2.8: local items end with the main item (type bits 00) that they describe.
    if ((tag & 0x0c) === 0) {
      usages = [];
      minimum = undefined;
    }
  }
  if (depth !== 0) throw broken("leaves a collection open");
  const numbered = fields.some(({ reportId }) => reportId !== 0);
  return { applications, fields, numbered, reportBytes: (type, id) => Math.ceil((bits.get(`${type} ${id}`) ?? 0) / 8) };
}

/** §6.2.2.2: prefix, then 0, 1, 2 or 4 bytes of data, little-endian. */
function* itemsOf(bytes: Uint8Array): Generator<Item> {
  for (let at = 0; at < bytes.length; ) {
    const prefix = bytes[at] ?? 0;
    if (prefix === LONG_ITEM) {
      const length = bytes[at + 1];
      if (length === undefined || at + 3 + length > bytes.length) throw broken("is cut off");
      at += 3 + length;
      continue;
    }
    const size = (prefix & 3) === 3 ? 4 : prefix & 3;
    if (at + 1 + size > bytes.length) throw broken("is cut off");
    let value = 0;
    for (let index = size; index > 0; index--) value = value * 0x100 + (bytes[at + index] ?? 0);
    yield { tag: prefix & 0xfc, size, value };
    at += 1 + size;
  }
}

/** The values with this usage: index of the first one and how many follow each other; undefined where there are none. */
export function valuesOf(field: ReportField, usage: Usage): { readonly index: number; readonly length: number } | undefined {
  let index = 0;
  for (const [position, { first, last }] of field.usages.entries()) {
    if (index >= field.count) return undefined;
    if (usage >= first && usage <= last) {
      const found = index + (usage - first);
      if (found >= field.count) return undefined;
      const repeats = position === field.usages.length - 1 && usage === last;
      return { index: found, length: repeats ? field.count - found : 1 };
    }
    index += last - first + 1;
  }
  return undefined;
}

function broken(what: string): DeviceError {
  return new DeviceError("device_fault", {
    message: `the report descriptor ${what}`,
    retryable: false,
    hint: "The device describes itself wrongly: update its firmware, or set it to serial mode (driver serial-scanner)",
  });
}
