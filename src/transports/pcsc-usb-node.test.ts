import { EventEmitter } from "node:events";
import { existsSync } from "node:fs";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { faultRow } from "../../test/support/fault.js";
import { manualClock, systemClock } from "../kernel/clock.js";
import { DeviceError } from "../kernel/errors.js";
import { silentLog } from "../kernel/log.js";
import type { Pcsc } from "./pcsc.js";
import { restartingStuckService } from "./pcsc-restart.js";
import type { PcscLibrary } from "./pcsc-service.js";
import { stuckService, usbNode, usbNodeOf } from "./pcsc-usb-node.js";
import { watchPresence } from "./presence.js";

const never = new AbortController().signal;
let folder = "";
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "stationd-test-"));
});
afterEach(() => rm(folder, { recursive: true }));

/** What libccid answers for bus 1, device 8. */
const USB_1_8 = Uint8Array.of(0x08, 0x01, 0x20, 0x00);
const CHANNEL_ID = 0x0002_0110;
const library = {
  CardMode: { DIRECT: 3 },
  CardDisposition: { LEAVE: 0 },
  attributes: { ids: { CHANNEL_ID } },
} as unknown as PcscLibrary;

function reader(channel: () => Promise<Uint8Array>) {
  const calls: unknown[] = [];
  const native = Object.assign(new EventEmitter(), {
    name: () => "Reader 00 00",
    connect: async (mode: number) => {
      calls.push(`connect ${mode}`);
      return {
        attributeGet: (id: number) => {
          calls.push(id);
          return channel();
        },
        disconnect: async (then: number) => void calls.push(`disconnect ${then}`),
      };
    },
  });
  return { calls, native: native as unknown as Parameters<typeof usbNodeOf>[1] };
}

it("knows where the kernel has a USB reader, and of no other", () => {
  expect(usbNode(USB_1_8, "/dev/bus/usb")).toBe("/dev/bus/usb/001/008");
  expect(usbNode(Uint8Array.of(0x7f, 0xff, 0x20, 0x00), "")).toBe("/255/127");
  for (const other of [[], [0x08, 0x01, 0x20], [0x08, 0x01, 0x01, 0x00], [0x08, 0x01, 0x20, 0x01]]) {
    expect(usbNode(Uint8Array.from(other), "")).toBeUndefined();
  }
});

it("asks the reader's driver without a card and lets the reader go again", async () => {
  await mkdir(join(folder, "001"));
  const { calls, native } = reader(async () => USB_1_8);
  expect(await usbNodeOf(library, native, folder)).toBe(join(folder, "001/008"));
  expect(calls).toEqual(["connect 3", CHANNEL_ID, "disconnect 0"]);
});

it("knows nothing where the driver does not tell, and where the machine shows no nodes", async () => {
  await mkdir(join(folder, "001"));
  const mute = reader(() => Promise.reject(new Error("unsupported")));
  expect(await usbNodeOf(library, mute.native, folder)).toBeUndefined();
  expect(mute.calls.at(-1)).toBe("disconnect 0");
  expect(await usbNodeOf(library, reader(async () => USB_1_8).native, join(folder, "elsewhere"))).toBeUndefined();
});

it("hears of the kernel that the reader went", async () => {
  const node = join(folder, "008");
  await writeFile(node, "");
  const gone = new Promise<void>((resolve) => void watchPresence(node, systemClock(), resolve));
  await new Promise((resolve) => setImmediate(resolve));
  await rm(node);
  await gone;
});

faultRow({
  device: "reader",
  fault: "pcscd hangs over a reader that is pulled",
  sees: "`device_absent`",
  does: "watches the kernel’s own node of the reader, and has systemd start another pcscd",
  back: "systemd has started another pcscd",
  bounds: ["tryAgain"],
  measured: ["lab: reader, pulled, pcscd stuck"],
  also: "npm run lab",
});
it("asks for another service once it has been stuck for a while, once a minute, and not after it came back", async () => {
  const clock = manualClock();
  const request = join(folder, "restart-pcscd");
  let outcome: "stuck" | "absent" | "there" = "stuck";
  const pcsc: Pcsc = () => async () => {
    if (outcome === "stuck") throw stuckService("it hangs");
    if (outcome === "absent") throw new DeviceError("device_absent");
    return {} as Awaited<ReturnType<ReturnType<Pcsc>>>;
  };
  const connect = restartingStuckService(pcsc, { clock, log: silentLog, folder })({ kind: "pcsc", hosted: false });
  const asked = async (): Promise<boolean> => {
    await connect(never).catch(() => {});
    const there = existsSync(request);
    await rm(request, { force: true });
    return there;
  };
  expect(await asked()).toBe(false);
  await clock.advance(2_999);
  expect(await asked()).toBe(false);
  await clock.advance(1);
  expect(await asked()).toBe(true);
  await clock.advance(59_999);
  expect(await asked()).toBe(false);
  await clock.advance(1);
  expect(await asked()).toBe(true);
  await clock.advance(60_000);
  outcome = "absent";
  expect(await asked()).toBe(false);
  outcome = "there";
  expect(await asked()).toBe(false);
  outcome = "stuck";
  expect(await asked()).toBe(false);
});
