import type { AnyDriver } from "../contracts/driver.js";

/** The registry: one line per driver. */
export const drivers: readonly AnyDriver[] = [];
