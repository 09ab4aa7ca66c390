import type { Json } from "../../../kernel/errors.js";
import { DeviceError } from "../../../kernel/errors.js";
import type { ScanMode, ScanSource } from "../../../protocol/document-scanner.js";
import { child, count, descendants, line, readXml, type XmlElement } from "./xml.js";

/** Lengths in eSCL are in 1/300 inch, whatever the resolution is. */
export const UNITS_PER_MM = 300 / 25.4;

/** Dots per inch, the same across and down. */
export type Resolutions =
  | { readonly discrete: readonly number[] }
  | { readonly least: number; readonly most: number; readonly step: number };

/** What goes together: these modes in these formats at these resolutions. */
export interface Profile {
  readonly modes: readonly string[];
  /** Media types by the element that they were listed in: an order names them in the same. */
  readonly pwgFormats: readonly string[];
  readonly extFormats: readonly string[];
  readonly resolutions: Resolutions;
}

/** What one source can do. Lengths in 1/300 inch. */
export interface SourceCapabilities {
  readonly minWidth: number;
  readonly maxWidth: number;
  readonly minHeight: number;
  readonly maxHeight: number;
  readonly profiles: readonly Profile[];
  readonly intents: readonly string[];
}

export interface ScannerCapabilities {
  /** Of eSCL: an order repeats it. */
  readonly version: string;
  readonly model: string | undefined;
  readonly serial: string | undefined;
  readonly sources: Readonly<Partial<Record<ScanSource, SourceCapabilities>>>;
  /** The feeder knows whether there is paper in it. */
  readonly detectsPaper: boolean;
}

/** The scanner's word for each of ours, best first: what is done with the page afterwards can take colour away. */
export const MODES: Readonly<Record<ScanMode, readonly string[]>> = {
  color: ["RGB24"],
  gray: ["Grayscale8", "RGB24"],
  black_white: ["BlackAndWhite1", "Grayscale8", "RGB24"],
};

const MOST_DPI = 19_200;
const MOST_PROFILES = 32;

/** @throws DeviceError `device_fault` */
export function decodeCapabilities(bytes: Uint8Array): ScannerCapabilities {
  const root = readXml(bytes, "ScannerCapabilities");
  const source = (of: XmlElement | undefined, name: string): SourceCapabilities | undefined => sourceOf(child(of, name), root);
  const adf = child(root, "Adf");
  const options = descendants(adf, "AdfOption").map(({ text }) => text);
  const duplex = source(adf, "AdfDuplexInputCaps");
  // Some tell of duplex only, though the other is always there; some tell of it in the options only.
  const simplex = source(adf, "AdfSimplexInputCaps") ?? duplex;
  const flatbed = source(child(root, "Platen"), "PlatenInputCaps");
  const both = duplex ?? (options.includes("Duplex") ? simplex : undefined);
  if (!flatbed && !simplex) throw new DeviceError("device_fault", { message: "the scanner tells of nothing that it could scan with" });
  const version = line(root, "Version") ?? "";
  return {
    version: /^\d{1,2}\.\d{1,3}$/.test(version) ? version : "2.0",
    model: line(root, "MakeAndModel"),
    serial: line(root, "SerialNumber"),
    sources: { ...(flatbed ? { flatbed } : {}), ...(simplex ? { feeder: simplex } : {}), ...(both ? { feeder_duplex: both } : {}) },
    detectsPaper: options.includes("DetectPaperLoaded"),
  };
}

function sourceOf(caps: XmlElement | undefined, root: XmlElement): SourceCapabilities | undefined {
  const maxWidth = count(caps, "MaxWidth");
  const maxHeight = count(caps, "MaxHeight");
  if (!caps || !maxWidth || !maxHeight) return undefined;
  const own = descendants(caps, "SettingProfile").map((profile) => resolved(profile, root));
  // Before version 2 there were no profiles.
  const profiles = (own.length > 0 ? own : [caps]).slice(0, MOST_PROFILES).flatMap((profile) => profileOf(profile) ?? []);
  if (profiles.length === 0) return undefined;
  return {
    minWidth: Math.min(count(caps, "MinWidth") ?? 1, maxWidth),
    maxWidth,
    minHeight: Math.min(count(caps, "MinHeight") ?? 1, maxHeight),
    maxHeight,
    profiles,
    intents: descendants(caps, "Intent", "SupportedIntent").map(({ text }) => text),
  };
}

/** A profile may stand for another one, by its name. */
function resolved(profile: XmlElement, root: XmlElement): XmlElement {
  const name = profile.attributes.get("ref");
  if (name === undefined) return profile;
  return descendants(root, "SettingProfile").find(({ attributes }) => attributes.get("name") === name) ?? profile;
}

function profileOf(profile: XmlElement): Profile | undefined {
  const texts = (...names: readonly string[]): string[] => descendants(profile, ...names).map(({ text }) => text);
  const resolutions = resolutionsOf(profile);
  const pwgFormats = texts("DocumentFormat").map(mediaType);
  const extFormats = texts("DocumentFormatExt").map(mediaType);
  if (!resolutions) return undefined;
  return {
    modes: texts("ColorMode", "ColorReference"),
    // Every eSCL scanner has JPEG; some do not find it worth telling.
    pwgFormats: pwgFormats.length + extFormats.length > 0 ? pwgFormats : ["image/jpeg"],
    extFormats,
    resolutions,
  };
}

const mediaType = (text: string): string => text.replace(/;.*/, "").trim().toLowerCase();

function resolutionsOf(profile: XmlElement): Resolutions | undefined {
  const discrete = descendants(profile, "DiscreteResolution", "Resolution").flatMap((one) => {
    const across = count(one, "XResolution", MOST_DPI);
    return across !== undefined && across === count(one, "YResolution", MOST_DPI) ? [across] : [];
  });
  if (discrete.length > 0) return { discrete: [...new Set(discrete)].sort((a, b) => a - b) };
  const ranges = descendants(profile, "XResolutionRange", "YResolutionRange");
  const of = (name: string): number[] => ranges.flatMap((range) => count(range, name, MOST_DPI) ?? []);
  const [leasts, mosts] = [of("Min"), of("Max")];
  if (leasts.length === 0 || mosts.length === 0) return undefined;
  const [least, most] = [Math.max(...leasts), Math.min(...mosts)];
  return least > most ? undefined : { least, most, step: Math.max(1, ...of("Step")) };
}

/** For `devices.capabilities`. */
export function describeCapabilities({ sources, detectsPaper }: ScannerCapabilities): Readonly<Record<string, Json>> {
  const told = Object.entries(sources).map(([source, { maxWidth, maxHeight, profiles }]) => {
    const modes = Object.entries(MODES).filter(([, words]) =>
      profiles.some((profile) => profile.modes.some((mode) => words.includes(mode))),
    );
    return [
      source,
      {
        modes: modes.map(([mode]) => mode),
        resolutionsDpi: dots(profiles),
        maxWidthMm: millimetres(maxWidth),
        maxHeightMm: millimetres(maxHeight),
      },
    ] as const;
  });
  return { version: 1, sources: Object.keys(sources), duplex: "feeder_duplex" in sources, detectsPaper, ...Object.fromEntries(told) };
}

const millimetres = (units: number): number => Math.round((units / UNITS_PER_MM) * 10) / 10;

/** Those there are, in order; where one is a range, what lies between the ends. */
function dots(profiles: readonly Profile[]): Json {
  const all = profiles.flatMap(({ resolutions }) =>
    "discrete" in resolutions ? resolutions.discrete : [resolutions.least, resolutions.most],
  );
  if (profiles.some(({ resolutions }) => !("discrete" in resolutions))) return { min: Math.min(...all), max: Math.max(...all) };
  return [...new Set(all)].sort((a, b) => a - b);
}
