import type { DriverContext } from "../../../contracts/driver.js";
import { deadline, within } from "../../../kernel/deadline.js";
import { asDeviceError } from "../../../kernel/errors.js";
import type { HidLink } from "../../../kernel/hid.js";

/**
 * Honeywell's "redirect output": a scanner that is a keyboard and a HID POS device in one sends codes to the interface of
 * this number. 1 is HID POS.
 */
const REDIRECT_TO_POS = Uint8Array.of(254, 1);
const WRITE_WITHIN_MS = 2_000;
/** Some leave the bus and come back in the new mode; one that is still there after this stays. */
const LEAVES_WITHIN_MS = 1_000;
const RETURNS_WITHIN_MS = 10_000;
const RETRY_MS = 250;

type Context = Pick<DriverContext<HidLink>, "connect" | "clock" | "log" | "device" | "signal">;

/**
 * A link to the scanner after it was told to send codes over it. Told once per opening, so that one which leaves the bus
 * each time is not sent round in circles. A pure HID POS scanner needs no telling and may refuse it: that is no fault.
 */
export async function connectSwitched({ connect, clock, log, device, signal }: Context): Promise<HidLink> {
  const link = await connect(signal);
  try {
    await within(clock, WRITE_WITHIN_MS, signal, (limit) => link.sendFeature(REDIRECT_TO_POS, limit)).catch((thrown: unknown) => {
      signal.throwIfAborted();
      log.info("scanner took no mode switch", { device, kind: asDeviceError(thrown).kind });
    });
    const leaving = link.closed.then(() => "left" as const);
    if ((await Promise.race([leaving, clock.sleep(LEAVES_WITHIN_MS, signal)])) !== "left") return link;
  } catch (thrown) {
    await link.close();
    throw thrown;
  }
  await link.close();
  return await returned(connect, clock, signal);
}

async function returned(connect: Context["connect"], clock: Context["clock"], signal: AbortSignal): Promise<HidLink> {
  using limit = deadline(clock, RETURNS_WITHIN_MS, signal);
  for (;;) {
    try {
      return await connect(limit.signal);
    } catch (thrown) {
      signal.throwIfAborted();
      if (limit.signal.aborted || asDeviceError(thrown).kind !== "device_absent") throw thrown;
      await clock.sleep(RETRY_MS, limit.signal).catch(() => {
        signal.throwIfAborted();
        throw thrown;
      });
    }
  }
}
