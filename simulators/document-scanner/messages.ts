import type { DocumentScannerOptions } from "./options.js";

/** Regions are told in 1/300 inch (eSCL, ScanRegion: ThreeHundredthsOfInches). */
const UNITS_PER_INCH = 300;
const MM_PER_INCH = 25.4;
/** 8.5 inch wide; the glass A4 long, the feeder legal. */
const WIDTH = 2_551;
const HEIGHTS = { platen: 3_508, feeder: 4_200 } as const;
const NAMESPACES = 'xmlns:scan="http://schemas.hp.com/imaging/escl/2011/05/03" xmlns:pwg="http://www.pwg.org/schemas/2010/12/sm"';

export interface ScanSettings {
  readonly source: "platen" | "feeder";
  readonly duplex: boolean;
  readonly mode: "color" | "gray";
  readonly resolutionDpi: number;
  readonly leftMm: number;
  readonly topMm: number;
  readonly widthMm: number;
  readonly heightMm: number;
}

const document = (root: string, content: string): string =>
  `<?xml version="1.0" encoding="UTF-8"?>\n<scan:${root} ${NAMESPACES}><pwg:Version>2.63</pwg:Version>${content}</scan:${root}>\n`;

/** GET ScannerCapabilities */
export function capabilities(options: DocumentScannerOptions): string {
  const profile = [
    "<scan:SettingProfile><scan:ColorModes>",
    "<scan:ColorMode>Grayscale8</scan:ColorMode><scan:ColorMode>RGB24</scan:ColorMode>",
    "</scan:ColorModes><scan:DocumentFormats><pwg:DocumentFormat>image/jpeg</pwg:DocumentFormat>",
    "<scan:DocumentFormatExt>image/jpeg</scan:DocumentFormatExt></scan:DocumentFormats>",
    "<scan:SupportedResolutions><scan:DiscreteResolutions>",
    ...options.resolutions.map(
      (dpi) =>
        `<scan:DiscreteResolution><scan:XResolution>${dpi}</scan:XResolution><scan:YResolution>${dpi}</scan:YResolution></scan:DiscreteResolution>`,
    ),
    "</scan:DiscreteResolutions></scan:SupportedResolutions></scan:SettingProfile>",
  ].join("");
  const input = (height: number): string =>
    `<scan:MinWidth>16</scan:MinWidth><scan:MaxWidth>${WIDTH}</scan:MaxWidth><scan:MinHeight>16</scan:MinHeight>` +
    `<scan:MaxHeight>${height}</scan:MaxHeight><scan:MaxScanRegions>1</scan:MaxScanRegions>` +
    `<scan:SettingProfiles>${profile}</scan:SettingProfiles>`;
  const platen = `<scan:Platen><scan:PlatenInputCaps>${input(HEIGHTS.platen)}</scan:PlatenInputCaps></scan:Platen>`;
  const feeder = [
    `<scan:Adf><scan:AdfSimplexInputCaps>${input(HEIGHTS.feeder)}</scan:AdfSimplexInputCaps>`,
    options.duplex ? `<scan:AdfDuplexInputCaps>${input(HEIGHTS.feeder)}</scan:AdfDuplexInputCaps>` : "",
    "<scan:FeederCapacity>50</scan:FeederCapacity><scan:AdfOptions><scan:AdfOption>DetectPaperLoaded</scan:AdfOption>",
    options.duplex ? "<scan:AdfOption>Duplex</scan:AdfOption>" : "",
    "</scan:AdfOptions></scan:Adf>",
  ].join("");
  return document(
    "ScannerCapabilities",
    "<pwg:MakeAndModel>Nobody's ScanBox 10</pwg:MakeAndModel><pwg:SerialNumber>SIM-0001</pwg:SerialNumber>" +
      "<scan:UUID>00000000-0000-4000-8000-000000000001</scan:UUID>" +
      (options.platen ? platen : "") +
      (options.feeder ? feeder : ""),
  );
}

export interface JobStanding {
  readonly id: string;
  readonly state: "Processing" | "Completed" | "Canceled" | "Aborted";
  readonly pages: number;
}

/** GET ScannerStatus. `adf`: where there is a feeder. */
export function status(state: "Idle" | "Processing" | "Stopped", adf: string | undefined, jobs: readonly JobStanding[]): string {
  const reasons = {
    Processing: "JobScanning",
    Completed: "JobCompletedSuccessfully",
    Canceled: "JobCanceledByUser",
    Aborted: "AbortedBySystem",
  } as const;
  const told = jobs.map(
    (job) =>
      `<scan:JobInfo><pwg:JobUri>/eSCL/ScanJobs/${job.id}</pwg:JobUri><pwg:JobUuid>${job.id}</pwg:JobUuid>` +
      `<pwg:ImagesCompleted>${job.pages}</pwg:ImagesCompleted><pwg:JobState>${job.state}</pwg:JobState>` +
      `<pwg:JobStateReasons><pwg:JobStateReason>${reasons[job.state]}</pwg:JobStateReason></pwg:JobStateReasons></scan:JobInfo>`,
  );
  return document(
    "ScannerStatus",
    `<pwg:State>${state}</pwg:State>${adf === undefined ? "" : `<scan:AdfState>${adf}</scan:AdfState>`}` +
      `<scan:Jobs>${told.join("")}</scan:Jobs>`,
  );
}

/** Body of POST ScanJobs. A number: the HTTP status that it is refused with. */
export function parseSettings(xml: string, options: DocumentScannerOptions): ScanSettings | 400 | 409 {
  const value = (name: string): string | undefined =>
    new RegExp(`<(?:[\\w-]{1,40}:)?${name}(?:\\s[^<>]{0,400})?>([^<>]{0,400})<`).exec(xml)?.[1]?.trim();
  const number = (name: string, standard: number): number => {
    const told = value(name);
    return told === undefined ? standard : /^\d{1,6}$/.test(told) ? Number(told) : Number.NaN;
  };
  if (!/<(?:[\w-]{1,40}:)?ScanSettings[\s>]/.test(xml)) return 400;
  const source = { Platen: "platen", Feeder: "feeder" }[value("InputSource") ?? (options.platen ? "Platen" : "Feeder")];
  const mode = { RGB24: "color", Grayscale8: "gray" }[value("ColorMode") ?? "RGB24"];
  const resolutionDpi = number("XResolution", options.resolutions[0] ?? 300);
  const duplex = value("Duplex") === "true";
  const height = source === "platen" ? HEIGHTS.platen : HEIGHTS.feeder;
  const [left, top] = [number("XOffset", 0), number("YOffset", 0)];
  const [width, tall] = [number("Width", WIDTH - left), number("Height", height - top)];
  if (![resolutionDpi, left, top, width, tall].every(Number.isFinite)) return 400;
  const formats = [value("DocumentFormat"), value("DocumentFormatExt")];
  const can =
    (source === "platen" ? options.platen : source === "feeder" && options.feeder) &&
    mode !== undefined &&
    (!duplex || options.duplex) &&
    options.resolutions.includes(resolutionDpi) &&
    number("YResolution", resolutionDpi) === resolutionDpi &&
    formats.every((format) => format === undefined || format === "image/jpeg") &&
    width >= 16 &&
    tall >= 16 &&
    left + width <= WIDTH &&
    top + tall <= height;
  if (!can || source === undefined || mode === undefined) return 409;
  const mm = (units: number): number => (units / UNITS_PER_INCH) * MM_PER_INCH;
  return {
    ...{ source: source as "platen" | "feeder", mode: mode as "color" | "gray" },
    ...{ duplex: source === "feeder" && duplex, resolutionDpi },
    ...{ leftMm: mm(left), topMm: mm(top), widthMm: mm(width), heightMm: mm(tall) },
  };
}
