import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { crc16Kermit } from "../../../formats/crc16.js";
import { asciiBytes, concatBytes, fromHex, toHex } from "../../../kernel/bytes.js";
import { encodeApdu, negativeAnswer, positiveAnswer, SEND_AGAIN } from "./apdu.js";
import { createSerialFramer, createTcpFramer, type Framed, type Framer, serialAck, serialFrame, serialNak } from "./framing.js";

const frame = (apdu: Uint8Array): Framed => ({ type: "frame", apdu });
const types = (framed: readonly Framed[]): string[] => framed.map(({ type }) => type);

/** `bytes` cut at the given places (any numbers). */
function cut(bytes: Uint8Array, places: readonly number[]): Uint8Array[] {
  const at = [...places.map((place) => place % (bytes.length + 1)), 0, bytes.length].sort((a, b) => a - b);
  return at.slice(1).map((end, index) => bytes.subarray(at[index], end));
}
const pushAll = (framer: Framer, chunks: readonly Uint8Array[]): Framed[] => chunks.flatMap((chunk) => [...framer.push(chunk)]);

const anyApdu = fc
  .tuple(
    fc.nat(0xffff),
    fc.oneof(
      fc.uint8Array({ maxLength: 40 }),
      fc.nat(600).map((size) => new Uint8Array(size).fill(0x10)),
    ),
  )
  .map(([control, data]) => encodeApdu(control, data));
const places = fc.array(fc.nat(5_000), { maxLength: 12 });
/** Bytes that mean something to the framer, more often than chance would have it. */
const nastyBytes = fc
  .array(fc.oneof(fc.constantFrom(0x02, 0x03, 0x06, 0x10, 0x15, 0xff), fc.nat(255)), { maxLength: 80 })
  .map((bytes) => Uint8Array.from(bytes));

describe("checksum", () => {
  it("is CRC-16/KERMIT of its catalogue", () => {
    expect(crc16Kermit(asciiBytes("123456789"))).toBe(0x2189);
    expect(crc16Kermit(new Uint8Array())).toBe(0);
  });
  it.each([
    ["060f0bf0f0f7322e31342e313500", "b111"],
    ["800000", "f51f"],
  ])("of %s goes out as %s", (apdu, crc) => {
    expect(toHex(serialFrame(fromHex(apdu)))).toBe(`1002${apdu}1003${crc}`);
  });
});

describe("APDU", () => {
  it("has a length of one byte up to 254, of three from 255 on", () => {
    expect(toHex(encodeApdu(0x06d3, new Uint8Array(254))).slice(0, 8)).toBe("06d3fe00");
    expect(toHex(encodeApdu(0x06d3, new Uint8Array(255))).slice(0, 12)).toBe("06d3ffff0000");
    expect(toHex(encodeApdu(0x06d3, new Uint8Array(0x461))).slice(0, 12)).toBe("06d3ff610400");
  });
  it("answers", () => {
    expect([positiveAnswer(), negativeAnswer(SEND_AGAIN)].map(toHex)).toEqual(["800000", "849c00"]);
    expect(() => negativeAnswer(0)).toThrow();
  });
});

describe("serial line", () => {
  it("doubles each 10 of the APDU, and nothing else", () => {
    const apdu = encodeApdu(0x1010, new Uint8Array(0x10).fill(0x10));
    const sent = serialFrame(apdu);
    expect(toHex(sent)).toMatch(new RegExp(`^1002${"1010".repeat(2)}1010${"1010".repeat(16)}1003[0-9a-f]{4}$`));
    expect(createSerialFramer().push(sent)).toEqual([frame(apdu)]);
  });

  it("hands out frames and acknowledgements however the bytes are cut", () => {
    fc.assert(
      fc.property(fc.array(fc.oneof(anyApdu, fc.constantFrom("ack", "nak")), { maxLength: 5 }), places, (sent, where) => {
        const bytes = concatBytes(
          sent.map((one) => (one === "ack" ? serialAck() : one === "nak" ? serialNak() : serialFrame(one as Uint8Array))),
        );
        const framer = createSerialFramer();
        expect(pushAll(framer, cut(bytes, where))).toEqual(sent.map((one) => (typeof one === "string" ? { type: one } : frame(one))));
        expect(framer.pending).toBe(false);
      }),
    );
  });

  it("never breaks, is the same for every cut, and is in step again after silence", () => {
    fc.assert(
      fc.property(nastyBytes, places, anyApdu, (bytes, where, apdu) => {
        const whole = createSerialFramer();
        const pieces = createSerialFramer();
        expect(pushAll(pieces, cut(bytes, where))).toEqual(whole.push(bytes));
        expect(pieces.quiet()).toEqual(whole.quiet());
        expect(whole.pending).toBe(false);
        expect(whole.push(concatBytes([serialFrame(apdu), serialAck()]))).toEqual([frame(apdu), { type: "ack" }]);
      }),
    );
  });

  it("finds any single changed byte of a frame: the APDU comes out as it was sent or not at all", () => {
    fc.assert(
      fc.property(anyApdu, fc.nat(5_000), fc.integer({ min: 1, max: 255 }), (apdu, at, change) => {
        const bytes = serialFrame(apdu);
        bytes[at % bytes.length] = (bytes[at % bytes.length] ?? 0) ^ change;
        const framer = createSerialFramer();
        const framed = [...framer.push(bytes), ...framer.quiet()];
        for (const one of framed) if (one.type === "frame") expect(one.apdu).toEqual(apdu);
        // And nothing of it passes for an acknowledgement, but a first byte that became one.
        if (at % bytes.length > 0) expect(types(framed).filter((type) => type === "ack" || type === "nak")).toEqual([]);
      }),
    );
  });

  it.each([
    ["a wrong checksum", "1002800000 1003f51e", ["badCrc"]],
    ["a checksum in the wrong order", "1002800000 10031ff5", ["badCrc"]],
    ["a frame within a frame", "10020601 1002800000 1003f51f", ["torn", "frame"]],
    ["a 10 that was not doubled", "10028010 000000", ["torn"]],
    ["noise before a frame", "00ff 1002800000 1003f51f", ["noise", "frame"]],
    ["a 10 alone", "1006", ["noise"]],
    ["an ACK inside noise", "0006", ["noise"]],
    ["a NAK behind a bad checksum", "1002800000 1003f51e 15", ["badCrc"]],
    ["a doubled 10 before a 02 in noise", "00 101002 800000 1003f51f 06", ["noise"]],
    ["ACK and NAK between frames", "06 1002800000 1003f51f 15", ["ack", "frame", "nak"]],
  ])("%s", (_, bytes, expected) => {
    expect(types(createSerialFramer().push(fromHex(bytes)))).toEqual(expected);
  });

  it("tells a frame that falls silent, and only then", () => {
    const framer = createSerialFramer();
    expect(framer.quiet()).toEqual([]);
    expect(framer.push(fromHex("1002800000 1003f5"))).toEqual([]);
    expect(framer.pending).toBe(true);
    expect(types(framer.quiet())).toEqual(["torn"]);
    expect(framer.pending).toBe(false);
    expect(framer.push(Uint8Array.of(0x10))).toEqual([]);
    expect(types(framer.quiet())).toEqual(["noise"]);
    // After noise an ACK counts once it was silent.
    expect(types(framer.push(Uint8Array.of(0x00, 0x06)))).toEqual(["noise"]);
    expect(framer.quiet()).toEqual([]);
    expect(types(framer.push(serialAck()))).toEqual(["ack"]);
  });

  it("calls a frame malformed whose APDU lies about its length, though its checksum is right", () => {
    expect(types(createSerialFramer().push(serialFrame(fromHex("800001"))))).toEqual(["malformed"]);
    expect(types(createSerialFramer().push(serialFrame(fromHex("80000000"))))).toEqual(["malformed"]);
    expect(types(createSerialFramer().push(serialFrame(new Uint8Array())))).toEqual(["malformed"]);
  });

  it("holds no more than the longest APDU", () => {
    const longest = encodeApdu(0x06d3, new Uint8Array(0xffff));
    expect(createSerialFramer().push(serialFrame(longest))).toEqual([frame(longest)]);
    const framer = createSerialFramer();
    const tooLong = concatBytes([serialFrame(concatBytes([longest, Uint8Array.of(0)])), serialFrame(positiveAnswer())]);
    expect(types(framer.push(tooLong))).toEqual(["tooLong", "frame"]);
  });
});

describe("TCP", () => {
  it("hands out APDUs in pieces or several at once", () => {
    fc.assert(
      fc.property(fc.array(anyApdu, { maxLength: 5 }), places, (sent, where) => {
        const framer = createTcpFramer();
        expect(pushAll(framer, cut(concatBytes(sent), where))).toEqual(sent.map(frame));
        expect(framer.pending).toBe(false);
      }),
    );
  });

  it("never breaks, and is the same for every cut", () => {
    fc.assert(
      fc.property(nastyBytes, places, (bytes, where) => {
        const whole = createTcpFramer();
        const pieces = createTcpFramer();
        expect(pushAll(pieces, cut(bytes, where))).toEqual(whole.push(bytes));
        expect(pieces.quiet()).toEqual(whole.quiet());
      }),
    );
  });

  it("takes the longest APDU byte by byte, and tells one that the end of the link cut off", () => {
    const framer = createTcpFramer();
    const longest = encodeApdu(0x06d3, new Uint8Array(0xffff).fill(0x10));
    expect(
      pushAll(
        framer,
        Array.from(longest, (byte) => Uint8Array.of(byte)),
      ),
    ).toEqual([frame(longest)]);
    expect(framer.push(longest.subarray(0, 9))).toEqual([]);
    expect(framer.pending).toBe(true);
    expect(types(framer.quiet())).toEqual(["torn"]);
    expect(framer.quiet()).toEqual([]);
  });

  it("does not hand out memory that the next bytes change", () => {
    const framer = createTcpFramer();
    const [first] = framer.push(fromHex("04ff0117"));
    framer.push(fromHex("040f022700"));
    expect(first).toEqual(frame(fromHex("04ff0117")));
  });
});
