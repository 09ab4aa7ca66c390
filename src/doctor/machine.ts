import { execFile } from "node:child_process";
import { open, readdir, realpath, stat, statfs } from "node:fs/promises";
import { get } from "node:http";
import { get as getOverTls } from "node:https";
import { connect } from "node:net";
import { join, relative } from "node:path";

export interface FileFacts {
  readonly kind: "file" | "folder" | "device" | "socket" | "other";
  /** Permission bits only: 0o640. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly modifiedMs: number;
}

export interface Ran {
  readonly status: number;
  readonly out: string;
}

/** Everything that a check sees of a machine, so that a test can give it another one. Paths are those of the machine. */
export interface Machine {
  readonly node: string;
  /** Who asks; undefined where the system has no such thing. */
  readonly uid: number | undefined;
  now(): number;
  /** Where a path of the machine is for this process. */
  path(path: string): string;
  /** Undefined where it cannot be read, or is larger than any file that is looked at. */
  text(path: string): Promise<string | undefined>;
  /** Sorted; empty where there is no such folder. */
  list(path: string): Promise<readonly string[]>;
  /** Of what a link leads to. */
  facts(path: string): Promise<FileFacts | undefined>;
  /** Without links; undefined where it leads nowhere. */
  real(path: string): Promise<string | undefined>;
  freeBytes(path: string): Promise<number | undefined>;
  /** Undefined where there is no such program, or it does not end. */
  run(program: string, ...args: readonly string[]): Promise<Ran | undefined>;
  /** Whether something takes connections: a Unix socket's path, or host and port. */
  answers(at: string | { readonly host: string; readonly port: number }): Promise<boolean>;
  /** What a web server of this machine answers; undefined: nothing, or no web server. */
  fetch(url: string): Promise<string | undefined>;
}

const MOST_BYTES = 1 << 20;
const ANSWER_WITHIN_MS = 3_000;
const RUN_WITHIN_MS = 20_000;

/** This machine, or a tree that looks like one. */
export function openMachine(now: () => number, root = "/"): Machine {
  const path = (inside: string): string => (root === "/" ? inside : join(root, inside));
  return {
    node: process.versions.node,
    uid: process.getuid?.(),
    now,
    path,
    text: (file) => readBounded(path(file)).catch(() => undefined),
    list: async (folder) => (await readdir(path(folder)).catch(() => [])).sort(),
    facts: (file) =>
      stat(path(file)).then(
        (found): FileFacts => ({
          kind: found.isFile()
            ? "file"
            : found.isDirectory()
              ? "folder"
              : found.isCharacterDevice()
                ? "device"
                : found.isSocket()
                  ? "socket"
                  : "other",
          mode: found.mode & 0o7777,
          uid: found.uid,
          gid: found.gid,
          modifiedMs: found.mtimeMs,
        }),
        () => undefined,
      ),
    real: (file) =>
      realpath(path(file)).then(
        (found) => (root === "/" ? found : `/${relative(root, found)}`),
        () => undefined,
      ),
    freeBytes: (folder) =>
      statfs(path(folder)).then(
        ({ bavail, bsize }) => bavail * bsize,
        () => undefined,
      ),
    run,
    answers: (at) =>
      new Promise((resolve) => {
        const socket = typeof at === "string" ? connect(path(at)) : connect(at.port, at.host);
        const end = (answered: boolean) => () => {
          socket.destroy();
          resolve(answered);
        };
        socket.setTimeout(ANSWER_WITHIN_MS).on("connect", end(true)).on("error", end(false)).on("timeout", end(false));
      }),
    fetch: (url) =>
      new Promise((resolve) => {
        // Whether it is the agent is asked, and nothing is told: a certificate of its own making is enough.
        const request = url.startsWith("https:") ? getOverTls(url, { rejectUnauthorized: false }) : get(url);
        request
          .setTimeout(ANSWER_WITHIN_MS, () => request.destroy())
          .on("error", () => resolve(undefined))
          .on("response", (response) => {
            let text = "";
            response.setEncoding("utf8").on("data", (part: string) => {
              text += part;
              if (text.length > 1_000) response.destroy();
            });
            response.on("error", () => {}).on("close", () => resolve(text));
          });
      }),
  };
}

async function readBounded(file: string): Promise<string | undefined> {
  const handle = await open(file, "r");
  try {
    // Files of sysfs and procfs do not know their size.
    const buffer = Buffer.alloc(MOST_BYTES);
    let length = 0;
    for (;;) {
      const { bytesRead } = await handle.read(buffer, length, MOST_BYTES - length, null);
      if (bytesRead === 0) return buffer.toString("utf8", 0, length);
      length += bytesRead;
      if (length === MOST_BYTES) return undefined;
    }
  } finally {
    await handle.close();
  }
}

function run(program: string, ...args: readonly string[]): Promise<Ran | undefined> {
  // An unprivileged user's PATH often lacks the folders of the system's tools.
  const env = { ...process.env, LC_ALL: "C", PATH: `${process.env.PATH ?? ""}:/usr/sbin:/sbin` };
  const options = { env, timeout: RUN_WITHIN_MS, killSignal: "SIGKILL", maxBuffer: MOST_BYTES } as const;
  return new Promise((resolve) => {
    execFile(program, args, options, (error, stdout) => {
      if (!error) resolve({ status: 0, out: stdout });
      else resolve(typeof error.code === "number" ? { status: error.code, out: stdout } : undefined);
    });
  });
}
