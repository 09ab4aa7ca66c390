import { mkdirSync, readdirSync, readFileSync, rmdirSync, symlinkSync, unlinkSync, writeFileSync } from "node:fs";
import { DeviceError } from "../../src/kernel/errors.js";
import { untilThere } from "./device-file.js";

/** What the host sees of a device before it speaks. */
export interface GadgetIdentity {
  readonly vendorId: number;
  readonly productId: number;
  readonly manufacturer: string;
  readonly product: string;
  readonly serial: string;
}

export interface GadgetFunction {
  /** As configfs knows it: `printer`, `hid`, `acm`. */
  readonly name: string;
  readonly attributes: Readonly<Record<string, string | Uint8Array>>;
  /** Where device nodes of this function appear, as /sys/class/CLASS/NODE. */
  readonly nodes: { readonly class: string; readonly prefix: string };
  /** For functions whose node is there before any host sees the device. */
  prepare?(node: string): void;
}

/** A USB device that this machine plays at one of its USB device controllers. */
export interface Gadget {
  /** Its own end: /dev/g_printer0, /dev/hidg0, /dev/ttyGS0. There while it is plugged in. */
  readonly node: string;
  /** A host has given it an address and chosen its configuration. */
  configured(): boolean;
  /** As a pulled cable. Nobody may have `node` open: the kernel does not stand it (docs/hardware-lab.md). */
  pull(): void;
  push(controller: string): void;
  remove(): void;
}

const CONFIGFS = "/sys/kernel/config/usb_gadget";
const CONTROLLERS = "/sys/class/udc";

/** Controllers that play nothing yet. */
export function freeControllers(): readonly string[] {
  const all = list(CONTROLLERS);
  const taken = new Set(list(CONFIGFS).map((name) => controllerOf(`${CONFIGFS}/${name}`)));
  return all.filter((name) => !taken.has(name));
}

/**
 * Plugs a device in at `controller`.
 * @throws DeviceError `unsupported` where the kernel or the rights are missing, `busy` where the controller is taken
 */
export async function createGadget(identity: GadgetIdentity, part: GadgetFunction, controller: string): Promise<Gadget> {
  const home = `${CONFIGFS}/stationd-${identity.serial}`;
  const before = new Set(nodes(part));
  const instance = `${part.name}.${identity.serial}`;
  try {
    mkdirSync(home);
    put(`${home}/idVendor`, `0x${identity.vendorId.toString(16)}`);
    put(`${home}/idProduct`, `0x${identity.productId.toString(16)}`);
    // US English, the one language that hosts ask for.
    mkdirSync(`${home}/strings/0x409`);
    put(`${home}/strings/0x409/manufacturer`, identity.manufacturer);
    put(`${home}/strings/0x409/product`, identity.product);
    put(`${home}/strings/0x409/serialnumber`, identity.serial);
    mkdirSync(`${home}/configs/c.1`);
    mkdirSync(`${home}/functions/${instance}`);
    for (const [name, value] of Object.entries(part.attributes)) put(`${home}/functions/${instance}/${name}`, value);
    symlinkSync(`${home}/functions/${instance}`, `${home}/configs/c.1/${instance}`);
    const newNode = (): string | undefined => nodes(part).find((name) => !before.has(name));
    if (part.prepare) part.prepare(`/dev/${await untilThere(newNode)}`);
    put(`${home}/UDC`, controller);
    const node = await untilThere(newNode);
    return {
      node: `/dev/${node}`,
      configured: () => readFileSync(`${CONTROLLERS}/${controllerOf(home)}/state`, "utf8").trim() === "configured",
      pull: () => put(`${home}/UDC`, "\n"),
      push: (other) => put(`${home}/UDC`, other),
      remove: () => removeGadget(home, instance),
    };
  } catch (thrown) {
    removeGadget(home, instance);
    throw failure(thrown, controller);
  }
}

function controllerOf(home: string): string {
  return readFileSync(`${home}/UDC`, "utf8").trim();
}

/** In the reverse order; each step may have been left out. */
function removeGadget(home: string, instance: string): void {
  const steps = [
    () => put(`${home}/UDC`, "\n"),
    () => unlinkSync(`${home}/configs/c.1/${instance}`),
    () => rmdirSync(`${home}/configs/c.1`),
    () => rmdirSync(`${home}/functions/${instance}`),
    () => rmdirSync(`${home}/strings/0x409`),
    () => rmdirSync(home),
  ];
  for (const step of steps) {
    try {
      step();
    } catch {
      // Not made, or gone already.
    }
  }
}

function nodes({ nodes: { class: name, prefix } }: GadgetFunction): string[] {
  return list(`/sys/class/${name}`).filter((node) => node.startsWith(prefix));
}

function list(folder: string): string[] {
  try {
    return readdirSync(folder).sort();
  } catch {
    return [];
  }
}

function put(file: string, value: string | Uint8Array): void {
  writeFileSync(file, value, { flag: "w" });
}

function failure(thrown: unknown, controller: string): DeviceError {
  if (thrown instanceof DeviceError) return thrown;
  const code = thrown instanceof Error && "code" in thrown ? String(thrown.code) : "";
  if (code === "EBUSY" || code === "EEXIST")
    return new DeviceError("busy", {
      message: `${controller} plays another device`,
      hint: "Give another serial number or controller",
      cause: thrown,
    });
  const hint =
    code === "EACCES" || code === "EPERM"
      ? "Only root may play a USB device"
      : "Load the kernel's parts: modprobe -a libcomposite usb_f_printer usb_f_hid usb_f_acm dummy_hcd; and mount configfs on /sys/kernel/config";
  return new DeviceError("unsupported", { message: "this machine cannot play a USB device", hint, cause: thrown });
}
