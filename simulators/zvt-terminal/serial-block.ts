import { concatBytes } from "../../src/kernel/bytes.js";
import { MAX_BODY_BYTES } from "./apdu.js";

const STX = 0x02;
const ETX = 0x03;
const DLE = 0x10;
export const ACK = 0x06;
export const NAK = 0x15;
const MAX_BLOCK_BYTES = MAX_BODY_BYTES + 5;

/** Over the message without its doubled DLEs, and the ETX; polynomial 0x8408 reflected, initial 0 (PA00P015, serial transport). */
export function blockCrc(apdu: Uint8Array): number {
  let crc = 0;
  for (const byte of [...apdu, ETX]) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >> 1) ^ 0x8408 : crc >> 1;
  }
  return crc;
}

/** DLE STX message DLE ETX CRC, low byte first. */
export function encodeBlock(apdu: Uint8Array): Uint8Array {
  const doubled: number[] = [];
  for (const byte of apdu) doubled.push(...(byte === DLE ? [DLE, DLE] : [byte]));
  const crc = blockCrc(apdu);
  return concatBytes([Uint8Array.of(DLE, STX), Uint8Array.from(doubled), Uint8Array.of(DLE, ETX, crc & 0xff, crc >> 8)]);
}

export type SerialToken =
  | { readonly kind: "ack" }
  | { readonly kind: "nak" }
  | { readonly kind: "block"; readonly apdu: Uint8Array }
  /** A block that cannot be taken: CRC, a lone DLE, too long. */
  | { readonly kind: "damaged" };

export interface BlockReader {
  read(bytes: Uint8Array): SerialToken[];
  /** A block has begun and is not over. */
  readonly within: boolean;
  /** Forgets what has begun. */
  drop(): void;
}

type Phase = "outside" | "opening" | "inside" | "escaped" | "crc-low" | "crc-high";

/** Blocks and bare control characters from a line; whatever else stands between blocks is skipped. */
export function createBlockReader(): BlockReader {
  let phase: Phase = "outside";
  let apdu: number[] = [];
  let crcLow = 0;

  const over = (token: SerialToken): SerialToken => {
    phase = "outside";
    apdu = [];
    return token;
  };
  const take = (byte: number): SerialToken | undefined => {
    switch (phase) {
      case "outside":
        if (byte === DLE) phase = "opening";
        return byte === ACK ? { kind: "ack" } : byte === NAK ? { kind: "nak" } : undefined;
      case "opening":
        phase = byte === STX ? "inside" : byte === DLE ? "opening" : "outside";
        return undefined;
      case "inside":
        if (byte === DLE) phase = "escaped";
        else apdu.push(byte);
        return apdu.length > MAX_BLOCK_BYTES ? over({ kind: "damaged" }) : undefined;
      case "escaped":
        phase = "inside";
        if (byte === DLE) apdu.push(byte);
        else if (byte === ETX) phase = "crc-low";
        // The other side began again in the middle.
        else if (byte === STX) apdu = [];
        else return over({ kind: "damaged" });
        return undefined;
      case "crc-low":
        crcLow = byte;
        phase = "crc-high";
        return undefined;
      case "crc-high": {
        const whole = Uint8Array.from(apdu);
        return over(blockCrc(whole) === (crcLow | (byte << 8)) ? { kind: "block", apdu: whole } : { kind: "damaged" });
      }
    }
  };
  return {
    read: (bytes) => [...bytes].map(take).filter((token) => token !== undefined),
    get within() {
      return phase !== "outside";
    },
    drop: () => void over({ kind: "damaged" }),
  };
}
