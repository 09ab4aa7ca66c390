import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createReadStream } from "node:fs";
import { stat } from "node:fs/promises";
import { DeviceError } from "../kernel/errors.js";

export interface JournalQuery {
  readonly unit: string;
  /** Milliseconds since the epoch. */
  readonly since: number | undefined;
  readonly follow: boolean;
  /** So many lines where `since` is not told. */
  readonly latest: number;
}

/** What journalctl prints of a unit, as JSON lines. @throws DeviceError `unsupported`, `forbidden` where it cannot */
export async function* journal({ unit, since, follow, latest }: JournalQuery, signal: AbortSignal): AsyncGenerator<Uint8Array> {
  const reach = since === undefined ? [`--lines=${latest}`] : [`--since=@${Math.floor(since / 1_000)}`];
  const fields = "--output-fields=MESSAGE,PRIORITY,SYSLOG_IDENTIFIER,__REALTIME_TIMESTAMP";
  const args = [`--unit=${unit}`, "--output=json", fields, "--no-pager", ...reach, ...(follow ? ["--follow"] : [])];
  const child = spawn("journalctl", args, { stdio: ["ignore", "pipe", "pipe"], signal });
  let said = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    said = `${said}${text}`.slice(0, 2_000);
  });
  const ended = ending(child);
  let bytes = 0;
  try {
    for await (const chunk of child.stdout as AsyncIterable<Uint8Array>) {
      bytes += chunk.length;
      yield chunk;
    }
    const code = await ended;
    const denied = /permission|not seeing messages/i.test(said);
    if (signal.aborted || (code === 0 && !(denied && bytes === 0))) return;
    if (code === undefined) {
      throw new DeviceError("unsupported", {
        message: "this machine has no journalctl",
        hint: "Give the lines themselves: stationd logs --file FILE",
      });
    }
    throw new DeviceError(denied ? "forbidden" : "unsupported", {
      message: denied ? "this user may not read the journal" : "journalctl could not read the journal",
      hint: denied ? "sudo stationd logs …, or join its readers: sudo usermod -aG systemd-journal $USER" : "See: journalctl -u stationd",
    });
  } catch (error) {
    if (!signal.aborted) throw error;
  } finally {
    child.kill();
  }
}

/** The exit code; undefined where the program is not there. */
async function ending(child: ChildProcess): Promise<number | null | undefined> {
  try {
    const [code] = (await once(child, "close")) as [number | null];
    return code;
  } catch {
    return undefined;
  }
}

/** A file, or the standard input for `-`. @throws a system error where it cannot be read; DeviceError `unsupported` */
export async function* streamOf(file: string, follow: boolean, signal: AbortSignal): AsyncGenerator<Uint8Array> {
  if (file !== "-" && (await stat(file)).isFile() && follow) {
    throw new DeviceError("unsupported", {
      message: "a file is not followed",
      hint: `Let tail do it: tail -F ${file} | stationd logs --file -`,
    });
  }
  const stream = file === "-" ? process.stdin : createReadStream(file, { signal });
  const onAbort = (): void => void stream.destroy();
  signal.addEventListener("abort", onAbort, { once: true });
  try {
    yield* stream as AsyncIterable<Uint8Array>;
  } catch (error) {
    if (!signal.aborted) throw error;
  } finally {
    signal.removeEventListener("abort", onAbort);
  }
}
