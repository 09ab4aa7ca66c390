import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, openSync, rmSync } from "node:fs";
import { barcodeScanner } from "../../../simulators/barcode-scanner/index.js";
import { chipCard } from "../../../simulators/chip-card/index.js";
import { serveVscard } from "../../../simulators/chip-card/vscard.js";
import { freeControllers } from "../../../simulators/gadget/configfs.js";
import { openDeviceFile } from "../../../simulators/gadget/device-file.js";
import { type ServedGadget, serveGadget } from "../../../simulators/gadget/serve.js";
import { hidScanner } from "../../../simulators/hid-scanner/index.js";
import { receiptPrinter } from "../../../simulators/receipt-printer/index.js";
import type { Simulator, SimulatorKind } from "../../../simulators/simulator.js";
import { zvtTerminal } from "../../../simulators/zvt-terminal/index.js";
import { systemClock } from "../../../src/kernel/clock.js";
import { seededRandom } from "../../../src/kernel/random.js";
import type { z } from "../../../src/kernel/schema.js";
import { PRINTER } from "./printers.js";
import { openMonitor } from "./qmp.js";
import { TERMINAL } from "./terminals.js";

/** Of dummy_hcd: see start.sh. */
const SOCKETS = 10;

/** A device that can be pulled out of this machine and put back. */
export interface Plugged<S extends Simulator = Simulator> {
  readonly simulator: S;
  pull(): Promise<void>;
  /** Into the socket that it was in. */
  push(): Promise<void>;
  /** Into another one. */
  move(): Promise<void>;
}
export interface PlayedGadget<S extends Simulator = Simulator> extends Plugged<S> {
  readonly gadget: ServedGadget;
}
export type Bench = Awaited<ReturnType<typeof layTable>>;

function make<S extends z.ZodType, T extends Simulator>(
  kind: SimulatorKind<S, T>,
  options: object,
  seed: number,
  changed: () => void = () => {},
): T {
  return kind.create(kind.options.parse(options), { clock: systemClock(), random: seededRandom(seed), changed });
}

/** QEMU's reader says that it takes extended lengths, and swallows answers of more than 374 bytes. */
export function citizenCard(): ReturnType<typeof chipCard.create> {
  return make(chipCard, { profile: "short-only", activeAuthentication: "none" }, 1);
}

/** Plugs in all that stands on the table. */
export async function layTable(card: ReturnType<typeof citizenCard>) {
  const closing: (() => Promise<void>)[] = [];
  let socket = 0;
  /** That nothing is in, and was not just now: they are taken in turn. */
  const nextSocket = (): string => {
    const free = new Set(freeControllers());
    do socket = (socket + 1) % SOCKETS;
    while (!free.has(`dummy_udc.${socket}`));
    return `dummy_udc.${socket}`;
  };
  const play = async <S extends z.ZodType, T extends Simulator>(
    kind: SimulatorKind<S, T>,
    options: object,
    serial: string,
  ): Promise<PlayedGadget<T>> => {
    let played: ServedGadget | undefined;
    const simulator = make(kind, options, 2 + socket, () => played?.changed());
    const gadget = await serveGadget(simulator, serial, `dummy_udc.${socket++}`);
    played = gadget;
    closing.push(gadget.close);
    return { simulator, gadget, pull: gadget.pull, push: () => gadget.push(), move: () => gadget.push(nextSocket()) };
  };
  const lpPrinter = await play(receiptPrinter, PRINTER, "LP1");
  const usbPrinter = await play(receiptPrinter, PRINTER, "USB1");
  const hid = await play(hidScanner, {}, "HID1");
  const acmScanner = await play(barcodeScanner, {}, "ACM1");
  const acmTerminal = await play(zvtTerminal, TERMINAL, "ACM2");

  const monitor = await openMonitor();
  const ftdi = make(zvtTerminal, TERMINAL, 2 + socket);
  ftdi.attach(await openDeviceFile("/dev/virtio-ports/ftdi"));
  const ended = new AbortController();
  const reader = serveVscard(card, await openDeviceFile("/dev/virtio-ports/card"), ended.signal);
  closing.push(async () => ended.abort());
  // Sockets of their own: whoever comes back first would take the other's.
  const ftdiTerminal: Plugged<typeof ftdi> = {
    simulator: ftdi,
    pull: () => monitor.remove("ftdi0"),
    ...sockets(["1", "2"], (port) =>
      monitor.add({ driver: "usb-serial", id: "ftdi0", bus: "xhci.0", port, chardev: "ftdi", serial: "FTDI1" }),
    ),
  };
  const cardReader: Plugged<typeof card> = {
    simulator: card,
    // The card's end first: QEMU does not stand an answer for a reader that is gone.
    async pull() {
      await monitor.remove("card0");
      await monitor.remove("ccid0");
    },
    ...sockets(["3", "4"], async (port) => {
      await monitor.add({ driver: "usb-ccid", id: "ccid0", bus: "xhci.0", port });
      await monitor.add({ driver: "ccid-card-passthru", id: "card0", chardev: "card", bus: "ccid0.0" });
      await reader.greet();
    }),
  };
  await ftdiTerminal.push();
  await cardReader.push();
  return {
    lpPrinter,
    usbPrinter,
    hid,
    acmScanner,
    acmTerminal,
    ftdiTerminal,
    card: cardReader,
    async close() {
      await Promise.all(closing.map((close) => close()));
    },
  };
}

/** Two sockets, and which of them it is in. */
function sockets([here, there]: readonly [string, string], plug: (port: string) => Promise<void>): Pick<Plugged, "push" | "move"> {
  let port = here;
  return {
    push: () => plug(port),
    move() {
      port = port === here ? there : here;
      return plug(port);
    },
  };
}

const REQUEST = "/run/stationd/restart-pcscd";

/** pcscd, and what systemd/stationd-pcscd.path and .service do about one that is stuck: here is no systemd. */
export function startPcscd(): { freeze(): void } {
  const log = openSync("/lab/results/pcscd.log", "w");
  const start = (): ChildProcess => spawn("pcscd", ["--foreground", "--info"], { stdio: ["ignore", log, log] });
  let pcscd = start();
  setInterval(() => {
    if (!existsSync(REQUEST)) return;
    rmSync(REQUEST);
    console.log("the agent asks for another pcscd");
    pcscd.once("exit", () => {
      pcscd = start();
    });
    pcscd.kill("SIGKILL");
  }, 250).unref();
  return { freeze: () => void pcscd.kill("SIGSTOP") };
}
