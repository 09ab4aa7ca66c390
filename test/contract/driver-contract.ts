import { expect, it } from "vitest";
import type { FarEnd, Simulator } from "../../simulators/simulator.js";
import type { AnyDriver, Condition, DriverContext, OpenDevice } from "../../src/contracts/driver.js";
import { systemClock } from "../../src/kernel/clock.js";
import { deadline, raceSignal } from "../../src/kernel/deadline.js";
import { DeviceError, ERROR_KINDS } from "../../src/kernel/errors.js";
import type { Connect } from "../../src/kernel/link.js";
import { silentLog } from "../../src/kernel/log.js";
import { seededRandom } from "../../src/kernel/random.js";
import { faultRow } from "../support/fault.js";
import type { FarEndOfDriver } from "./far-ends.js";
import type { Wire, WireKind } from "./wires.js";

/** Deadlines of drivers run out so many times as fast: a silent device costs a test little. */
const HASTE = 10;
/** Far beyond any driver's own deadline: who takes longer hangs. */
const HANG_MS = 20_000;
const GARBAGE_BYTES = 32 * 1024;
const FLOOD_BYTES = 256 * 1024;

const never = new AbortController().signal;

/** The outcome, or a failure of the test where none comes. */
async function settles<T>(work: Promise<T>, what: string): Promise<T> {
  using limit = deadline(systemClock(), HANG_MS, undefined, `${what} hangs`);
  return await raceSignal(work, limit.signal);
}

interface Bench extends AsyncDisposable {
  readonly wire: Wire;
  readonly conditions: readonly Condition[];
  /** The link's end at the device, to send what no simulator sends. */
  readonly far: Promise<FarEnd>;
  /** From now on the device hears nothing, and so answers nothing. */
  deafen(): void;
  open(signal?: AbortSignal, connect?: Connect): Promise<OpenDevice>;
}

async function bench(driver: AnyDriver, { settings, simulate, over }: FarEndOfDriver, kind: WireKind): Promise<Bench> {
  const clock = systemClock(HASTE);
  const random = seededRandom(7);
  const conditions: Condition[] = [];
  const opened: OpenDevice[] = [];
  const ended = new AbortController();
  const simulator: Simulator = simulate({ clock, random, changed() {} });
  const wire = await kind.lay();
  let deaf = false;
  const far = wire.plugged();
  void far.then((end) => {
    if (!ended.signal.aborted) simulator.attach({ ...end, read: heard(end) });
  });
  /** Reads on, so that the wire does not stall, and keeps to itself what it reads. */
  const heard = (end: FarEnd): FarEnd["read"] => {
    return async (signal) => {
      for (;;) {
        const bytes = await end.read(signal);
        if (!deaf) return bytes;
      }
    };
  };
  const context = (signal: AbortSignal, connect: Connect): DriverContext<never> => ({
    device: "device",
    // Which of the two it is, the driver's class tells; a list of drivers has forgotten it.
    connect: (over?.(connect, clock) ?? connect) as Connect<never>,
    clock,
    random,
    log: silentLog,
    signal,
    imaging: { draw: () => Promise.reject(new DeviceError("unsupported")), png: () => Promise.reject(new DeviceError("unsupported")) },
    simulated: true,
    report: (condition) => conditions.push(condition),
  });
  return {
    wire,
    conditions,
    far,
    deafen() {
      deaf = true;
    },
    async open(signal = ended.signal, connect = wire.connect) {
      const device = await driver.open(driver.config.parse(settings), context(signal, connect));
      opened.push(device);
      return device;
    },
    async [Symbol.asyncDispose]() {
      await Promise.all(opened.map((device) => device.close()));
      ended.abort();
      await simulator.close();
      await wire[Symbol.asyncDispose]();
    },
  };
}

/** What rejects does so with an error of the closed list, and with a hint. */
function expectDeviceError(thrown: unknown): DeviceError {
  expect(thrown).toBeInstanceOf(DeviceError);
  const error = thrown as DeviceError;
  expect(ERROR_KINDS).toHaveProperty(error.kind);
  expect(error.hint.length).toBeGreaterThan(0);
  return error;
}

const json = (value: unknown): unknown => JSON.parse(JSON.stringify(value));

/** The rules of src/contracts/driver.ts, as tests of one driver over one kind of wire. */
export function driverContract(driver: AnyDriver, farEnd: FarEndOfDriver, kind: WireKind): void {
  it("opens, says who it is and what it can do in JSON, and closes as often as it is told", async () => {
    await using on = await bench(driver, farEnd, kind);
    const device = await settles(on.open(), "opening");
    expect(on.conditions.at(-1)).toMatchObject({ state: "ready" });
    expect(json(device.identity)).toEqual(device.identity);
    expect(json(device.capabilities)).toEqual(device.capabilities);
    let checks = await settles(device.selfTest(never), "the self-test");
    // A device has a second to answer; a busy machine may take that away from it, but not again and again.
    for (let again = 0; again < 2 && !checks.every(({ ok }) => ok); again++)
      checks = await settles(device.selfTest(never), "the self-test");
    expect(checks.length).toBeGreaterThan(0);
    for (const check of checks) expect(check).toMatchObject({ ok: true });
    await settles(Promise.all([device.close(), device.close()]), "closing");
    await settles(device.close(), "closing again");
    await expect(device.selfTest(never)).rejects.toMatchObject({ kind: "device_absent" });
  });

  it("refuses a device that is not there, with a hint", async () => {
    await using on = await bench(driver, farEnd, kind);
    const refused = await settles(on.open(undefined, await kind.absent()).catch(expectDeviceError), "opening");
    expect(refused).toMatchObject({ kind: "device_absent" });
  });

  it("does not open where the signal has aborted before", async () => {
    await using on = await bench(driver, farEnd, kind);
    const reason = new DeviceError("shutting_down");
    await expect(settles(on.open(AbortSignal.abort(reason)), "opening")).rejects.toBe(reason);
  });

  it("leaves nothing behind when the signal aborts in the middle of the opening, or later", async () => {
    await using on = await bench(driver, farEnd, kind);
    on.deafen();
    const reason = new DeviceError("shutting_down");
    const controller = new AbortController();
    let linkClosed: Promise<void> = Promise.resolve();
    const opening = on.open(controller.signal, async (signal) => {
      const link = await on.wire.connect(signal);
      linkClosed = link.closed;
      // In the middle: the link is made, and the driver has not been told yet or has just begun to ask.
      setImmediate(() => controller.abort(reason));
      return link;
    });
    const outcome = await settles(
      opening.then(
        () => "opened",
        (thrown: unknown) => thrown,
      ),
      "opening",
    );
    if (outcome !== "opened") expect(outcome).toBe(reason);
    await settles(linkClosed, "closing of the link");
  });

  it("is lost, once, when the far end vanishes, and what is under way rejects", async () => {
    await using on = await bench(driver, farEnd, kind);
    const device = await settles(on.open(), "opening");
    on.deafen();
    const asking = device.selfTest(never).then(() => undefined, expectDeviceError);
    await on.wire.unplug();
    expectDeviceError(await settles(device.lost, "the loss"));
    expect(await settles(asking, "the self-test")).toBeDefined();
    expectDeviceError(
      await settles(
        device.selfTest(never).catch((thrown: unknown) => thrown),
        "a later self-test",
      ),
    );
    await settles(device.close(), "closing");
  });

  faultRow({
    device: "agent",
    fault: "Any device sends garbage, or more than anybody can read",
    sees: "at worst a device that is absent and comes back",
    does: "stays within bounds, with every driver over every wire",
    bounds: ["tryAgain"],
  });
  it("survives garbage and floods, or is lost in good order", async () => {
    await using on = await bench(driver, farEnd, kind);
    const device = await settles(on.open(), "opening");
    const far = await on.far;
    const random = seededRandom(11);
    const sent = (async () => {
      for (let count = 0; count < GARBAGE_BYTES; count += 512) await far.write(random.bytes(512), never);
      await far.write(new Uint8Array(FLOOD_BYTES).fill(0x41), never);
    })().catch(() => {});
    const lost = device.lost.then((reason) => expectDeviceError(reason));
    await settles(Promise.race([sent, lost]), "the flood");
    await settles(Promise.race([device.selfTest(never).then(() => undefined, expectDeviceError), lost]), "the self-test");
    await settles(device.close(), "closing");
  });
}
