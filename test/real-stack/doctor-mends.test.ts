import { resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Finding } from "../../src/doctor/finding.js";
import { offerPackages } from "./doctor-packages.js";
import { canMakeView, openView, type View } from "./doctor-view.js";

const CLI = fileURLToPath(new URL("../../src/cli.js", import.meta.url));
const SHIPPED = resolve("systemd");
const CONFIG = "/etc/stationd/station.toml";
const UDEV_RULES = "/usr/lib/udev/rules.d/70-stationd.rules";
const POLICIES = "/etc/chromium/policies/managed";
const USB = "/sys/class/stationd-usb/1-2";
const TOML = `[agent]
stateDir = "/var/lib/stationd"
[server]
port = 1
origins = ["https://kiosk.example.gov.vn"]
tls = { certFile = "/etc/stationd/tls.crt", keyFile = "/etc/stationd/tls.key" }
[devices.scanner]
driver = "serial-scanner"
link = { kind = "serial", path = "/dev/ttyACM0" }
[devices.com]
driver = "escpos"
link = { kind = "serial", path = "/dev/ttyS7" }
[devices.hid]
driver = "hid-pos"
link = { kind = "hid", vendorId = 0x0c2e, productId = 1 }
[devices.reader]
driver = "pcsc"
link = { kind = "pcsc" }
[devices.paper]
driver = "sane"
link = { kind = "sane", backends = ["airscan", "test"] }
[devices.eye]
driver = "ffmpeg"
link = { kind = "video", device = "/dev/video0", inputFormat = "test" }
[devices.still]
driver = "node-webcam"
link = { kind = "webcam", device = "TEST" }
`;

interface Breakage {
  readonly id: string;
  /** What is done to the view. */
  readonly by: string;
  /** Part of what the doctor then says. */
  readonly says?: string;
  /** The last steps of the command talk to systemd or udevd, which a view has not: the file it makes counts. */
  readonly endsInSystemd?: true;
}

const forget = (...paths: readonly string[]): string => `rm -rf ${paths.join(" ")}`;

/** Each round is broken as a whole, looked at, mended from the top down, and looked at again. */
const ROUNDS: readonly (readonly Breakage[])[] = [
  [
    { id: "users.agent", by: "userdel -f stationd; groupdel stationd-technician", says: "stationd-technician" },
    { id: "software.pcscd", by: forget("/usr/sbin/pcscd") },
    { id: "software.libccid", by: forget("/usr/lib/pcsc/drivers/ifd-ccid.bundle") },
    { id: "software.libusb-1.0-0", by: forget("/usr/lib/*/libusb-1.0.so.0") },
    { id: "software.sane-utils", by: forget("/usr/bin/scanimage") },
    { id: "software.sane-airscan", by: forget("/usr/lib/*/sane/libsane-airscan.so.1") },
    { id: "software.libsane1", by: forget("/usr/lib/*/sane/libsane-test.so.1"), says: "libsane1 is not installed" },
    { id: "software.ffmpeg", by: forget("/usr/bin/ffmpeg") },
    { id: "software.fswebcam", by: forget("/usr/bin/fswebcam") },
    {
      id: "clock.service",
      by: forget(...["systemd-timesyncd", "*ntp*", "chrony"].map((name) => `/usr/lib/systemd/system/${name}.service`)),
    },
    { id: "in-the-way.brltty", by: "apt-get install -y brltty" },
    {
      id: "in-the-way.modemmanager",
      by: `${forget(UDEV_RULES)}; printf '[Service]\\nExecStart=/bin/true\\n[Install]\\nWantedBy=multi-user.target\\n' > /usr/lib/systemd/system/ModemManager.service`,
      endsInSystemd: true,
    },
    { id: "udev.rules", by: forget(UDEV_RULES), says: "not installed" },
    { id: "device.scanner.autosuspend", by: `echo auto > ${USB}/power/control` },
    { id: "device.scanner.name", by: "true", says: "another device" },
    {
      id: "pcscd.policy",
      by: `mkdir -p /usr/share/polkit-1/actions /etc/polkit-1/rules.d
echo '<action id="org.debian.pcsc-lite.access_pcsc"><defaults><allow_any>no</allow_any></defaults></action>' > /usr/share/polkit-1/actions/org.debian.pcsc-lite.policy`,
    },
    { id: "browser.policy", by: `${forget(`${POLICIES}/*`)}; [ -e /usr/bin/chromium ] || : > /usr/bin/chromium`, says: "no policy" },
    { id: "unit.installed", by: forget("/usr/lib/systemd/system/stationd.service"), says: "not installed", endsInSystemd: true },
  ],
  [
    { id: "config.access", by: `chown root:stationd ${CONFIG}; chmod 755 /etc/stationd; chmod 644 ${CONFIG}`, says: "every user" },
    { id: "config.file.tls.key", by: "chmod 644 /etc/stationd/tls.key", says: "every user may read" },
    {
      id: "users.folders",
      by: "mkdir -p /run/stationd/technician; chmod 777 /run/stationd/technician",
      says: "not as they must be: /run/stationd,",
    },
    { id: "disk.state", by: "mkdir -p /var/lib/stationd; chown root:root /var/lib/stationd", says: "/var/lib/stationd cannot" },
    { id: "udev.rules", by: `echo '# of last year' > ${UDEV_RULES}`, says: "out of date" },
    { id: "device.com.access", by: "chown root:dialout /dev/ttyS7; chmod 660 /dev/ttyS7", says: "closed to stationd", endsInSystemd: true },
    {
      id: "browser.policy",
      by: `printf '{\\n  "HomepageLocation": "about:blank",\\n  "LoopbackNetworkAllowedForUrls": [\\n    "https://old.example.vn"\\n  ]\\n}\\n' > ${POLICIES}/stationd.json`,
      says: "does not name https://kiosk.example.gov.vn",
    },
    { id: "unit.enabled", by: "systemctl disable stationd", says: "not started at boot" },
  ],
  [
    { id: "config.access", by: `chown root:root ${CONFIG}; chmod 600 ${CONFIG}`, says: "may not read" },
    { id: "config.file.tls.key", by: "chown root:root /etc/stationd/tls.key; chmod 600 /etc/stationd/tls.key", says: "may not read" },
    { id: "udev.rules", by: "mkdir -p /etc/udev/rules.d; : > /etc/udev/rules.d/70-stationd.rules", says: "turns the rules off" },
    { id: "unit.installed", by: "echo '# old' >> /usr/lib/systemd/system/stationd.service", says: "another version", endsInSystemd: true },
    {
      id: "disk.space",
      by: `mount -t tmpfs -o size=300m none /mnt && mkdir /mnt/state /mnt/archives && chown stationd:stationd /mnt/state && chmod 700 /mnt/state
mount --bind /mnt/state /var/lib/stationd && mkdir -p /var/cache/apt/archives && mount --bind /mnt/archives /var/cache/apt/archives
mkdir /mnt/archives/partial && fallocate -l 250M /mnt/archives/large_1_all.deb`,
      says: "only",
    },
    // After the other file system has come.
    { id: "disk.state", by: "touch /var/lib/stationd/journal.sqlite", says: "journal.sqlite cannot" },
  ],
  [
    { id: "config.access", by: "chown root:root /etc/stationd; chmod 700 /etc/stationd", says: "may not enter" },
    { id: "udev.rules", by: "echo '# mine' > /etc/udev/rules.d/70-stationd.rules", says: "replaces" },
    { id: "unit.installed", by: "echo > /etc/systemd/system/stationd.service", says: "replaces", endsInSystemd: true },
  ],
];
/** What only the real system can mend: they start services, set the clock, or ask udevd for permissions. */
const NEED_SYSTEMD = ["agent.port", "pcscd.running"];

const possible = await canMakeView();

describe.skipIf(!possible)("what the doctor says mends a thing mends it", () => {
  let view: View;
  beforeAll(async () => {
    view = await openView();
    await offerPackages(view);
    const { status, note } = await view.sh(`set -e
mkdir -p /etc/stationd && cat > ${CONFIG} <<'END'
${TOML}END
: > /etc/stationd/tls.crt && : > /etc/stationd/tls.key && chmod 755 /etc/stationd
mkdir -p ${USB}/power ${USB}/1-2:1.0 /sys/class/tty/ttyACM0 /dev/serial/by-id
echo 0c2e > ${USB}/idVendor && echo on > ${USB}/power/control && ln -s ${USB}/1-2:1.0 /sys/class/tty/ttyACM0/device
mknod /dev/ttyACM0 c 166 200 && mknod /dev/ttyS7 c 4 71 && ln -s ../../ttyACM0 /dev/serial/by-id/usb-Honeywell-if00
printf '#!/bin/sh\\necho "$*" >> /run/udevadm\\n' > /usr/bin/udevadm`);
    expect(note).toBe("");
    expect(status).toBe(0);
  }, 300_000);
  afterAll(async () => view?.[Symbol.asyncDispose]());

  const doctor = async (): Promise<readonly Finding[]> => {
    const { out, note } = await view.sh(`cd / && '${process.execPath}' '${CLI}' doctor --json --config ${CONFIG} --socket /none`);
    expect(note).toBe("");
    return (JSON.parse(out) as { findings: readonly Finding[] }).findings;
  };
  const findingOf = async (id: string): Promise<Finding | undefined> => (await doctor()).find((found) => found.id === id);

  it.each(ROUNDS.map((round, index) => ({ round, name: index + 1 })))("round $name", { timeout: 300_000 }, async ({ round }) => {
    for (const { by } of round) await view.sh(by);
    const broken = (await doctor()).filter(({ id }) => round.some((breakage) => breakage.id === id));
    expect(broken.map(({ id }) => id).sort()).toEqual(round.map(({ id }) => id).sort());
    const notes: Record<string, string> = {};
    for (const { id, verdict, finding, why, mend = "" } of broken) {
      const breakage = round.find((one) => one.id === id);
      expect(["warning", "failure"], `${id}: ${finding}`).toContain(verdict);
      expect(finding).toContain(breakage?.says ?? "");
      expect(why, id).toMatch(/^[A-Z].*\S$/);
      const done = await view.sh(mend);
      notes[id] = `${mend}\n${done.note}`;
      if (!breakage?.endsInSystemd) expect(done, mend).toMatchObject({ status: 0 });
    }
    const after = await doctor();
    for (const { id } of round) {
      const mended = after.find((found) => found.id === id);
      // Of a name that stays nothing is said.
      expect(mended?.verdict ?? "ok", `${mended?.finding}\n${notes[id]}`).toBe("ok");
    }
  });

  it("a port that somebody else has: the command ends who has it", { timeout: 120_000 }, async () => {
    const taken = await view.sh(
      `'${process.execPath}' -e 'require("net").createServer().listen(0, "127.0.0.1", function () { console.log(this.address().port); })' > /run/port 2> /dev/null & while [ ! -s /run/port ]; do sleep 0.05; done
sed -i "s/^port = .*/port = $(cat /run/port)/" ${CONFIG}`,
    );
    expect(taken.status).toBe(0);
    const broken = await findingOf("agent.port");
    expect(broken?.finding).toMatch(/is taken by node \(process \d+\)$/);
    expect(broken?.mend).toMatch(/^kill \d+$/);
    expect((await view.sh(broken?.mend ?? "")).status).toBe(0);
    expect((await findingOf("agent.port"))?.finding).toContain("nothing answers");
  });

  it("after all of them nothing is left but what only systemd and a plug can mend", { timeout: 120_000 }, async () => {
    const left = (await doctor()).filter(({ id, verdict }) => verdict !== "ok" && verdict !== "skipped" && id !== "software.node");
    // The stand-ins for programs do not run, udevd gives no permissions, and there is no HID scanner.
    expect(left.map(({ id }) => id).sort()).toEqual(
      [...NEED_SYSTEMD, "device.scanner.access", "device.hid", "ffmpeg.runs", "sane.runs"].sort(),
    );
  });

  it("tells udevd to read the rules again and to apply them", async () => {
    const { out } = await view.sh("cat /run/udevadm");
    expect(out).toContain("control --reload\ntrigger --settle\n");
    expect((await view.sh(`cmp ${UDEV_RULES} ${SHIPPED}/70-stationd.rules`)).status).toBe(0);
  });
});
