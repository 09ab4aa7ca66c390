import { randomUUID } from "node:crypto";
import { readFileSync } from "node:fs";
import type { ReceiptPrinter } from "../../../simulators/receipt-printer/index.js";
import { equalBytes } from "../../../src/kernel/bytes.js";
import type { PrintDocument } from "../../../src/protocol/printer.js";
import type { PlayedGadget } from "./bench.js";
import type { Station } from "./station.js";
import { must, pullAndPush, pulled, pushed, trial } from "./trial.js";

const RECEIPT: PrintDocument = {
  blocks: [
    { type: "text", text: "TRẠM CÔNG DÂN SỐ", align: "center", size: 2, bold: true },
    { type: "columns", columns: [{ text: "Lệ phí" }, { text: "50.000 đ", align: "right" }] },
    { type: "qr", data: "HS-2026-000123", align: "center" },
    { type: "text", text: "Xin cảm ơn quý công dân" },
  ],
};

/** Slow enough that a receipt takes seconds, as a real one's does. */
export const PRINTER = { rowsPerSecond: 300 };

/** The agent's child that runs this file. */
function childOf(agent: number, entry: string): number {
  const children = readFileSync(`/proc/${agent}/task/${agent}/children`, "utf8").trim().split(" ").map(Number);
  const found = children.filter((pid) => readFileSync(`/proc/${pid}/cmdline`, "utf8").includes(entry));
  must(found.length === 1, `${found.length} processes of ${entry}`);
  return found[0] ?? 0;
}

export async function printers(station: Station, device: "printer-lp" | "printer-usb", plug: PlayedGadget<ReceiptPrinter>): Promise<void> {
  const { page } = station;
  const { simulator: printer } = plug;
  const print = (idempotencyKey: string = randomUUID()): ReturnType<typeof page.jobs.print> =>
    page.jobs.print({ device, document: RECEIPT, idempotencyKey, timeoutMs: 30_000 });
  let whole: Uint8Array | undefined;
  const copies = (): number => printer.receipts.filter((receipt) => whole && equalBytes(receipt.rows.bits, whole)).length;

  await trial(device, "prints", async () => {
    const job = await print();
    must(job.state === "printed", `ended ${job.state}`);
    must(printer.receipts.length === 1, `${printer.receipts.length} receipts`);
    whole = printer.receipts.at(-1)?.rows.bits.slice();
    return { outcome: `one receipt, ${job.confirmation}` };
  });
  await trial(device, "pulled idle", async () => ({ ...(await pullAndPush(station, device, plug)), outcome: "ready again" }));
  await trial(device, "pulled in mid-print", async () => {
    const before = copies();
    const rows = Number(printer.state().rowsPrinted);
    const job = print();
    while (Number(printer.state().rowsPrinted) === rows) await new Promise((resolve) => setTimeout(resolve, 10));
    const goneMs = await pulled(station, device, plug);
    const backMs = await pushed(station, device, plug.push);
    const { state } = await job;
    const next = await print();
    must(next.state === "printed", `the next one ended ${next.state}`);
    const paper = copies() - before - 1;
    must(paper === (state === "printed" ? 1 : 0), `${state}, with ${paper} whole receipts on paper`);
    must(state === "printed" || state === "failed", `ended ${state}`);
    return { goneMs, backMs, outcome: `${state}, ${paper} whole on paper; the next one whole` };
  });
  if (device === "printer-usb") {
    await trial(device, "its process crashes in mid-print", async () => {
      const before = copies();
      const rows = Number(printer.state().rowsPrinted);
      const job = print();
      while (Number(printer.state().rowsPrinted) === rows) await new Promise((resolve) => setTimeout(resolve, 10));
      const at = performance.now();
      process.kill(childOf(station.pid, "usb-host-entry"), "SIGSEGV");
      const { state } = await job;
      const next = await print();
      must(next.state === "printed", `the next one ended ${next.state}`);
      const paper = copies() - before - 1;
      must(paper === (state === "printed" ? 1 : 0), `${state}, with ${paper} whole receipts on paper`);
      return { outcome: `${state}, ${paper} whole on paper; the next one whole after ${Math.round(performance.now() - at)} ms` };
    });
  }
  await trial(device, "in another socket", async () => {
    const times = await pullAndPush(station, device, plug, plug.move);
    const job = await print();
    must(job.state === "printed", `ended ${job.state}`);
    return { ...times, outcome: "the same printer, by its serial number" };
  });
  await trial(device, "out of paper", async () => {
    await printer.actions.paperOut?.act({});
    await station.until(device, (state) => state === "attention");
    const { reason } = await page.call("devices.get", { device });
    must(reason?.kind === "paper_out", `says ${reason?.kind}`);
    await printer.actions.refill?.act({});
    await station.until(device, (state) => state === "ready");
    return { outcome: "told by DLE EOT, and its end" };
  });
}
