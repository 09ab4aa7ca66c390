import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { asciiBytes, concatBytes } from "../../../kernel/bytes.js";
import { createMultipartReader, type Part } from "./codec.js";

const BOUNDARY = "stationd";
const jpeg = (...inside: number[]): Uint8Array => Uint8Array.of(0xff, 0xd8, ...inside, 0xff, 0xd9);
const part = (bytes: Uint8Array, told = bytes.length): Uint8Array =>
  concatBytes([asciiBytes(`Content-type: image/jpeg\r\nContent-length: ${told}\r\n\r\n`), bytes, asciiBytes(`\r\n--${BOUNDARY}\r\n`)]);
const opening = asciiBytes(`--${BOUNDARY}\r\n`);

function read(bytes: Uint8Array, cuts: readonly number[] = [], maxFrameBytes?: number): Part[] {
  const reader = createMultipartReader(BOUNDARY, maxFrameBytes);
  const parts: Part[] = [];
  let start = 0;
  for (const size of [...cuts, bytes.length]) {
    parts.push(...reader.push(bytes.subarray(start, start + size)));
    start += size;
  }
  return parts;
}
const frame = (bytes: Uint8Array): Part => ({ type: "frame", jpeg: bytes });
const broken = (reason: string): unknown => ({ type: "broken", reason });

describe("pictures in parts", () => {
  it("come out whole at their last byte, before the next delimiter", () => {
    const one = part(jpeg(1, 2, 3));
    const withoutDelimiter = concatBytes([opening, one.subarray(0, one.length - 12)]);
    expect(read(withoutDelimiter)).toEqual([frame(jpeg(1, 2, 3))]);
  });

  it("are those of ffmpeg's muxer, byte for byte", () => {
    const sent = "--stationd\r\nContent-type: image/jpeg\r\nContent-length: 6\r\n\r\n\xff\xd8AB\xff\xd9\r\n--stationd\r\n";
    expect(read(Uint8Array.from(sent, (letter) => letter.charCodeAt(0)))).toEqual([frame(jpeg(0x41, 0x42))]);
  });

  it("that were cut on their way are broken, and the very next one is found", () => {
    const whole = jpeg(...new Array<number>(100).fill(7));
    const cut = concatBytes([asciiBytes("Content-length: 104\r\n\r\n"), whole.subarray(0, 60), asciiBytes("\r\n--stationd\r\n")]);
    expect(read(concatBytes([opening, cut, part(jpeg(1)), part(jpeg(2))]))).toEqual([broken("cut"), frame(jpeg(1)), frame(jpeg(2))]);
    // So few bytes are missing that the delimiter straddles the end that was told.
    for (let missing = 1; missing < 16; missing++) {
      const short = concatBytes([
        asciiBytes("Content-length: 104\r\n\r\n"),
        whole.subarray(0, 104 - missing),
        asciiBytes("\r\n--stationd\r\n"),
      ]);
      expect(read(concatBytes([opening, short, part(jpeg(1))])).at(-1)).toEqual(frame(jpeg(1)));
    }
  });

  it("without beginning or end, without length, or too large are broken", () => {
    const bad: readonly (readonly [Uint8Array, string])[] = [
      [part(Uint8Array.of(0xff, 0xd8, 1, 2, 3)), "no_jpeg"],
      [part(Uint8Array.of(1, 2, 3, 0xff, 0xd9)), "no_jpeg"],
      [part(Uint8Array.of()), "no_jpeg"],
      [concatBytes([asciiBytes("Content-type: image/jpeg\r\n\r\n"), jpeg(1), asciiBytes("\r\n--stationd\r\n")]), "head"],
      [part(jpeg(1), 5_000), "head"],
      [concatBytes([new Uint8Array(2_000).fill(0x41), asciiBytes("\r\n--stationd\r\n")]), "head"],
    ];
    for (const [bytes, reason] of bad) {
      expect(read(concatBytes([opening, bytes, part(jpeg(9))]), [], 1_000)).toEqual([broken(reason), frame(jpeg(9))]);
    }
  });

  it("may be filled up with zeros behind their end, as some cameras do", () => {
    expect(read(concatBytes([opening, part(concatBytes([jpeg(1), new Uint8Array(40)]))]))).toEqual([frame(jpeg(1))]);
  });

  it("are found where we come in in mid-stream, and what lies between two parts counts once", () => {
    expect(read(concatBytes([Uint8Array.of(1, 2, 3), opening, part(jpeg(1))]))).toEqual([frame(jpeg(1))]);
    const stray = concatBytes([opening, part(jpeg(1)).subarray(0, -12), asciiBytes("rubbish"), opening, part(jpeg(2))]);
    expect(read(stray)).toEqual([frame(jpeg(1)), broken("stray"), frame(jpeg(2))]);
  });
});

const picture = fc.uint8Array({ maxLength: 300 }).map((inside) => jpeg(...inside, 1));
const cuts = fc.array(fc.integer({ min: 1, max: 90 }), { maxLength: 60 });

it("the chunks make no difference", () => {
  fc.assert(
    fc.property(
      fc.array(
        fc.oneof(
          picture.map((bytes) => part(bytes)),
          fc.uint8Array({ maxLength: 60 }),
        ),
        { maxLength: 6 },
      ),
      cuts,
      (pieces, sizes) => {
        const bytes = concatBytes([opening, ...pieces]);
        expect(read(bytes, sizes)).toEqual(read(bytes));
      },
    ),
  );
});

it("every picture that was sent whole is there, in order", () => {
  fc.assert(
    fc.property(fc.array(picture, { maxLength: 6 }), cuts, (pictures, sizes) => {
      expect(read(concatBytes([opening, ...pictures.map((bytes) => part(bytes))]), sizes)).toEqual(pictures.map(frame));
    }),
  );
});

it("any bytes in any chunks: nothing is thrown, and a picture after them is found", () => {
  const token = fc.constantFrom(
    "--stationd\r\n",
    "\r\n",
    "\r\n\r\n",
    "Content-length: 7\r\n",
    "Content-length: 999999999\r\n\r\n",
    "\xff\xd8",
    "\xff\xd9",
    "--stat",
    "\0",
  );
  const noise = fc.array(
    fc.oneof(
      token.map((text) => Uint8Array.from(text, (letter) => letter.charCodeAt(0))),
      fc.uint8Array({ maxLength: 40 }),
    ),
    { maxLength: 40 },
  );
  fc.assert(
    fc.property(noise, cuts, (pieces, sizes) => {
      const bytes = concatBytes([...pieces, new Uint8Array(2_000), opening, opening, part(jpeg(4, 2)), part(jpeg(4, 2))]);
      expect(read(bytes, sizes, 1_000).at(-1)).toEqual(frame(jpeg(4, 2)));
    }),
  );
});

it("what is held does not grow with a stream that never ends a part", () => {
  const reader = createMultipartReader(BOUNDARY, 100_000);
  reader.push(asciiBytes("--stationd\r\nContent-length: 100000\r\n\r\n"));
  const chunk = new Uint8Array(60_000);
  const before = process.memoryUsage().arrayBuffers;
  for (let round = 0; round < 500; round++) reader.push(chunk);
  expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(10_000_000);
});
