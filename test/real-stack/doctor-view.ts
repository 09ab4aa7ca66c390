import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";

const run = promisify(execFile);
const PROGRAMS = [
  "unshare",
  "nsenter",
  "setpriv",
  "apt-get",
  "dpkg-deb",
  "systemctl",
  "systemd-sysusers",
  "systemd-tmpfiles",
  "ss",
] as const;

export interface Done {
  readonly status: number;
  readonly out: string;
  readonly note: string;
}

/** This machine as programs see it that run there: what they write, nobody else sees, and it goes with the view. */
export interface View extends AsyncDisposable {
  /** A line for root's shell. */
  sh(line: string): Promise<Done>;
}

/** Whether a view can be made. With STATIOND_REAL_STACK=required a missing piece is a failure, otherwise it is said loudly. */
export async function canMakeView(): Promise<boolean> {
  const missing = await missingPiece();
  if (missing === undefined) return true;
  if (process.env.STATIOND_REAL_STACK === "required") throw new RangeError(`STATIOND_REAL_STACK=required, but ${missing}`);
  console.warn(`SKIPPED: whether the doctor's commands mend, because ${missing}`);
  return false;
}

async function missingPiece(): Promise<string | undefined> {
  if (process.platform !== "linux" || process.getuid?.() !== 0) return "a mount namespace needs root on Linux";
  for (const program of PROGRAMS) {
    const found = await run("sh", ["-c", `command -v ${program}`]).catch(() => undefined);
    if (!found) return `${program} is not installed`;
  }
  const overlay =
    "mount -t tmpfs none /mnt && mkdir /mnt/up /mnt/work && mount -t overlay none -o lowerdir=/etc,upperdir=/mnt/up,workdir=/mnt/work /etc";
  return await run("unshare", ["-m", "sh", "-c", overlay]).then(
    () => undefined,
    () => "an overlay cannot be mounted",
  );
}

/**
 * Overlays on what is installed and configured, empty folders for what runs, and devices that are only names. The
 * kernel's own trees of devices are replaced: nothing that is done here reaches a device.
 */
const SETUP = `set -e
mount -t tmpfs -o mode=755 none "$1"
for name in etc usr var; do
  mkdir "$1/$name.up" "$1/$name.work"
  mount -t overlay none -o "lowerdir=/$name,upperdir=$1/$name.up,workdir=$1/$name.work" "/$name"
done
mkdir "$1/dev" && cp -a /dev/null /dev/zero /dev/full /dev/random /dev/urandom /dev/tty "$1/dev"
ln -s /proc/self/fd "$1/dev/fd" && mkdir "$1/dev/shm" "$1/dev/pts"
mount --bind "$1/dev" /dev
mount -t tmpfs -o mode=755 none /run
mount -t tmpfs none /sys/class
mount -t tmpfs none /sys/bus
echo ready
exec sleep infinity`;

export async function openView(): Promise<View> {
  const folder = await mkdtemp(join(tmpdir(), "stationd-view-"));
  // Every program of the chain replaces the one before; the namespace ends with it, and it ends with this process.
  const holder = spawn("setpriv", ["--pdeathsig", "KILL", "unshare", "-m", "sh", "-c", SETUP, "view", folder], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const exited = once(holder, "exit");
  const close = async (): Promise<void> => {
    holder.kill("SIGKILL");
    await exited;
    await rm(folder, { recursive: true, force: true });
  };
  const first = await Promise.race([once(holder.stdout, "data").then(String), exited.then(() => "")]);
  if (!first.startsWith("ready")) {
    await close();
    throw new RangeError("the view could not be made");
  }
  return {
    sh: (line) =>
      new Promise((resolve) => {
        const env = { ...process.env, LC_ALL: "C", DEBIAN_FRONTEND: "noninteractive", SYSTEMD_PAGER: "" };
        const args = ["--mount", "--target", String(holder.pid), "--wdns=/", "--", "sh", "-c", line];
        const child = execFile("nsenter", args, { env, maxBuffer: 1 << 24 }, (error, out, note) => {
          resolve({ status: typeof error?.code === "number" ? error.code : error ? -1 : 0, out, note });
        });
        child.stdin?.end();
      }),
    [Symbol.asyncDispose]: close,
  };
}
