import type { ScanMode, ScanSource } from "../../../protocol/document-scanner.js";

/** What a backend can be told, as scanimage lists it. */
export interface SaneOption {
  /** Its values, or ranges as they are written; empty where any will do. */
  readonly values: readonly string[];
  readonly active: boolean;
}
export type SaneOptions = ReadonlyMap<string, SaneOption>;

/** No backend has as many. */
const MOST_OPTIONS = 500;
const MOST_VALUES = 1_000;

/**
 * Reads one line of `scanimage -A`: `    --source Flatbed|ADF [Flatbed]`, `    -x 0..215.9mm [215.9]`, `    --swcrop[=(yes|no)] [inactive]`.
 * Descriptions, which are indented further, are no options.
 */
export function addOption(options: Map<string, SaneOption>, line: string): void {
  const [, long, short, rest = ""] = /^ {4}(?:--([a-z][a-z0-9-]{0,63})|-([a-zA-Z]))(?=[ [])(.*)$/.exec(line) ?? [];
  const name = long ?? short;
  if (name === undefined || options.size >= MOST_OPTIONS) return;
  const [, choice, list = ""] = /^(?:\[=\(([^)]*)\)\])?(.*)$/.exec(rest) ?? [];
  // What it is set to, and whether it can be, stand in brackets at the end.
  const marks = /(?: \[[^\]]*\])+$/.exec(list)?.[0] ?? "";
  const told = choice ?? list.slice(0, list.length - marks.length).trim();
  const values = told
    .replace(/ \(in steps of [\d.e+-]+\)$/, "")
    .split("|")
    .filter((value) => value !== "")
    .slice(0, MOST_VALUES);
  options.set(name, { values, active: !/\[(inactive|read-only|hardware)\]/.test(marks) });
}

/** The option's values where it can be set. */
export function settable(options: SaneOptions, name: string): readonly string[] | undefined {
  const option = options.get(name);
  return option?.active ? option.values : undefined;
}

/** Each backend has names of its own for the same things. */
const SOURCES: readonly (readonly [ScanSource, RegExp])[] = [
  ["feeder_duplex", /duplex|both ?sides|two-?sided|double-?sided/i],
  ["feeder", /^(?!.*\b(back|rear)\b).*(adf|feeder|sheet-?fed|front)/i],
  ["flatbed", /flatbed|platen|glass|document table|^(fb|normal)$/i],
];

/** What is to be set for each source that the scanner has. */
export function sourcesOf(options: SaneOptions, unnamed: "flatbed" | "feeder"): ReadonlyMap<ScanSource, readonly string[]> {
  const found = new Map<ScanSource, readonly string[]>();
  const named = settable(options, "source") ?? [];
  for (const value of named) {
    const source = SOURCES.find(([, pattern]) => pattern.test(value))?.[0];
    if (source && !found.has(source)) found.set(source, [`--source=${value}`]);
  }
  if (found.size === 0) found.set(unnamed, []);
  const feeder = found.get("feeder");
  if (feeder && !found.has("feeder_duplex")) {
    // epson2 has the sides in an option of their own, others a switch.
    const sides = options.get("adf-mode")?.values.find((value) => /duplex/i.test(value));
    if (sides !== undefined) found.set("feeder_duplex", [...feeder, `--adf-mode=${sides}`]);
    else if (options.get("duplex")?.values.includes("yes")) found.set("feeder_duplex", [...feeder, "--duplex=yes"]);
  }
  return found;
}

const MODES: Readonly<Record<"color" | "gray" | "bits", RegExp>> = {
  color: /^(24 ?bit )?colou?r$|^(24|48)[ -]?bit colou?r\b|^true colou?r$|^rgb/i,
  gray: /^(8 ?bit |true )?gr[ae]y(scale)?$|^8[ -]?bit gr[ae]y/i,
  bits: /lineart|black ?(&|and) ?white|binary|threshold|^mono|half-?tone/i,
};

/**
 * Name of the mode to scan with; null: it cannot be told and is what it is. Black and white is made of grey, which keeps what a
 * scanner's own threshold loses. Undefined: the scanner has no such mode.
 */
export function modeFor(options: SaneOptions, mode: ScanMode): string | null | undefined {
  const values = settable(options, "mode");
  if (values === undefined || values.length === 0) return null;
  const wishes =
    mode === "color" ? (["color"] as const) : mode === "gray" ? (["gray", "color"] as const) : (["gray", "bits", "color"] as const);
  for (const wish of wishes) {
    const found = values.find((value) => MODES[wish].test(value));
    if (found !== undefined) return found;
  }
  return undefined;
}

export type Resolutions = readonly number[] | { readonly min: number; readonly max: number };

/** `75|150|300dpi` or `50..1200dpi`; undefined: it cannot be told. */
export function resolutionsOf(options: SaneOptions): Resolutions | undefined {
  const values = settable(options, "resolution");
  const [, min, max] = /^(\d+(?:\.\d+)?)\.\.(\d+(?:\.\d+)?)(?:dpi)?$/.exec(values?.[0] ?? "") ?? [];
  if (min !== undefined && max !== undefined) return { min: Number(min), max: Number(max) };
  const list = (values ?? []).flatMap((value) => /^(\d{1,5})(?:dpi)?$/.exec(value)?.[1] ?? []).map(Number);
  return list.length > 0 ? list : undefined;
}

/** The lowest resolution that is not below the wanted one; undefined: the scanner has none. */
export function resolutionFor(resolutions: Resolutions | undefined, dpi: number): number | undefined {
  if (resolutions === undefined) return dpi;
  if ("min" in resolutions) return dpi <= resolutions.max ? Math.max(dpi, Math.ceil(resolutions.min)) : undefined;
  return resolutions.filter((one) => one >= dpi).sort((one, other) => one - other)[0];
}
