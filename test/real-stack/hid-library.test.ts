import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { ptyFarEnd } from "../../src/transports/testing/far-end.js";
import { realSerialStack } from "../../src/transports/testing/pty.js";

const PROBE = fileURLToPath(new URL("../../src/transports/testing/hid-library-probe.js", import.meta.url));
const compiler = spawnSync("cc", ["--version"]).status === 0;
if (!compiler && process.env.STATIOND_REAL_STACK === "required")
  throw new RangeError("STATIOND_REAL_STACK=required, but there is no C compiler (cc)");
if (!compiler) console.warn("SKIPPED: node-hid behind a model of hidraw, because there is no C compiler (cc)");
const stack = compiler && (await realSerialStack());

/** The library as it is; the kernel is a model: reads, writes and the end are a terminal's, the ioctls are a shim's. */
test.skipIf(!stack)("node-hid opens, reads, writes, closes in mid-read and tells of the end, in good order", async () => {
  const folder = await mkdtemp(join(tmpdir(), "stationd-hid-"));
  const wire = await ptyFarEnd();
  try {
    const shim = join(folder, "shim.so");
    expect(spawnSync("cc", ["-shared", "-fPIC", "-o", shim, "test/real-stack/hidraw-shim.c", "-ldl"]).stderr.toString()).toBe("");
    const [sysfs, dev] = [join(folder, "sys"), join(folder, "dev")];
    await mkdir(join(sysfs, "hidraw0/device"), { recursive: true });
    await writeFile(join(sysfs, "hidraw0/device/uevent"), "HID_ID=0003:00000C2E:00000B81\nHID_UNIQ=\n");
    await writeFile(join(sysfs, "hidraw0/device/report_descriptor"), Uint8Array.of(0x05, 0x8c, 0x09, 0x02, 0xa1, 0x01, 0xc0));
    await mkdir(dev);
    await symlink(wire.path, join(dev, "hidraw0"));

    const child = spawn(process.execPath, [PROBE, sysfs, dev], {
      env: { ...process.env, LD_PRELOAD: shim },
      stdio: ["ignore", "pipe", "inherit"],
    });
    const exited = once(child, "exit");
    const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
    const line = async (): Promise<string | undefined> => (await lines.next()).value as string | undefined;
    expect(await line()).toBe("closed: device_absent");
    expect(await wire.far.receive(5)).toEqual(Uint8Array.of(4, 4, 0x46, 254, 1));
    for (const first of [2, 3]) {
      const report = new Uint8Array(64).fill(first);
      await wire.far.send(report);
      expect(await line()).toBe(Buffer.from(report).toString("hex"));
    }
    await wire.close();
    expect(await line()).toBe("device_absent: hid 0c2e:0b81: the far end is gone");
    expect(await exited).toEqual([0, null]);
  } finally {
    await wire.close();
    await rm(folder, { recursive: true });
  }
});
