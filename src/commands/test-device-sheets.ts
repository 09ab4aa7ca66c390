import { randomUUID } from "node:crypto";
import { writeFile } from "node:fs/promises";
import { extname } from "node:path";
import { DeviceError } from "../kernel/errors.js";
import { judgePage, judgePicture, kilobytes } from "../technician/judge.js";
import { LOOK_AT_PAPER, PAPER_ADVICE, pageWidthDots } from "../technician/test-page.js";
import { exitCodeOfJob } from "./exit-codes.js";
import { describeJob } from "./print.js";
import { progressLine } from "./progress-line.js";
import { wrap } from "./table.js";
import { testPageFor } from "./test-device-page.js";
import type { Finding, Trial } from "./test-device-run.js";

/** Prints the test page and asks whether it looks right. */
export async function testPrinter({ client, device, terminal, signal, ask, yes, timeoutMs }: Trial): Promise<Finding> {
  const { capabilities } = await client.call("devices.capabilities", { device: device.id }, { signal });
  const widthDots = pageWidthDots(capabilities);
  const document = testPageFor(device.id, widthDots);
  const line = progressLine(terminal);
  const request = { device: device.id, document, idempotencyKey: `test-${randomUUID()}`, timeoutMs };
  const job = await client.call("printer.print", request, { signal, onProgress: line.show }).finally(line.clear);
  const facts = { state: job.state, confirmation: job.confirmation, widthDots };
  const notes = describeJob(job, terminal.t).trimEnd().split("\n").slice(0, -1);
  const code = exitCodeOfJob(job);
  if (code !== 0) return { result: "failed", notes, facts, code };
  if (yes) return { result: "unseen", notes: [...notes, "Nobody looked at the paper."], facts };
  terminal.note(`${wrap(terminal.t(LOOK_AT_PAPER), 80).join("\n")}\n`);
  if (await ask(terminal.t`Does it look right?`)) return { result: "passed", notes, facts };
  return {
    result: "failed",
    notes: [...notes, "A person says that it does not look right.", ...PAPER_ADVICE],
    facts,
  };
}

/** Scans one page; it is kept only where a file was named. */
export async function testDocumentScanner({ client, device, terminal, signal, timeoutMs, out }: Trial): Promise<Finding> {
  if (out !== undefined && !/^\.(pdf|png|jpe?g)$/i.test(extname(out))) {
    throw new DeviceError("invalid_params", { message: "--out: the name ends in .pdf, .jpg or .png", hint: "" });
  }
  const ending = extname(out ?? "").toLowerCase();
  const format = ending === ".pdf" ? "pdf" : ending === ".png" ? "png" : "jpeg";
  const line = progressLine(terminal);
  const request = { device: device.id, format, resolutionDpi: 150, maxPages: 1, timeoutMs } as const;
  const scanned = await client.call("documentScanner.scan", request, { signal, onProgress: line.show }).finally(line.clear);
  const [page] = scanned.pages;
  const image = scanned.document ?? page?.image;
  const facts = { widthPx: page?.widthPx, heightPx: page?.heightPx, blank: page?.blank, bytes: image?.byteLength, file: out };
  if (!page || !image) return { result: "failed", notes: ["No page came."], facts };
  const { good, notes: found } = judgePage(page, image.byteLength);
  const notes = [...found];
  if (out !== undefined) {
    await writeFile(out, new Uint8Array(await client.blob(image).arrayBuffer()), { mode: 0o600 });
    notes.push(`Kept in ${out}; remove it when you have looked.`);
  }
  return { result: good ? "passed" : "failed", notes, facts };
}

/** Takes a picture; it is kept only where a file was named. */
export async function testCamera({ client, device, signal, timeoutMs, out }: Trial): Promise<Finding> {
  const { image, widthPx, heightPx, quality } = await client.call("camera.snapshot", { device: device.id, timeoutMs }, { signal });
  const { good, notes: found } = judgePicture(quality);
  const notes = [`A picture of ${widthPx} × ${heightPx} pixels, ${kilobytes(image.byteLength)}.`, ...found];
  if (out !== undefined) {
    await writeFile(out, new Uint8Array(await client.blob(image).arrayBuffer()), { mode: 0o600 });
    notes.push(`Kept in ${out}; remove it when you have looked.`);
  }
  return {
    result: good ? "passed" : "failed",
    notes,
    facts: { widthPx, heightPx, bytes: image.byteLength, quality, file: out },
  };
}
