import { closeSync, constants, mkdirSync, mkdtempSync, openSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { barcodeScanner } from "../../simulators/barcode-scanner/index.js";
import { camera } from "../../simulators/camera/index.js";
import { type ChipCard, chipCard } from "../../simulators/chip-card/index.js";
import { documentScanner } from "../../simulators/document-scanner/index.js";
import { hidScanner } from "../../simulators/hid-scanner/index.js";
import { type NexoTerminal, nexoTerminal } from "../../simulators/nexo-terminal/index.js";
import { type ReceiptPrinter, receiptPrinter } from "../../simulators/receipt-printer/index.js";
import { connectTcp, servePty, serveTcp } from "../../simulators/serve.js";
import type { Simulator } from "../../simulators/simulator.js";
import { type ZvtTerminal, zvtTerminal } from "../../simulators/zvt-terminal/index.js";
import { systemClock } from "../../src/kernel/clock.js";
import { seededRandom } from "../../src/kernel/random.js";
import { openPcscd, type PcscdRig, realPcscStack } from "../real-stack/pcscd.js";
import { type Tray, trayOf } from "./paper.js";
import { openTransferBank, type TransferBank } from "./transfers.js";

/** All that stands at the station, each at the far end of a real wire. */
export interface Scene {
  readonly folder: string;
  readonly printer: ReceiptPrinter;
  readonly tray: Tray;
  readonly terminals: Readonly<Record<"terminal" | "terminal-lan", ZvtTerminal | NexoTerminal>>;
  readonly bank: TransferBank;
  readonly card: ChipCard;
  /** Undefined: no PC/SC service here, the card reader is at the end of a TCP wire. */
  readonly pcscd: PcscdRig | undefined;
  readonly cameras: readonly string[];
  /** Device → the port of its serial line. */
  readonly ports: ReadonlyMap<string, string>;
  /** Tables of the configuration. `turn`: another number is another setting of a device. */
  devices(turn: number): string;
  /** Works a simulator. */
  act(device: string, action: string, params?: Record<string, unknown>): Promise<void>;
  state(device: string): ReturnType<Simulator["state"]>;
  close(): Promise<void>;
}

export interface SceneOptions {
  readonly seed: number;
  readonly ffmpeg: boolean;
}

/** Millimetres of paper take their time, and so do a cardholder, a bank and a sheet: there is a middle for a fault to fall into. */
const PRINTER = { rowsPerSecond: 2_000, keepReceipts: 200 };
const ZVT = {
  framing: "serial",
  earlierReceipt: true,
  lastAfterAutoReversal: "reversal",
  keepDeclined: true,
  presentMs: 300,
  hostMs: 300,
  removeMs: 100,
  t2Ms: 700,
  t3Ms: 1_500,
  autoReversalMs: 500,
  rebootMs: 1_000,
};
const NEXO = { presentMs: 300, hostMs: 300, removeMs: 100, rebootMs: 1_000 };
const PICTURE = { widthPx: 640, heightPx: 360, framesPerSecond: 10 };
const clock = systemClock();

export async function openScene({ seed, ffmpeg }: SceneOptions): Promise<Scene> {
  const folder = mkdtempSync(join(tmpdir(), "stationd-soak-"));
  let number = 0;
  const context = () => ({ clock, random: seededRandom(seed + ++number), changed() {} });
  const printer = receiptPrinter.create(receiptPrinter.options.parse(PRINTER), context());
  const terminal = zvtTerminal.create(zvtTerminal.options.parse(ZVT), context());
  const nexoOptions = nexoTerminal.options.parse(NEXO);
  const lan = nexoTerminal.create(nexoOptions, context());
  const card = chipCard.create(chipCard.options.parse({}), context());
  const simulators: Readonly<Record<string, Simulator>> = {
    receipt: printer,
    scanner: barcodeScanner.create(barcodeScanner.options.parse({}), context()),
    terminal,
    "scanner-hid": hidScanner.create(hidScanner.options.parse({}), context()),
    "terminal-lan": lan,
    documents: documentScanner.create(documentScanner.options.parse({ pageMs: 150, glass: false, jobIdleMs: 5_000 }), context()),
    camera: camera.create(camera.options.parse(PICTURE), context()),
    "id-reader": card,
  };
  const bank = openTransferBank(() => Date.now());
  const closing: (() => Promise<unknown>)[] = [];
  const simulator = (device: string): Simulator => {
    const found = simulators[device];
    if (!found) throw new RangeError(`no simulator ${device}`);
    return found;
  };

  const ports = new Map<string, string>();
  const held = new Map<string, number>();
  /** A port does not vanish with the program that had it open: only when its cable is pulled. */
  const hold = (device: string): void => {
    const path = ports.get(device);
    if (path === undefined) return;
    const former = held.get(device);
    held.delete(device);
    if (former !== undefined) closeSync(former);
    try {
      held.set(device, openSync(path, constants.O_RDWR | constants.O_NOCTTY | constants.O_NONBLOCK));
    } catch {
      // Not there yet: what opens it next holds it.
    }
  };
  for (const device of ["receipt", "scanner", "terminal"]) {
    const path = join(folder, `tty-${device}`);
    const served = await servePty(simulator(device), path);
    ports.set(device, path);
    hold(device);
    closing.push(() => served.close());
  }
  const tcp = async (device: string): Promise<string> => {
    const { port, close } = await serveTcp(simulator(device), { host: "127.0.0.1", port: 0 });
    closing.push(close);
    return `host = "127.0.0.1", port = ${port}`;
  };
  const [hid, nexo, escl, jpegs] = [await tcp("scanner-hid"), await tcp("terminal-lan"), await tcp("documents"), await tcp("camera")];
  const pcscd = (await realPcscStack()) ? await openPcscd() : undefined;
  let reader = `link = { kind = "pcsc", reader = "${pcscd?.readers[0]}" }`;
  if (pcscd) {
    const laid = connectTcp(card, { host: "127.0.0.1", port: pcscd.ports[0] });
    closing.push(async () => {
      await laid.close();
      await pcscd[Symbol.asyncDispose]();
    });
  } else reader = `link = { kind = "tcp", ${await tcp("id-reader")} }`;

  mkdirSync(join(folder, "tmp"));
  mkdirSync(join(folder, "trust"));
  for (const [name, bytes] of card.trustFiles()) writeFileSync(join(folder, "trust", name), bytes);
  writeFileSync(join(folder, "authority.pem"), lan.authority);

  const serial = (device: string): string => `link = { kind = "serial", path = "${ports.get(device)}", baudRate = 115200 }`;
  const devices = (turn: number): string => `[devices.receipt]
driver = "escpos"
${serial("receipt")}
[devices.scanner]
driver = "serial-scanner"
${serial("scanner")}
[devices.scanner-hid]
driver = "hid-pos"
link = { kind = "tcp", ${hid} }
[devices.terminal]
driver = "zvt"
password = "123456"
t2Ms = 2000
t3Ms = 4000
t4Ms = 20000
autoReversalMs = 6000
pollMs = 5000
${serial("terminal")}
[devices.terminal-lan]
driver = "nexo"
poiId = "${nexoOptions.poiId}"
saleId = "soak"
keyIdentifier = "${nexoOptions.keyIdentifier}"
keyVersion = ${nexoOptions.keyVersion}
passphrase = "${nexoOptions.passphrase}"
orderMs = 20000
settleMs = 5000
answerMs = 5000
pollMs = 5000
link = { kind = "https", ${nexo}, caFile = "${join(folder, "authority.pem")}", serverName = "${lan.tlsName}" }
[devices.vietqr]
driver = "vietqr"
bankBin = "970416"
account = "257678859"
confirmationKeys = [${JSON.stringify(bank.publicKey)}]
expiresMs = 45000
[devices.documents]
driver = "escl"
answerMs = 3000
startMs = 5000
pageMs = 8000
busyMs = 3000
pollMs = ${turn % 2 === 0 ? 2000 : 2500}
link = { kind = "http", ${escl} }
[devices.camera]
driver = "ffmpeg"
link = { kind = "tcp", ${jpegs} }
[devices.id-reader]
driver = "pcsc"
${reader}
${ffmpeg ? WEBCAM : ""}`;

  return {
    folder,
    printer,
    tray: trayOf(printer),
    terminals: { terminal, "terminal-lan": lan },
    bank,
    card,
    pcscd,
    cameras: ffmpeg ? ["camera", "webcam"] : ["camera"],
    ports,
    devices,
    async act(device, name, params = {}) {
      const action = simulator(device).actions[name];
      if (!action) throw new RangeError(`${device} cannot ${name}`);
      await action.act(action.params.parse(params));
      if (name === "plug" || name === "powerOn") {
        // The port comes back a moment after its cable.
        for (let look = 0; ports.has(device) && simulator(device).state().attached !== true && look < 100; look++) await clock.sleep(50);
        hold(device);
      }
    },
    state: (device) => simulator(device).state(),
    async close() {
      for (const descriptor of held.values()) closeSync(descriptor);
      for (const close of closing) await close();
      for (const one of Object.values(simulators)) await one.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** A real ffmpeg with a drawn picture: the pattern needs no camera. */
const WEBCAM = `[devices.webcam]
driver = "ffmpeg"
link = { kind = "video", device = "/dev/video0", inputFormat = "test", widthPx = 320, heightPx = 240, framesPerSecond = 10 }
`;
