import { randomBytes } from "node:crypto";
import { link, open, readFile, unlink } from "node:fs/promises";
import { join } from "node:path";
import { DeviceError } from "../kernel/errors.js";
import { Secret } from "../kernel/secret.js";
import { ensureFolder, syncFolder } from "./folder.js";
import { journalTrouble } from "./trouble.js";

const KEY_BYTES = 32;

/**
 * The station's own key, 32 random bytes in `station.key` (mode 0600), made at the first call. It keys the HMAC that tells
 * whether two requests were the same, so that the journal holds nothing of what was asked.
 * @throws DeviceError `journal_unavailable` where it cannot be read or written, or is damaged: it is never replaced
 */
export async function stationKey(folder: string): Promise<Secret<Uint8Array>> {
  const file = join(folder, "station.key");
  try {
    const key = (await readKey(file)) ?? (await createKey(folder, file));
    if (key.length !== KEY_BYTES) {
      throw new DeviceError("journal_unavailable", {
        hint: `${file} is damaged: restore it; without it a repeated key of before counts as another request`,
      });
    }
    return new Secret(key);
  } catch (thrown) {
    throw journalTrouble(thrown, file);
  }
}

async function readKey(file: string): Promise<Uint8Array | undefined> {
  try {
    return new Uint8Array(await readFile(file));
  } catch (thrown) {
    if ((thrown as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw thrown;
  }
}

/** Whole or not at all: written aside and fsynced, then given its name, unless another process was first. */
async function createKey(folder: string, file: string): Promise<Uint8Array> {
  ensureFolder(folder);
  const draft = `${file}.${randomBytes(8).toString("hex")}`;
  const handle = await open(draft, "wx", 0o600);
  try {
    await handle.writeFile(randomBytes(KEY_BYTES));
    await handle.sync();
    await link(draft, file).catch((thrown: NodeJS.ErrnoException) => {
      if (thrown.code !== "EEXIST") throw thrown;
    });
  } finally {
    await handle.close();
    await unlink(draft);
  }
  syncFolder(folder);
  return new Uint8Array(await readFile(file));
}
