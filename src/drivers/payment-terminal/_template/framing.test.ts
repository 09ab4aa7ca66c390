import fc from "fast-check";
import { expect, it } from "vitest";
import { asciiBytes, concatBytes, fromHex, toHex } from "../../../kernel/bytes.js";
import { createFramer, encodeFrame, type Framed, type FrameOptions, type Framer, frameOptions } from "./framing.js";

const MAX = 40;
const anyOptions: fc.Arbitrary<FrameOptions> = fc
  .record({
    length: fc.constantFrom("none", "bcd2", "binary2be", "ascii3"),
    check: fc.constantFrom("lrc-xor", "crc16-ccitt", "none"),
    checkCovers: fc.constantFrom("start-to-end", "after-start-to-end", "payload-to-end", "payload"),
    marks: fc.constantFrom({}, { start: 0x81, end: 0x83, ack: 0x86, nak: 0x95 }),
  })
  .map(({ marks, ...options }) => frameOptions({ ...options, ...marks, maxBytes: MAX }));
const counted = anyOptions.filter(({ length }) => length !== "none");
/** Bytes that mean something to the framer, more often than chance would have it. */
const byte = fc.oneof(fc.constantFrom(0x00, 0x02, 0x03, 0x06, 0x15), fc.nat(255));
const bytes = (maxLength: number): fc.Arbitrary<Uint8Array> => fc.array(byte, { maxLength }).map((array) => Uint8Array.from(array));
const places = fc.array(fc.nat(5_000), { maxLength: 12 });

const frame = (payload: Uint8Array): Framed => ({ type: "frame", payload });
const cut = (whole: Uint8Array, where: readonly number[]): Uint8Array[] => {
  const at = [...where.map((place) => place % (whole.length + 1)), 0, whole.length].sort((a, b) => a - b);
  return at.slice(1).map((end, index) => whole.subarray(at[index], end));
};
const pushAll = (framer: Framer, chunks: readonly Uint8Array[]): Framed[] => chunks.flatMap((chunk) => [...framer.push(chunk)]);
const sendable = ({ length, start, end }: FrameOptions, payload: Uint8Array): Uint8Array =>
  length === "none" ? payload.filter((one) => one !== start && one !== end) : payload;

it.each([
  [{}, "02313203 00"],
  [{ checkCovers: "start-to-end" }, "02313203 02"],
  [{ checkCovers: "payload" }, "02313203 03"],
  [{ length: "bcd2" }, "020002313203 02"],
  [{ length: "binary2be", checkCovers: "payload-to-end" }, "020002313203 00"],
  [{ length: "ascii3" }, "02303032313203 32"],
  [{ check: "none" }, "02313203"],
  [{ check: "crc16-ccitt", checkCovers: "payload" }, "02313203 3dba"],
  [{ start: 0x81, end: 0x83 }, "81313283 80"],
] as const)("with %j writes 12 as %s", (options, hex) => {
  expect(toHex(encodeFrame(frameOptions(options), asciiBytes("12")))).toBe(hex.replaceAll(" ", ""));
});

it("has lengths of more than one digit, each in its own way", () => {
  const head = (length: FrameOptions["length"]): string => toHex(encodeFrame(frameOptions({ length }), new Uint8Array(321))).slice(2, 8);
  expect([head("bcd2"), head("binary2be"), head("ascii3")]).toEqual(["032100", "014100", "333231"]);
});

it("checks with the CRC-16/CCITT-FALSE of its catalogue", () => {
  const options = frameOptions({ check: "crc16-ccitt", checkCovers: "payload" });
  expect(toHex(encodeFrame(options, asciiBytes("123456789"))).slice(-4)).toBe("29b1");
});

it("hands out what was sent, with any options, however it is cut", () => {
  const sent = fc.array(fc.oneof(bytes(MAX), fc.constantFrom("ack", "nak")), { maxLength: 5 });
  fc.assert(
    fc.property(anyOptions, sent, places, (options, items, where) => {
      const wire = items.map((item) => {
        if (typeof item === "string") return Uint8Array.of(item === "ack" ? options.ack : options.nak);
        return encodeFrame(options, sendable(options, item));
      });
      const framer = createFramer(options);
      const expected = items.map((item) => (typeof item === "string" ? { type: item } : frame(sendable(options, item))));
      expect(pushAll(framer, cut(concatBytes(wire), where))).toEqual(expected);
      expect(framer.pending).toBe(false);
    }),
  );
});

it("takes any bytes: the same outcome however they are cut, no payload over the limit, and in step again after a silence", () => {
  fc.assert(
    fc.property(anyOptions, bytes(300), places, (options, stream, where) => {
      const framer = createFramer(options);
      const framed = pushAll(framer, cut(stream, where));
      expect(framed).toEqual(createFramer(options).push(stream));
      for (const item of framed) if (item.type === "frame") expect(item.payload.length).toBeLessThanOrEqual(MAX);
      framer.quiet();
      expect(framer.pending).toBe(false);
      expect(framer.push(concatBytes([encodeFrame(options, asciiBytes("12")), Uint8Array.of(options.ack)]))).toEqual([
        frame(asciiBytes("12")),
        { type: "ack" },
      ]);
    }),
  );
});

it("sees any one damaged byte of what its check covers, and believes no ACK or NAK until the next start", () => {
  fc.assert(
    fc.property(counted, bytes(MAX), fc.nat(), fc.integer({ min: 1, max: 255 }), (options, payload, place, flip) => {
      fc.pre(options.check !== "none" && payload.length > 0);
      const wire = encodeFrame(options, payload);
      const lengthBytes = options.length === "ascii3" ? 3 : 2;
      const at = 1 + lengthBytes + (place % (wire.length - 1 - lengthBytes));
      const good = encodeFrame(options, payload);
      wire[at] = (wire[at] ?? 0) ^ flip;
      const framer = createFramer(options);
      expect(framer.push(wire)).toEqual([{ type: "badCheck" }]);
      expect(framer.push(Uint8Array.of(options.nak, options.ack, options.nak))).toEqual([]);
      expect(framer.push(good)).toEqual([frame(payload)]);
    }),
  );
});

it("finds the next frame at its start byte", () => {
  const plain = frameOptions();
  const good = encodeFrame(plain, asciiBytes("12"));
  const heard = (options: FrameOptions, hex: string): string[] =>
    createFramer(options)
      .push(concatBytes([fromHex(hex), encodeFrame(options, asciiBytes("12"))]))
      .map(({ type }) => type);
  expect(heard(plain, "ff fe 06 15")).toEqual(["noise", "frame"]);
  // An end that got lost; a check that is wrong.
  expect(createFramer(plain).push(concatBytes([good.subarray(0, 2), good]))).toEqual([{ type: "badCheck" }, frame(asciiBytes("12"))]);
  expect(heard(plain, "02 31 03 99 06")).toEqual(["badCheck", "frame"]);
  // Lengths that are none, or too much.
  expect(heard(frameOptions({ length: "bcd2" }), "02 0a 00 06")).toEqual(["badCheck", "frame"]);
  expect(heard(frameOptions({ length: "ascii3" }), "02 30 3a 30")).toEqual(["badCheck", "frame"]);
  expect(heard(frameOptions({ length: "binary2be" }), "02 ff ff 06 15")).toEqual(["tooLong", "frame"]);
});

it("gives up a frame without end at the limit, and one that falls silent", () => {
  const options = frameOptions({ maxBytes: MAX });
  const framer = createFramer(options);
  expect(framer.push(encodeFrame(options, new Uint8Array(MAX)))).toHaveLength(1);
  expect(framer.push(concatBytes([Uint8Array.of(0x02), new Uint8Array(10_000)]))).toEqual([{ type: "tooLong" }]);
  expect(framer.quiet()).toEqual([]);
  framer.push(Uint8Array.of(0x02, 0x31));
  expect(framer.pending).toBe(true);
  expect(framer.quiet()).toEqual([{ type: "badCheck" }]);
  expect(framer.push(Uint8Array.of(0x15))).toEqual([{ type: "nak" }]);
});

it("refuses what cannot be sent, and options that contradict each other", () => {
  expect(() => encodeFrame(frameOptions(), Uint8Array.of(0x31, 0x03))).toThrow();
  expect(() => encodeFrame(frameOptions(), Uint8Array.of(0x02))).toThrow();
  expect(() => encodeFrame(frameOptions({ maxBytes: 2 }), new Uint8Array(3))).toThrow();
  expect(() => frameOptions({ ack: 0x15 })).toThrow();
  expect(() => frameOptions({ length: "ascii3", maxBytes: 1_000 })).toThrow();
});
