import type { Clock } from "../kernel/clock.js";
import { raceSignal } from "../kernel/deadline.js";
import { DeviceError } from "../kernel/errors.js";
import type { Connect } from "../kernel/link.js";
import { findInSysfs, type UsbSettings } from "./usb-sysfs.js";
import { absent, lostLink, openFailure, wireLink } from "./wire.js";

const PRINTER_CLASS = 7;
/** IPP over USB speaks HTTP, not the printer's own language. */
const IPP_PROTOCOL = 4;
/** A read cannot be taken back; this is how long a closing waits for it. One packet at a time, so that its end loses nothing. */
const READ_TURN_MS = 500;
/** The library's own limit is one second, and a printer without paper takes nothing for minutes. */
const WRITE_LIMIT_MS = 15 * 60_000;
const EMPTY_READ_PAUSE_MS = 20;

/** The part of a WebUSB device that is used, with the library's extra time-out and the detaching of kernel drivers. */
export interface UsbPrinterDevice {
  readonly vendorId: number;
  readonly productId: number;
  readonly serialNumber?: string | null | undefined;
  readonly configuration?: USBConfiguration | null | undefined;
  open(): Promise<void>;
  close(): Promise<void>;
  claimInterface(interfaceNumber: number): Promise<void>;
  releaseInterface(interfaceNumber: number): Promise<void>;
  selectAlternateInterface(interfaceNumber: number, alternateSetting: number): Promise<void>;
  detachKernelDriver(interfaceNumber: number): Promise<void>;
  attachKernelDriver(interfaceNumber: number): Promise<void>;
  transferIn(endpointNumber: number, length: number, timeoutMs: number): Promise<{ readonly data?: DataView | undefined }>;
  transferOut(
    endpointNumber: number,
    data: Uint8Array,
    timeoutMs: number,
  ): Promise<{ readonly bytesWritten: number; readonly status?: string }>;
}

interface PrinterInterface {
  readonly interfaceNumber: number;
  readonly alternateSetting: number;
  readonly out: USBEndpoint;
  /** Missing on one-way printers. */
  readonly in: USBEndpoint | undefined;
}

/**
 * A printer of the USB printer class, claimed from the kernel's `usblp` and given back on close.
 * A write that was given up stays with the library until it ends by itself: only the end of its process frees it at once,
 * which is one more reason to run it hosted.
 */
export function usbPrinter(
  settings: UsbSettings,
  clock: Clock,
  find: (settings: UsbSettings) => Promise<UsbPrinterDevice> = findDevice,
): Connect {
  const description = `usb ${usbId(settings)}`;
  return async (signal) => {
    signal.throwIfAborted();
    const opening = find(settings).then((device) => openPrinter(device, description));
    const { device, printer } = await raceSignal(opening, signal).catch((thrown: unknown) => {
      opening.then((late) => givePrinterBack(late.device, late.printer)).catch(() => {});
      throw signal.aborted ? signal.reason : openFailure(description, thrown);
    });
    const over = new AbortController();
    const { link, receive, end } = wireLink({
      description,
      chunkBytes: 4_096,
      write: (chunk) => writeAll(device, printer.out, chunk),
      async release() {
        over.abort(absent(`${description} was closed`));
        await reading;
        await givePrinterBack(device, printer);
      },
    });
    const reading = readOn(device, printer.in, clock, over.signal, receive).catch((thrown: unknown) => end(lostLink(description, thrown)));
    return link;
  };
}

function usbId(settings: UsbSettings): string {
  const hex = (id: number): string => id.toString(16).padStart(4, "0");
  return `${hex(settings.vendorId)}:${hex(settings.productId)}${settings.serial === undefined ? "" : ` ${settings.serial}`}`;
}

async function findDevice(settings: UsbSettings): Promise<UsbPrinterDevice> {
  // Looked for in sysfs first: without a USB bus the library rejects with a message that helps nobody.
  if ((await findInSysfs(settings)) === undefined) throw absent(`usb ${usbId(settings)} is not plugged in`);
  const { usb } = await import("usb").catch((thrown: unknown) => {
    throw new DeviceError("device_fault", {
      message: "the USB library cannot be loaded",
      retryable: false,
      hint: "Its native part does not fit this machine: install the agent again on this machine (npm ci), with optional packages",
      cause: thrown,
    });
  });
  for (const device of (await usb.getDevices()) as readonly UsbPrinterDevice[]) {
    if (device.vendorId !== settings.vendorId || device.productId !== settings.productId) continue;
    if (settings.serial === undefined || device.serialNumber === settings.serial) return device;
  }
  throw absent(`usb ${usbId(settings)} is not plugged in`);
}

async function openPrinter(
  device: UsbPrinterDevice,
  description: string,
): Promise<{ device: UsbPrinterDevice; printer: PrinterInterface }> {
  await device.open();
  try {
    const printer = printerInterface(device.configuration);
    if (!printer) {
      throw new DeviceError("unsupported", {
        message: `${description} has no printer interface`,
        hint: "This is not a printer of the USB printer class: correct vendorId and productId, or set the printer to class mode",
      });
    }
    // Fails where no kernel driver holds the interface, which is as good.
    await device.detachKernelDriver(printer.interfaceNumber).catch(() => {});
    await device.claimInterface(printer.interfaceNumber);
    if (printer.alternateSetting !== 0) await device.selectAlternateInterface(printer.interfaceNumber, printer.alternateSetting);
    return { device, printer };
  } catch (thrown) {
    await device.close().catch(() => {});
    throw thrown;
  }
}

/** The first way to talk to the printer, both ways if there is one. */
function printerInterface(configuration: USBConfiguration | null | undefined): PrinterInterface | undefined {
  const found: PrinterInterface[] = [];
  for (const { interfaceNumber, alternates } of configuration?.interfaces ?? []) {
    for (const alternate of alternates) {
      if (alternate.interfaceClass !== PRINTER_CLASS || alternate.interfaceProtocol === IPP_PROTOCOL) continue;
      const bulk = alternate.endpoints.filter((endpoint) => endpoint.type === "bulk");
      const out = bulk.find((endpoint) => endpoint.direction === "out");
      if (!out) continue;
      found.push({
        interfaceNumber,
        alternateSetting: alternate.alternateSetting,
        out,
        in: bulk.find(({ direction }) => direction === "in"),
      });
    }
  }
  return found.find((candidate) => candidate.in) ?? found[0];
}

async function givePrinterBack(device: UsbPrinterDevice, printer: PrinterInterface): Promise<void> {
  await device.releaseInterface(printer.interfaceNumber).catch(() => {});
  await device.attachKernelDriver(printer.interfaceNumber).catch(() => {});
  await device.close().catch(() => {});
}

async function readOn(
  device: UsbPrinterDevice,
  endpoint: USBEndpoint | undefined,
  clock: Clock,
  over: AbortSignal,
  receive: (bytes: Uint8Array) => void,
): Promise<void> {
  while (endpoint && !over.aborted) {
    let data: DataView | undefined;
    try {
      ({ data } = await device.transferIn(endpoint.endpointNumber, endpoint.packetSize, READ_TURN_MS));
    } catch (thrown) {
      // How the library reports its time-out: nothing came.
      if (thrown instanceof Error && /cancell?ed/i.test(thrown.message)) continue;
      throw thrown;
    }
    if (data && data.byteLength > 0) receive(new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
    // Some printers answer at once with nothing.
    else await clock.sleep(EMPTY_READ_PAUSE_MS, over);
  }
}

async function writeAll(device: UsbPrinterDevice, endpoint: USBEndpoint, chunk: Uint8Array): Promise<void> {
  for (let offset = 0; offset < chunk.length; ) {
    const { bytesWritten } = await device.transferOut(endpoint.endpointNumber, chunk.subarray(offset), WRITE_LIMIT_MS);
    if (bytesWritten <= 0) throw absent("the printer refuses data");
    offset += bytesWritten;
  }
}
