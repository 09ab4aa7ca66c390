import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { HONEYWELL_KEYBOARD_DESCRIPTOR, KEYBOARD_DESCRIPTOR, MODELS } from "../../../../simulators/hid-scanner/models.js";
import { fromHex, toHex } from "../../../kernel/bytes.js";
import { DeviceError } from "../../../kernel/errors.js";
import { parseReportDescriptor, valuesOf } from "./descriptor.js";
import { codeLayouts, isKeyboard, keyboardLayout, triggerReports } from "./layout.js";
import { createPosReader } from "./pos-reader.js";

const hexes = (reports: readonly Uint8Array[]): readonly string[] => reports.map(toHex);

describe("report descriptors of scanners", () => {
  it.each([
    // Offsets without the report's number: the makers' tables count it as byte 0.
    [
      "honeywell",
      2,
      { reportBytes: 63, data: { at: 4, bytes: 56 }, count: { bitOffset: 0, bits: 8 }, aim: [1, 2, 3], continuedBit: 62 * 8 },
      ["0404"],
      ["0402"],
    ],
    [
      "honeywell-early",
      2,
      { reportBytes: 63, data: { at: 4, bytes: 56 }, count: { bitOffset: 0, bits: 8 }, aim: [1, 2, 3], continuedBit: 62 * 8 },
      ["0402"],
      ["0401"],
    ],
    [
      "honeywell-remote",
      2,
      { reportBytes: 63, data: { at: 4, bytes: 56 }, count: { bitOffset: 0, bits: 8 }, aim: [1, 2, 3], continuedBit: 62 * 8 },
      [],
      [],
    ],
    [
      "jieli",
      2,
      { reportBytes: 63, data: { at: 4, bytes: 56 }, count: { bitOffset: 0, bits: 8 }, aim: [1, 2, 3], continuedBit: 62 * 8 },
      ["0404"],
      ["0402"],
    ],
    [
      "newland",
      2,
      { reportBytes: 63, data: { at: 1, bytes: 56 }, count: { bitOffset: 0, bits: 8 }, aim: undefined, continuedBit: 62 * 8 },
      [],
      [],
    ],
    [
      "uncounted",
      0,
      { reportBytes: 32, data: { at: 1, bytes: 28 }, count: undefined, aim: [29, 30, 31], continuedBit: 0 },
      ["0001"],
      ["0002"],
    ],
  ] as const)("of %s: where codes are, and the trigger", (model, id, layout, on, off) => {
    const descriptor = parseReportDescriptor(MODELS[model].descriptor);
    expect([...codeLayouts(descriptor)]).toEqual([[id, layout]]);
    expect(descriptor.numbered).toBe(id !== 0);
    expect(hexes(triggerReports(descriptor, true))).toEqual(on);
    expect(hexes(triggerReports(descriptor, false))).toEqual(off);
    expect(isKeyboard(descriptor)).toBe(false);
  });

  it.each([
    ["Datalogic", KEYBOARD_DESCRIPTOR],
    ["Honeywell", HONEYWELL_KEYBOARD_DESCRIPTOR],
  ])("of a keyboard (%s): where its keys are", (_maker, bytes) => {
    const descriptor = parseReportDescriptor(bytes);
    expect(codeLayouts(descriptor).size).toBe(0);
    expect(isKeyboard(descriptor)).toBe(true);
    expect(keyboardLayout(descriptor)).toEqual({ reportId: 0, modifiersAt: 0, keys: { at: 2, count: 6 } });
    expect(keyboardLayout(parseReportDescriptor(MODELS.honeywell.descriptor))).toBeUndefined();
  });
});

describe("items of a report descriptor", () => {
  it("are read in any size: usages with a page of their own, push and pop, long items, padding, another report between", () => {
    const { fields, applications, numbered, reportBytes } = parseReportDescriptor(
      fromHex(`fe 02 99 0102  0b 02 00 8c 00 a1 01  85 01 15 00 27 ff 00 00 00 75 08 96 02 00
        a4 06 01 00 85 02 95 01 09 3b 81 02 b4  0b fe 00 8c 00 81 02  95 01 81 03  07 8c 00 00 00 0a ff 00 81 02 c0`),
    );
    expect(applications).toEqual([0x8c0002]);
    expect(numbered).toBe(true);
    const usage = (first: number) => [{ first, last: first }];
    const input = { type: "input", bitsEach: 8, variable: true };
    expect(fields).toEqual([
      { ...input, reportId: 2, bitOffset: 0, count: 1, usages: usage(0x01003b) },
      { ...input, reportId: 1, bitOffset: 0, count: 2, usages: usage(0x8c00fe) },
      { ...input, reportId: 1, bitOffset: 24, count: 1, usages: usage(0x8c00ff) },
    ]);
    expect([reportBytes("input", 1), reportBytes("input", 2), reportBytes("output", 1)]).toEqual([4, 1, 0]);
  });

  it("say which values a usage has: one each, and the last one all that are left", () => {
    const field = { type: "input", reportId: 0, bitOffset: 0, bitsEach: 8, count: 6, variable: true } as const;
    const usages = [
      { first: 1, last: 2 },
      { first: 9, last: 9 },
    ];
    expect(valuesOf({ ...field, usages }, 1)).toEqual({ index: 0, length: 1 });
    expect(valuesOf({ ...field, usages }, 2)).toEqual({ index: 1, length: 1 });
    expect(valuesOf({ ...field, usages }, 9)).toEqual({ index: 2, length: 4 });
    expect(valuesOf({ ...field, usages }, 3)).toBeUndefined();
    expect(valuesOf({ ...field, count: 1, usages }, 2)).toBeUndefined();
    expect(valuesOf({ ...field, count: 2, usages }, 9)).toBeUndefined();
  });

  it.each([
    ["cut off in an item", "05 8c 26 ff"],
    ["cut off in a long item", "fe 09 00 01"],
    ["a collection that stays open", "05 8c 09 02 a1 01"],
    ["an end without a beginning", "c0"],
    ["a pop without a push", "b4"],
    ["report number 0", "85 00"],
    ["report number 256", "86 00 01"],
    ["a value of 257 bits", "05 8c 09 fe 76 01 01 95 01 81 02"],
    ["a report of half a gigabyte", "05 8c 09 fe 75 08 97 ff ff ff 7f 81 02"],
    ["a minimum above its maximum", "05 8c 19 05 29 04"],
    ["collections without end", "a1 00 ".repeat(40)],
    ["pushes without end", "a4 ".repeat(40)],
    ["usages without end", "09 01 ".repeat(300)],
    ["more than a kernel takes", "c0 ".repeat(4_097)],
  ])("are refused: %s", (_name, hex) => {
    expect(() => parseReportDescriptor(fromHex(hex))).toThrow(DeviceError);
  });

  it("never do more than be refused, whatever the bytes; what they lay out stays within a report", () => {
    const item = fc.tuple(fc.integer({ min: 0, max: 255 }), fc.uint8Array({ maxLength: 4 })).map(([prefix, data]) => [prefix, ...data]);
    const noise = fc.array(item, { maxLength: 60 }).map((items) => Uint8Array.from(items.flat()));
    const bent = fc
      .tuple(fc.constantFrom(...Object.values(MODELS)), fc.array(fc.tuple(fc.nat(), fc.integer({ min: 0, max: 255 })), { maxLength: 4 }))
      .map(([{ descriptor }, changes]) => {
        const bytes = descriptor.slice();
        for (const [at, value] of changes) bytes[at % bytes.length] = value;
        return bytes;
      });
    fc.assert(
      fc.property(fc.oneof(noise, bent), fc.array(fc.uint8Array({ maxLength: 80 }), { maxLength: 5 }), (bytes, reports) => {
        let descriptor: ReturnType<typeof parseReportDescriptor>;
        try {
          descriptor = parseReportDescriptor(bytes);
        } catch (thrown) {
          expect(thrown).toBeInstanceOf(DeviceError);
          return;
        }
        const layouts = codeLayouts(descriptor);
        for (const [id, { data }] of layouts) expect(data.at + data.bytes).toBeLessThanOrEqual(descriptor.reportBytes("input", id));
        for (const report of triggerReports(descriptor, true)) expect(report.length).toBeLessThanOrEqual(4_097);
        keyboardLayout(descriptor);
        const reader = createPosReader({ layouts, numbered: descriptor.numbered, maxCodeBytes: 1_024 });
        for (const report of reports) reader.push(report);
        reader.flush();
        expect(reader.waitMs).toBeUndefined();
      }),
      { numRuns: 2_000 },
    );
  });
});
