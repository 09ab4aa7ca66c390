import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { expect, it } from "vitest";

/**
 * udev itself works the shipped rules off, over a device that is nothing but files: in a mount namespace of its own, where /sys and the
 * folder of the rules are empty. What it writes into `power/control` is what the kernel would get.
 */
const SCRIPT = `
set -e
mount -t tmpfs none /sys
mkdir -p /etc/udev/rules.d /run/udev
mount -t tmpfs none /etc/udev/rules.d
mount -t tmpfs none /run
device=/sys/devices/pci0000:00/0000:00:14.0/usb1/1-1
mkdir -p $device/power /sys/bus/usb /sys/class /run/udev
ln -s /sys/bus/usb $device/subsystem
printf 'MAJOR=189\\nMINOR=1\\nDEVNAME=bus/usb/001/002\\nDEVTYPE=usb_device\\nPRODUCT=4b8/e15/100\\n' > $device/uevent
: > $device/power/control
echo "$2" > $device/bDeviceClass
echo 04b8 > $device/idVendor
echo 0e15 > $device/idProduct
[ "$1" = none ] || cp "$1" /etc/udev/rules.d/
SYSTEMD_DEVICE_VERIFY_SYSFS=0 udevadm test --action=add $device >/dev/null 2>&1
cat $device/power/control
`;

const missing = ["unshare", "udevadm"].find((program) => spawnSync(program, ["--version"]).status !== 0);
const why = process.getuid?.() !== 0 ? "a mount namespace needs root" : missing && `${missing} is not installed`;
const here = why === undefined && spawnSync("unshare", ["-m", "true"]).status === 0;
if (!here) {
  const reason = why ?? "a mount namespace cannot be made";
  if (process.env.STATIOND_REAL_STACK === "required") throw new RangeError(`STATIOND_REAL_STACK=required, but ${reason}`);
  console.warn(`SKIPPED: what udev makes of the shipped rules, because ${reason}`);
}

it.skipIf(!here)("USB autosuspend puts readers and scanners to sleep (lamassu-machine#1395)", () => {
  const folder = mkdtempSync(join(tmpdir(), "stationd-udev-"));
  try {
    const power = (rules: string, deviceClass: string): string =>
      execFileSync("unshare", ["-m", "sh", "-c", SCRIPT, "sh", rules, deviceClass], { encoding: "utf8", cwd: folder }).trim();
    const shipped = resolve("systemd/70-stationd.rules");
    // Without the rule nobody writes anything, and the kernel's default stays; a hub is left alone.
    expect([power("none", "00"), power(shipped, "00"), power(shipped, "09")]).toEqual(["", "on", ""]);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});
