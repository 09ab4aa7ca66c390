import { stat } from "node:fs/promises";
import type { TrustStore } from "../emrtd/verify/trust-store.js";
import type { Logger } from "../kernel/log.js";

/**
 * The trust folder as it is now: read again when something in it was put, replaced or removed. Loaded at the first use, for not
 * every station reads cards.
 */
export function trustOf(folder: string, log: Logger): () => Promise<TrustStore> {
  let known: { readonly at: string; readonly store: Promise<TrustStore> } | undefined;
  return async () => {
    const at = await stampOf(folder);
    if (known?.at !== at) known = { at, store: load(folder, log) };
    const { store } = known;
    try {
      return await store;
    } catch (thrown) {
      known = undefined;
      throw thrown;
    }
  };
}

/** Changes with every file that comes, goes or is replaced; a file written in place is an operator's mistake, `trust import` makes none. */
async function stampOf(folder: string): Promise<string> {
  try {
    const { mtimeMs, ino } = await stat(folder);
    return `${ino} ${mtimeMs}`;
  } catch {
    return "absent";
  }
}

async function load(folder: string, log: Logger): Promise<TrustStore> {
  const { loadTrustFolder } = await import("./folder.js");
  const { store, problems } = await loadTrustFolder(folder);
  if (problems.length > 0) log.warn("files of the trust folder were left out: see `stationd trust check`", { count: problems.length });
  return store;
}
