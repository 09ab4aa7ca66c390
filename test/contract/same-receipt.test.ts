import { afterAll, expect, test } from "vitest";
import { receiptPrinter } from "../../simulators/receipt-printer/index.js";
import type { FarEnd } from "../../simulators/simulator.js";
import type { PrintSteps } from "../../src/contracts/printer.js";
import { escpos } from "../../src/drivers/printer/escpos/driver.js";
import { createImaging } from "../../src/imaging/imaging.js";
import { concatBytes, toHex } from "../../src/kernel/bytes.js";
import { systemClock } from "../../src/kernel/clock.js";
import { silentLog } from "../../src/kernel/log.js";
import { seededRandom } from "../../src/kernel/random.js";
import { realSerialStack } from "../../src/transports/testing/pty.js";
import { tortureReceipt } from "../torture/receipt.js";
import { type WireKind, wireKinds } from "./wires.js";

const clock = systemClock();
const imaging = createImaging({ log: silentLog, clock });
afterAll(() => imaging.stop());
const serial = await realSerialStack();

const noSteps: PrintSteps = { sending: async () => {}, finishing: async () => {}, sent: async () => {}, progress() {} };

/** Prints the receipt over this wire; what the printer received and what is on its paper. */
async function printOver(kind: WireKind): Promise<{ bytes: string; paper: string }> {
  await using wire = await kind.lay();
  const printer = receiptPrinter.create(receiptPrinter.options.parse({}), { clock, random: seededRandom(1), changed() {} });
  const received: Uint8Array[] = [];
  void wire.plugged().then((end) => printer.attach(tapped(end, received)));
  const ending = new AbortController();
  const device = await escpos.open(escpos.config.parse({}), {
    device: "receipt",
    connect: wire.connect,
    clock,
    random: seededRandom(2),
    log: silentLog,
    signal: ending.signal,
    imaging,
    simulated: false,
    report() {},
  });
  try {
    const prepared = await device.prepare(tortureReceipt, { reprint: false, simulated: false }, ending.signal);
    expect(await device.print(prepared, noSteps, ending.signal)).toEqual({ state: "printed", confirmation: "confirmed" });
    const [receipt] = printer.receipts;
    return { bytes: toHex(concatBytes(received)), paper: toHex(receipt?.rows.bits ?? new Uint8Array()) };
  } finally {
    ending.abort();
    await device.close();
    await printer.close();
  }
}

function tapped(end: FarEnd, received: Uint8Array[]): FarEnd {
  return {
    closed: end.closed,
    close: () => end.close(),
    write: (bytes, signal) => end.write(bytes, signal),
    async read(signal) {
      const bytes = await end.read(signal);
      received.push(bytes);
      return bytes;
    },
  };
}

const [reference, ...others] = wireKinds;
test.each(others.filter((kind) => serial || !kind.native).map((kind) => [kind.name, kind] as const))(
  "the same receipt over %s is the same, byte for byte and dot for dot, as over memory",
  async (_name, kind) => {
    if (!reference) throw new RangeError("no wire to compare with");
    const wanted = await printOver(reference);
    expect(wanted.paper.length).toBeGreaterThan(10_000);
    expect(await printOver(kind)).toEqual(wanted);
  },
);
