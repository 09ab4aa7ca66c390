import { concatBytes } from "../../src/kernel/bytes.js";
import { type Random, seededRandom } from "../../src/kernel/random.js";

/** Choices for one input. The same seed, decoder and number give the same ones again. */
export interface Dice {
  /** A whole number from 0 up to, not including, `sides`. */
  roll(sides: number): number;
  bytes(length: number): Uint8Array;
  pick<T>(choices: readonly T[]): T;
  random: Random;
}

export function diceFor(seed: number, name: string, index: number): Dice {
  let hash = (seed ^ 0x811c9dc5) >>> 0;
  for (let at = 0; at < name.length; at++) hash = Math.imul(hash ^ name.charCodeAt(at), 0x01000193) >>> 0;
  const random = seededRandom((hash ^ Math.imul(index + 1, 0x9e3779b1)) >>> 0);
  const roll = (sides: number): number => Math.floor(random.fraction() * sides);
  return {
    roll,
    random,
    bytes: (length) => random.bytes(length),
    pick: (choices) => choices[roll(choices.length)] as (typeof choices)[number],
  };
}

/** Bytes at which decoders turn: lengths that lie, ends of blocks, quotes and brackets. */
const TELLING = [
  0, 1, 2, 3, 4, 6, 0x10, 0x15, 0x1d, 0x22, 0x30, 0x31, 0x3c, 0x5b, 0x7b, 0x7f, 0x80, 0x81, 0x82, 0x84, 0x88, 0xc0, 0xf0, 0xfe, 0xff,
];
const MOST_BYTES = 8_192;

/** Random bytes, a sample that was damaged, two that were joined, a piece of one over and over, or a sound one. */
export function inputFor(dice: Dice, samples: readonly Uint8Array[]): Uint8Array {
  const kind = dice.roll(20);
  if (samples.length === 0 || kind < 4) return dice.bytes(dice.roll(kind === 0 ? 600 : 48));
  const sample = dice.pick(samples);
  if (kind === 4) return sample;
  if (kind === 5) return repeated(dice, sample);
  let bytes = kind < 8 ? joined(dice, sample, dice.pick(samples)) : sample;
  for (let blows = 1 + dice.roll(5); blows > 0; blows--) bytes = damaged(dice, bytes);
  return bytes.length > 2 * MOST_BYTES && kind < 18 ? bytes.subarray(0, MOST_BYTES) : bytes;
}

/** The structure is mostly in the first bytes: half of the blows go there. */
const place = (dice: Dice, length: number): number => dice.roll(dice.roll(2) ? length + 1 : Math.min(64, length + 1));

function damaged(dice: Dice, bytes: Uint8Array): Uint8Array {
  const at = place(dice, bytes.length);
  const span = 1 + dice.roll(dice.roll(4) ? 8 : 200);
  switch (dice.roll(8)) {
    case 0:
      return bytes.subarray(0, at);
    case 1:
      return concatBytes([bytes.subarray(0, at), bytes.subarray(at + span)]);
    case 2:
      return concatBytes([bytes.subarray(0, at), dice.bytes(span), bytes.subarray(at)]);
    case 3:
      return concatBytes([bytes.subarray(0, at), bytes.subarray(at, at + span), bytes.subarray(at)]);
    case 4:
      return concatBytes([bytes.subarray(0, at), bytes.subarray(place(dice, bytes.length))]);
    default: {
      const copy = Uint8Array.from(bytes);
      if (at < copy.length) copy[at] = dice.roll(3) ? dice.pick(TELLING) : (copy[at] ?? 0) ^ (1 << dice.roll(8));
      return copy;
    }
  }
}

function joined(dice: Dice, one: Uint8Array, other: Uint8Array): Uint8Array {
  return concatBytes([one.subarray(0, place(dice, one.length)), other.subarray(place(dice, other.length))]);
}

/** What nests or repeats without end is cheap to send: it must be cheap to refuse. */
function repeated(dice: Dice, sample: Uint8Array): Uint8Array {
  const from = place(dice, sample.length);
  const piece = sample.subarray(from, from + 1 + dice.roll(12));
  if (piece.length === 0) return piece;
  const times = 1 + dice.roll(Math.max(1, Math.floor(MOST_BYTES / piece.length)));
  return concatBytes(Array.from({ length: times }, () => piece));
}

/** As a wire delivers them: byte by byte, in pieces of any size, or at once. */
export function* chunks(dice: Dice, bytes: Uint8Array): Generator<Uint8Array> {
  // Byte by byte only what is short: the time is better spent on other inputs.
  const most = dice.pick(bytes.length < 400 ? [1, 3, 16, 200, 100_000] : [16, 200, 100_000]);
  for (let at = 0; at < bytes.length; ) {
    const end = at + 1 + dice.roll(most);
    yield bytes.slice(at, end);
    at = end;
  }
}

const decoders = [new TextDecoder(), new TextDecoder("latin1"), new TextDecoder("utf-16le")] as const;

/** Mostly as UTF-8, with its replacement characters; else each byte a character, or lone surrogates and all. */
export function textOf(dice: Dice, bytes: Uint8Array): string {
  const kind = dice.roll(12);
  return (kind < 10 ? decoders[0] : kind === 10 ? decoders[1] : decoders[2]).decode(bytes);
}

/** What JSON says; undefined where it is none, which is what callers make of that. */
export function jsonOf(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(decoders[0].decode(bytes));
  } catch {
    return undefined;
  }
}
