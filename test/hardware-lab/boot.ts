import { execFileSync, spawn } from "node:child_process";
import { cpSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join, sep } from "node:path";
import type { GuestKernel } from "./packages.js";

export interface Guest {
  readonly kernel: GuestKernel;
  /** The project's folder with `dist`, `node_modules`, `systemd` and `package.json`. */
  readonly project: string;
  /** Compiled files, within the project. */
  readonly dist: string;
  /** Where the guest writes: made anew. */
  readonly results: string;
  /** Scratch, gone afterwards. */
  readonly scratch: string;
  /** Handed to the guest's program. */
  readonly args: readonly string[];
  /** After this the guest is ended. */
  readonly limitMs: number;
}

/** For the 9p share over virtio; all else is loaded by the guest's start. */
const EARLY_MODULES = ["virtio_pci", "9pnet_virtio", "9p"];

/** Boots the guest and resolves when it has powered off. What it did is in `results`. Rejects when it had to be ended. */
export async function boot(guest: Guest): Promise<void> {
  const initramfs = join(guest.scratch, "initramfs.gz");
  const node = nodeFolder();
  buildInitramfs(guest, initramfs, join(node, "bin", "node"));
  const shares: [tag: string, path: string, writable: boolean][] = [
    ["usr", "/usr", false],
    ["dist", guest.dist, false],
    ["modules", join(guest.project, "node_modules"), false],
    ["kernel", join(guest.kernel.root, "lib", "modules"), false],
    ["results", guest.results, true],
  ];
  if (!node.startsWith(`${sep}usr`)) shares.push(["node", node, false]);
  const sockets = (name: string): string => join(guest.scratch, `${name}.sock`);
  const args = [
    ...["-M", "q35,usb=off", "-accel", "tcg,thread=multi,tb-size=512", "-cpu", "max", "-m", "1536", "-smp", "2"],
    ...["-nodefaults", "-no-reboot", "-display", "none", "-serial", `file:${join(guest.results, "console.log")}`],
    ...["-kernel", guest.kernel.image, "-initrd", initramfs],
    ...["-append", "console=ttyS0 panic=-1 mitigations=off oops=panic softlockup_panic=1 quiet loglevel=5"],
    ...shares.flatMap(([tag, path, writable]) => [
      "-virtfs",
      `local,path=${path},mount_tag=${tag},security_model=none,multidevs=remap${writable ? "" : ",readonly=on"}`,
    ]),
    ...["-device", "qemu-xhci,id=xhci,p2=8,p3=8", "-device", "virtio-serial"],
    // The monitor, and the far ends of the FTDI line and of the card reader, are ports of the guest's own.
    ...["-qmp", `unix:${sockets("qmp")},server=on,wait=off`, ...port("qmp", sockets("qmp"))],
    ...["-chardev", `socket,id=ftdi,path=${sockets("ftdi")},server=on,wait=off`, ...port("ftdi", sockets("ftdi"))],
    ...["-chardev", `socket,id=card,path=${sockets("card")},server=on,wait=off`, ...port("card", sockets("card"))],
  ];
  await run("qemu-system-x86_64", args, guest.limitMs);
}

function port(name: string, socket: string): string[] {
  return ["-chardev", `socket,id=${name}-far,path=${socket},reconnect=1`, "-device", `virtserialport,chardev=${name}-far,name=${name}`];
}

/** The folder above `bin/node`. */
function nodeFolder(): string {
  return dirname(dirname(process.execPath));
}

function buildInitramfs(guest: Guest, file: string, node: string): void {
  const root = join(guest.scratch, "initramfs");
  rmSync(root, { recursive: true, force: true });
  for (const folder of ["bin", "modules", "stage/lab", "stage/etc", "stage/opt/stationd"])
    mkdirSync(join(root, folder), { recursive: true });
  cpSync("/bin/busybox", join(root, "bin", "busybox"));

  const inOrder = EARLY_MODULES.flatMap((name) =>
    execFileSync("/sbin/modprobe", ["-d", guest.kernel.root, "-S", guest.kernel.version, "--show-depends", name], { encoding: "utf8" })
      .split("\n")
      .flatMap((line) => /^insmod (\S+)/.exec(line)?.[1] ?? []),
  );
  const modules = [...new Set(inOrder)];
  for (const [index, path] of modules.entries()) cpSync(path, join(root, "modules", `${String(index).padStart(2, "0")}.ko`));

  const stage = join(root, "stage");
  // What the rest of /usr looks up in /etc: libraries, and alternatives that some of them are behind.
  cpSync("/etc/ld.so.cache", join(stage, "etc", "ld.so.cache"));
  cpSync("/etc/libccid_Info.plist", join(stage, "etc", "libccid_Info.plist"));
  cpSync("/etc/alternatives", join(stage, "etc", "alternatives"), { recursive: true, verbatimSymlinks: true });
  // Without it each process that asks for the day compares all the zones of the world.
  symlinkSync("/usr/share/zoneinfo/Asia/Ho_Chi_Minh", join(stage, "etc", "localtime"));
  // The shipped files, where they are installed to.
  const shipped = join(guest.project, "systemd");
  install(join(shipped, "stationd.sysusers.conf"), join(stage, "etc", "sysusers.d", "stationd.conf"));
  install(join(shipped, "stationd.tmpfiles.conf"), join(stage, "etc", "tmpfiles.d", "stationd.conf"));
  install(join(shipped, "70-stationd.rules"), join(stage, "etc", "udev", "rules.d", "70-stationd.rules"));
  install(join(guest.project, "package.json"), join(stage, "opt", "stationd", "package.json"));
  const here = join(guest.project, "test", "hardware-lab", "guest");
  install(join(here, "start.sh"), join(stage, "lab", "start.sh"), 0o755);
  install(join(here, "init.sh"), join(root, "init"), 0o755);
  writeFileSync(join(stage, "lab", "node"), `${node}\n`);
  // Its own end comes before ours, so that it can still say what it hangs on.
  writeFileSync(join(stage, "lab", "limit"), `${Math.round(guest.limitMs / 1_000) - 25}\n`);
  writeFileSync(join(stage, "lab", "arguments"), guest.args.map((arg) => `${arg}\n`).join(""));
  execFileSync("sh", ["-c", `find . | cpio -o -H newc --quiet | gzip -1 > "$1"`, "sh", file], { cwd: root });
}

function install(from: string, to: string, mode = 0o644): void {
  mkdirSync(dirname(to), { recursive: true });
  writeFileSync(to, readFileSync(from), { mode });
}

function run(command: string, args: readonly string[], limitMs: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { stdio: ["ignore", "inherit", "inherit"], timeout: limitMs, killSignal: "SIGKILL" });
    child.once("error", reject);
    child.once("exit", (code, signal) => {
      if (code === 0) resolve();
      else if (signal === "SIGKILL") reject(new RangeError(`the guest was ended after ${limitMs / 1_000} s`));
      else reject(new RangeError(`${command} ended with ${signal ?? code}`));
    });
  });
}
