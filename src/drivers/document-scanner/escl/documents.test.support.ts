/** What three scanners say of themselves, by facts that their owners published; and the other documents of eSCL. */

const SCAN = "http://schemas.hp.com/imaging/escl/2011/05/03";
const PWG = "http://www.pwg.org/schemas/2010/12/sm";

export interface Caps {
  readonly width: readonly [least: number, most: number];
  readonly height: readonly [least: number, most: number];
  readonly modes?: readonly string[];
  readonly pwg?: readonly string[];
  readonly ext?: readonly string[];
  readonly dpi?: readonly number[];
  readonly range?: readonly [least: number, most: number, step: number];
}

export interface Model {
  readonly name: string;
  readonly serial?: string;
  readonly version?: string;
  readonly platen?: Caps;
  readonly simplex?: Caps;
  readonly duplex?: Caps;
  readonly options?: readonly string[];
  /** Prefixes for eSCL and for PWG. */
  readonly prefixes?: readonly [scan: string, pwg: string];
}

const JPEG = ["image/jpeg", "application/pdf"];
const hp = { width: [8, 2550], modes: ["Grayscale8", "RGB24"], pwg: ["application/octet-stream", ...JPEG], ext: JPEG } as const;
const hpFeeder = { ...hp, height: [8, 4200], dpi: [75, 100, 150, 200, 300] } as const;

/** HP PageWide Pro 477dw: finer on the glass than in the feeder. */
export const HP_477: Model = {
  name: "HP PageWide Pro 477dw MFP",
  serial: "CN136MX02P",
  version: "2.5",
  platen: { ...hp, height: [8, 4201], dpi: [75, 100, 150, 200, 300, 400, 600, 1200] },
  simplex: hpFeeder,
  duplex: hpFeeder,
  options: ["DetectPaperLoaded", "Duplex"],
};

const brother = {
  width: [16, 2550],
  modes: ["BlackAndWhite1", "Grayscale8", "RGB24"],
  pwg: JPEG,
  ext: JPEG,
  dpi: [100, 200, 300, 600],
} as const;

/** Brother MFC-L8690CDW: its glass is one unit short of A4. */
export const BROTHER_8690: Model = {
  name: "Brother MFC-L8690CDW series",
  version: "2.62",
  platen: { ...brother, height: [16, 3507] },
  simplex: { ...brother, height: [16, 4200] },
  duplex: { ...brother, height: [16, 4200] },
  options: ["DetectPaperLoaded", "Duplex"],
};

/** Canon TS5300: glass only. */
export const CANON_5300: Model = {
  name: "Canon TS5300 series",
  serial: "00188b0e8fc0",
  version: "2.63",
  platen: {
    width: [1, 2550],
    height: [1, 3508],
    modes: ["Grayscale8", "RGB24"],
    pwg: JPEG,
    ext: ["image/jpeg"],
    dpi: [75, 100, 150, 200, 300, 600, 1200],
  },
};

type Build = (name: string, ...inner: readonly string[]) => string;
const builder =
  (prefix: string): Build =>
  (name, ...inner) =>
    `<${prefix}${name}>${inner.join("\n")}</${prefix}${name}>`;

export function capabilitiesXml({
  name,
  serial,
  version = "2.63",
  platen,
  simplex,
  duplex,
  options = [],
  prefixes = ["scan", "pwg"],
}: Model): string {
  const [scan, pwg] = prefixes.map((prefix) => builder(prefix && `${prefix}:`)) as [Build, Build];
  const caps = (element: string, given: Caps | undefined): string => {
    if (!given) return "";
    const pair = (of: number): string => scan("DiscreteResolution", scan("XResolution", `${of}`), scan("YResolution", `${of}`));
    const range = (axis: string): string => {
      const [least = 0, most = 0, step = 0] = given.range ?? [];
      return scan(`${axis}ResolutionRange`, scan("Min", `${least}`), scan("Max", `${most}`), scan("Step", `${step}`));
    };
    return scan(
      element,
      scan("MinWidth", `${given.width[0]}`),
      scan("MaxWidth", `${given.width[1]}`),
      scan("MinHeight", `${given.height[0]}`),
      scan("MaxHeight", `${given.height[1]}`),
      scan(
        "SettingProfiles",
        scan(
          "SettingProfile",
          scan("ColorModes", ...(given.modes ?? []).map((mode) => scan("ColorMode", mode))),
          scan(
            "DocumentFormats",
            ...(given.pwg ?? []).map((format) => pwg("DocumentFormat", format)),
            ...(given.ext ?? []).map((format) => scan("DocumentFormatExt", format)),
          ),
          scan(
            "SupportedResolutions",
            given.range ? scan("ResolutionRange", range("X"), range("Y")) : scan("DiscreteResolutions", ...(given.dpi ?? []).map(pair)),
          ),
        ),
      ),
      scan("SupportedIntents", scan("Intent", "Document"), scan("Intent", "Photo")),
    );
  };
  const declared = prefixes.map((prefix, at) => `xmlns${prefix && `:${prefix}`}="${at === 0 ? SCAN : PWG}"`).join(" ");
  const root = `${prefixes[0] && `${prefixes[0]}:`}ScannerCapabilities`;
  const inner = [
    pwg("Version", version),
    pwg("MakeAndModel", name),
    serial ? pwg("SerialNumber", serial) : "",
    platen ? scan("Platen", caps("PlatenInputCaps", platen)) : "",
    simplex || duplex
      ? scan(
          "Adf",
          caps("AdfSimplexInputCaps", simplex),
          caps("AdfDuplexInputCaps", duplex),
          scan("AdfOptions", ...options.map((option) => scan("AdfOption", option))),
        )
      : "",
  ];
  return `<?xml version="1.0" encoding="UTF-8"?>\n<!-- Of the maker's -->\n<${root} ${declared} xmlns:xsi="urn:x" xsi:schemaLocation="x y.xsd">${inner.join("\n")}</${root}>\n`;
}

export interface Job {
  readonly uri: string;
  readonly state: string;
}

export function statusXml(state: string, adfState?: string, jobs: readonly Job[] = []): string {
  const told = jobs
    .map(({ uri, state: of }) => `<s:JobInfo><p:JobUri>${uri}</p:JobUri><p:JobState>${of}</p:JobState></s:JobInfo>`)
    .join("");
  const adf = adfState === undefined ? "" : `<s:AdfState>${adfState}</s:AdfState>`;
  return `<s:ScannerStatus xmlns:s="${SCAN}" xmlns:p="${PWG}"><p:State>${state}</p:State>${adf}<s:Jobs>${told}</s:Jobs></s:ScannerStatus>`;
}

export function imageInfoXml(width: number, height: number): string {
  return `<scan:ScanImageInfo xmlns:scan="${SCAN}"><scan:ActualWidth>${width}</scan:ActualWidth><scan:ActualHeight>${height}</scan:ActualHeight></scan:ScanImageInfo>`;
}

export const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text);

/** Begins and ends as JPEG does; nobody here looks between. */
export function jpeg(length = 64, fill = 0x20): Uint8Array {
  const bytes = new Uint8Array(length).fill(fill);
  bytes.set([0xff, 0xd8, 0xff, 0xe0]);
  bytes.set([0xff, 0xd9], length - 2);
  return bytes;
}
