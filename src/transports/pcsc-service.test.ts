import { EventEmitter } from "node:events";
import { expect, it } from "vitest";
import { type PcscLibrary, watchReader } from "./pcsc-service.js";

const EMPTY = 0x10;
const PRESENT = 0x20;
const IN_USE = 0x100;

/** Over a real service: pcsc.test.ts. A swap that the service tells of as one change cannot be made to happen there. */
it("takes two events in one change for a swap, and a change of who uses the card for none", () => {
  const native = Object.assign(new EventEmitter(), { name: () => "Reader 00 00" });
  const library = { ReaderStatus: { PRESENT } } as unknown as PcscLibrary;
  const reader = watchReader(library, native as unknown as Parameters<typeof watchReader>[1], () => {});
  const told: boolean[] = [];
  using _ = reader.watch({ presence: (present) => told.push(present), gone() {} });
  const change = (events: number, flags: number): void => {
    const raw = events * 0x1_0000 + flags;
    native.emit("change", { raw, has: (flag: number) => (raw & flag) !== 0 });
  };
  change(0, EMPTY);
  expect(told.splice(0)).toEqual([]);
  change(1, PRESENT);
  change(1, PRESENT | IN_USE);
  expect(told.splice(0)).toEqual([true]);
  change(3, PRESENT);
  expect(told.splice(0)).toEqual([false, true]);
  expect(reader.present).toBe(true);
  change(4, EMPTY);
  expect(told).toEqual([false]);
});
