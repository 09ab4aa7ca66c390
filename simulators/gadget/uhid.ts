import { DeviceError } from "../../src/kernel/errors.js";
import type { Simulator } from "../simulator.js";
import { type DeviceFile, openDeviceFile } from "./device-file.js";
import { hidFarEnd, reportDescriptor, shapeOf } from "./shapes.js";

/** Of linux/uhid.h: packed, in the machine's byte order. */
const CREATE2 = 11;
const INPUT2 = 12;
const OUTPUT = 6;
const GET_REPORT = 9;
const GET_REPORT_REPLY = 10;
const SET_REPORT = 13;
const SET_REPORT_REPLY = 14;
const DATA_MAX = 4_096;
const EIO = 5;
const BUS_USB = 3;

export interface ServedUhid {
  close(): Promise<void>;
}

/**
 * Plays a HID simulator to this machine's own kernel, with no USB at all (Documentation/hid/uhid.rst).
 * @throws DeviceError `unsupported` for another kind, or without /dev/uhid or the right to it
 */
export async function serveUhid(simulator: Simulator, serial: string, ids?: { vendorId: number; productId: number }): Promise<ServedUhid> {
  const { identity, isHid } = shapeOf(simulator.kind);
  if (!isHid)
    throw new DeviceError("unsupported", {
      message: `a ${simulator.kind} is no HID device`,
      hint: "Only hid-scanner is; others: --gadget",
    });
  const descriptor = await reportDescriptor(simulator);
  let file: DeviceFile;
  try {
    file = await openDeviceFile("/dev/uhid");
  } catch (cause) {
    throw new DeviceError("unsupported", { message: "/dev/uhid cannot be opened", hint: "As root: modprobe uhid", cause });
  }
  const never = new AbortController().signal;
  await file.write(create({ ...identity, ...ids }, serial, descriptor), never);
  simulator.attach(
    hidFarEnd({
      closed: file.closed,
      close: file.close,
      read: (signal) => outputReport(file, signal),
      write: (report, signal) => file.write(input(report), signal),
    }),
  );
  return {
    async close() {
      simulator.detach();
      await file.close();
    },
  };
}

/** uhid_create2_req: name[128], phys[64], uniq[64], rd_size, bus, vendor, product, version, country, rd_data[4096]. */
function create(ids: { vendorId: number; productId: number; product: string }, serial: string, descriptor: Uint8Array): Uint8Array {
  const event = Buffer.alloc(4 + 128 + 64 + 64 + 2 + 2 + 4 * 4 + DATA_MAX);
  event.writeUInt32LE(CREATE2, 0);
  event.write(ids.product, 4, 127, "utf8");
  event.write(serial, 4 + 128 + 64, 63, "utf8");
  event.writeUInt16LE(descriptor.length, 260);
  event.writeUInt16LE(BUS_USB, 262);
  event.writeUInt32LE(ids.vendorId, 264);
  event.writeUInt32LE(ids.productId, 268);
  event.set(descriptor, 280);
  return event;
}

function input(report: Uint8Array): Uint8Array {
  const event = Buffer.alloc(6 + report.length);
  event.writeUInt32LE(INPUT2, 0);
  event.writeUInt16LE(report.length, 4);
  event.set(report, 6);
  return event;
}

/** The next output report; questions for reports, which these scanners have no answer to, are refused meanwhile. */
async function outputReport(file: DeviceFile, signal: AbortSignal): Promise<Uint8Array> {
  for (;;) {
    const event = Buffer.from(await file.read(signal));
    const type = event.readUInt32LE(0);
    if (type === OUTPUT) return event.subarray(4, 4 + event.readUInt16LE(4 + DATA_MAX));
    if (type === GET_REPORT || type === SET_REPORT) {
      const reply = Buffer.alloc(12);
      reply.writeUInt32LE(type === GET_REPORT ? GET_REPORT_REPLY : SET_REPORT_REPLY, 0);
      reply.writeUInt32LE(event.readUInt32LE(4), 4);
      reply.writeUInt16LE(EIO, 8);
      await file.write(reply, signal);
    }
  }
}
