import { expect, it } from "vitest";
import { decodeFrame, HEADER_BYTES } from "../protocol/binary-frame.js";
import type { FrameOutlet } from "../protocol/call.js";
import { LIMITS } from "../protocol/version.js";
import { openFrameOutlet } from "./frame-outlet.js";
import type { Outbound } from "./outbound.js";

function wire() {
  const sent: Uint8Array[] = [];
  let slow = false;
  const outbound = {
    binary: (...parts: Uint8Array[]) => void sent.push(Buffer.concat(parts)),
    slow: () => slow,
  } as Partial<Outbound> as Outbound;
  return {
    outbound,
    sent,
    set slow(is: boolean) {
      slow = is;
    },
    headers: () => sent.map((frame) => decodeFrame(frame)?.header),
  };
}

it("sends a picture as chunks of one run, the end marked, none larger than the wire's limit", () => {
  const far = wire();
  const outlet = openFrameOutlet(far.outbound, 7, new Set());
  const picture = Uint8Array.from({ length: 2 * LIMITS.binaryFrameBytes }, (_, index) => index % 253);
  expect(outlet.send(picture, 1_234)).toBe(true);
  expect(outlet.send(Uint8Array.of(1), 1_235)).toBe(true);
  const common = { kind: "preview", channel: 7 };
  expect(far.headers()).toEqual([
    { ...common, sequence: 0, last: false, capturedAt: 1_234 },
    { ...common, sequence: 1, last: false, capturedAt: 1_234 },
    { ...common, sequence: 2, last: true, capturedAt: 1_234 },
    { ...common, sequence: 3, last: true, capturedAt: 1_235 },
  ]);
  expect(Math.max(...far.sent.map(({ length }) => length))).toBe(LIMITS.binaryFrameBytes);
  expect(Buffer.concat(far.sent.slice(0, 3).map((frame) => frame.subarray(HEADER_BYTES))).equals(picture)).toBe(true);
});

it("sends a picture that fits to the last byte as one chunk", () => {
  const far = wire();
  openFrameOutlet(far.outbound, 7, new Set()).send(new Uint8Array(LIMITS.binaryFrameBytes - HEADER_BYTES), 0);
  expect(far.headers()).toMatchObject([{ last: true }]);
});

it("sends nothing to a slow client, and the next one whole when it has caught up, with no gap in the run", () => {
  const far = wire();
  const outlet = openFrameOutlet(far.outbound, 7, new Set());
  outlet.send(Uint8Array.of(1), 0);
  far.slow = true;
  expect(outlet.send(Uint8Array.of(2), 0)).toBe(false);
  far.slow = false;
  expect(outlet.send(Uint8Array.of(3), 0)).toBe(true);
  expect(far.headers()).toMatchObject([{ sequence: 0 }, { sequence: 1 }]);
});

it("has room for eight streams of a client, and again for one that was closed, to which nothing is sent", () => {
  const far = wire();
  const streams = new Set<FrameOutlet>();
  const open = (): FrameOutlet => openFrameOutlet(far.outbound, 7, streams);
  const outlets = Array.from({ length: 8 }, open);
  expect(open).toThrow(expect.objectContaining({ kind: "rate_limited" }));
  outlets[3]?.close();
  outlets[3]?.close();
  expect(outlets[3]?.closed.aborted).toBe(true);
  expect(outlets[3]?.send(Uint8Array.of(1), 0)).toBe(false);
  expect(far.sent).toEqual([]);
  open();
  expect(open).toThrow(expect.objectContaining({ kind: "rate_limited" }));
});
