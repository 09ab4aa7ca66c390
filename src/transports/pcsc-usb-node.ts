import { access } from "node:fs/promises";
import { dirname } from "node:path";
import type { Reader } from "pcsc-mini";
import { DeviceError } from "../kernel/errors.js";
import type { PcscLibrary } from "./pcsc-service.js";

/** SCARD_ATTR_CHANNEL_ID (PC/SC part 3 §3.1.1) is 0xDDDDCCCC, type and number of the channel. */
const USB = 0x0020;
const USB_NODES = "/dev/bus/usb";

/**
 * Where the kernel has the reader, e.g. "/dev/bus/usb/001/008"; undefined where its driver does not tell, or where this machine shows no such
 * nodes. Never rejects. The reader is connected for a moment, without a card.
 */
export async function usbNodeOf(library: PcscLibrary, native: Reader, root = USB_NODES): Promise<string | undefined> {
  try {
    const reader = await native.connect(library.CardMode.DIRECT);
    try {
      const node = usbNode(await reader.attributeGet(library.attributes.ids.CHANNEL_ID), root);
      return node !== undefined && (await exists(dirname(node))) ? node : undefined;
    } finally {
      await reader.disconnect(library.CardDisposition.LEAVE).catch(() => {});
    }
  } catch {
    return undefined;
  }
}

/** A driver of USB readers puts bus and device into the number, a byte each (libccid, IFDHGetCapabilities). */
export function usbNode(channel: Uint8Array, root: string): string | undefined {
  if (channel.length < 4) return undefined;
  const id = new DataView(channel.buffer, channel.byteOffset, channel.length).getUint32(0, true);
  if (id >>> 16 !== USB) return undefined;
  const digits = (byte: number): string => String(byte).padStart(3, "0");
  return `${root}/${digits((id >>> 8) & 0xff)}/${digits(id & 0xff)}`;
}

export async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}

/** pcscd can hang over a reader that goes, and from then on hears of no USB device any more. */
export function stuckService(message: string, cause?: unknown): DeviceError {
  return new DeviceError("device_absent", {
    message,
    hint: "Check the reader's cable. If it is plugged in, pcscd is stuck; the agent has it restarted where systemd runs, else: systemctl kill -s KILL pcscd; systemctl restart pcscd",
    details: { service: "stuck" },
    ...(cause === undefined ? {} : { cause }),
  });
}

export function saysStuck(thrown: unknown): boolean {
  if (!(thrown instanceof DeviceError)) return false;
  const { details } = thrown;
  return typeof details === "object" && details !== null && "service" in details && details.service === "stuck";
}
