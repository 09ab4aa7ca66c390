import fc from "fast-check";
import { expect, it } from "vitest";
import { manualClock } from "../../kernel/clock.js";
import { DeviceError } from "../../kernel/errors.js";
import { createInbox, type Link } from "../../kernel/link.js";
import { silentLog } from "../../kernel/log.js";
import { seededRandom } from "../../kernel/random.js";
import { splitLines } from "./codec.js";
import { template } from "./driver.js";

const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text);

it("gives the same codes however the stream is cut, and keeps at most one", () => {
  const bytes = fc.array(fc.oneof(fc.constant(0x0a), fc.integer({ min: 0, max: 255 })), { maxLength: 200 });
  fc.assert(
    fc.property(bytes, fc.nat(200), (stream, cut) => {
      const whole = splitLines(Uint8Array.from(stream), 16);
      const first = splitLines(Uint8Array.from(stream.slice(0, cut)), 16);
      const second = splitLines(Uint8Array.from([...first.rest, ...stream.slice(cut)]), 16);
      expect([...first.codes, ...second.codes]).toEqual(whole.codes);
      expect(second.rest.length).toBeLessThanOrEqual(17);
    }),
  );
});

it("hands out codes, and is lost with its link", async () => {
  // The far end is the test itself. Over real transports the contract suite runs the driver: see docs/driver-guide.md.
  const inbox = createInbox();
  let unplug: () => void = () => {};
  const closed = new Promise<void>((resolve) => {
    unplug = () => {
      inbox.end(new DeviceError("device_absent"));
      resolve();
    };
  });
  const link: Link = { description: "test", read: inbox.read, write: async () => {}, close: async () => unplug(), closed };
  const scanner = await template.open(template.config.parse({}), {
    device: "scanner",
    connect: async () => link,
    clock: manualClock(),
    random: seededRandom(1),
    log: silentLog,
    signal: new AbortController().signal,
    imaging: { draw: async () => [], png: async () => new Uint8Array() },
    simulated: false,
    report() {},
  });
  const next = new Promise<string>((resolve) => scanner.onScan((code) => resolve(code.text)));
  inbox.push(utf8("HS-"));
  inbox.push(utf8("1\nHS-2"));
  expect(await next).toBe("HS-1");
  unplug();
  expect((await scanner.lost).kind).toBe("device_absent");
  await scanner.close();
});
