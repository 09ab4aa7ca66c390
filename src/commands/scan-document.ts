import { writeFile } from "node:fs/promises";
import { extname } from "node:path";
import { InvalidArgumentError, Option } from "commander";
import { DeviceError } from "../kernel/errors.js";
import type { Translate } from "../languages/translate.js";
import { PAGE_SIZES, SCAN_MODES, SCAN_SOURCES } from "../protocol/document-scanner.js";
import type { ParamsInput, Result } from "../protocol/methods.js";
import { type AddCommand, type JsonFlag, withExamples, withJson } from "./command.js";
import { commandHint } from "./command-hint.js";
import { type ConnectionFlags, withConnection, withStation } from "./connection.js";
import { EXIT_CODES } from "./exit-codes.js";
import { progressLine } from "./progress-line.js";
import { seconds } from "./seconds.js";
import { json, plain } from "./terminal.js";

type ScanParams = ParamsInput<"documentScanner.scan">;
type Scanned = Result<"documentScanner.scan">;

interface ScanFlags
  extends ConnectionFlags,
    JsonFlag,
    Pick<ScanParams, "device" | "source" | "mode" | "pageSize" | "maxPages" | "maxBytes"> {
  readonly out: string;
  readonly dpi: number;
  readonly crop?: true;
  readonly dropBlank?: true;
  readonly deskew: boolean;
  readonly timeout: number;
}

const FORMATS: Readonly<Record<string, NonNullable<ScanParams["format"]>>> = {
  ".pdf": "pdf",
  ".jpg": "jpeg",
  ".jpeg": "jpeg",
  ".png": "png",
};

export const addScanDocument: AddCommand = (program, act) => {
  const command = program
    .command("scan-document")
    .summary("scan paper into a file")
    .description(
      "Scans one page from the glass or the stack in the feeder into a PDF, or into images: page.jpg becomes page-1.jpg, page-2.jpg …",
    )
    .requiredOption("-o, --out <file>", "where to; .pdf, .jpg or .png")
    .option("-d, --device <id>", "which scanner, where there are several")
    .addOption(new Option("-s, --source <source>", "glass or feeder").choices(["auto", ...SCAN_SOURCES]).default("auto"))
    .addOption(new Option("-m, --mode <mode>", "colours").choices(SCAN_MODES).default("color"))
    .addOption(new Option("-p, --page-size <size>", "of the paper").choices(Object.keys(PAGE_SIZES)).default("A4"))
    .option("-r, --dpi <dpi>", "resolution", whole, 300)
    .option("--max-pages <count>", "stop after so many", whole)
    .option("--max-bytes <bytes>", "quality and resolution are lowered until it fits", whole)
    .option("--no-deskew", "leave pages as crooked as they lie")
    .option("--crop", "cut away what is not the sheet")
    .option("--drop-blank", "leave out blank pages")
    .option("-t, --timeout <seconds>", "how long to wait", seconds, 300);
  withExamples(withConnection(withJson(command)), [
    ["stationd scan-document --out papers.pdf", "from the feeder where it has paper, else from the glass"],
    ["stationd scan-document --out page.png --mode gray --dpi 150", "one image for each page"],
  ]).action(
    act(async (terminal, flags: ScanFlags) => {
      const format = FORMATS[extname(flags.out).toLowerCase()];
      if (!format) throw new DeviceError("invalid_params", { message: "--out: the name ends in .pdf, .jpg or .png", hint: "" });
      return withStation(terminal, { ...flags, first: "service" }, async (client, signal) => {
        const line = progressLine(terminal);
        const scanned = await client
          .call("documentScanner.scan", paramsOf(flags, format), { signal, onProgress: line.show })
          .finally(line.clear);
        const files = filesOf(scanned, flags.out);
        for (const { path, image } of files) await writeFile(path, new Uint8Array(await client.blob(image).arrayBuffer()), { mode: 0o600 });
        terminal.out(flags.json ? json({ ...scanned, files: files.map(({ path }) => path) }) : told(scanned, files, terminal.t));
        return scanned.brokenOff ? EXIT_CODES.failed.code : EXIT_CODES.ok.code;
      });
    }),
  );
};

function paramsOf(flags: ScanFlags, format: ScanParams["format"]): ScanParams {
  const { device, source, mode, pageSize, maxPages, maxBytes } = flags;
  return {
    ...{ source, mode, pageSize, format, resolutionDpi: flags.dpi, deskew: flags.deskew },
    ...(device === undefined ? {} : { device }),
    ...(maxPages === undefined ? {} : { maxPages }),
    ...(maxBytes === undefined ? {} : { maxBytes }),
    cropToPage: flags.crop === true,
    dropBlankPages: flags.dropBlank === true,
    timeoutMs: Math.round(flags.timeout * 1_000),
  };
}

type Image = NonNullable<Scanned["document"]>;

/** One PDF, or a numbered file for each page that was kept; a single image keeps its name. */
function filesOf({ document, pages }: Scanned, out: string): { readonly path: string; readonly image: Image }[] {
  if (document) return [{ path: out, image: document }];
  const ending = extname(out);
  const images = pages.flatMap(({ page, image }) => (image ? [{ page, image }] : []));
  if (images.length === 1) return images.map(({ image }) => ({ path: out, image }));
  return images.map(({ page, image }) => ({ path: `${out.slice(0, -ending.length)}-${page}${ending}`, image }));
}

function told(
  { device, pages, resolutionDpi, jpegQuality, brokenOff, simulated }: Scanned,
  files: readonly { path: string; image: Image }[],
  t: Translate,
): string {
  const dropped = pages.filter((page) => page.dropped).length;
  const bytes = files.reduce((sum, { image }) => sum + image.byteLength, 0);
  const facts = [
    pages.length === 1 ? t`1 page` : t`${pages.length} pages`,
    ...(dropped > 0 ? [t`${dropped} blank left out`] : []),
    `${resolutionDpi} dpi`,
    ...(jpegQuality === undefined ? [] : [t`JPEG quality ${jpegQuality}`]),
    `${Math.ceil(bytes / 1_000)} kB`,
  ];
  const lines = [`${plain(device)}: ${facts.join(", ")}${simulated ? ` ${t`[simulated]`}` : ""}`, ...files.map(({ path }) => `  ${path}`)];
  if (brokenOff) lines.push(t`  broken off: ${plain(t(brokenOff.message))}. ${plain(commandHint(brokenOff.hint, t))}.`);
  return `${lines.join("\n")}\n`;
}

function whole(text: string): number {
  if (!/^[1-9]\d{0,9}$/.test(text)) throw new InvalidArgumentError("expected a whole number, more than 0");
  return Number(text);
}
