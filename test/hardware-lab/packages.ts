import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";

/** Pinned: what was seen here was seen with this kernel. The full image; the cloud one lacks the gadgets. */
const KERNEL = "6.1.0-56-amd64";
const PACKAGES = [
  "qemu-system-x86",
  "busybox-static",
  "cpio",
  "kmod",
  "udev",
  "systemd",
  "pcscd",
  "libccid",
  "ffmpeg",
  "fswebcam",
  "perl-base",
];

export interface GuestKernel {
  readonly version: string;
  readonly image: string;
  /** A folder with `lib/modules/VERSION`. */
  readonly root: string;
}

/** Installs what is missing (Debian, root) and unpacks the guest's kernel into `cache`, where it stays. */
export function prepare(cache: string): GuestKernel {
  const missing = PACKAGES.filter((name) => !installed(name));
  if (missing.length > 0) {
    apt(["update", "-qq"]);
    apt(["install", "-y", "-qq", "--no-install-recommends", ...missing]);
  }
  const root = join(cache, KERNEL);
  const kernel = { version: KERNEL, image: join(root, "boot", `vmlinuz-${KERNEL}`), root };
  if (existsSync(join(root, "complete"))) return kernel;
  rmSync(root, { recursive: true, force: true });
  mkdirSync(root, { recursive: true });
  const name = `linux-image-${KERNEL}-unsigned`;
  if (missing.length === 0) apt(["update", "-qq"]);
  execFileSync("apt-get", ["download", "-qq", name], { cwd: root, stdio: ["ignore", "ignore", "inherit"] });
  const archive = readdirSync(root).find((file) => file.endsWith(".deb"));
  execFileSync("dpkg", ["-x", archive ?? "", "."], { cwd: root });
  rmSync(join(root, archive ?? ""));
  execFileSync("depmod", ["-b", root, KERNEL]);
  mkdirSync(join(root, "complete"));
  return kernel;
}

function installed(name: string): boolean {
  try {
    return execFileSync("dpkg-query", ["-s", name], { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] }).includes("ok installed");
  } catch {
    return false;
  }
}

function apt(args: readonly string[]): void {
  execFileSync("apt-get", args, { stdio: ["ignore", "ignore", "inherit"], env: { ...process.env, DEBIAN_FRONTEND: "noninteractive" } });
}
