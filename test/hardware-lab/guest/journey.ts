import { randomUUID } from "node:crypto";
import { writeFileSync } from "node:fs";
import type { ReceiptPrinter } from "../../../simulators/receipt-printer/index.js";
import type { Bench } from "./bench.js";
import { act, nextScan } from "./scanners.js";
import type { Station } from "./station.js";
import { must, trial } from "./trial.js";

/** What a citizen does at the station, with each device a kernel's own. */
export async function journey(station: Station, bench: Bench): Promise<void> {
  await trial("station", "whole journey", async () => {
    const { page } = station;
    const insert = bench.card.simulator.actions.insert;
    await insert?.act(insert.params.parse({ person: "B" }));
    const holder = bench.card.simulator.holder();
    const { details, portrait } = await page.call("chipReader.readCard", {
      access: { can: holder.idNumber.slice(-6) },
      parts: ["dg1", "dg2", "dg13"],
      timeoutMs: 60_000,
    });
    must(details?.idNumber === holder.idNumber, "another citizen");
    must(portrait !== undefined, "no portrait");

    const code = "HS-2026-000777";
    const told = await nextScan(station, "scanner-hid", () => act(bench.hid.simulator, "scan", { text: code }));
    must(told === code, `another code: ${told}`);

    const payment = await page.jobs.pay({ device: "terminal-acm", amountVnd: 30_000, reference: code, idempotencyKey: randomUUID() });
    must(payment.state === "approved", `payment ${payment.state}`);
    const photo = await page.call("camera.snapshot", { device: "camera", timeoutMs: 45_000 });
    must(photo.image.byteLength > 1_000, "no photo");
    const job = await page.jobs.print({
      device: "printer-usb",
      document: {
        blocks: [
          { type: "text", text: "BIÊN NHẬN HỒ SƠ", align: "center", size: 2, bold: true },
          { type: "columns", columns: [{ text: "Mã hồ sơ" }, { text: code, align: "right" }] },
          { type: "columns", columns: [{ text: "Đã thu" }, { text: "30.000 đ", align: "right" }] },
          { type: "qr", data: code, align: "center" },
        ],
      },
      idempotencyKey: randomUUID(),
      timeoutMs: 30_000,
    });
    must(job.state === "printed", `print ${job.state}`);
    writeFileSync("/lab/results/receipt.png", await (bench.usbPrinter.simulator as ReceiptPrinter).png("last"));
    return { outcome: "identified, scanned, paid, photographed, printed" };
  });
}
