import { mkdtemp, readdir, readFile, rename, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { startStation } from "../../src/testing.js";
import { openPtyPair, realSerialStack } from "../../src/transports/testing/pty.js";
import { faultRow } from "../support/fault.js";
import { untilDevice } from "./station.test.support.js";

const serial = await realSerialStack();

faultRow({
  device: "printer",
  fault: "Cable pulled while idle, or flapping",
  knobs: ["receipt-printer.unplug"],
  sees: "`absent`, then `ready`",
  does: "tries at once, then ever more slowly; a plug is tried at once",
  bounds: ["tryAgain"],
  measured: ["lab: printer-lp, pulled idle", "lab: printer-usb, pulled idle"],
});
it("a cable that flaps shows the device as disconnected for minutes (odoo#99911)", async () => {
  await using station = await startStation({ seed: 12 });
  const page = await station.connect();
  const print = async (idempotencyKey: string) =>
    await page.jobs.print({ document: { blocks: [{ type: "text", text: "Phiếu hẹn" }] }, idempotencyKey });
  for (let flap = 0; flap < 8; flap++) {
    await station.act("receipt", "unplug");
    await station.act("receipt", "plug");
  }
  await untilDevice(page, "receipt", "ready");
  expect(await print("after-flapping")).toMatchObject({ state: "printed" });
  // Pulled for good it is missed; back it works, and nobody has to press anything.
  await station.act("receipt", "unplug");
  await untilDevice(page, "receipt", "absent");
  await station.act("receipt", "plug");
  await untilDevice(page, "receipt", "ready");
  expect(await print("after-the-pull")).toMatchObject({ state: "printed" });
});

it("the agent dies or hangs on a machine without a USB bus (node-usb)", async () => {
  const usb = { kind: "usb", vendorId: 0x04b8, productId: 0x0e15 };
  await using station = await startStation({
    scenario: {
      devices: {
        receipt: { driver: "escpos", link: usb },
        scanner: { driver: "serial-scanner", link: { kind: "simulator", simulator: "barcode-scanner" } },
      },
    },
  });
  const page = await station.connect();
  const printer = await untilDevice(page, "receipt", "absent");
  expect(printer.reason).toMatchObject({ kind: "device_absent", hint: expect.stringMatching(/./) });
  const { text } = await page.call("barcodeScanner.scan", {}, { onProgress: () => void station.act("scanner", "scan", { text: "ALIVE" }) });
  expect(text).toBe("ALIVE");
});

describe.skipIf(!serial)("over real serial ports", () => {
  const scanner = (path: string) => ({
    devices: { scanner: { driver: "serial-scanner", link: { kind: "serial", path, baudRate: 9_600 } } },
  });
  const show = (far: string, text: string): Promise<void> => writeFile(far, `${text}\r`);

  faultRow({
    device: "agent",
    fault: "A device is plugged into another socket",
    sees: "the same device: `ready`",
    does: "goes by serial numbers and names that stay, never by the order of plugging",
    bounds: ["tryAgain"],
    measured: [
      "lab: printer-lp, in another socket",
      "lab: printer-usb, in another socket",
      "lab: scanner-hid, in another socket",
      "lab: scanner-acm, in another socket",
      "lab: terminal-acm, in another socket",
      "lab: terminal-ftdi, in another socket",
      "lab: reader, in another socket",
    ],
  });
  it("a device has another name after it was plugged in again, and is another one (SignalK#880)", async () => {
    const folder = await mkdtemp(join(tmpdir(), "stationd-name-"));
    const name = join(folder, "by-id-scanner");
    try {
      await using first = await openPtyPair();
      await symlink(first.a, name);
      await using station = await startStation({ scenario: scanner(name) });
      const page = await station.connect();
      const scan = async (far: string, text: string): Promise<string> =>
        (await page.call("barcodeScanner.scan", {}, { onProgress: () => void show(far, text) })).text;
      expect(await scan(first.b, "ONE")).toBe("ONE");
      // The kernel gives it another number; udev's name leads there.
      await using second = await openPtyPair();
      await symlink(second.a, `${name}.new`);
      await rename(`${name}.new`, name);
      await first.unplug();
      await untilDevice(page, "scanner", "opening").catch(() => {});
      await untilDevice(page, "scanner", "ready");
      expect((await page.call("devices.list", {})).devices.map(({ id }) => id)).toEqual(["scanner"]);
      expect(await scan(second.b, "TWO")).toBe("TWO");
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  });

  it("the driver is dead, and the process is up and says that all is well (zwave-js-server#416, SignalK#1566)", async () => {
    await using pair = await openPtyPair();
    await using station = await startStation({ scenario: scanner(pair.a) });
    const page = await station.connect();
    // The one that holds the port, and one that may be left from before.
    const hosts = await serialHosts();
    expect(hosts).not.toEqual([]);
    const waiting = page.call("barcodeScanner.scan", { timeoutMs: 120_000 });
    const refused = expect(waiting).rejects.toMatchObject({ device: "scanner" });
    for (const host of hosts) process.kill(host, "SIGSTOP");
    // Whoever waits is told, and a driver that works takes its place.
    await refused;
    await untilDevice(page, "scanner", "ready");
    const next = page.call("barcodeScanner.scan", {}, { onProgress: () => void show(pair.b, "ALIVE") });
    expect((await next).text).toBe("ALIVE");
    expect((await serialHosts()).filter((host) => hosts.includes(host))).toEqual([]);
  });
});

/** Children of this process, where the agent runs, that hold a serial port. */
async function serialHosts(): Promise<number[]> {
  const pids = (await readdir("/proc")).filter((name) => /^\d+$/.test(name));
  const found = await Promise.all(
    pids.map(async (pid) => {
      const [stat, command] = await Promise.all(
        [`/proc/${pid}/stat`, `/proc/${pid}/cmdline`].map((file) => readFile(file, "utf8").catch(() => "")),
      );
      const parent = Number(stat?.split(") ")[1]?.split(" ")[1]);
      return parent === process.pid && command?.includes("serial-host-entry") ? [Number(pid)] : [];
    }),
  );
  return found.flat();
}
