import { randomUUID } from "node:crypto";
import { writeFile } from "node:fs/promises";
import { extname } from "node:path";
import { DeviceError } from "../kernel/errors.js";
import { packageVersion } from "../version.js";
import { exitCodeOfJob } from "./exit-codes.js";
import { describeJob } from "./print.js";
import { progressLine } from "./progress-line.js";
import { testPage } from "./test-device-page.js";
import type { Finding, Trial } from "./test-device-run.js";

/** 80 mm of paper at 203 dpi; where a printer does not tell. */
const USUAL_WIDTH_DOTS = 576;

/** Prints the test page and asks whether it looks right. */
export async function testPrinter({ client, device, terminal, signal, ask, yes, timeoutMs }: Trial): Promise<Finding> {
  const { capabilities } = await client.call("devices.capabilities", { device: device.id }, { signal });
  const widthDots = typeof capabilities.widthDots === "number" ? Math.min(1_024, capabilities.widthDots) : USUAL_WIDTH_DOTS;
  const document = testPage({ device: device.id, widthDots, printedAt: new Date(), version: packageVersion() });
  const line = progressLine(terminal);
  const request = { device: device.id, document, idempotencyKey: `test-${randomUUID()}`, timeoutMs };
  const job = await client.call("printer.print", request, { signal, onProgress: line.show }).finally(line.clear);
  const facts = { state: job.state, confirmation: job.confirmation, widthDots };
  const notes = describeJob(job).trimEnd().split("\n").slice(0, -1);
  const code = exitCodeOfJob(job);
  if (code !== 0) return { result: "failed", notes, facts, code };
  if (yes) return { result: "unseen", notes: [...notes, "Nobody looked at the paper."], facts };
  terminal.note(
    "Look at the paper: letters with all their marks, |< and >| at the margins, eight steps\nfrom white to black, the ruler as long as a real one, the code readable.\n",
  );
  if (await ask("Does it look right?")) return { result: "passed", notes, facts };
  return {
    result: "failed",
    notes: [
      ...notes,
      "A person says that it does not look right.",
      "Margins cut or ruler too short: widthDots of the device. Pale or striped: clean the head, other paper.",
      "Marks missing: another profile of the driver (stationd config reference).",
    ],
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
  const size = `One page, ${page.widthPx} × ${page.heightPx} pixels at ${page.resolutionDpi} dpi, ${kilobytes(image.byteLength)}.`;
  const notes = [
    size,
    page.blank ? "It is BLANK: lay a page with print on it, the printed side towards the glass." : "There is something on it.",
  ];
  if (out !== undefined) {
    await writeFile(out, new Uint8Array(await client.blob(image).arrayBuffer()), { mode: 0o600 });
    notes.push(`Kept in ${out}; remove it when you have looked.`);
  }
  return { result: page.blank ? "failed" : "passed", notes, facts };
}

/** Below it a picture is blurred: see `camera.snapshot`. */
const BLURRED = 100;
const DARK = 40;
const BRIGHT = 225;

/** Takes a picture; it is kept only where a file was named. */
export async function testCamera({ client, device, signal, timeoutMs, out }: Trial): Promise<Finding> {
  const { image, widthPx, heightPx, quality } = await client.call("camera.snapshot", { device: device.id, timeoutMs }, { signal });
  const { sharpness, brightness } = quality;
  const notes = [
    `A picture of ${widthPx} × ${heightPx} pixels, ${kilobytes(image.byteLength)}.`,
    `Sharpness ${Math.round(sharpness)} (below ${BLURRED} is blurred), brightness ${Math.round(brightness)} of 255.`,
  ];
  const wrong = [
    ...(sharpness < BLURRED ? ["It is blurred: clean the lens, take off its foil, turn its focus ring."] : []),
    ...(brightness < DARK ? ["It is dark: light, or something covers the lens."] : []),
    ...(brightness > BRIGHT ? ["It is too bright: no window or lamp behind the person."] : []),
  ];
  if (out !== undefined) {
    await writeFile(out, new Uint8Array(await client.blob(image).arrayBuffer()), { mode: 0o600 });
    notes.push(`Kept in ${out}; remove it when you have looked.`);
  }
  return {
    result: wrong.length === 0 ? "passed" : "failed",
    notes: [...notes, ...wrong],
    facts: { widthPx, heightPx, bytes: image.byteLength, quality, file: out },
  };
}

const kilobytes = (bytes: number): string => `${Math.ceil(bytes / 1_000)} kB`;
