import { EventEmitter } from "node:events";
import { mkdir, mkdtemp, realpath, rename, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { systemClock } from "../kernel/clock.js";
import { DeviceError } from "../kernel/errors.js";
import type { HidLink } from "../kernel/hid.js";
import { type Logger, silentLog } from "../kernel/log.js";
import { hid } from "./hid.js";
import { type HidLibraryDevice, hidOpenFailure, localHid, type OpenHid } from "./hid-device.js";
import { findHidNode, type HidRoots, type HidSettings, hidSocket } from "./hid-sysfs.js";
import { hostedHid } from "./host/hid-host.js";
import { LinkSettings } from "./settings.js";

const never = new AbortController().signal;
const KEYBOARD = Uint8Array.of(0x05, 0x01, 0x09, 0x06, 0xa1, 0x01, 0xc0);
const SCANNER = Uint8Array.of(0x05, 0x8c, 0x09, 0x02, 0xa1, 0x01, 0xc0);
/** The same page, in the long form. */
const SCANNER_LONG = Uint8Array.of(0x06, 0x8c, 0x00, 0x09, 0x02, 0xa1, 0x01, 0xc0);
const VENDOR = Uint8Array.of(0x06, 0x8c, 0xff, 0x09, 0x02, 0xa1, 0x01, 0xc0);

let roots: HidRoots;
let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "stationd-hidraw-"));
  roots = { sysfs: join(folder, "sys"), dev: join(folder, "dev") };
  await mkdir(roots.sysfs);
  await mkdir(roots.dev);
});
afterEach(() => rm(folder, { recursive: true }));

interface Plugged {
  readonly id?: string;
  readonly serial?: string;
  readonly descriptor?: Uint8Array;
}

async function plug(number: number, { id = "0003:00000C2E:00000B81", serial = "", descriptor = SCANNER }: Plugged = {}): Promise<void> {
  const device = join(roots.sysfs, `hidraw${number}`, "device");
  await mkdir(device, { recursive: true });
  const lines = ["DRIVER=hid-generic", `HID_ID=${id}`, "HID_NAME=Honeywell Scanner", "HID_PHYS=usb-1/input0", `HID_UNIQ=${serial}`];
  await writeFile(join(device, "uevent"), `${lines.join("\n")}\n`);
  await writeFile(join(device, "report_descriptor"), descriptor);
  await writeFile(join(roots.dev, `hidraw${number}`), "");
}

function settings(more: Partial<HidSettings> = {}): HidSettings {
  return LinkSettings.parse({ kind: "hid", vendorId: 0x0c2e, productId: 0x0b81, hosted: false, ...more }) as HidSettings;
}

const found = async (more?: Partial<HidSettings>): Promise<string | undefined> =>
  (await findHidNode(settings(more), roots))?.path.slice(roots.dev.length + 1);

describe("finding a HID device in sysfs", () => {
  it("goes by vendor, product and serial", async () => {
    await plug(0, { id: "0003:000004D9:0000A088" });
    await plug(2, { serial: "A" });
    await plug(10, { serial: "B" });
    expect(await found()).toBe("hidraw2");
    expect(await found({ serial: "B" })).toBe("hidraw10");
    expect(await found({ serial: "C" })).toBeUndefined();
    expect(await found({ productId: 0x0b82 })).toBeUndefined();
    expect((await findHidNode(settings(), roots))?.reportDescriptor).toEqual(SCANNER);
  });

  it.each([SCANNER, SCANNER_LONG])("takes the scanner's interface before the maker's own and the keyboard's", async (descriptor) => {
    await plug(0, { descriptor: KEYBOARD });
    expect(await found()).toBe("hidraw0");
    await plug(1, { descriptor: VENDOR });
    expect(await found()).toBe("hidraw1");
    await plug(2, { descriptor });
    expect(await found()).toBe("hidraw2");
  });

  it("tells the socket, which is the same when it is plugged in again and counted on", async () => {
    const usb = join(folder, "devices", "1-2", "1-2:1.0");
    await mkdir(usb, { recursive: true });
    for (const number of [3, 4]) {
      await plug(number);
      const device = join(roots.sysfs, `hidraw${number}`, "device");
      await rename(device, join(usb, `0003:0C2E:0B81.000${number}`));
      await symlink(join(usb, `0003:0C2E:0B81.000${number}`), device);
      expect(await hidSocket(settings(), roots)).toBe(await realpath(usb));
      await rm(join(roots.sysfs, `hidraw${number}`), { recursive: true });
    }
    expect(await hidSocket(settings(), roots)).toBeUndefined();
  });

  it("passes over what has no descriptor, or one that no kernel would have", async () => {
    await plug(0, { descriptor: new Uint8Array() });
    await plug(1, { descriptor: new Uint8Array(4_097) });
    await mkdir(join(roots.sysfs, "hidraw2"));
    expect(await found()).toBeUndefined();
    expect(await findHidNode(settings(), { sysfs: join(folder, "none"), dev: "/dev" })).toBeUndefined();
  });
});

/** The library's device, with what the test plugged in behind it. */
function library() {
  const emitter = new EventEmitter();
  const written: string[] = [];
  const opened: string[] = [];
  const device: HidLibraryDevice = Object.assign(emitter, {
    write: async (report: Buffer) => written.push(`out ${report.toString("hex")}`),
    async sendFeatureReport(report: Buffer) {
      if (report[0] === 9) throw new TypeError("could not send feature report to device");
      return written.push(`feature ${report.toString("hex")}`);
    },
    close: async () => void written.push("closed"),
  });
  const open: OpenHid = async (path) => {
    opened.push(path);
    return device;
  };
  return { emitter, written, opened, open };
}

describe("a HID device", () => {
  it("passes reports both ways, one by one, and closes once", async () => {
    await plug(3);
    const { emitter, written, opened, open } = library();
    const link = await localHid(settings(), systemClock(), roots, open)(never);
    expect(link).toMatchObject({ description: "hid 0c2e:0b81", reportDescriptor: SCANNER });
    expect(opened).toEqual([join(roots.dev, "hidraw3")]);
    emitter.emit("data", Buffer.of(2, 1));
    emitter.emit("data", Buffer.of(2, 2));
    expect(await link.read(never)).toEqual(Uint8Array.of(2, 1));
    expect(await link.read(never)).toEqual(Uint8Array.of(2, 2));
    await link.write(Uint8Array.of(4, 4), never);
    await link.sendFeature(Uint8Array.of(254, 1), never);
    await expect(link.sendFeature(Uint8Array.of(9, 1), never)).rejects.toMatchObject({ kind: "device_fault", retryable: false });
    await Promise.all([link.close(), link.close()]);
    expect(written).toEqual(["out 0404", "feature fe01", "closed"]);
    await expect(link.sendFeature(Uint8Array.of(254, 1), never)).rejects.toMatchObject({ kind: "device_absent" });
  });

  it("ends when it is unplugged, which the library tells as a string, or not at all", async () => {
    await plug(3);
    const told = library();
    const link = await localHid(settings(), systemClock(), roots, told.open)(never);
    const read = expect(link.read(never)).rejects.toMatchObject({ kind: "device_absent" });
    told.emitter.emit("error", "could not read from HID device");
    await Promise.all([read, link.closed]);

    const silent = await localHid(settings(), systemClock(100), roots, library().open)(never);
    await rm(join(roots.dev, "hidraw3"));
    await silent.closed;
    await expect(silent.read(never)).rejects.toMatchObject({ kind: "device_absent" });
  });

  it("closes a device that opens after it was given up", async () => {
    await plug(3);
    const { written, open } = library();
    const reason = new DeviceError("shutting_down");
    const controller = new AbortController();
    const late: OpenHid = async (path) => {
      controller.abort(reason);
      await pause(0);
      return await open(path);
    };
    await expect(localHid(settings(), systemClock(), roots, late)(controller.signal)).rejects.toBe(reason);
    while (written.length === 0) await pause(1);
    expect(written).toEqual(["closed"]);
  });

  it("is absent with a hint where it is not plugged in", async () => {
    const connect = hid(settings({ vendorId: 1, productId: 2 }), { clock: systemClock(), log: silentLog });
    await expect(connect(never)).rejects.toMatchObject({ kind: "device_absent", hint: expect.stringContaining("lsusb") });
  });

  it("says what to install, whom to let in, and who holds it", () => {
    const why = (text: string): DeviceError => hidOpenFailure("hid 1:2", new TypeError(text));
    expect(why("libudev.so.1: cannot open shared object file: No such file or directory")).toMatchObject({
      kind: "unsupported",
      retryable: false,
      hint: expect.stringContaining("libusb-1.0-0"),
    });
    expect(why("cannot open device with path /dev/hidraw0: Permission denied")).toMatchObject({
      kind: "device_fault",
      hint: expect.stringContaining("group stationd"),
    });
    expect(why("cannot open device with path /dev/hidraw0: Device or resource busy").kind).toBe("busy");
    expect(why("cannot open device with path /dev/hidraw0: No such device").kind).toBe("device_absent");
    expect(why("something else").kind).toBe("device_fault");
  });

  it("fails in good order in the real library, whatever the node is", async () => {
    await plug(3);
    // A file is no hidraw device.
    await expect(localHid(settings(), systemClock(), roots)(never)).rejects.toMatchObject({ name: "DeviceError" });
    await rm(join(roots.dev, "hidraw3"));
    await expect(localHid(settings(), systemClock(), roots)(never)).rejects.toMatchObject({ kind: "device_absent" });
  });
});

describe("a hosted HID device", () => {
  const entry = new URL("./host/testing/echoing-hid-entry.js", import.meta.url);
  let pids: number[];
  const links: HidLink[] = [];
  const log: Logger = {
    ...silentLog,
    with: () => log,
    debug: (event, fields) => event === "child started" && fields?.pid && pids.push(fields.pid),
  };
  const alive = (pid: number): boolean => {
    try {
      return process.kill(pid, 0);
    } catch {
      return false;
    }
  };
  const connected = async (): Promise<HidLink> => {
    const link = await hostedHid(settings(), { clock: systemClock(), log }, entry, roots)(never);
    links.push(link);
    return link;
  };
  beforeEach(() => {
    pids = [];
  });
  afterEach(async () => {
    for (const link of links.splice(0)) await link.close();
    // The last one waits for its device.
    for (const pid of pids) if (alive(pid)) process.kill(pid, "SIGKILL");
    for (const pid of pids) while (alive(pid)) await pause(5);
  });

  it("passes descriptor, reports and refusals through its child", async () => {
    await plug(3);
    const link = await connected();
    expect(link).toMatchObject({ description: "hid 0c2e:0b81 (hosted)", reportDescriptor: SCANNER });
    await link.write(Uint8Array.of(4, 4), never);
    expect(await link.read(never)).toEqual(Uint8Array.of(4, 4));
    await link.sendFeature(Uint8Array.of(254, 1), never);
    expect(await link.read(never)).toEqual(new Uint8Array([...Buffer.from("feature "), 254, 1]));
    await expect(link.sendFeature(Uint8Array.of(9), never)).rejects.toMatchObject({ kind: "device_fault" });
    await link.close();
    await expect(link.sendFeature(Uint8Array.of(254, 1), never)).rejects.toMatchObject({ kind: "device_absent" });
  });

  it("ends with its device, and with its child", async () => {
    await plug(3);
    const unplugged = await connected();
    const read = expect(unplugged.read(never)).rejects.toMatchObject({ kind: "device_absent" });
    // It ends in the middle of this.
    await unplugged.write(Uint8Array.of(255), never).catch(() => {});
    await Promise.all([read, unplugged.closed]);

    const killed = await connected();
    process.kill(pids.at(-1) ?? 0, "SIGKILL");
    await killed.closed;
    await expect(killed.sendFeature(Uint8Array.of(254, 1), never)).rejects.toMatchObject({ kind: "device_absent" });
  });

  it("starts no child for a device that is not there, and leaves none when the library fails", async () => {
    await expect(connected()).rejects.toMatchObject({ kind: "device_absent" });
    expect(pids).toEqual([]);
    await plug(3);
    await rm(join(roots.dev, "hidraw3"));
    // The real entry, the real library.
    await expect(hostedHid(settings(), { clock: systemClock(), log }, undefined, roots)(never)).rejects.toMatchObject({
      kind: "device_absent",
    });
    expect(pids).toHaveLength(1);
  });
});
