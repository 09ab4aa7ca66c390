import { pathToFileURL } from "node:url";
import { type AnyDriver, LINK_KINDS } from "../contracts/driver.js";
import { DEVICE_CLASSES } from "../protocol/devices.js";
import type { KeyPath } from "./key-positions.js";

/**
 * The registry and the drivers that modules outside this tree export: any export of a module that is a driver counts.
 * A module runs with all rights of the agent; the config that names it is the administrator's.
 */
export async function withOutsideDrivers(
  paths: readonly unknown[],
  registry: readonly AnyDriver[],
  problem: (path: KeyPath, message: string) => void,
): Promise<readonly AnyDriver[]> {
  const all = [...registry];
  for (const [index, path] of paths.entries()) {
    const at: KeyPath = ["agent", "drivers", index];
    if (typeof path !== "string") continue; // the schema says so
    let found: AnyDriver[];
    try {
      const module = (await import(pathToFileURL(path).href)) as Record<string, unknown>;
      found = Object.values(module).filter(isDriver);
    } catch (error) {
      problem(at, `this module cannot be loaded: ${error instanceof Error ? error.name : "it threw"}`);
      continue;
    }
    if (found.length === 0) problem(at, "this module exports no driver");
    for (const driver of found) {
      if (all.some((known) => known.id === driver.id)) problem(at, `there is a driver ${JSON.stringify(driver.id)} already`);
      else all.push(driver);
    }
  }
  return all;
}

function isDriver(value: unknown): value is AnyDriver {
  if (typeof value !== "object" || value === null) return false;
  const { class: of, id, config, links, open } = value as Record<string, unknown>;
  return (
    typeof id === "string" &&
    DEVICE_CLASSES.some((known) => known === of) &&
    typeof open === "function" &&
    Array.isArray(links) &&
    links.every((link) => LINK_KINDS.some((known) => known === link)) &&
    typeof (config as { safeParse?: unknown } | undefined)?.safeParse === "function"
  );
}
