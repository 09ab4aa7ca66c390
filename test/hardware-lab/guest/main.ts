import { writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import type { DeviceName } from "../rows.js";
import { citizenCard, layTable, type Plugged, startPcscd } from "./bench.js";
import { cameras, VIVID, webcam } from "./cameras.js";
import { cardReader } from "./card-reader.js";
import { type Cable, cycles } from "./cycles.js";
import { journey } from "./journey.js";
import { printers } from "./printers.js";
import { scanner, UHID, uhidScanners } from "./scanners.js";
import { startStation } from "./station.js";
import { TERMINAL_SETTINGS, terminal } from "./terminals.js";

const VIDEO = "/dev/v4l/by-path/platform-vivid.0-video-index0";
const CONFIG = `
[devices.printer-lp]
driver = "escpos"
link = { kind = "file", path = "/dev/stationd/printer-LP1" }
[devices.printer-usb]
driver = "escpos"
link = { kind = "usb", vendorId = 0x04b8, productId = 0x0202, serial = "USB1" }
[devices.scanner-hid]
driver = "hid-pos"
link = { kind = "hid", vendorId = 0x0c2e, productId = 0x0b81, serial = "HID1" }
[devices.scanner-uhid]
driver = "hid-pos"
link = { kind = "hid", vendorId = ${UHID.vendorId}, productId = ${UHID.productId}, serial = "${UHID.serial}" }
[devices.scanner-acm]
driver = "serial-scanner"
link = { kind = "serial", path = "/dev/serial/by-id/usb-Honeywell_CDC_scanner_simulated_ACM1-if00" }
[devices.terminal-acm]
driver = "zvt"
link = { kind = "serial", path = "/dev/serial/by-id/usb-Ingenico_Terminal_simulated_ACM2-if00" }
${TERMINAL_SETTINGS}
[devices.terminal-ftdi]
driver = "zvt"
link = { kind = "serial", path = "/dev/serial/by-id/usb-QEMU_QEMU_USB_SERIAL_FTDI1-if00-port0", baudRate = 115200 }
${TERMINAL_SETTINGS}
[devices.reader]
driver = "pcsc"
link = { kind = "pcsc" }
[devices.camera]
driver = "ffmpeg"
link = { kind = "video", device = "${VIDEO}", inputFormat = "yuyv422", widthPx = 320, heightPx = 180, framesPerSecond = 5 }
# A machine that is emulated takes its time.
startWithinMs = 15000
frameWithinMs = 4000
[devices.webcam]
driver = "node-webcam"
link = { kind = "webcam", device = "${VIDEO}", widthPx = 320, heightPx = 180 }
`;

const say = (text: string): void => console.log(`${(performance.now() / 1_000).toFixed(1)} ${text}`);
const pcscd = startPcscd();
const card = citizenCard();
// Side by side, as on a morning when all is switched on at once.
const [bench, station] = await Promise.all([layTable(card), startStation(CONFIG, card.trustFiles())]);
say("the table is laid, and the agent answers");
const { lpPrinter, usbPrinter, hid, acmScanner, acmTerminal, ftdiTerminal } = bench;
const { values } = parseArgs({ options: { only: { type: "string" }, cycles: { type: "string" } } });
const rows: Readonly<Record<DeviceName, () => Promise<void>>> = {
  "printer-lp": () => printers(station, "printer-lp", lpPrinter),
  "printer-usb": () => printers(station, "printer-usb", usbPrinter),
  reader: () => cardReader(station, bench, pcscd),
  "scanner-hid": () => scanner(station, "scanner-hid", hid),
  "scanner-acm": () => scanner(station, "scanner-acm", acmScanner),
  "scanner-uhid": () => uhidScanners(station),
  "terminal-acm": () => terminal(station, "terminal-acm", acmTerminal),
  "terminal-ftdi": () => terminal(station, "terminal-ftdi", ftdiTerminal),
  camera: () => cameras(station),
  webcam: () => webcam(station),
  station: () => journey(station, bench),
};
const plugs: Readonly<Partial<Record<DeviceName, Pick<Plugged, "pull" | "push">>>> = {
  "printer-lp": lpPrinter,
  "printer-usb": usbPrinter,
  reader: bench.card,
  "scanner-hid": hid,
  "scanner-acm": acmScanner,
  "terminal-acm": acmTerminal,
  "terminal-ftdi": ftdiTerminal,
  camera: VIVID,
  webcam: VIVID,
};
// Side by side: most of a row is waiting.
const wanted = (device: DeviceName): boolean => values.only === undefined || values.only.split(",").includes(device);
const lanes = (
  [
    ["printer-lp", "printer-usb", "webcam", "camera"],
    ["scanner-hid", "scanner-acm", "scanner-uhid", "terminal-acm", "terminal-ftdi", "reader"],
  ] as const
).map((lane) => lane.filter(wanted));
if (values.cycles === undefined) {
  await Promise.all(
    lanes.map(async (lane) => {
      for (const device of lane) {
        if (plugs[device]) await station.until(device, (state) => state === "ready", 60_000);
        await rows[device]();
      }
    }),
  );
  if (wanted("station")) await rows.station();
} else {
  const cables = lanes.map((lane) => lane.flatMap((device): Cable[] => (plugs[device] ? [[device, plugs[device]]] : [])));
  await cycles(station, cables, Number(values.cycles));
}
await station.stop();
await bench.close();
say("the end");
writeFileSync("/lab/results/end", "reached\n");
process.exit(0);
