import { execFileSync } from "node:child_process";
import { concatBytes } from "../../src/kernel/bytes.js";
import { DeviceError, type Json } from "../../src/kernel/errors.js";
import type { FarEnd, Simulator } from "../simulator.js";
import type { GadgetFunction, GadgetIdentity } from "./configfs.js";
import type { DeviceFile } from "./device-file.js";

/** How a kind of simulator looks at USB. */
export interface GadgetShape {
  readonly identity: Omit<GadgetIdentity, "serial">;
  readonly isHid?: true;
  function(simulator: Simulator): Promise<GadgetFunction>;
  /** The device node as the wire that the simulator speaks over. */
  farEnd(file: DeviceFile): FarEnd;
  /** Printers: the byte that the host is told when it asks for the port's status (USB Printer Class 1.1 §4.2.2). */
  portStatus?(state: Readonly<Record<string, Json>>): number;
}

const PAPER_EMPTY = 0x20;
const SELECTED = 0x10;
const NO_ERROR = 0x08;

const plainly = (file: DeviceFile): FarEnd => file;

/** A line that is USB only outside: CDC-ACM (USB CDC PSTN 1.2 §3.6.2). */
const serialLine = (identity: GadgetShape["identity"]): GadgetShape => ({
  identity,
  farEnd: plainly,
  async function() {
    return {
      name: "acm",
      attributes: {},
      nodes: { class: "tty", prefix: "ttyGS" },
      // A terminal that nobody has set echoes what it is sent. Its settings stay from one opening to the next.
      prepare: (node) => void execFileSync("stty", ["-F", node, "raw", "-echo", "-hupcl", "clocal"]),
    };
  },
});

/** By the simulator's kind. The numbers of the vendors are their own: drivers and udev rules go by them. */
const SHAPES: Readonly<Record<string, GadgetShape>> = {
  "receipt-printer": {
    identity: { vendorId: 0x04b8, productId: 0x0202, manufacturer: "EPSON", product: "TM-T88V simulated" },
    farEnd: plainly,
    async function() {
      return {
        name: "printer",
        attributes: { q_len: "10", pnp_string: "MFG:EPSON;CMD:ESC/POS;MDL:TM-T88V;CLS:PRINTER;" },
        nodes: { class: "usb_printer_gadget", prefix: "g_printer" },
      };
    },
    portStatus({ paper, online }) {
      return (paper === "out" ? PAPER_EMPTY : 0) | SELECTED | (online === true ? NO_ERROR : 0);
    },
  },
  "hid-scanner": {
    identity: { vendorId: 0x0c2e, productId: 0x0b81, manufacturer: "Honeywell", product: "HID POS simulated" },
    isHid: true,
    farEnd: hidFarEnd,
    async function(simulator) {
      return {
        name: "hid",
        attributes: { protocol: "0", subclass: "0", report_length: "64", report_desc: await reportDescriptor(simulator) },
        nodes: { class: "hidg", prefix: "hidg" },
      };
    },
  },
  "barcode-scanner": serialLine({ vendorId: 0x0c2e, productId: 0x0b8a, manufacturer: "Honeywell", product: "CDC scanner simulated" }),
  "zvt-terminal": serialLine({ vendorId: 0x079b, productId: 0x0028, manufacturer: "Ingenico", product: "Terminal simulated" }),
};

/** @throws DeviceError `unsupported`: what is no USB device in life is none here */
export function shapeOf(kind: string): GadgetShape {
  const shape = SHAPES[kind];
  if (shape) return shape;
  throw new DeviceError("unsupported", {
    message: `a ${kind} is no USB device that can be played`,
    hint: `These are: ${Object.keys(SHAPES).join(", ")}`,
  });
}

/** What a host reads first of all: the simulator is asked as a host would ask. */
export async function reportDescriptor(simulator: Simulator): Promise<Uint8Array> {
  let end = (): void => {};
  const closed = new Promise<void>((resolve) => {
    end = resolve;
  });
  const hello = [Uint8Array.of(5, 0, 0)];
  const frame = await new Promise<Uint8Array>((resolve) => {
    simulator.attach({
      closed,
      close: async () => end(),
      read: async () => hello.pop() ?? (await new Promise<Uint8Array>((_resolve, reject) => void closed.then(reject))),
      write: async (bytes) => resolve(bytes),
    });
  });
  simulator.detach();
  return frame.subarray(3);
}

/** The simulator's frames are the kernel's reports: an interrupt transfer each. */
export function hidFarEnd(file: Pick<DeviceFile, "read" | "write" | "close" | "closed">): FarEnd {
  let greeted = false;
  return {
    closed: file.closed,
    close: file.close,
    async read(signal) {
      if (!greeted) {
        greeted = true;
        return Uint8Array.of(5, 0, 0);
      }
      const report = await file.read(signal);
      return concatBytes([Uint8Array.of(3, report.length >> 8, report.length & 0xff), report]);
    },
    async write(bytes, signal) {
      // Whole frames, of which only input reports (2) go over the wire: the descriptor (1) is the host's already.
      if (bytes[0] === 2) await file.write(bytes.subarray(3), signal);
    },
  };
}
