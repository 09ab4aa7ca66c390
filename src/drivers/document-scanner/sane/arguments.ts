import type { ScanOrder } from "../../../contracts/document-scanner.js";
import { DeviceError } from "../../../kernel/errors.js";
import type { ScanSource } from "../../../protocol/document-scanner.js";
import type { SaneConfig } from "./config.js";
import { modeFor, resolutionFor, resolutionsOf, type SaneOptions, settable, sourcesOf } from "./options.js";

/**
 * A device's name as backends make them: `genesys:libusb:001:004`, `airscan:e0:Brother DCP`, `hpaio:/usb/LaserJet?serial=X`. Whatever
 * else a list says is no name: it becomes an argument of a program.
 */
const NAME = /^[a-z0-9][\w-]{0,63}(:[\w.:+/ ()=?&@,#%~-]{0,190})?$/i;

export function isDeviceName(name: string): boolean {
  return NAME.test(name);
}

/** For `link.take`: what the pages are called. */
export const PAGE_FILE = /^page\d{1,4}\.pnm$/;

export interface ScanArguments {
  readonly args: readonly string[];
  /** At which it is scanned: what was ordered, or the next that the scanner has. */
  readonly resolutionDpi: number;
}

/**
 * The arguments of one scan. Only what the backend listed is set: scanimage has options of its own that write files.
 * @throws DeviceError `unsupported` for what the scanner cannot do
 */
export function scanArguments(
  device: string,
  source: ScanSource,
  order: ScanOrder,
  options: SaneOptions,
  config: Pick<SaneConfig, "options" | "unnamedSource">,
): ScanArguments {
  const sources = sourcesOf(options, config.unnamedSource);
  const sourceArguments = sources.get(source);
  if (!sourceArguments)
    throw new DeviceError("unsupported", { message: `the scanner has no ${source}`, details: { sources: [...sources.keys()] } });
  const mode = modeFor(options, order.mode);
  if (mode === undefined) throw new DeviceError("unsupported", { message: `the scanner cannot scan in ${order.mode}` });
  const resolutions = resolutionsOf(options);
  const resolutionDpi = resolutionFor(resolutions, order.resolutionDpi);
  if (resolutionDpi === undefined) {
    const details = { resolutionsDpi: resolutions as readonly number[] };
    throw new DeviceError("unsupported", { message: `the scanner cannot scan at ${order.resolutionDpi} dpi`, details });
  }
  const named = Object.entries(config.options).map(([name, value]) => {
    if (options.has(name) && name.length > 1) return `--${name}=${value}`;
    throw new DeviceError("unsupported", {
      message: `the scanner's backend has no option ${name}`,
      hint: "Correct `options` in the device's table: `scanimage -A` lists those that there are",
    });
  });
  const { widthMm, heightMm } = order;
  const paper = [
    ...(settable(options, "page-width") ? [`--page-width=${widthMm}`] : []),
    ...(settable(options, "page-height") ? [`--page-height=${heightMm}`] : []),
  ];
  // What is larger than the glass is cut to it by SANE.
  const area = (["l", "t", "x", "y"] as const).flatMap((name, index) =>
    settable(options, name) ? [`-${name}`, `${[0, 0, widthMm, heightMm][index]}`] : [],
  );
  const depths = settable(options, "depth");
  const args = [
    `--device-name=${device}`,
    // In this order: what one option may be follows from those before it.
    ...sourceArguments,
    ...(mode === null ? [] : [`--mode=${mode}`]),
    // Colour of one bit makes scanimage 1.1 abort.
    ...(depths?.some((depth) => /^8(bit)?$/.test(depth)) ? ["--depth=8"] : []),
    ...(resolutions === undefined ? [] : [`--resolution=${resolutionDpi}`]),
    ...named,
    ...paper,
    ...area,
    "--format=pnm",
    "--batch=page%d.pnm",
    `--batch-count=${source === "flatbed" ? 1 : order.maxPages}`,
    "--batch-print",
    // It asks before each page: that is how it is held up while nobody has room for another.
    "--batch-prompt",
    "--progress",
  ];
  return { args, resolutionDpi };
}
