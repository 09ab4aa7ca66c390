import { manualClock } from "../../kernel/clock.js";
import { asDeviceError } from "../../kernel/errors.js";
import { localHid } from "../hid-device.js";
import type { HidSettings } from "../hid-sysfs.js";

/**
 * The real library in a process of its own: `node hid-library-probe.js SYSFS DEV`. Sends an output and a feature report, tells
 * on stdout each report that comes and why the link ended, opens it once more, and closes that in the middle of a read.
 */
const [, , sysfs = "", dev = ""] = process.argv;
const settings: HidSettings = { kind: "hid", vendorId: 0x0c2e, productId: 0x0b81, hosted: false };
const never = new AbortController().signal;
// A clock that stands still never looks whether the node is there: what is told comes from the library.
const connect = localHid(settings, manualClock(), { sysfs, dev });

const first = await connect(never);
const reading = first.read(never).catch((thrown: unknown) => `closed: ${asDeviceError(thrown).kind}`);
await first.close();
process.stdout.write(`${await reading}\n`);

const link = await connect(never);
await link.write(Uint8Array.of(4, 4), never);
await link.sendFeature(Uint8Array.of(254, 1), never);
try {
  for (;;) process.stdout.write(`${Buffer.from(await link.read(never)).toString("hex")}\n`);
} catch (thrown) {
  const { kind, message } = asDeviceError(thrown);
  process.stdout.write(`${kind}: ${message}\n`);
}
await link.closed;
