import { spawnSync } from "node:child_process";
import { systemClock } from "../../src/kernel/clock.js";
import { DeviceError } from "../../src/kernel/errors.js";
import type { Simulator } from "../simulator.js";
import { createGadget, freeControllers, type GadgetIdentity } from "./configfs.js";
import { type DeviceFile, openDeviceFile } from "./device-file.js";
import { shapeOf } from "./shapes.js";

/** The controller has no event for a program: its state is looked at this often, while a host is awaited and while it is there. */
const LOOK_MS = { awaited: 100, there: 500 };
/** GADGET_SET_PRINTER_STATUS of linux/usb/g_printer.h: the status is the argument itself. */
const SET_PRINTER_STATUS = 0xc0016722;

export interface ServedGadget {
  readonly identity: GadgetIdentity;
  /** Pulls the cable, also in mid-transfer. */
  pull(): Promise<void>;
  /** Into the socket that it was in, or into another one. */
  push(controller?: string): Promise<void>;
  /** Something of the simulator's state has changed. */
  changed(): void;
  close(): Promise<void>;
}

/**
 * Plays a simulator as a USB device at a controller of this machine: dummy_hcd's, whose host is this machine itself, or a
 * real one, whose host is at the other end of the cable.
 * @throws DeviceError `unsupported` (kind, kernel, rights), `busy` (controller)
 */
export async function serveGadget(simulator: Simulator, serial: string, wanted?: string): Promise<ServedGadget> {
  const shape = shapeOf(simulator.kind);
  const identity = { ...shape.identity, serial };
  const part = await shape.function(simulator);
  const clock = systemClock();
  const over = new AbortController();
  let controller = wanted ?? firstFree();
  const gadget = await createGadget(identity, part, controller);
  let plugged = true;
  let file: DeviceFile | undefined;
  let portStatus: number | undefined;

  const tell = (): void => {
    const status = shape.portStatus?.(simulator.state());
    if (status === undefined || status === portStatus || !file) return;
    // Only an ioctl of the one open file sets it: perl is on every Debian, and has it. As the fourth file: the first three
    // are made blocking for a child, and with them ours.
    const { status: exit } = spawnSync("perl", ["-e", `open(P, "+<&=", 3) and ioctl(P, ${SET_PRINTER_STATUS}, ${status}) or exit 1`], {
      stdio: ["ignore", "ignore", "inherit", file.fd],
    });
    if (exit === 0) portStatus = status;
  };
  const leave = async (): Promise<void> => {
    const leaving = file;
    file = undefined;
    portStatus = undefined;
    simulator.detach();
    await leaving?.close();
  };
  const look = async (): Promise<void> => {
    if (!plugged || !gadget.configured()) return await leave();
    if (file) return;
    const opened = await openDeviceFile(gadget.node);
    file = opened;
    void opened.closed.then(() => {
      if (file === opened) file = undefined;
    });
    tell();
    simulator.attach(shape.farEnd(opened));
  };
  // One look at a time, and none while the plug moves.
  let looking = Promise.resolve();
  const inTurn = (work: () => Promise<void>): Promise<void> => {
    const done = looking.then(work);
    looking = done.catch(() => {});
    return done;
  };
  const serving = (async () => {
    while (!over.signal.aborted) {
      // A node that goes while it is looked at is looked at again.
      await inTurn(look).catch(() => {});
      await clock.sleep(file ? LOOK_MS.there : LOOK_MS.awaited, over.signal).catch(() => {});
    }
  })();
  const pull = (): Promise<void> =>
    inTurn(async () => {
      if (!plugged) return;
      plugged = false;
      await leave();
      gadget.pull();
    });

  return {
    identity,
    changed: tell,
    pull,
    push: (other) =>
      inTurn(async () => {
        controller = other ?? controller;
        gadget.push(controller);
        plugged = true;
      }),
    async close() {
      over.abort();
      await serving;
      await pull();
      gadget.remove();
    },
  };
}

function firstFree(): string {
  const [first] = freeControllers();
  if (first !== undefined) return first;
  throw new DeviceError("unsupported", {
    message: "no USB device controller is free",
    hint: "A Raspberry Pi has one (dtoverlay=dwc2); elsewhere: modprobe dummy_hcd num=4",
  });
}
