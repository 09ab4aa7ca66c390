import { expect, test } from "vitest";
import { faultRow } from "../../test/support/fault.js";
import { manualClock } from "../kernel/clock.js";
import { DeviceError } from "../kernel/errors.js";
import { Bay } from "./bay.js";
import { bayContext, scriptedPrinter, settle } from "./testing/devices.js";
import { caller } from "./testing/fakes.js";

function started() {
  const clock = manualClock();
  const { script, spec } = scriptedPrinter();
  let changes = 0;
  const bay = new Bay(spec, bayContext(clock), () => void changes++);
  return { clock, script, spec, bay, changes: () => changes };
}
const never = new AbortController().signal;
const hang = (): Promise<never> => new Promise(() => {});

test("opens, is lost, comes back, and tells the reason meanwhile", async () => {
  const { clock, script, bay } = started();
  bay.start();
  await settle();
  expect(bay.snapshot()).toMatchObject({ state: "ready", identity: { model: "Scripted" } });
  script.open = () => Promise.reject(new DeviceError("device_absent", { hint: "Plug it in" }));
  script.lose();
  await settle();
  expect(bay.snapshot().state).toBe("opening");
  await clock.advance(200);
  expect(bay.snapshot()).toMatchObject({ state: "absent", reason: { kind: "device_absent", hint: "Plug it in", device: "receipt" } });
  await expect(bay.opened(never)).rejects.toMatchObject({ kind: "device_absent" });
  script.open = async () => {};
  await clock.advance(3_000);
  expect(bay.snapshot().state).toBe("ready");
  await bay.stop();
});

test("a driver that throws something of its own is a fault with a name, and is tried again", async () => {
  const { clock, script, bay } = started();
  script.open = () => Promise.reject(new TypeError("x of undefined"));
  bay.start();
  await settle();
  expect(bay.snapshot()).toMatchObject({ state: "faulted", reason: { kind: "device_fault", message: "the driver failed" } });
  await clock.advance(5_000);
  expect(script.opens).toBeGreaterThan(2);
  await bay.stop();
});

faultRow({
  device: "agent",
  fault: "A device hangs while it is opened",
  sees: "`faulted`, `device_fault`",
  does: "gives the opening up and tries again",
  bounds: ["opening", "tryAgain"],
});
test("an opening that hangs ends as a fault, and the device it yields too late is closed", async () => {
  const { clock, script, bay } = started();
  let finish = (): void => {};
  let closed = 0;
  script.close = async () => void closed++;
  script.open = () =>
    new Promise((resolve) => {
      finish = resolve;
    });
  bay.start();
  await clock.advance(20_001);
  expect(bay.snapshot()).toMatchObject({ state: "faulted", reason: { kind: "device_fault" } });
  const late = finish;
  script.open = async () => {};
  late();
  await settle();
  expect(closed).toBe(1);
  await bay.stop();
});

faultRow({
  device: "agent",
  fault: "A driver hangs",
  sees: "`canceled`; the next request is served",
  does: "cuts it off and opens its device anew",
  bounds: ["stopping"],
});
test("a driver that ignores the signal is cut off and its device opened anew; the next request is served", async () => {
  const { clock, script, bay } = started();
  bay.start();
  await settle();
  const controller = new AbortController();
  const stuck = bay.use("printer.cut", controller.signal, hang);
  const next = bay.use("printer.cut", never, async () => "served");
  stuck.catch(() => {});
  await settle();
  expect(bay.snapshot()).toMatchObject({ state: "busy", queue: { length: 1, running: "printer.cut" } });
  controller.abort(new DeviceError("canceled"));
  await clock.advance(2_500);
  await expect(stuck).rejects.toMatchObject({ kind: "canceled" });
  await expect(next).resolves.toBe("served");
  expect(script.opens).toBe(2);
  await bay.stop();
});

test("work on a device that is lost rejects even where the driver does not", async () => {
  const { script, bay } = started();
  bay.start();
  await settle();
  const stuck = bay.use("printer.cut", never, hang);
  stuck.catch(() => {});
  await settle();
  script.lose();
  await expect(stuck).rejects.toMatchObject({ kind: "device_absent", device: "receipt" });
  await bay.stop();
});

test("a driver that floods its condition changes nothing that it had not said before", async () => {
  const { script, bay, changes } = started();
  bay.start();
  await settle();
  const context = script.contexts[0];
  const reason = new DeviceError("paper_out");
  const before = changes();
  for (let flood = 0; flood < 10_000; flood++) context?.report({ state: "attention", reason });
  expect(changes() - before).toBe(1);
  expect(bay.snapshot()).toMatchObject({ state: "attention", reason: { kind: "paper_out" } });
  context?.report({ state: "ready" });
  expect(bay.snapshot().state).toBe("ready");
  await bay.stop();
});

test("a condition of an opening that is over is not believed", async () => {
  const { clock, script, bay } = started();
  bay.start();
  await settle();
  const old = script.contexts[0];
  script.lose();
  await clock.advance(200);
  old?.report({ state: "faulted", reason: new DeviceError("device_fault") });
  expect(bay.snapshot().state).toBe("ready");
  await bay.stop();
});

test("first come, first served; who gives up in the queue does not run", async () => {
  const { bay } = started();
  bay.start();
  await settle();
  const order: string[] = [];
  let release = (): void => {};
  const first = bay.use("a", never, () => {
    order.push("a");
    return new Promise<void>((resolve) => {
      release = resolve;
    });
  });
  const controller = new AbortController();
  const second = bay.use("b", controller.signal, async () => void order.push("b"));
  const third = bay.use("c", never, async () => void order.push("c"));
  await settle();
  controller.abort(new DeviceError("timeout"));
  await expect(second).rejects.toMatchObject({ kind: "timeout" });
  release();
  await Promise.all([first, third]);
  expect(order).toEqual(["a", "c"]);
  await bay.stop();
});

test("a queue has an end", async () => {
  const { bay } = started();
  bay.start();
  await settle();
  const running = bay.use("a", never, hang);
  running.catch(() => {});
  await settle();
  const waiting = Array.from({ length: 64 }, () => bay.use("b", never, hang));
  for (const one of waiting) one.catch(() => {});
  await expect(bay.use("c", never, hang)).rejects.toMatchObject({ kind: "rate_limited" });
  await bay.stop();
});

test("a claim holds others off, names its holder without the session, and expires", async () => {
  const { clock, bay } = started();
  bay.start();
  await settle();
  const until = bay.claims.take(caller("one"), 5_000);
  expect(() => bay.claims.check(caller("two"))).toThrow(
    expect.objectContaining({ kind: "busy", details: { client: "client-one 1", until } }),
  );
  expect(() => bay.claims.release(caller("two"), false)).toThrow(expect.objectContaining({ kind: "busy" }));
  expect(JSON.stringify(bay.snapshot())).not.toContain('"session"');
  await clock.advance(5_001);
  bay.claims.check(caller("two"));
  expect(bay.claims.release(caller("one"), false)).toBeUndefined();
  await bay.stop();
});

test("a device that does not close keeps nobody waiting", async () => {
  const { clock, script, bay } = started();
  bay.start();
  await settle();
  script.close = hang;
  const stopped = bay.stop();
  await clock.advance(2_001);
  await stopped;
  expect(bay.snapshot().state).toBe("disabled");
});
