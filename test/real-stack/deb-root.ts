import { type ChildProcess, execFile, spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdir, mkdtemp, readFile, rename, rm } from "node:fs/promises";
import { homedir, tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";

const execute = promisify(execFile);
const ROOM = { maxBuffer: 64 * 1024 * 1024 } as const;

export interface Said {
  readonly code: number;
  readonly out: string;
  readonly note: string;
}

/** A fresh Debian, with exactly the packages that ours depends on. */
export interface DebianRoot extends AsyncDisposable {
  readonly path: string;
  /** Runs a program in it as root. Its mounts are the program's own and go with it: nothing is left to unmount. */
  run(command: readonly string[], env?: Readonly<Record<string, string>>): Promise<Said>;
  /** The same, still running: the child's pid is the program's own. */
  start(command: readonly string[], env?: Readonly<Record<string, string>>): ChildProcess;
  /** Every path in it, but for what programs keep in memory and in caches. */
  paths(): Promise<string[]>;
}

/** What is missing on this machine for making one; undefined: nothing. */
export async function missingForRoot(): Promise<string | undefined> {
  if (process.getuid?.() !== 0) return "this is not root";
  for (const program of ["mmdebstrap", "dpkg-deb", "unshare", "systemd-analyze", "perl"]) {
    if (!(await execute("which", [program]).catch(() => undefined))) return `${program} is not installed`;
  }
  return undefined;
}

const ENTER = 'mount -t proc proc "$0/proc" && mount -t tmpfs tmpfs "$0/dev/shm" && exec chroot "$0" "$@"';
const PLAIN = { PATH: "/usr/sbin:/usr/bin:/sbin:/bin", HOME: "/root", LANG: "C.UTF-8", DEBIAN_FRONTEND: "noninteractive" };

export async function openDebianRoot(depends: readonly string[]): Promise<DebianRoot> {
  const base = await baseArchive(depends);
  const path = await mkdtemp(join(tmpdir(), "debroot-"));
  const running = new Set<ChildProcess>();
  const words = (command: readonly string[]): string[] => ["--mount", "--propagation", "private", "sh", "-c", ENTER, path, ...command];
  const close = async (): Promise<void> => {
    for (const child of running) child.kill("SIGKILL");
    await rm(path, { recursive: true, force: true, maxRetries: 10, retryDelay: 200 });
  };
  const start: DebianRoot["start"] = (command, env = {}) => {
    const child = spawn("unshare", words(command), { env: { ...PLAIN, ...env }, stdio: ["ignore", "pipe", "pipe"] });
    running.add(child);
    child.once("close", () => running.delete(child));
    return child;
  };
  try {
    await execute("tar", ["-xf", base, "-C", path]);
  } catch (thrown) {
    await close();
    throw thrown;
  }
  return {
    path,
    start,
    run: (command, env) =>
      new Promise<Said>((resolve) => {
        const child = start(command, env);
        let [out, note] = ["", ""];
        child.stdout?.setEncoding("utf8").on("data", (text: string) => {
          out += text;
        });
        child.stderr?.setEncoding("utf8").on("data", (text: string) => {
          note += text;
        });
        child.once("close", (code) => resolve({ code: code ?? -1, out, note }));
      }),
    async paths() {
      const { stdout } = await execute("find", [path, "-mindepth", "1", "-printf", "%P\n"], ROOM);
      return stdout.split("\n").filter((name) => name !== "" && !/^(proc|dev|run|tmp|var\/cache|var\/log)(\/|$)/.test(name));
    },
    [Symbol.asyncDispose]: close,
  };
}

/** Made once for each release and list of packages, and kept: making one takes half a minute and Debian's mirror. */
async function baseArchive(depends: readonly string[]): Promise<string> {
  const release = /^VERSION_CODENAME=(\w+)$/m.exec(await readFile("/etc/os-release", "utf8"))?.[1] ?? "stable";
  const list = [...depends].sort().join(",");
  const cache = join(homedir(), ".cache", "stationd-deb");
  const archive = join(cache, `${release}-${createHash("sha256").update(list).digest("hex").slice(0, 12)}.tar`);
  if (existsSync(archive)) return archive;
  await mkdir(cache, { recursive: true });
  const fresh = join(cache, `${process.pid}.tar`);
  try {
    await execute("mmdebstrap", ["--variant=minbase", "--quiet", `--include=${list}`, release, fresh], ROOM);
    await rename(fresh, archive);
  } finally {
    await rm(fresh, { force: true });
  }
  return archive;
}

/** Names of the packages that a .deb depends on, without their versions. */
export async function dependsOf(deb: string): Promise<string[]> {
  const { stdout } = await execute("dpkg-deb", ["--field", deb, "Depends"]);
  return stdout.split(",").map((entry) => entry.trim().replace(/ .*/, ""));
}
