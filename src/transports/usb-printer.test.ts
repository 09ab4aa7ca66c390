import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { systemClock } from "../kernel/clock.js";
import type { Link } from "../kernel/link.js";
import { type UsbPrinterDevice, usbPrinter } from "./usb-printer.js";
import { findInSysfs, type UsbSettings } from "./usb-sysfs.js";

const never = new AbortController().signal;
const settings: UsbSettings = { kind: "usb", vendorId: 0x04b8, productId: 0x0202, hosted: false };

type Endpoint = { endpointNumber: number; direction: "in" | "out"; type: "bulk"; packetSize: number };
const OUT: Endpoint = { endpointNumber: 1, direction: "out", type: "bulk", packetSize: 64 };
const IN: Endpoint = { endpointNumber: 2, direction: "in", type: "bulk", packetSize: 64 };

/** A printer as the library shows one: steps are recorded, written bytes kept, answers handed out one packet at a time. */
function fakePrinter(alternates: { interfaceProtocol: number; interfaceClass?: number; endpoints: Endpoint[] }[]) {
  const steps: string[] = [];
  const paper: number[] = [];
  const answers: Uint8Array[] = [];
  let failure: Error | undefined;
  const step = (name: string) => async (): Promise<void> => void steps.push(name);
  const configuration = {
    interfaces: [
      { interfaceNumber: 0, alternates: [{ interfaceClass: 3, interfaceProtocol: 0, alternateSetting: 0, endpoints: [] }] },
      {
        interfaceNumber: 1,
        alternates: alternates.map((alternate, alternateSetting) => ({ interfaceClass: 7, alternateSetting, ...alternate })),
      },
    ],
  } as unknown as USBConfiguration;
  const device: UsbPrinterDevice = {
    vendorId: settings.vendorId,
    productId: settings.productId,
    configuration,
    open: step("open"),
    close: step("close"),
    claimInterface: async (number) => void steps.push(`claim ${number}`),
    releaseInterface: async (number) => void steps.push(`release ${number}`),
    selectAlternateInterface: async (_number, alternate) => void steps.push(`alternate ${alternate}`),
    async detachKernelDriver() {
      steps.push("detach");
      throw new Error("detachKernelDriver error: no driver");
    },
    attachKernelDriver: step("attach"),
    async transferIn(_endpoint, length) {
      if (failure) throw failure;
      const answer = answers.shift();
      if (answer) {
        expect(answer.length).toBeLessThanOrEqual(length);
        return { data: new DataView(answer.buffer, answer.byteOffset, answer.byteLength) };
      }
      await new Promise((resolve) => setImmediate(resolve));
      throw new Error("transferIn error: Cancelled");
    },
    async transferOut(_endpoint, data) {
      if (failure) throw failure;
      // Short writes are normal.
      const taken = data.subarray(0, 100);
      paper.push(...taken);
      return { bytesWritten: taken.length, status: "ok" };
    },
  };
  const unplug = (): void => {
    failure = new Error("transfer error: Disconnected");
  };
  return { device, steps, paper, answers, unplug };
}

async function connected(device: UsbPrinterDevice): Promise<Link> {
  return await usbPrinter(settings, systemClock(), async () => device)(never);
}

describe("a USB printer", () => {
  it("claims the two-way setting, prints all of it, answers, and is given back", async () => {
    const printer = fakePrinter([
      { interfaceProtocol: 1, endpoints: [OUT] },
      { interfaceProtocol: 2, endpoints: [OUT, IN] },
    ]);
    const link = await connected(printer.device);
    expect(printer.steps).toEqual(["open", "detach", "claim 1", "alternate 1"]);
    const sent = Uint8Array.from({ length: 10_000 }, (_, index) => index & 0xff);
    await link.write(sent, never);
    expect(Uint8Array.from(printer.paper)).toEqual(sent);
    printer.answers.push(new Uint8Array([0, 0x12, 0x13]).subarray(1));
    expect(await link.read(never)).toEqual(new Uint8Array([0x12, 0x13]));
    await link.close();
    expect(printer.steps.slice(4)).toEqual(["release 1", "attach", "close"]);
  });

  it("ends when it is unplugged", async () => {
    const printer = fakePrinter([{ interfaceProtocol: 2, endpoints: [OUT, IN] }]);
    const link = await connected(printer.device);
    const read = expect(link.read(never)).rejects.toMatchObject({ kind: "device_absent" });
    printer.unplug();
    await Promise.all([read, link.closed]);
  });

  it("works with a one-way printer, whose unplugging shows at the next write", async () => {
    const printer = fakePrinter([{ interfaceProtocol: 1, endpoints: [OUT] }]);
    const link = await connected(printer.device);
    await link.write(new Uint8Array([1]), never);
    printer.unplug();
    await expect(link.write(new Uint8Array([1]), never)).rejects.toMatchObject({ kind: "device_absent" });
    await link.closed;
  });

  it("refuses what is no printer, and closes it again", async () => {
    for (const alternate of [
      { interfaceProtocol: 4, endpoints: [OUT, IN] },
      { interfaceProtocol: 2, interfaceClass: 8, endpoints: [OUT, IN] },
    ]) {
      const other = fakePrinter([alternate]);
      await expect(connected(other.device)).rejects.toMatchObject({ kind: "unsupported" });
      expect(other.steps).toEqual(["open", "close"]);
    }
  });

  it("says busy when another program holds the interface", async () => {
    const { device } = fakePrinter([{ interfaceProtocol: 2, endpoints: [OUT, IN] }]);
    const held = { ...device, claimInterface: () => Promise.reject(new Error("claimInterface error: interface is busy")) };
    await expect(connected(held)).rejects.toMatchObject({ kind: "busy" });
  });
});

describe("findInSysfs", () => {
  it("finds the device by its numbers and serial", async () => {
    const root = await mkdtemp(join(tmpdir(), "stationd-sysfs-"));
    try {
      for (const [name, serial] of [
        ["1-2", "A"],
        ["1-3", "B"],
      ] as const) {
        await mkdir(join(root, name));
        await writeFile(join(root, name, "idVendor"), "04b8\n");
        await writeFile(join(root, name, "idProduct"), "0202\n");
        await writeFile(join(root, name, "serial"), `${serial}\n`);
      }
      await mkdir(join(root, "usb1"));
      expect(await findInSysfs(settings, root)).toMatch(/1-2$/);
      expect(await findInSysfs({ ...settings, serial: "B" }, root)).toMatch(/1-3$/);
      expect(await findInSysfs({ ...settings, serial: "C" }, root)).toBeUndefined();
      expect(await findInSysfs(settings, join(root, "none"))).toBeUndefined();
    } finally {
      await rm(root, { recursive: true });
    }
  });
});
