import fc from "fast-check";
import { expect, test } from "vitest";
import { tlv } from "../formats/tlv.js";
import { concatBytes, equalBytes } from "../kernel/bytes.js";
import { DeviceError } from "../kernel/errors.js";
import { createChannel } from "./channel.js";
import { FILES } from "./files.js";
import { type FileOutcome, readFile } from "./read-file.js";

const { dg2, dg1 } = FILES;

interface Manner {
  readonly file: Uint8Array;
  /** Gives this much at once, whatever was asked for. */
  readonly most?: number;
  readonly shortIds?: boolean;
}

/** Reads in the clear: what a chip answers is decoded here by hand. */
function plainCard({ file, most = Number.POSITIVE_INFINITY, shortIds = true }: Manner) {
  let selected = false;
  const commands: { ins: number; offset: number; le: number }[] = [];
  const transmit = async (apdu: Uint8Array): Promise<Uint8Array> => {
    const [, ins = 0, p1 = 0, p2 = 0, ...body] = apdu;
    if (ins === 0xa4) {
      selected = body[1] === 0x01 && body[2] === 0x02;
      return selected ? Uint8Array.of(0x90, 0) : Uint8Array.of(0x6a, 0x82);
    }
    let offset = p1 * 256 + p2;
    let le = body.length === 3 ? (body[1] ?? 0) * 256 + (body[2] ?? 0) : (body[0] ?? 0);
    if (ins === 0xb1) {
      const extended = body[0] === 0;
      const at = extended ? 3 : 1;
      const width = body[at + 1] ?? 0;
      offset = body.slice(at + 2, at + 2 + width).reduce((sum, byte) => sum * 256 + byte, 0);
      const tail = body.slice(at + 2 + width);
      le = tail.reduce((sum, byte) => sum * 256 + byte, 0);
    } else if (p1 >= 0x80) {
      if (!shortIds) return Uint8Array.of(0x6a, 0x86);
      offset = p2;
      selected = true;
    }
    le ||= 65_536;
    commands.push({ ins, offset, le });
    if (!selected) return Uint8Array.of(0x69, 0x86);
    if (offset >= file.length) return Uint8Array.of(0x6b, 0x00);
    const overhead = ins === 0xb1 ? 4 : 0;
    const part = file.subarray(offset, offset + Math.min(le - overhead, most));
    return concatBytes([ins === 0xb1 ? tlv(0x53, part) : part, Uint8Array.of(0x90, 0)]);
  };
  return { transmit, commands };
}

function read(card: ReturnType<typeof plainCard>, le: number, select = false): Promise<FileOutcome> {
  return readFile(createChannel(card, new AbortController().signal), dg2, { le, select, progress: () => {} });
}

test("any file, asked for at any length, from a card that gives as much or less: the same bytes", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.nat(120_000),
      fc.constantFrom(96, 223, 1_024, 65_503),
      fc.constantFrom(60, 256, Number.POSITIVE_INFINITY),
      fc.boolean(),
      async (length, le, most, select) => {
        const file = tlv(
          0x75,
          Uint8Array.from({ length }, (_, index) => (index * 31) & 0xff),
        );
        const outcome = await read(plainCard({ file, most, shortIds: !select }), le, select);
        expect(outcome.state).toBe("read");
        expect(outcome.state === "read" && equalBytes(outcome.bytes, file)).toBe(true);
      },
    ),
    { numRuns: 40 },
  );
});

test("commands: one where it fits; none beyond the end; odd instructions from 32,768 on", async () => {
  const small = plainCard({ file: tlv(0x75, new Uint8Array(500)) });
  await read(small, 65_503);
  expect(small.commands).toEqual([{ ins: 0xb0, offset: 0, le: 65_503 }]);
  const short = plainCard({ file: tlv(0x75, new Uint8Array(500)) });
  await read(short, 223);
  expect(short.commands.map(({ offset, le }) => [offset, le])).toEqual([
    [0, 223],
    [223, 223],
    [446, 58],
  ]);
  const large = plainCard({ file: tlv(0x75, new Uint8Array(100_000)) });
  await read(large, 65_503);
  expect(large.commands.map(({ ins }) => ins)).toEqual([0xb0, 0xb1]);
  expect(large.commands[1]).toEqual({ ins: 0xb1, offset: 65_503, le: 100_006 - 65_503 + 4 - 1 });
});

test("bytes behind the end of the object are none of the file's", async () => {
  const file = tlv(0x75, new Uint8Array(20));
  const outcome = await read(plainCard({ file: concatBytes([file, new Uint8Array(80)]) }), 65_503);
  expect(outcome.state === "read" && outcome.bytes).toEqual(file);
});

const kind = (reading: Promise<unknown>): Promise<unknown> =>
  reading.catch((error: unknown) => (error instanceof DeviceError ? error.kind : error));

test("lies: a wrong tag, a length beyond all files, a file that ends early, one in crumbs", async () => {
  expect(await kind(read(plainCard({ file: tlv(0x61, new Uint8Array(20)) }), 223))).toBe("card_error");
  expect(await kind(read(plainCard({ file: Uint8Array.of(0x75, 0x84, 0x7f, 0xff, 0xff, 0xff, 0) }), 223))).toBe("card_error");
  expect(await kind(read(plainCard({ file: Uint8Array.of(0x75, 0x80, 0, 0) }), 223))).toBe("card_error");
  expect(await kind(read(plainCard({ file: Uint8Array.of(0x75) }), 223))).toBe("card_error");
  const early = plainCard({ file: tlv(0x75, new Uint8Array(2_000)).subarray(0, 1_000) });
  expect(await read(early, 223)).toMatchObject({ state: "refused", sw: 0x6b00 });
  const crumbs = plainCard({ file: tlv(0x75, new Uint8Array(60_000)), most: 8 });
  expect(await kind(read(crumbs, 223))).toBe("card_error");
  expect(crumbs.commands.length).toBeLessThan(2_000);
});

test("each file has its own most", () => {
  expect(dg1.maxBytes).toBeLessThan(2_000);
  for (const { maxBytes } of Object.values(FILES)) expect(maxBytes).toBeLessThanOrEqual(1_048_576);
});

test("no such file, or none for us, is no error; by short identifier refused is told", async () => {
  const channel = (sw: string) =>
    createChannel({ transmit: async () => Uint8Array.from(Buffer.from(sw, "hex")) }, new AbortController().signal);
  const options = { le: 223, select: false, progress: () => {} };
  expect(await readFile(channel("6a82"), dg2, options)).toEqual({ state: "absent" });
  expect(await readFile(channel("6982"), dg2, options)).toEqual({ state: "absent" });
  expect(await readFile(channel("6a86"), dg2, options)).toEqual({ state: "refused", sw: 0x6a86, lost: false });
});
