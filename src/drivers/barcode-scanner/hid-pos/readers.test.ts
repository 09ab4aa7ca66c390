import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { keyReports } from "../../../../simulators/hid-scanner/keys.js";
import { KEYBOARD_DESCRIPTOR, MODELS } from "../../../../simulators/hid-scanner/models.js";
import { parseReportDescriptor } from "./descriptor.js";
import { createKeyboardReader } from "./keyboard-reader.js";
import { codeLayouts, keyboardLayout } from "./layout.js";
import { createPosReader } from "./pos-reader.js";
import type { ReadOutcome, ReportReader } from "./reader.js";

const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text);
const NAMES = Object.keys(MODELS) as (keyof typeof MODELS)[];
const CARD =
  "079203004567|234567890|Nguyễn Thị Thuỳ Dương|01022003|Nữ|Số 7, hẻm Cầu Đá, phường Vĩnh Nguyên, thành phố Nha Trang, tỉnh Khánh Hoà|03042021";

function posReader(name: keyof typeof MODELS, maxCodeBytes = 8_192): ReportReader {
  const descriptor = parseReportDescriptor(MODELS[name].descriptor);
  return createPosReader({ layouts: codeLayouts(descriptor), numbered: descriptor.numbered, maxCodeBytes });
}

/** The reports of a code, cut at these sizes; the rest fills its reports. */
function reportsOf(name: keyof typeof MODELS, content: Uint8Array, sizes: readonly number[] = [], aim = "]Q1"): Uint8Array[] {
  const { room, report } = MODELS[name];
  const parts: Uint8Array[] = [];
  for (let at = 0; at < content.length; at += parts.at(-1)?.length ?? 0) {
    parts.push(content.subarray(at, at + Math.min(sizes[parts.length] ?? room, room)));
  }
  return parts.map((part, index) => report(part, aim, index < parts.length - 1));
}

const pushAll = (reader: ReportReader, reports: readonly Uint8Array[]): ReadOutcome[] => reports.flatMap((report) => reader.push(report));
const texts = (outcomes: readonly ReadOutcome[]): string[] =>
  outcomes.map((outcome) => (outcome.type === "code" ? outcome.code.text : outcome.reason));

describe.each(NAMES)("codes of %s", (name) => {
  const aim = name === "newland" ? {} : { symbology: "]Q1" };

  it("come out whole, in any fragmentation: any Unicode, cut at any byte", () => {
    fc.assert(
      fc.property(
        fc
          .string({ unit: "grapheme", minLength: 1, maxLength: 120 })
          .filter((text) => !text.includes("\0") && !/[\r\n]$|^\ufeff/.test(text)),
        fc.array(fc.integer({ min: 1, max: 56 }), { maxLength: 60 }),
        (text, sizes) => {
          const reader = posReader(name);
          const outcomes = pushAll(reader, reportsOf(name, utf8(text), sizes));
          expect(outcomes).toEqual([{ type: "code", code: { bytes: utf8(text), text, encoding: "utf-8", ...aim } }]);
          expect(reader.waitMs).toBeUndefined();
        },
      ),
      { numRuns: 150 },
    );
  });

  it("keep Vietnamese letters that are cut at every byte", () => {
    const text = "Nguyễn Thị Thuỳ Dương, Đắk Lắk";
    const bytes = utf8(text);
    for (let first = 1; first < Math.min(bytes.length, MODELS[name].room); first++) {
      expect(texts(pushAll(posReader(name), reportsOf(name, bytes, [first])))).toEqual([text]);
    }
    expect(texts(pushAll(posReader(name), reportsOf(name, bytes, new Array(bytes.length).fill(1))))).toEqual([text]);
  });

  it("take the QR code of an ID card, which fills more than two reports", () => {
    expect(utf8(CARD).length).toBeGreaterThan(150);
    const reports = reportsOf(name, utf8(CARD));
    expect(reports.length).toBeGreaterThanOrEqual(3);
    expect(texts(pushAll(posReader(name), reports))).toEqual([CARD]);
  });

  it("are left without the suffix that scanners are shipped with, and no further", () => {
    for (const suffix of ["\r", "\n", "\r\n"])
      expect(texts(pushAll(posReader(name), reportsOf(name, utf8(`HS-1${suffix}`))))).toEqual(["HS-1"]);
    expect(texts(pushAll(posReader(name), reportsOf(name, utf8("HS-1\r\r"))))).toEqual(["HS-1\r"]);
    expect(texts(pushAll(posReader(name), reportsOf(name, utf8("\r"))))).toEqual([]);
  });

  it("that are cut short by the scanner are given up, and the next one is whole", () => {
    const reader = posReader(name);
    expect(pushAll(reader, reportsOf(name, utf8(CARD)).slice(0, 2))).toEqual([]);
    expect(reader.waitMs).toBe(1_000);
    expect(reader.flush()).toEqual([{ type: "dropped", reason: "code_unfinished" }]);
    expect(texts(pushAll(reader, reportsOf(name, utf8("HS-1"))))).toEqual(["HS-1"]);
  });

  it("without end are dropped once, with all that belongs to them, and held by nothing", () => {
    const reader = posReader(name, 1_024);
    const part = new Uint8Array(MODELS[name].room).fill(0x41);
    const endless = new Array(2_000).fill(MODELS[name].report(part, "]Q1", true)) as Uint8Array[];
    expect(texts(pushAll(reader, endless))).toEqual(["code_too_long"]);
    expect(pushAll(reader, reportsOf(name, utf8("THE REST")))).toEqual([]);
    expect(texts(pushAll(reader, reportsOf(name, utf8("HS-1"))))).toEqual(["HS-1"]);
    pushAll(reader, endless);
    expect(reader.flush()).toEqual([]);
    expect(texts(pushAll(reader, reportsOf(name, utf8("HS-2"))))).toEqual(["HS-2"]);
  });

  it("in reports that are too short or count beyond their room are dropped; longer reports are what they begin with", () => {
    const [report = new Uint8Array()] = reportsOf(name, utf8("HS-1"));
    const reader = posReader(name);
    expect(texts(reader.push(report.subarray(0, 9)))).toEqual(["bad_report"]);
    expect(texts(reader.push(report.subarray(0, report.length - 1)))).toEqual(["bad_report"]);
    expect(texts(reader.push(Uint8Array.from([...report, 1, 2, 3])))).toEqual(["HS-1"]);
    const { miscounted } = MODELS[name] as { miscounted?: (part: Uint8Array) => Uint8Array };
    if (miscounted) expect(texts(reader.push(miscounted(utf8("HS-1"))))).toEqual(["bad_report"]);
    // With what was collected before it.
    pushAll(reader, reportsOf(name, utf8(CARD)).slice(0, 1));
    reader.push(report.subarray(0, 9));
    expect(texts(reader.push(report))).toEqual(["HS-1"]);
  });

  it("never break the reader, whatever the reports", () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 70 }), { maxLength: 20 }), (reports) => {
        const reader = posReader(name, 1_024);
        pushAll(reader, reports);
        if (reader.waitMs !== undefined) reader.flush();
        expect(texts(pushAll(reader, reportsOf(name, utf8("GOOD"))))).toEqual(["GOOD"]);
      }),
      { numRuns: 100 },
    );
  });
});

describe("symbology and encoding", () => {
  it("are what the scanner says: an AIM identifier, or none", () => {
    const symbology = (aim: string): unknown => {
      const [outcome] = pushAll(posReader("honeywell"), reportsOf("honeywell", utf8("X"), [], aim));
      return outcome?.type === "code" ? outcome.code.symbology : "no code";
    };
    expect(symbology("]C0")).toBe("]C0");
    for (const none of ["\0\0\0", "X01", "]!0"]) expect(symbology(none)).toBeUndefined();
  });

  it("are lossy where the bytes are no UTF-8, which stay as they came", () => {
    const windows1258 = Uint8Array.of(0x4e, 0xf5, 0x41);
    expect(pushAll(posReader("newland"), reportsOf("newland", windows1258))).toEqual([
      { type: "code", code: { bytes: windows1258, text: "N\ufffdA", encoding: "lossy" } },
    ]);
  });

  it("keep NULs where the report counts its bytes", () => {
    expect(texts(pushAll(posReader("honeywell"), reportsOf("honeywell", utf8("A\0B\0"))))).toEqual(["A\0B\0"]);
  });
});

it("without a flag for more, a report that is not full ends the code, and silence does after a full one", () => {
  const layouts = new Map([[0, { reportBytes: 4, data: { at: 0, bytes: 4 }, count: undefined, aim: undefined, continuedBit: undefined }]]);
  const reader = createPosReader({ layouts, numbered: false, maxCodeBytes: 1_024 });
  expect(texts(pushAll(reader, [utf8("ABCD"), utf8("EF\0\0")]))).toEqual(["ABCDEF"]);
  expect(reader.push(utf8("ABCD"))).toEqual([]);
  expect(reader.waitMs).toBe(100);
  expect(texts(reader.flush())).toEqual(["ABCD"]);
});

it("where every full report is marked as continued, silence ends a code that fills its last one, and no other", () => {
  const { numbered, ...rest } = parseReportDescriptor(MODELS.jieli.descriptor);
  const layouts = codeLayouts({ numbered, ...rest });
  const full = utf8("Đ".repeat(28));
  const marked = MODELS.jieli.report(full, "]Q1", true);
  const believing = createPosReader({ layouts, numbered, maxCodeBytes: 1_024 });
  believing.push(marked);
  expect(texts(believing.flush())).toEqual(["code_unfinished"]);

  const reader = createPosReader({ layouts, numbered, maxCodeBytes: 1_024, fullReportMayEnd: true });
  expect(pushAll(reader, [marked, marked])).toEqual([]);
  expect(reader.waitMs).toBe(100);
  expect(texts(reader.flush())).toEqual(["Đ".repeat(56)]);
  expect(texts(pushAll(reader, [marked, MODELS.jieli.report(utf8("ă"), "]Q1", false)]))).toEqual([`${"Đ".repeat(28)}ă`]);
  expect(texts(reader.push(MODELS.jieli.report(full, "]Q1", false)))).toEqual(["Đ".repeat(28)]);
  reader.push(MODELS.jieli.report(utf8("half"), "]Q1", true));
  expect(reader.waitMs).toBe(1_000);
  expect(texts(reader.flush())).toEqual(["code_unfinished"]);
});

describe("codes of a keyboard", () => {
  const layout = keyboardLayout(parseReportDescriptor(KEYBOARD_DESCRIPTOR));
  const reader = (maxCodeBytes = 8_192): ReportReader => createKeyboardReader(layout as NonNullable<typeof layout>, false, maxCodeBytes);
  const keys = (...strokes: readonly (readonly [modifiers: number, ...keys: number[]])[]): Uint8Array[] =>
    strokes.map(([modifiers, ...down]) => Uint8Array.from({ length: 8 }, (_, index) => (index === 0 ? modifiers : (down[index - 2] ?? 0))));

  it("are every character of a US keyboard, ended by Enter", () => {
    const text = `${Array.from({ length: 94 }, (_, index) => String.fromCharCode(33 + index)).join("")} aa`;
    expect(pushAll(reader(), keyReports(text))).toEqual([{ type: "code", code: { bytes: utf8(text), text, encoding: "lossy" } }]);
  });

  it("have lost their diacritics before they came, which is why they are marked", () => {
    expect(pushAll(reader(), keyReports("Nguyễn|Đà Nẵng"))).toMatchObject([
      { type: "code", code: { text: "Nguyn| Nng", encoding: "lossy" } },
    ]);
  });

  it("are ended by silence where there is no Enter, and count a key that stays down once", () => {
    const typing = reader();
    expect(pushAll(typing, keys([0, 4], [0, 4, 5], [0, 5], [0], [0, 5], [0]))).toEqual([]);
    expect(typing.waitMs).toBe(100);
    expect(texts(typing.flush())).toEqual(["abb"]);
    expect(typing.waitMs).toBeUndefined();
  });

  it("have control characters, the number pad, and a mark for what cannot be known", () => {
    const gs = keys([1, 0x30], [0]);
    const pad = keys([0, 0x59], [0], [0, 0x62], [0], [0, 0x63], [0]);
    const alt = keys([4, 0x62], [4], [0]);
    const nothing = keys([0, 0x3a], [0], [2], [0], [0, 1, 1, 1], [0]);
    expect(texts(pushAll(reader(), [...gs, ...pad, ...alt, ...nothing, ...keys([0, 0x58])]))).toEqual(["\x1d10.\ufffd"]);
  });

  it("are bounded, and nothing breaks the reader", () => {
    const typing = reader(1_024);
    expect(texts(pushAll(typing, keyReports("x".repeat(5_000))))).toEqual(["code_too_long"]);
    expect(texts(typing.push(Uint8Array.of(0, 0, 4)))).toEqual(["bad_report"]);
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 12 }), { maxLength: 40 }), (reports) => {
        const fuzzed = reader(1_024);
        pushAll(fuzzed, [...reports, new Uint8Array(8)]);
        fuzzed.flush();
        expect(texts(pushAll(fuzzed, keyReports("GOOD")))).toEqual(["GOOD"]);
      }),
    );
  });
});
