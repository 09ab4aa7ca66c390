import { constants } from "node:fs";
import { access, lstat, mkdtemp, open, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DeviceError } from "../kernel/errors.js";

const NAME = /^stationd-(\d{1,10})-(\d{1,20})-\w{6}$/;

/** Folders in memory come first: what is scanned shall never touch a disk. */
function places(): string[] {
  const [runtime] = (process.env.RUNTIME_DIRECTORY ?? "").split(":");
  return [runtime, process.env.XDG_RUNTIME_DIR, "/dev/shm", tmpdir()].filter((place) => place !== undefined && place !== "") as string[];
}

/**
 * A new folder that only this user can enter, in memory where there is such a place. Those that an agent left when it was killed are
 * removed at the same time.
 * @throws DeviceError `device_fault` where no folder can be made
 */
export async function makePrivateFolder(): Promise<string> {
  const born = await birthOf(process.pid);
  let fault: unknown;
  let made: string | undefined;
  for (const place of places()) {
    try {
      await access(place, constants.W_OK | constants.X_OK);
      await removeLeftOvers(place);
      // mkdtemp makes it with mode 0700.
      made ??= await mkdtemp(join(place, `stationd-${process.pid}-${born ?? 0}-`));
    } catch (thrown) {
      fault = thrown;
    }
  }
  if (made !== undefined) return made;
  throw new DeviceError("device_fault", {
    message: "no private folder can be made",
    hint: "Set RuntimeDirectory= in the agent's unit",
    cause: fault,
  });
}

async function removeLeftOvers(place: string): Promise<void> {
  for (const name of await readdir(place)) {
    const [, pid, born] = NAME.exec(name) ?? [];
    if (pid === undefined || (await birthOf(Number(pid))) === born) continue;
    const path = join(place, name);
    // In a place of everybody, another one's folder is not ours to touch; a link is none.
    const facts = await lstat(path).catch(() => undefined);
    if (facts?.isDirectory() && facts.uid === process.getuid?.()) await rm(path, { recursive: true, force: true });
  }
}

/** When a process was started, in ticks since the machine's start (proc(5): field 22 of stat); undefined: there is none. */
async function birthOf(pid: number): Promise<string | undefined> {
  const stat = await readFile(`/proc/${pid}/stat`, "latin1").catch(() => "");
  // The name of the program may hold anything; it ends with the last parenthesis.
  return stat === "" ? undefined : stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19];
}

/**
 * The bytes of a file in a folder of ours, which is then gone.
 * @throws DeviceError `too_large`, `device_fault` where there is no such file
 */
export async function takeFile(folder: string, name: string, mostBytes: number): Promise<Uint8Array> {
  if (!/^\w[\w.-]{0,63}$/.test(name)) throw new DeviceError("device_fault", { message: "a file name that is not ours" });
  const path = join(folder, name);
  try {
    const file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
    try {
      const facts = await file.stat();
      if (!facts.isFile()) throw new DeviceError("device_fault", { message: "what was made is no file" });
      if (facts.size > mostBytes) throw new DeviceError("too_large", { message: "the file is too large", details: { bytes: facts.size } });
      // Not touched before the kernel fills it, in another thread: clearing or copying a page of 26 MB would hold up the agent.
      const bytes = new Uint8Array(Buffer.allocUnsafeSlow(facts.size).buffer);
      for (let at = 0; at < bytes.length; ) {
        const { bytesRead } = await file.read(bytes, at, bytes.length - at);
        if (bytesRead === 0) throw new DeviceError("device_fault", { message: "the file has become shorter" });
        at += bytesRead;
      }
      return bytes;
    } finally {
      await file.close();
    }
  } catch (thrown) {
    if (thrown instanceof DeviceError) throw thrown;
    throw new DeviceError("device_fault", { message: "there is no such file", cause: thrown });
  } finally {
    await rm(path, { recursive: true, force: true });
  }
}
