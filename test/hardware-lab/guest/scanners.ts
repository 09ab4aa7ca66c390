import { serveUhid } from "../../../simulators/gadget/uhid.js";
import { hidScanner } from "../../../simulators/hid-scanner/index.js";
import type { Simulator } from "../../../simulators/simulator.js";
import { systemClock } from "../../../src/kernel/clock.js";
import { seededRandom } from "../../../src/kernel/random.js";
import type { Scan } from "../../../src/protocol/barcode-scanner.js";
import { ROWS } from "../rows.js";
import type { PlayedGadget } from "./bench.js";
import type { Station } from "./station.js";
import { must, pullAndPush, pulled, pushed, trial } from "./trial.js";

const TEXT = "Nguyễn Thị Ánh|Phường Bến Nghé, Quận 1|HS-2026-000123";
/** Longer than a report, so that it comes in parts. */
const LONG = TEXT.repeat(6);
export const UHID = { vendorId: 0x1eab, productId: 0x8003, serial: "UHID1" };

export async function act(simulator: Simulator, name: string, params: Record<string, unknown>): Promise<void> {
  const action = simulator.actions[name];
  await action?.act(action.params.parse(params));
}

/** The next code that the page is told; shown when the page asks for it, for others are dropped. */
export async function nextScan(station: Station, device: string, show: () => Promise<void>): Promise<string> {
  const ending = new AbortController();
  const timer = setTimeout(() => ending.abort(), 20_000);
  try {
    let first: ReturnType<AsyncIterableIterator<Scan>["next"]> | undefined;
    await new Promise<void>((resolve, reject) => {
      first = station.page.barcodeScanner.scans({ device, signal: ending.signal, onEnabled: resolve }).next();
      first.then(() => resolve(), reject);
    });
    await Promise.race([show(), first]);
    const value = (await first)?.value as Scan | undefined;
    ending.abort();
    return value?.text ?? "";
  } finally {
    clearTimeout(timer);
  }
}

function isSeen(simulator: Simulator): boolean {
  const { attached, greeted = attached } = simulator.state();
  return greeted === true;
}

export async function scanner(station: Station, device: "scanner-hid" | "scanner-acm", plug: PlayedGadget<Simulator>): Promise<void> {
  const { simulator } = plug;
  const reads = async (text: string): Promise<void> => {
    // A scanner that its host has not looked at yet keeps nothing.
    while (!isSeen(simulator)) await new Promise((resolve) => setTimeout(resolve, 20));
    const told = await nextScan(station, device, () => act(simulator, "scan", { text }));
    must(told === text, `${[...text].length} letters shown, ${[...told].length} told`);
  };
  await trial(device, "reads a code", async () => {
    await reads(LONG);
    return { outcome: "every letter" };
  });
  await trial(device, "pulled idle", async () => {
    const times = await pullAndPush(station, device, plug);
    await reads(TEXT);
    return { ...times, outcome: "reads again" };
  });
  await trial(device, "pulled in mid-code", async () => {
    let goneMs = 0;
    let backMs = 0;
    const told = await nextScan(station, device, async () => {
      // Half of a code is on its way when the cable goes: that half is no code.
      const pieces = device === "scanner-hid" ? {} : { chunks: [60, 60, 60, 60] };
      void act(simulator, "scan", { text: LONG, gapMs: 150, ...pieces });
      await new Promise((resolve) => setTimeout(resolve, 250));
      goneMs = await pulled(station, device, plug);
      backMs = await pushed(station, device, plug.push);
      while (!isSeen(simulator)) await new Promise((resolve) => setTimeout(resolve, 20));
      await act(simulator, "scan", { text: TEXT });
    });
    must(told === TEXT, "half a code was told");
    return { goneMs, backMs, outcome: "the half is dropped, the next one told" };
  });
  await trial(device, "in another socket", async () => {
    const times = await pullAndPush(station, device, plug, plug.move);
    await reads(TEXT);
    return { ...times, outcome: "the same scanner" };
  });
}

/** One after the other, as the same device by its numbers: each kind of report descriptor through the kernel's own parser. */
export async function uhidScanners(station: Station): Promise<void> {
  const plug = async (model: string): Promise<{ simulator: Simulator; close(): Promise<void> }> => {
    const simulator = hidScanner.create(hidScanner.options.parse({ model }), {
      clock: systemClock(),
      random: seededRandom(7),
      changed() {},
    });
    return { simulator, close: (await serveUhid(simulator, UHID.serial, UHID)).close };
  };
  // It has not been there since the agent's start: what is measured below is a device's coming back.
  const first = await plug("honeywell");
  await pushed(station, "scanner-uhid", async () => {});
  await pulled(station, "scanner-uhid", { pull: first.close });
  for (const model of ROWS["scanner-uhid"]) {
    await trial("scanner-uhid", model, async () => {
      const began = performance.now();
      const { simulator, close } = await plug(model);
      try {
        const backMs = (await station.until("scanner-uhid", (state) => state === "ready", 20_000)) - began;
        const told = await nextScan(station, "scanner-uhid", () => act(simulator, "scan", { text: LONG }));
        must(told === LONG, `${[...LONG].length} letters shown, ${[...told].length} told`);
        const goneMs = await pulled(station, "scanner-uhid", { pull: close });
        return { goneMs, backMs, outcome: "every letter" };
      } finally {
        await close();
      }
    });
  }
}
