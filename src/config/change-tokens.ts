import { chmod, open, rename, rm, stat } from "node:fs/promises";
import { dirname } from "node:path";
import { stringify } from "smol-toml";
import { DeviceError } from "../kernel/errors.js";
import { readTokenFile, type StoredToken } from "./token-file.js";

const HEAD = "# Made by `stationd token`, which also revokes. Holds the hashes of tokens, never a token.\n\n";

/**
 * Replaces the file by what `change` makes of its tokens, whole or not at all. The draft's name is the lock: two of these never overlap.
 * @throws DeviceError `busy`, `invalid_params`; whatever `change` throws, and then nothing was changed
 */
export async function changeTokens(path: string, change: (tokens: readonly StoredToken[]) => readonly StoredToken[]): Promise<void> {
  const draft = `${path}.new`;
  const handle = await open(draft, "wx", 0o600).catch((thrown: NodeJS.ErrnoException) => Promise.reject(notWritten(path, draft, thrown)));
  try {
    try {
      await handle.writeFile(HEAD + stringify({ tokens: [...change(readTokenFile(path))] }));
      // Root's file, which the agent may read and not write: whoever takes the agent over makes himself no token.
      if (process.getuid?.() === 0) await handle.chown(0, (await stat(dirname(path))).gid);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await chmod(draft, process.getuid?.() === 0 ? 0o640 : 0o600);
    await rename(draft, path);
  } catch (thrown) {
    await rm(draft, { force: true });
    throw thrown;
  }
  const folder = await open(dirname(path), "r");
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}

function notWritten(path: string, draft: string, { code }: NodeJS.ErrnoException): DeviceError {
  if (code === "EEXIST") {
    const hint = `If no other \`stationd token\` is at work, one was interrupted: rm ${draft}`;
    return new DeviceError("busy", { message: `${draft} is there already`, hint });
  }
  const hint = code === "ENOENT" ? `Make the folder ${dirname(path)} first` : "Run this as root: sudo stationd token …";
  return new DeviceError("invalid_params", { message: `${path} cannot be written (${code})`, hint });
}
