import { mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { parseConfig } from "../config/load.js";
import { type Machine, openMachine } from "../doctor/machine.js";
import { drivers } from "../drivers/index.js";
import { toJson, toToml } from "./found.js";
import { type Detected, detect } from "./index.js";

let root = "";
let detected: Detected;

const USB = "/sys/bus/usb/devices";
/** Page 0x8C, usage 2, a collection (HID POS Usage Tables 1.02). */
const HID_POS = Uint8Array.of(0x05, 0x8c, 0x09, 0x02, 0xa1, 0x01, 0xc0);
const KEYBOARD = Uint8Array.of(0x05, 0x01, 0x09, 0x06, 0xa1, 0x01, 0xc0);
/** What a device says of itself, meant to leave its line. */
const HOSTILE = 'Evil"\n[devices.x]\ndriver = "zvt';
const TOOLS: Readonly<Record<string, string>> = {
  pcsc_scan: "Using reader plug'n play mechanism\nScanning present readers...\n0: ACS ACR1252 [PICC] 00 00\n1: ACS ACR1252 [SAM] 01 00\n",
  scanimage:
    "epjitsu:libusb:001:004|FUJITSU ScanSnap|scanner\nv4l:/dev/video0|Noname Cam|virtual device\ntest:0|Noname frontend|virtual device\n",
  "avahi-browse _uscan._tcp":
    '=;eth0;IPv6;Office;_uscan._tcp;local;h.local;fe80::1;80;"rs=eSCL"\n=;eth0;IPv4;Office;_uscan._tcp;local;h.local;192.168.1.5;8080;"rs=eSCL" "ty=Brother MFC"\n=;eth0;IPv4;x;_uscan._tcp;local;h;$(reboot);80;"rs=a"\n',
};

async function put(path: string, content: string | Uint8Array): Promise<void> {
  await mkdir(dirname(join(root, path)), { recursive: true });
  await writeFile(join(root, path), content);
}
async function usb(name: string, vendor: string, product: string, words: string, classes: readonly string[], serial = ""): Promise<void> {
  for (const [field, value] of Object.entries({ idVendor: vendor, idProduct: product, product: words, serial }))
    await put(`${USB}/${name}/${field}`, `${value}\n`);
  for (const [index, code] of classes.entries()) {
    await put(`${USB}/${name}:1.${index}/bInterfaceClass`, `${code.slice(0, 2)}\n`);
    await put(`${USB}/${name}:1.${index}/bInterfaceProtocol`, `${code.slice(2)}\n`);
  }
}
async function hid(name: string, id: string, words: string, descriptor: Uint8Array): Promise<void> {
  await put(`/sys/class/hidraw/${name}/device/uevent`, `HID_ID=0003:${id}\nHID_NAME=${words}\nHID_UNIQ=\n`);
  await put(`/sys/class/hidraw/${name}/device/report_descriptor`, descriptor);
}
async function link(from: string, to: string): Promise<void> {
  await mkdir(dirname(join(root, from)), { recursive: true });
  await symlink(to, join(root, from));
}

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), "stationd-detect-"));
  await usb("1-1", "04b8", "0202", "TM-T20III", ["0702"], "A1");
  await usb("1-2", "04b8", "0202", "TM-T20III", ["0702"], "A2");
  await usb("1-3", "03f0", "1111", "Office printer", ["0704"]);
  await usb("1-4", "1234", "5678", HOSTILE, ["0701"]);
  await hid("hidraw0", "00000C2E:00000B81", "Honeywell Scanner", HID_POS);
  await hid("hidraw1", "00001EAB:00000001", "Newland", KEYBOARD);
  await hid("hidraw2", "0000046D:00000001", "Desk keyboard", KEYBOARD);
  await put("/dev/ttyACM0", "");
  await put("/dev/ttyUSB0", "");
  await link("/dev/serial/by-id/usb-Newland_FM430-if00", "../../ttyACM0");
  await link("/dev/serial/by-id/usb-FTDI_Cable-if00", "../../ttyUSB0");
  await link("/dev/serial/by-path/pci-0-usb-0", "../../ttyUSB0");
  await put("/sys/devices/usb1/1-5/idVendor", "1eab\n");
  await put("/sys/devices/usb1/1-5/1-5:1.0/x", "");
  await link("/sys/class/tty/ttyACM0/device", "../../../devices/usb1/1-5/1-5:1.0");
  for (const [name, index] of [
    ["video0", "0"],
    ["video1", "1"],
  ] as const) {
    await put(`/dev/${name}`, "");
    await put(`/sys/class/video4linux/${name}/index`, `${index}\n`);
    await put(`/sys/class/video4linux/${name}/name`, "HD Cam\n");
  }
  await link("/dev/v4l/by-id/usb-HD_Cam-video-index0", "../../video0");
  const machine: Machine = {
    ...openMachine(() => 0, root),
    run: async (program, ...args) => ({ status: 0, out: TOOLS[program] ?? TOOLS[`${program} ${args.at(-1)}`] ?? "" }),
  };
  detected = await detect(machine);
});
afterAll(() => rm(root, { recursive: true }));

describe("detect", () => {
  it("prints what the configuration takes", () => {
    const { devices } = parseConfig(toToml(detected.found), "detected.toml", drivers);
    expect(Object.fromEntries(devices.map(({ id, driver, link, enabled }) => [id, [driver.id, enabled, link]]))).toMatchObject({
      scanner: ["hid-pos", true, { vendorId: 0x0c2e, productId: 0x0b81 }],
      receipt: ["escpos", true, { kind: "usb", vendorId: 0x04b8, productId: 0x0202, serial: "A1" }],
      "receipt-2": ["escpos", true, { serial: "A2" }],
      "receipt-3": ["escpos", true, { vendorId: 0x1234 }],
      serial: ["escpos", false, { path: "/dev/serial/by-id/usb-FTDI_Cable-if00" }],
      "scanner-2": ["serial-scanner", true, { path: "/dev/serial/by-id/usb-Newland_FM430-if00" }],
      "id-reader": ["pcsc", true, { reader: "ACS ACR1252 [PICC] 00 00" }],
      "id-reader-2": ["pcsc", true, { reader: "ACS ACR1252 [SAM] 01 00" }],
      "document-scanner": ["escl", true, { kind: "http", host: "192.168.1.5", port: 8080 }],
      "document-scanner-2": ["sane", true, { device: "epjitsu", backends: ["epjitsu"] }],
      camera: ["ffmpeg", true, { device: "/dev/v4l/by-id/usb-HD_Cam-video-index0" }],
    });
    expect(devices).toHaveLength(11);
  });

  it("lets no device write lines of its own, and says which scanner types", () => {
    const text = toToml(detected.found);
    expect(text).not.toContain("[devices.x]\n");
    expect(text).not.toContain("reboot");
    expect(detected.notes).toEqual([expect.stringMatching(/^Newland types as a keyboard/)]);
    for (const found of detected.found) expect(JSON.stringify(toJson(found))).not.toContain('"hex"');
  });

  it("finds nothing on an empty machine", async () => {
    const machine: Machine = { ...openMachine(() => 0, join(root, "nowhere")), run: async () => undefined };
    expect(await detect(machine)).toEqual({ found: [], notes: [] });
  });
});
