import type { ScanOrder } from "../../../contracts/document-scanner.js";
import { DeviceError, type Json } from "../../../kernel/errors.js";
import type { ScanSource } from "../../../protocol/document-scanner.js";
import { MODES, type Profile, type Resolutions, type ScannerCapabilities, type SourceCapabilities, UNITS_PER_MM } from "./capabilities.js";
import { feederTrouble, type ScannerStatus } from "./status.js";

/** An order in the scanner's own words. Lengths in 1/300 inch. */
export interface ScanPlan {
  readonly source: ScanSource;
  readonly width: number;
  readonly height: number;
  readonly mode: string;
  readonly format: string;
  /** The elements in which the scanner listed the format. */
  readonly formatElements: readonly ("pwg:DocumentFormat" | "scan:DocumentFormatExt")[];
  readonly resolutionDpi: number;
  readonly resolutions: Resolutions;
  readonly intent: string | undefined;
  readonly version: string;
}

/** Glass for A4 is sold that is a millimetre short of it. */
const FORGIVEN_UNITS = 3 * UNITS_PER_MM;
/** One bit a dot does not fit into JPEG. */
const FORMATS = { gray: ["image/jpeg", "image/png", "image/tiff"], bits: ["image/png", "image/tiff", "image/jpeg"] };

/** Fits the order to the scanner. @throws DeviceError `unsupported`, `feeder_empty`, `document_jam`, `cover_open` */
export function planScan(order: ScanOrder, capabilities: ScannerCapabilities, status: ScannerStatus): ScanPlan {
  const source = chooseSource(order.source, capabilities, status);
  const able = capabilities.sources[source];
  if (!able) throw unsupported(`it has no ${source}`, { sources: Object.keys(capabilities.sources) });
  return {
    source,
    width: length(order.widthMm, able.minWidth, able.maxWidth),
    height: length(order.heightMm, able.minHeight, able.maxHeight),
    ...chooseProfile(order, able),
    intent: able.intents.includes("Document") ? "Document" : undefined,
    version: capabilities.version,
  };
}

function chooseSource(asked: ScanOrder["source"], { sources, detectsPaper }: ScannerCapabilities, status: ScannerStatus): ScanSource {
  if (asked === "flatbed" || (asked !== "auto" && !sources[asked])) return asked;
  if (asked === "auto" && !sources.feeder) return "flatbed";
  // Who left a jam behind meant the feeder.
  const trouble = feederTrouble(status);
  if (trouble) throw trouble;
  if (asked === "auto") return status.adfState === "ScannerAdfLoaded" || !sources.flatbed ? "feeder" : "flatbed";
  if (detectsPaper && status.adfState === "ScannerAdfEmpty") throw new DeviceError("feeder_empty");
  return asked;
}

/** What is smaller than the scanner can is scanned with what is around it. */
function length(mm: number, least: number, most: number): number {
  const units = Math.round(mm * UNITS_PER_MM);
  if (units > most + FORGIVEN_UNITS) throw unsupported("the page is larger than it can scan", { mostMm: Math.floor(most / UNITS_PER_MM) });
  return Math.min(Math.max(units, least), most);
}

function chooseProfile(
  { mode: asked, resolutionDpi }: ScanOrder,
  { profiles }: SourceCapabilities,
): Pick<ScanPlan, "mode" | "format" | "formatElements" | "resolutionDpi" | "resolutions"> {
  let lacking = "this mode";
  for (const mode of MODES[asked]) {
    for (const profile of profiles) {
      if (!profile.modes.includes(mode)) continue;
      const format = formatOf(profile, mode);
      const found = nearest(profile.resolutions, resolutionDpi);
      if (format && found) return { mode, ...format, resolutionDpi: found, resolutions: profile.resolutions };
      lacking = format ? "a resolution as high as that" : "a format that shows one page as a picture";
    }
  }
  const resolutionsDpi = profiles.flatMap(({ resolutions }) => ("discrete" in resolutions ? resolutions.discrete : [resolutions.most]));
  throw unsupported(`it has not ${lacking}`, { resolutionsDpi: [...new Set(resolutionsDpi)] });
}

function formatOf({ pwgFormats, extFormats }: Profile, mode: string): Pick<ScanPlan, "format" | "formatElements"> | undefined {
  const wanted = mode === "BlackAndWhite1" ? FORMATS.bits : FORMATS.gray;
  const format = wanted.find((type) => pwgFormats.includes(type) || extFormats.includes(type));
  if (!format) return undefined;
  return {
    format,
    formatElements: [
      ...(pwgFormats.includes(format) ? (["pwg:DocumentFormat"] as const) : []),
      ...(extFormats.includes(format) ? (["scan:DocumentFormatExt"] as const) : []),
    ],
  };
}

/** The lowest that is not below. */
function nearest(resolutions: Resolutions, dpi: number): number | undefined {
  if ("discrete" in resolutions) return resolutions.discrete.find((one) => one >= dpi);
  const { least, most, step } = resolutions;
  const found = dpi <= least ? least : least + Math.ceil((dpi - least) / step) * step;
  // The highest need not be whole steps away from the lowest.
  return found <= most ? found : dpi <= most ? most : undefined;
}

/**
 * At what resolution a page really is that has so many pixels, for scanners that go down by themselves. Only of the glass: what comes out of
 * a feeder is as large as the sheet, and half the pixels may be half the sheet.
 */
export function realResolution(
  { source, width, height, resolutionDpi, resolutions }: ScanPlan,
  pixels: { width: number; height: number },
): number {
  if (source !== "flatbed") return resolutionDpi;
  const [across, down] = [(pixels.width * 300) / width, (pixels.height * 300) / height];
  const near = (dpi: number): boolean => Math.abs(across - dpi) < dpi * 0.02 && Math.abs(down - dpi) < dpi * 0.02;
  return ("discrete" in resolutions ? resolutions.discrete : [Math.round(across)]).find(near) ?? resolutionDpi;
}

/** ScanSettings. Nothing in it but numbers, and words from closed lists: there is nothing to escape. */
export function scanSettings(plan: ScanPlan): Uint8Array {
  const one = (name: string, value: string | number): string => `<${name}>${value}</${name}>`;
  const region = [
    one("pwg:ContentRegionUnits", "escl:ThreeHundredthsOfInches"),
    one("pwg:Height", plan.height),
    one("pwg:Width", plan.width),
    one("pwg:XOffset", 0),
    one("pwg:YOffset", 0),
  ].join("");
  const settings = [
    one("pwg:Version", plan.version),
    ...(plan.intent ? [one("scan:Intent", plan.intent)] : []),
    one("pwg:ScanRegions", one("pwg:ScanRegion", region)),
    ...plan.formatElements.map((element) => one(element, plan.format)),
    one("pwg:InputSource", plan.source === "flatbed" ? "Platen" : "Feeder"),
    one("scan:XResolution", plan.resolutionDpi),
    one("scan:YResolution", plan.resolutionDpi),
    one("scan:ColorMode", plan.mode),
    // Some refuse it for the glass.
    ...(plan.source === "flatbed" ? [] : [one("scan:Duplex", `${plan.source === "feeder_duplex"}`)]),
  ].join("");
  const namespaces = 'xmlns:scan="http://schemas.hp.com/imaging/escl/2011/05/03" xmlns:pwg="http://www.pwg.org/schemas/2010/12/sm"';
  // The unit is a word, not a name: its prefix is bound all the same, for those that look.
  const escl = 'xmlns:escl="http://schemas.hp.com/imaging/escl/2011/05/03"';
  return new TextEncoder().encode(
    `<?xml version="1.0" encoding="UTF-8"?><scan:ScanSettings ${namespaces} ${escl}>${settings}</scan:ScanSettings>`,
  );
}

function unsupported(message: string, details: Json): DeviceError {
  return new DeviceError("unsupported", { message: `the scanner cannot do this: ${message}`, details });
}
