import type { StationConfig } from "../config/types.js";
import type { Machine } from "./machine.js";

export type Verdict = "ok" | "warning" | "failure" | "skipped";

/** What one check found. No text in it repeats a secret. */
export interface Finding {
  /** `udev.rules`: the group, and what was looked at. */
  readonly id: string;
  readonly verdict: Verdict;
  readonly finding: string;
  /** What goes wrong while it is so. */
  readonly why?: string;
  /** The command that mends it, for root's shell. */
  readonly mend?: string;
  /** What a person has to do, where no command can. */
  readonly advice?: string;
}

/** What is looked at, besides the machine. */
export interface Station {
  readonly configFile: string;
  /** Undefined where it has problems. */
  readonly config: StationConfig | undefined;
  /** Whom the agent runs as. */
  readonly user: string;
  /** Folder with the package's own unit, rules and samples. */
  readonly shipped: string;
  /** A file of it, which is no part of the machine that is looked at. */
  shippedText(name: string): Promise<string | undefined>;
}

/** A group of checks. Without a configuration it finds what it can. */
export type Checks = (machine: Machine, station: Station) => Promise<readonly Finding[]>;

export const ok = (id: string, finding: string): Finding => ({ id, verdict: "ok", finding });
export const skipped = (id: string, finding: string): Finding => ({ id, verdict: "skipped", finding });

/** A word as a shell takes it. */
export function word(text: string): string {
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}

/** Links of the devices that are opened. */
export function linksOf({ config }: Station) {
  return (config?.devices ?? []).filter(({ enabled }) => enabled).map(({ id, link, driver }) => ({ id, link, driver: driver.id }));
}

/** systemd runs this machine: units can be asked for and started. */
export async function hasSystemd(machine: Machine): Promise<boolean> {
  return (await machine.facts("/run/systemd/system")) !== undefined;
}

/** What brings a file of the package to its place. */
export function putInPlace({ shipped }: Station, name: string, place: string): string {
  return `install -Dm644 ${word(`${shipped}/${name}`)} ${word(place)}`;
}
