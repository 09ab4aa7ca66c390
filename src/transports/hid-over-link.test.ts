import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { concatBytes } from "../kernel/bytes.js";
import { DeviceError } from "../kernel/errors.js";
import { hidOverLink } from "./hid-over-link.js";
import { memoryPair } from "./memory.js";

const never = new AbortController().signal;
const DESCRIPTOR = Uint8Array.of(0x05, 0x8c);
const framed = (type: number, payload: Uint8Array): Uint8Array =>
  concatBytes([Uint8Array.of(type, payload.length >> 8, payload.length & 255), payload]);

async function over() {
  const [near, far] = memoryPair();
  const connecting = hidOverLink(async () => near)(never);
  expect(await far.read(never)).toEqual(Uint8Array.of(5, 0, 0));
  await far.write(framed(1, DESCRIPTOR), never);
  return { link: await connecting, far };
}

describe("a HID device over a wire of bytes", () => {
  it("gives its descriptor, and reports in any chunking", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.uint8Array({ minLength: 1, maxLength: 300 }), { maxLength: 6 }),
        fc.array(fc.integer({ min: 1, max: 50 }), { maxLength: 40 }),
        async (reports, sizes) => {
          const [near, far] = memoryPair();
          const connecting = hidOverLink(async () => near)(never);
          const bytes = concatBytes([framed(1, DESCRIPTOR), ...reports.map((report) => framed(2, report))]);
          let at = 0;
          for (const size of [...sizes, bytes.length]) {
            if (at < bytes.length) await far.write(bytes.subarray(at, at + size), never);
            at += size;
          }
          const link = await connecting;
          expect(link.reportDescriptor).toEqual(DESCRIPTOR);
          for (const report of reports) expect(await link.read(never)).toEqual(report);
          await link.close();
        },
      ),
      { numRuns: 30 },
    );
  });

  it("sends output and feature reports as frames", async () => {
    const { link, far } = await over();
    await link.write(Uint8Array.of(4, 4), never);
    await link.sendFeature(new Uint8Array(300).fill(7), never);
    let got: Uint8Array = new Uint8Array();
    while (got.length < 5 + 303) got = concatBytes([got, await far.read(never)]);
    expect(got).toEqual(concatBytes([Uint8Array.of(3, 0, 2, 4, 4), Uint8Array.of(4, 1, 44), new Uint8Array(300).fill(7)]));
  });

  it.each([
    ["a second descriptor", framed(1, DESCRIPTOR)],
    ["a report that only the host sends", framed(3, DESCRIPTOR)],
    ["an empty report", Uint8Array.of(2, 0, 0)],
    ["a report that is too long", Uint8Array.of(2, 0x10, 0x01)],
    ["something else", new TextEncoder().encode("HTTP/1.1 400")],
  ])("ends at %s, with a hint", async (_name, bytes) => {
    const { link, far } = await over();
    await far.write(bytes, never);
    await expect(link.read(never)).rejects.toMatchObject({ kind: "device_fault", hint: expect.stringContaining("hid-scanner") });
    await link.closed;
    await expect(link.read(never)).rejects.toBeInstanceOf(DeviceError);
  });

  it("keeps a half report for the next read when one is given up", async () => {
    const { link, far } = await over();
    await far.write(Uint8Array.of(2, 0, 3, 65), never);
    const controller = new AbortController();
    const reason = new DeviceError("canceled");
    const given = expect(link.read(controller.signal)).rejects.toBe(reason);
    setImmediate(() => controller.abort(reason));
    await given;
    await far.write(Uint8Array.of(66, 67), never);
    expect(await link.read(never)).toEqual(Uint8Array.of(65, 66, 67));
  });

  it("closes the wire when the opening is given up", async () => {
    const [near] = memoryPair();
    const controller = new AbortController();
    const reason = new DeviceError("shutting_down");
    const opening = expect(hidOverLink(async () => near)(controller.signal)).rejects.toBe(reason);
    setImmediate(() => controller.abort(reason));
    await opening;
    await near.closed;
  });
});
