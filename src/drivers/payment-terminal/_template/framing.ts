import assert from "node:assert/strict";
import { crc16CcittFalse } from "../../../formats/crc16.js";
import { asciiBytes, concatBytes, equalBytes } from "../../../kernel/bytes.js";

/** Start, length, payload, end, check: the shape that wired bank protocols share. What differs between them is in here. */
export interface FrameOptions {
  readonly start: number;
  /** Counts the payload. `none`: the first end byte ends it, so the payload may hold neither start nor end. */
  readonly length: "none" | "bcd2" | "binary2be" | "ascii3";
  readonly end: number;
  /** `lrc-xor`: one byte. `crc16-ccitt`: polynomial 0x1021, initial 0xFFFF, high byte first. */
  readonly check: "lrc-xor" | "crc16-ccitt" | "none";
  readonly checkCovers: "start-to-end" | "after-start-to-end" | "payload-to-end" | "payload";
  readonly ack: number;
  readonly nak: number;
  /** Longest payload. */
  readonly maxBytes: number;
}

const USUAL: FrameOptions = {
  start: 0x02,
  length: "none",
  end: 0x03,
  check: "lrc-xor",
  checkCovers: "after-start-to-end",
  ack: 0x06,
  nak: 0x15,
  maxBytes: 999,
};

/** The usual frame (STX, text, ETX, LRC) with what the bank does differently. Options that contradict each other are a mistake in the code. */
export function frameOptions(different: Partial<FrameOptions> = {}): FrameOptions {
  const options = { ...USUAL, ...different };
  const { start, end, ack, nak, maxBytes, length } = options;
  assert(new Set([start, end, ack, nak]).size === 4, "start, end, ack and nak differ");
  assert(Number.isInteger(maxBytes) && maxBytes > 0 && maxBytes <= LENGTHS[length].most, "the length can tell maxBytes");
  return options;
}

export type Framed =
  /** A whole frame that passed its check. Not acknowledged: that is for who understands it. */
  | { readonly type: "frame"; readonly payload: Uint8Array }
  | { readonly type: "ack" }
  | { readonly type: "nak" }
  /** A frame that the other side is to send again: wrong check, length or end, or it broke off. */
  | { readonly type: "badCheck" }
  | { readonly type: "tooLong" }
  /** Bytes between frames that are neither ACK nor NAK. Told once until the line is in step again. */
  | { readonly type: "noise" };

export interface Framer {
  /** What became whole with these bytes. The outcome does not depend on how the stream is cut into chunks. */
  push(chunk: Uint8Array): readonly Framed[];
  /** The line fell silent: what has begun will not be whole, and an ACK or NAK counts again. */
  quiet(): readonly Framed[];
  /** The caller's timer for `quiet` should run. */
  readonly pending: boolean;
}

/** @throws AssertionError where the payload cannot be sent in such a frame. */
export function encodeFrame(options: FrameOptions, payload: Uint8Array): Uint8Array {
  const { start, end, length, maxBytes } = options;
  assert(payload.length <= maxBytes, "the payload fits");
  assert(length !== "none" || !payload.some((byte) => byte === start || byte === end), "nothing in the payload ends the frame");
  const told = LENGTHS[length].encode(payload.length);
  return concatBytes([Uint8Array.of(start), told, payload, Uint8Array.of(end), checkOf(options, told, payload)]);
}

/** Bounded: holds at most one frame. */
export function createFramer(options: FrameOptions): Framer {
  const { start, end, length, check, ack, nak, maxBytes } = options;
  const lengthCode = LENGTHS[length];
  const checkBytes = CHECKS[check](new Uint8Array()).length;
  /** What came after the start byte. */
  const buffer = new Uint8Array(lengthCode.bytes + maxBytes + 1 + checkBytes);
  let held = 0;
  let payloadBytes: number | undefined;
  /**
   * `lost`: out of step. The rest of a broken frame can hold any byte, and an ACK or NAK found in there would be believed (a false NAK
   * repeats a payment): so until a frame begins or the line falls silent, neither counts.
   */
  let state: "idle" | "frame" | "lost" = "idle";

  const begin = (): undefined => {
    state = "frame";
    held = 0;
    payloadBytes = undefined;
  };
  const lose = (type: "badCheck" | "tooLong" | "noise"): Framed => {
    state = "lost";
    return { type };
  };
  const finish = (bytes: number): Framed => {
    const endAt = lengthCode.bytes + bytes;
    const payload = buffer.slice(lengthCode.bytes, endAt);
    const expected = checkOf(options, buffer.subarray(0, lengthCode.bytes), payload);
    if (buffer[endAt] !== end || !equalBytes(buffer.subarray(endAt + 1, held), expected)) return lose("badCheck");
    state = "idle";
    return { type: "frame", payload };
  };
  /** Finds out how long the payload is. */
  const measure = (byte: number): Framed | undefined => {
    if (length === "none") {
      if (byte === end) payloadBytes = held - 1;
      else if (byte === start) {
        // The payload holds none: this is the next frame, and the end of the last one got lost.
        begin();
        return { type: "badCheck" };
      } else if (held > maxBytes) return lose("tooLong");
    } else if (held === lengthCode.bytes) {
      const told = lengthCode.decode(buffer.subarray(0, held));
      if (told === undefined) return lose("badCheck");
      if (told > maxBytes) return lose("tooLong");
      payloadBytes = told;
    }
    return undefined;
  };
  const take = (byte: number): Framed | undefined => {
    if (state !== "frame") {
      if (byte === start) return begin();
      if (state === "lost") return undefined;
      if (byte === ack) return { type: "ack" };
      return byte === nak ? { type: "nak" } : lose("noise");
    }
    buffer[held++] = byte;
    const item = payloadBytes === undefined ? measure(byte) : undefined;
    if (item || payloadBytes === undefined) return item;
    return held === lengthCode.bytes + payloadBytes + 1 + checkBytes ? finish(payloadBytes) : undefined;
  };

  return {
    push(chunk) {
      const framed: Framed[] = [];
      for (const byte of chunk) {
        const item = take(byte);
        if (item) framed.push(item);
      }
      return framed;
    },
    quiet() {
      const torn = state === "frame";
      state = "idle";
      return torn ? [{ type: "badCheck" }] : [];
    },
    get pending() {
      return state !== "idle";
    },
  };
}

interface LengthCode {
  readonly bytes: number;
  readonly most: number;
  encode(count: number): Uint8Array;
  decode(bytes: Uint8Array): number | undefined;
}

const LENGTHS: Readonly<Record<FrameOptions["length"], LengthCode>> = {
  none: { bytes: 0, most: 65_535, encode: () => new Uint8Array(), decode: () => undefined },
  bcd2: {
    bytes: 2,
    most: 9_999,
    encode: (count) => Uint8Array.of(bcd(Math.floor(count / 100)), bcd(count % 100)),
    decode: (bytes) => bytes.reduce<number | undefined>(addBcd, 0),
  },
  binary2be: {
    bytes: 2,
    most: 65_535,
    encode: (count) => Uint8Array.of(count >>> 8, count & 0xff),
    decode: ([high = 0, low = 0]) => high * 256 + low,
  },
  ascii3: {
    bytes: 3,
    most: 999,
    encode: (count) => asciiBytes(String(count).padStart(3, "0")),
    decode: (bytes) => (bytes.every((byte) => byte >= 0x30 && byte <= 0x39) ? Number(String.fromCharCode(...bytes)) : undefined),
  },
};

const bcd = (value: number): number => Math.floor(value / 10) * 16 + (value % 10);

function addBcd(sum: number | undefined, byte: number): number | undefined {
  const [tens, ones] = [byte >>> 4, byte & 0x0f];
  return sum === undefined || tens > 9 || ones > 9 ? undefined : sum * 100 + tens * 10 + ones;
}

const CHECKS: Readonly<Record<FrameOptions["check"], (covered: Uint8Array) => Uint8Array>> = {
  none: () => new Uint8Array(),
  "lrc-xor": (covered) => Uint8Array.of(covered.reduce((lrc, byte) => lrc ^ byte, 0)),
  "crc16-ccitt": (covered) => {
    const crc = crc16CcittFalse(covered);
    return Uint8Array.of(crc >>> 8, crc & 0xff);
  },
};

function checkOf({ start, end, check, checkCovers }: FrameOptions, length: Uint8Array, payload: Uint8Array): Uint8Array {
  const parts = {
    "start-to-end": [Uint8Array.of(start), length, payload, Uint8Array.of(end)],
    "after-start-to-end": [length, payload, Uint8Array.of(end)],
    "payload-to-end": [payload, Uint8Array.of(end)],
    payload: [payload],
  }[checkCovers];
  return CHECKS[check](concatBytes(parts));
}
