import { crc16Kermit } from "../../../formats/crc16.js";
import { concatBytes } from "../../../kernel/bytes.js";
import { apduExtent, decodeApdu, MAX_APDU_BYTES } from "./apdu.js";

export type Framed =
  /** One whole APDU, checked as far as the link can. */
  | { readonly type: "frame"; readonly apdu: Uint8Array }
  | { readonly type: "ack" }
  | { readonly type: "nak" }
  /** A frame that the other side is to send again (NAK): wrong checksum, or it ended or fell silent in its middle. */
  | { readonly type: "badCrc" }
  | { readonly type: "torn" }
  /** Came over as it was sent, and yet is no APDU: its length lies. Sending it again would not help. */
  | { readonly type: "malformed" }
  /** More than any APDU holds. */
  | { readonly type: "tooLong" }
  /** Bytes between frames that are neither ACK nor NAK. Told once until the line is in step again. */
  | { readonly type: "noise" };

export interface Framer {
  /** What became whole with these bytes. The outcome does not depend on how the stream is cut into chunks. */
  push(chunk: Uint8Array): readonly Framed[];
  /** The line fell silent for T1 (serial), or ended (TCP): what has begun will not be whole. */
  quiet(): readonly Framed[];
  /** Something has begun: the caller's T1 is running. */
  readonly pending: boolean;
}

const STX = 0x02;
const ETX = 0x03;
const ACK = 0x06;
const DLE = 0x10;
const NAK = 0x15;

export const serialAck = (): Uint8Array => Uint8Array.of(ACK);
export const serialNak = (): Uint8Array => Uint8Array.of(NAK);

/** The checksum covers the APDU before its DLEs are doubled, and ETX. It goes low byte first and is never doubled itself. */
const checksum = (apdu: Uint8Array): number => crc16Kermit(concatBytes([apdu, Uint8Array.of(ETX)]));

/** `10 02`, the APDU with each 10 doubled, `10 03`, checksum. */
export function serialFrame(apdu: Uint8Array): Uint8Array {
  const bytes: number[] = [DLE, STX];
  for (const byte of apdu) {
    if (byte === DLE) bytes.push(DLE);
    bytes.push(byte);
  }
  const crc = checksum(apdu);
  bytes.push(DLE, ETX, crc & 0xff, crc >>> 8);
  return Uint8Array.from(bytes);
}

/**
 * `lost`: out of step. The rest of a broken frame can hold any byte, and an ACK or NAK found in there would be believed
 * (a false NAK repeats a payment): so until a frame begins or the line falls silent, neither counts.
 */
type State = "idle" | "idleDle" | "inFrame" | "frameDle" | "crcLow" | "crcHigh" | "lost" | "lostDle";

/** Serial line: frames, acknowledgements and what went wrong. Holds at most one frame. */
export function createSerialFramer(): Framer {
  const buffer = new Uint8Array(MAX_APDU_BYTES);
  let length = 0;
  let state: State = "idle";
  let crcLow = 0;

  const begin = (): undefined => {
    state = "inFrame";
    length = 0;
  };
  const lose = (type: "torn" | "tooLong" | "noise" | "badCrc"): Framed => {
    state = "lost";
    return { type };
  };
  const keep = (byte: number): Framed | undefined => {
    if (length === buffer.length) return lose("tooLong");
    buffer[length++] = byte;
    state = "inFrame";
    return undefined;
  };
  const finish = (crc: number): Framed => {
    const apdu = buffer.slice(0, length);
    if (crc !== checksum(apdu)) return lose("badCrc");
    state = "idle";
    return decodeApdu(apdu) ? { type: "frame", apdu } : { type: "malformed" };
  };

  const take: Readonly<Record<State, (byte: number) => Framed | undefined>> = {
    idle(byte) {
      if (byte === ACK) return { type: "ack" };
      if (byte === NAK) return { type: "nak" };
      if (byte !== DLE) return lose("noise");
      state = "idleDle";
      return undefined;
    },
    idleDle: (byte) => (byte === STX ? begin() : lose("noise")),
    inFrame(byte) {
      if (byte !== DLE) return keep(byte);
      state = "frameDle";
      return undefined;
    },
    frameDle(byte) {
      if (byte === DLE) return keep(byte);
      if (byte === ETX) state = "crcLow";
      else if (byte === STX) {
        // A DLE of the data would have been doubled: this is the next frame, and the end of the last one got lost.
        begin();
        return { type: "torn" };
      } else return lose("torn");
      return undefined;
    },
    crcLow(byte) {
      crcLow = byte;
      state = "crcHigh";
      return undefined;
    },
    crcHigh: (byte) => finish(crcLow + 256 * byte),
    lost(byte) {
      if (byte === DLE) state = "lostDle";
      return undefined;
    },
    lostDle(byte) {
      if (byte === STX) return begin();
      // Also after DLE DLE: that pair is data, and an STX behind it begins nothing.
      state = "lost";
      return undefined;
    },
  };

  return {
    push(chunk) {
      const framed: Framed[] = [];
      for (const byte of chunk) {
        const item = take[state](byte);
        if (item) framed.push(item);
      }
      return framed;
    },
    quiet() {
      const was = state;
      state = "idle";
      if (was === "idle" || was === "lost" || was === "lostDle") return [];
      return [{ type: was === "idleDle" ? "noise" : "torn" }];
    },
    get pending() {
      return state !== "idle";
    },
  };
}

/** TCP: bare APDUs, in pieces or several at once; there is nothing else to see. Holds at most one APDU. */
export function createTcpFramer(): Framer {
  const buffer = new Uint8Array(MAX_APDU_BYTES);
  let length = 0;
  return {
    push(chunk) {
      const framed: Framed[] = [];
      for (let offset = 0; offset < chunk.length; ) {
        const end = apduExtent(buffer.subarray(0, length))?.end;
        // Until the length is known byte by byte, then all that is missing at once.
        const piece = chunk.subarray(offset, offset + (end === undefined ? 1 : end - length));
        buffer.set(piece, length);
        length += piece.length;
        offset += piece.length;
        if (apduExtent(buffer.subarray(0, length))?.end !== length) continue;
        framed.push({ type: "frame", apdu: buffer.slice(0, length) });
        length = 0;
      }
      return framed;
    },
    quiet() {
      const torn = length > 0;
      length = 0;
      return torn ? [{ type: "torn" }] : [];
    },
    get pending() {
      return length > 0;
    },
  };
}
