import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { asciiBytes, concatBytes, equalBytes } from "../../../kernel/bytes.js";
import { ANSWERS, terminatorBytes } from "./codec.js";
import { createFramer, type Framed } from "./framer.js";

const options = (terminator: string, dialect: "plain" | "newland" = "plain", maxCodeBytes = 64) => ({
  terminator: terminatorBytes(terminator),
  answers: ANSWERS[dialect],
  maxCodeBytes,
});
const text = (framed: readonly Framed[]): string[] =>
  framed.map((item) => (item.type === "dropped" ? item.reason : `${item.type}:${new TextDecoder().decode(item.bytes)}`));
const run = (terminator: string, bytes: string, dialect?: "plain" | "newland"): string[] =>
  text(createFramer(options(terminator, dialect)).push(asciiBytes(bytes)));

describe("terminators", () => {
  it("cuts at CR, LF, CR LF and configured bytes", () => {
    expect(run("cr", "A\rB\rC")).toEqual(["code:A", "code:B"]);
    expect(run("lf", "A\nB\n")).toEqual(["code:A", "code:B"]);
    expect(run("crlf", "A\r\nB\rC\r\n")).toEqual(["code:A", "code:B\rC"]);
    expect(run("hex:4040", "A@B@@C@@@")).toEqual(["code:A@B", "code:C"]);
  });
  it("takes the other half of CR LF for no code", () => {
    expect(run("cr", "A\r\nB\r\n")).toEqual(["code:A", "code:B"]);
    expect(run("lf", "A\r\nB\r\n")).toEqual(["code:A", "code:B"]);
  });
  it("keeps GS, drops empty codes and a break before a code", () => {
    expect(run("cr", "\r\r\0\x0001\x1d02\0\r")).toEqual(["code:01\x1d02\0"]);
  });
});

describe("silence", () => {
  it("ends a code, without the suffix that scanners are delivered with", () => {
    for (const suffix of ["", "\r", "\n", "\r\n"]) {
      const framer = createFramer(options("none"));
      expect(framer.push(asciiBytes(`A\rB${suffix}`))).toEqual([]);
      expect(framer.pending).toBe(true);
      expect(text(framer.flush())).toEqual(["code:A\rB"]);
      expect(framer.pending).toBe(false);
      expect(framer.flush()).toEqual([]);
    }
  });
  it("drops a torn code where a terminator was due", () => {
    const framer = createFramer(options("cr"));
    framer.push(asciiBytes("half"));
    expect(text(framer.flush())).toEqual(["unterminated"]);
    expect(text(framer.push(asciiBytes("whole\r")))).toEqual(["code:whole"]);
  });
});

describe("length", () => {
  it("takes a code of exactly the limit and drops a longer one up to its end, once", () => {
    const longest = "x".repeat(64);
    expect(run("crlf", `${longest}\r\n${longest}y\r\n${"z".repeat(500)}\r\nB\r\n`)).toEqual([
      `code:${longest}`,
      "too_long",
      "too_long",
      "code:B",
    ]);
    const framer = createFramer(options("none"));
    expect(text(framer.push(asciiBytes("z".repeat(1_000))))).toEqual(["too_long"]);
    expect(framer.flush()).toEqual([]);
    framer.push(asciiBytes("B"));
    expect(text(framer.flush())).toEqual(["code:B"]);
  });
});

describe("answers", () => {
  const answer = "\x02\x010000#SCNTRG1\x06;\x03";
  it("are kept apart from codes, with line ends inside", () => {
    expect(run("cr", `A\r${answer}B\r`, "newland")).toEqual(["code:A", `answer:${answer}`, "code:B"]);
    expect(run("cr", "\x02\x010000#QRYSYSModel: X\r\nSN: 1\r\n\x06;\x03B\r", "newland")).toEqual([
      "answer:\x02\x010000#QRYSYSModel: X\r\nSN: 1\r\n\x06;\x03",
      "code:B",
    ]);
  });
  it("count only at the start of a message and only in their dialect", () => {
    expect(run("cr", `A${answer}\r`, "newland")).toEqual([`code:A${answer}`]);
    expect(run("cr", `${answer}\r`)).toEqual([`code:${answer}`]);
  });
});

describe("any bytes", () => {
  const byte = fc.oneof(fc.constantFrom(0x00, 0x0a, 0x0d, 0x02, 0x01, 0x30, 0x3b, 0x03), fc.integer({ min: 0, max: 255 }));
  const stream = fc.array(
    fc.oneof(fc.array(byte, { maxLength: 100 }), fc.constant([0x02, 0x01, 0x30, 0x30, 0x30, 0x30]), fc.constant([0x06, 0x3b, 0x03])),
    { maxLength: 12 },
  );
  it("give the same however they are cut, and nothing longer than the limit", () => {
    fc.assert(
      fc.property(
        stream,
        fc.infiniteStream(fc.integer({ min: 1, max: 9 })),
        fc.constantFrom("cr", "lf", "crlf", "none", "hex:3b"),
        fc.boolean(),
        (parts, sizes, terminator, newland) => {
          const bytes = Uint8Array.from(parts.flat());
          const whole = createFramer(options(terminator, newland ? "newland" : "plain"));
          const cut = createFramer(options(terminator, newland ? "newland" : "plain"));
          const expected = [...whole.push(bytes), ...whole.flush()];
          const got: Framed[] = [];
          for (let offset = 0; offset < bytes.length; ) {
            const size = sizes.next().value ?? 1;
            got.push(...cut.push(bytes.subarray(offset, offset + size)));
            offset += size;
          }
          got.push(...cut.flush());
          expect(got).toEqual(expected);
          for (const item of got) if (item.type === "code") expect(item.bytes.length).toBeLessThanOrEqual(64);
          expect(cut.pending).toBe(false);
        },
      ),
      { numRuns: 300 },
    );
  });
  it("never lose a code that follows a terminator after garbage", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (garbage) => {
        const framed = createFramer(options("cr")).push(concatBytes([garbage, asciiBytes("\rGOOD\r")]));
        const last = framed.at(-1);
        return last?.type === "code" && equalBytes(last.bytes, asciiBytes("GOOD"));
      }),
      { numRuns: 200 },
    );
  });
});
