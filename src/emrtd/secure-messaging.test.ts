import fc from "fast-check";
import { expect, test } from "vitest";
import { tlv } from "../formats/tlv.js";
import { concatBytes, fromHex, toHex } from "../kernel/bytes.js";
import { encodeCommand } from "./apdu.js";
import { CIPHER_SUITES, pad, TRIPLE_DES } from "./ciphers.js";
import { createSecureMessaging, largestPlaintext, type SecureMessaging } from "./secure-messaging.js";
import { ICAO_EXAMPLES } from "./testing/icao-examples.js";

const { bac, secureMessaging3des } = ICAO_EXAMPLES;
const upper = (bytes: Uint8Array): string => toHex(bytes).toUpperCase();

function exampleSession(): SecureMessaging {
  return createSecureMessaging(TRIPLE_DES, { encryption: fromHex(bac.ksEnc), mac: fromHex(bac.ksMac) }, fromHex(bac.ssc));
}

test("reads EF.COM as Doc 9303-11 D.4 does, byte by byte", () => {
  const session = exampleSession();
  const plain = [
    { command: { cla: 0, ins: 0xa4, p1: 2, p2: 0x0c, data: fromHex("011E") }, data: "" },
    { command: { cla: 0, ins: 0xb0, p1: 0, p2: 0, le: 4 }, data: "60145F01" },
    { command: { cla: 0, ins: 0xb0, p1: 0, p2: 4, le: 0x12 }, data: "04303130365F36063034303030305C026175" },
  ];
  for (const [index, { command, data }] of plain.entries()) {
    const example = secureMessaging3des.exchanges[index];
    expect(upper(encodeCommand(session.protect(command)))).toBe(example?.command);
    const opened = session.open(fromHex(example?.response ?? ""));
    expect(opened).toMatchObject({ sw: 0x9000 });
    expect(typeof opened === "object" && upper(opened.data)).toBe(data);
  }
});

/** The chip's side, written after the text of the standard once more: seals an answer. */
function seal(
  arc: number,
  keys: { encryption: Uint8Array; mac: Uint8Array },
  counter: number,
  data: Uint8Array,
  sw: number,
  odd = false,
): Uint8Array {
  const suite = CIPHER_SUITES[arc] ?? TRIPLE_DES;
  const ssc = new Uint8Array(suite.blockBytes);
  ssc[suite.blockBytes - 1] = counter;
  const zero = new Uint8Array(suite.blockBytes);
  const iv = arc === 1 ? zero : suite.encrypt(keys.encryption, zero, ssc);
  const cryptogram = suite.encrypt(keys.encryption, iv, pad(data, suite.blockBytes));
  const status = Uint8Array.of(sw >> 8, sw & 0xff);
  const objects = concatBytes([
    ...(data.length === 0 ? [] : [odd ? tlv(0x85, cryptogram) : tlv(0x87, Uint8Array.of(1), cryptogram)]),
    tlv(0x99, status),
  ]);
  return concatBytes([objects, tlv(0x8e, suite.mac(keys.mac, ssc, pad(objects, suite.blockBytes))), status]);
}

const keysOf = (arc: number): { encryption: Uint8Array; mac: Uint8Array } => {
  const length = CIPHER_SUITES[arc]?.keyBytes ?? 16;
  return { encryption: new Uint8Array(length).fill(5), mac: new Uint8Array(length).fill(9) };
};

test("opens what a chip sealed, short and extended, of even and odd instructions, and nothing that was touched", () => {
  fc.assert(
    fc.property(
      fc.constantFrom(1, 2, 3, 4),
      fc.oneof(
        fc.uint8Array({ maxLength: 300 }),
        fc.nat(65_503).map((length) => new Uint8Array(length).fill(0x80)),
      ),
      fc.boolean(),
      fc.nat(),
      (arc, data, odd, where) => {
        const suite = CIPHER_SUITES[arc] ?? TRIPLE_DES;
        const session = createSecureMessaging(suite, keysOf(arc), new Uint8Array(suite.blockBytes));
        session.protect({ cla: 0, ins: odd ? 0xb1 : 0xb0, p1: 0, p2: 0, le: 256 });
        const sealed = seal(arc, keysOf(arc), 2, data, 0x6282, odd);
        const opened = session.open(sealed);
        expect(opened).toMatchObject({ sw: 0x6282 });
        expect(typeof opened === "object" && Buffer.compare(opened.data, data) === 0).toBe(true);

        const again = createSecureMessaging(suite, keysOf(arc), new Uint8Array(suite.blockBytes));
        again.protect({ cla: 0, ins: 0xb0, p1: 0, p2: 0, le: 256 });
        const touched = Uint8Array.from(sealed);
        const at = where % touched.length;
        touched[at] = (touched[at] ?? 0) ^ 0x20;
        expect(again.open(touched)).toBe("unverified");
      },
    ),
    { numRuns: 60 },
  );
});

test("an answer that was sealed for another command is none", () => {
  const suite = CIPHER_SUITES[2] ?? TRIPLE_DES;
  const session = createSecureMessaging(suite, keysOf(2), new Uint8Array(16));
  const sealed = seal(2, keysOf(2), 2, Uint8Array.of(1), 0x9000);
  session.protect({ cla: 0, ins: 0xb0, p1: 0, p2: 0, le: 1 });
  expect(session.open(sealed)).toMatchObject({ sw: 0x9000 });
  session.protect({ cla: 0, ins: 0xb0, p1: 0, p2: 0, le: 1 });
  expect(session.open(sealed)).toBe("unverified");
});

test("nothing may follow the seal", () => {
  const session = createSecureMessaging(CIPHER_SUITES[2] ?? TRIPLE_DES, keysOf(2), new Uint8Array(16));
  session.protect({ cla: 0, ins: 0xb0, p1: 0, p2: 0, le: 1 });
  const sealed = seal(2, keysOf(2), 2, Uint8Array.of(1), 0x9000);
  expect(session.open(Uint8Array.of(...sealed.subarray(0, -2), 0x87, 0x01, 0x01, 0x90, 0x00))).toBe("unverified");
});

test("any bytes: opened, plain or unverified, and never anything else", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 80 }), fc.constantFrom(1, 2, 4), (bytes, arc) => {
      const suite = CIPHER_SUITES[arc] ?? TRIPLE_DES;
      const session = createSecureMessaging(suite, keysOf(arc), new Uint8Array(suite.blockBytes));
      session.protect({ cla: 0, ins: 0xb0, p1: 0, p2: 0, le: 1 });
      expect(session.open(bytes)).toBe(bytes.length === 2 ? "plain" : "unverified");
    }),
  );
});

test("commands: extended where they must be, offsets of odd instructions in DO'85'", () => {
  const session = createSecureMessaging(CIPHER_SUITES[2] ?? TRIPLE_DES, keysOf(2), new Uint8Array(16));
  const extended = encodeCommand(session.protect({ cla: 0, ins: 0xb0, p1: 0x9d, p2: 0, le: 65_503 }));
  expect(toHex(extended)).toMatch(/^0cb09d0000000e9702ffdf8e08.{16}0000$/);
  const odd = encodeCommand(session.protect({ cla: 0, ins: 0xb1, p1: 0, p2: 0, data: fromHex("54028000"), le: 223 }));
  expect(toHex(odd)).toMatch(/^0cb100001f8510.{32}9701df8e08.{16}00$/);
});

test("largest plaintexts: of short and of extended answers, and of readers with less room", () => {
  expect([largestPlaintext(258, 16), largestPlaintext(258, 8)]).toEqual([223, 231]);
  expect(largestPlaintext(100_000, 16)).toBe(65_503);
  for (const room of [300, 1_000, 4_096]) {
    for (const arc of [1, 2]) {
      const most = largestPlaintext(room, arc === 1 ? 8 : 16);
      expect(seal(arc, keysOf(arc), 2, new Uint8Array(most), 0x9000).length).toBeLessThanOrEqual(room);
      expect(seal(arc, keysOf(arc), 2, new Uint8Array(most + 1), 0x9000).length).toBeGreaterThan(room);
    }
  }
});

test("keys are wiped at the end", () => {
  const keys = keysOf(2);
  createSecureMessaging(CIPHER_SUITES[2] ?? TRIPLE_DES, keys, new Uint8Array(16)).close();
  expect([...keys.encryption, ...keys.mac].every((byte) => byte === 0)).toBe(true);
});
