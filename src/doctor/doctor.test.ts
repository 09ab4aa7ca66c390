import { chmod, mkdir, mkdtemp, rm, symlink, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { doctorText } from "../commands/doctor-text.js";
import { english } from "../languages/translate.js";
import { accountOf, obstacle } from "./accounts.js";
import { type Finding, word } from "./finding.js";
import { examine } from "./index.js";
import { type Machine, openMachine } from "./machine.js";

const NOW = Date.UTC(2026, 10, 23);
let root = "";

async function put(path: string, content = "", mode = 0o644): Promise<void> {
  await mkdir(dirname(join(root, path)), { recursive: true });
  await writeFile(join(root, path), content);
  await chmod(join(root, path), mode);
}
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), "stationd-doctor-"));
  // As a machine's root is: open to everybody.
  await chmod(root, 0o755);
  const uid = process.getuid?.() ?? 0;
  await put(
    "/etc/passwd",
    `root:x:0:0::/:/bin/sh\nstationd:x:4321:4321::/:/bin/false\nalice:x:1000:1000::/:/bin/sh\nowner:x:${uid}:5::/:\n`,
  );
  await put("/etc/group", "stationd:x:4321:\nplugdev:x:46:alice,stationd\nstationd-service:x:1:\nstationd-technician:x:2:\n");
});
afterEach(() => rm(root, { recursive: true }));

const machineOf = (more: Partial<Machine> = {}): Machine => ({
  ...openMachine(() => NOW, root),
  run: async () => undefined,
  answers: async () => false,
  fetch: async () => undefined,
  ...more,
});
async function findings(config: string, more?: Partial<Machine>): Promise<Readonly<Record<string, Finding>>> {
  await put("/etc/stationd/stationd.toml", config);
  const all = await examine(machineOf(more), { configFile: "/etc/stationd/stationd.toml", user: "stationd" });
  return Object.fromEntries(all.map((finding) => [finding.id, finding]));
}

describe("permissions", () => {
  it("are those of owner, group or the others, and of every folder on the way", async () => {
    const machine = machineOf();
    const account = await accountOf(machine, "stationd");
    expect([...(account?.gids ?? [])]).toEqual([4321, 46]);
    if (!account) return;
    await put("/data/file", "", 0o604);
    expect(await obstacle(machine, account, "/data/file", "r")).toBeUndefined();
    expect(await obstacle(machine, account, "/data/file", "rw")).toBe("/data/file");
    await chmod(join(root, "data"), 0o700);
    expect(await obstacle(machine, account, "/data/file", "r")).toBe("/data");
    expect(await obstacle(machine, { ...account, uid: 0 }, "/data/file", "rw")).toBeUndefined();
    expect(await accountOf(machine, "nobody")).toBeUndefined();
  });
});

describe("what is found", () => {
  it("a configuration with problems is told with its line, and the rest is looked at all the same", async () => {
    const found = await findings("[server]\nprot = 1\n");
    expect(found["config.loads"]).toMatchObject({
      verdict: "failure",
      finding: expect.stringContaining("line 2: server.prot: unknown key"),
    });
    expect(found["udev.rules"]).toMatchObject({ verdict: "failure" });
    expect(found["agent.port"]?.verdict).toBe("skipped");
  });

  it("a configuration that only the agent and root may read is no broken one", async () => {
    const machine = machineOf({ uid: 1000 });
    await put("/etc/stationd/stationd.toml", "", 0);
    // Root, whom tests may run as, reads it all the same.
    const found = await examine(machine, { configFile: "/etc/stationd/stationd.toml", user: "stationd" });
    const loads = found.find(({ id }) => id === "config.loads");
    expect(loads?.verdict).toBe(process.getuid?.() === 0 ? "ok" : "warning");
  });

  it("only packages that the configuration needs are missed", async () => {
    const bare = await findings("");
    expect(Object.keys(bare).filter((id) => id.startsWith("software."))).toEqual(["software.node"]);
    const camera = '[devices.eye]\ndriver = "ffmpeg"\nlink = { kind = "video", device = "/dev/video0" }\n';
    expect((await findings(camera))["software.ffmpeg"]).toMatchObject({
      verdict: "failure",
      mend: expect.stringContaining("apt-get install"),
    });
    expect((await findings(`${camera}enabled = false\n`))["software.ffmpeg"]).toBeUndefined();
  });

  it("a HID scanner of a maker that the rules do not know gets a rule of its own", async () => {
    const device = "/sys/class/hidraw/hidraw0/device";
    await put(`${device}/uevent`, "HID_ID=0003:0000ABCD:00000001\n");
    await put(`${device}/report_descriptor`, "\u0005\u0001");
    await put("/dev/hidraw0", "", 0o600);
    const found = await findings('[devices.scanner]\ndriver = "hid-pos"\nlink = { kind = "hid", vendorId = 0xabcd, productId = 1 }\n');
    expect(found["device.scanner.access"]?.mend).toBe(
      `echo 'SUBSYSTEM=="hidraw", KERNELS=="*:ABCD:0001.*", GROUP="stationd", MODE="0660", TAG+="stationd"' > /etc/udev/rules.d/71-stationd-scanner.rules && udevadm control --reload && udevadm trigger --settle --name-match=/dev/hidraw0`,
    );
  });

  it("a printer at USB: usblp is in the way, unless another device is worked through it", async () => {
    await put("/proc/modules", "usblp 28672 0 - Live 0x0\n");
    const usb = '[devices.a]\ndriver = "escpos"\nlink = { kind = "usb", vendorId = 1, productId = 2 }\n';
    expect((await findings(usb))["in-the-way.usblp"]).toMatchObject({
      verdict: "warning",
      mend: expect.stringContaining("modprobe -r usblp"),
    });
    const file = '[devices.b]\ndriver = "escpos"\nlink = { kind = "file", path = "/dev/usb/lp0" }\n';
    expect((await findings(usb + file))["in-the-way.usblp"]).toBeUndefined();
  });

  it("a device that sleeps and a name that wanders", async () => {
    await put("/dev/ttyUSB0", "", 0o666);
    await mkdir(join(root, "dev/serial/by-id"), { recursive: true });
    await symlink("../../ttyUSB0", join(root, "dev/serial/by-id/usb-cable"));
    await put("/sys/devices/1-1/idVendor", "0403\n");
    await put("/sys/devices/1-1/power/control", "auto\n");
    await mkdir(join(root, "sys/class/tty/ttyUSB0"), { recursive: true });
    await symlink("../../../devices/1-1", join(root, "sys/class/tty/ttyUSB0/device"));
    const found = await findings('[devices.s]\ndriver = "serial-scanner"\nlink = { kind = "serial", path = "/dev/ttyUSB0" }\n');
    expect(found["device.s.autosuspend"]?.mend).toBe("echo on > /sys/devices/1-1/power/control");
    expect(found["device.s.name"]?.mend).toContain("|/dev/serial/by-id/usb-cable|g");
    expect(found["device.s.access"]?.verdict).toBe("ok");
  });

  it("a clock that is before what has been written, and one that is not synchronised", async () => {
    await mkdir(join(root, "run/systemd/system"), { recursive: true });
    await put("/var/lib/stationd/journal.sqlite");
    // Also later than the shipped files, which are as old as this checkout.
    const later = new Date("2100-01-01");
    await utimes(join(root, "var/lib/stationd/journal.sqlite"), later, later);
    const found = await findings("", {
      run: async (program) => (program === "timedatectl" ? { status: 0, out: "NTP=no\nNTPSynchronized=no\n" } : undefined),
    });
    expect(found["clock.plausible"]).toMatchObject({ verdict: "failure", mend: `date --set=@${later.getTime() / 1_000}` });
    expect(found["clock.synchronised"]).toMatchObject({ verdict: "warning", mend: "timedatectl set-ntp true" });
  });

  it("the agent, a stranger at its port, and nobody", async () => {
    expect((await findings("", { fetch: async () => "ok\n" }))["agent.port"]?.verdict).toBe("ok");
    const taken = {
      answers: async () => true,
      fetch: async () => "<html>",
      run: async () => ({ status: 0, out: 'users:(("nc",pid=77,fd=3))' }),
    };
    expect((await findings("", taken))["agent.port"]).toMatchObject({ finding: "port 7870 is taken", mend: "kill 77" });
    expect((await findings(""))["agent.port"]?.finding).toContain("nothing answers");
  });
});

describe("the text", () => {
  it("fits into 80 columns but for the commands, and ends with what is wrong", async () => {
    const found = Object.values(await findings('[server]\norigins = ["https://kiosk.example.gov.vn"]\n'));
    const text = doctorText(found, { columns: 80, colour: false, t: english });
    let command = false;
    for (const line of text.split("\n")) {
      command = line.startsWith("    $ ") || (command && line.startsWith("      "));
      if (!command) expect([...line].length, line).toBeLessThanOrEqual(80);
    }
    expect(text.indexOf("✗")).toBeGreaterThan(text.lastIndexOf("\n✓"));
    expect(text).toMatch(/\d+ failures, \d+ warnings?, \d+ good, \d+ not looked at\n/);
  });

  it("quotes what a shell would take apart", () => {
    expect(word("/dev/ttyUSB0")).toBe("/dev/ttyUSB0");
    expect(word("a b;c'd")).toBe("'a b;c'\\''d'");
  });
});
