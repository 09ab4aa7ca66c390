import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { afterEach, beforeEach, expect, it } from "vitest";
import { faultRow } from "../../../test/support/fault.js";
import { arm, FAULTS } from "../../../test/torture/isolation-faults.js";
import { systemClock } from "../../kernel/clock.js";
import type { HidLink } from "../../kernel/hid.js";
import { type Logger, silentLog } from "../../kernel/log.js";
import type { HidRoots, HidSettings } from "../hid-sysfs.js";
import { LinkSettings } from "../settings.js";
import { hostedHid } from "./hid-host.js";

const never = new AbortController().signal;
const DESCRIPTOR = Uint8Array.of(0x05, 0x8c, 0x09, 0x02, 0xa1, 0x01, 0xc0);
const REPORT = Uint8Array.of(4, 1);
const ENTRY = new URL("./testing/echoing-hid-entry.js", import.meta.url);
const settings = LinkSettings.parse({ kind: "hid", vendorId: 0x0c2e, productId: 0x0b81 }) as HidSettings;

let folder: string;
let roots: HidRoots;
let pids: number[];
let links: HidLink[];
let reasons: string[];

/** A HID device without a kernel's, for its library is another: what is tried is the process around it. Serial and PC/SC: test/station/isolation.test.ts. */
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "stationd-hid-faults-"));
  roots = { sysfs: join(folder, "sys"), dev: join(folder, "dev") };
  const device = join(roots.sysfs, "hidraw0", "device");
  await mkdir(device, { recursive: true });
  await mkdir(roots.dev);
  await writeFile(join(device, "uevent"), "HID_ID=0003:00000C2E:00000B81\nHID_NAME=Scanner\nHID_UNIQ=\n");
  await writeFile(join(device, "report_descriptor"), DESCRIPTOR);
  await writeFile(join(roots.dev, "hidraw0"), "");
  [pids, links, reasons] = [[], [], []];
});
afterEach(async () => {
  for (const link of links) await link.close();
  // The last one waits for its device.
  for (const pid of pids) if (alive(pid)) process.kill(pid, "SIGKILL");
  for (const pid of pids) await gone(pid);
  await rm(folder, { recursive: true });
});

const log: Logger = {
  ...silentLog,
  with: () => log,
  debug: (event, fields) => event === "child started" && fields?.pid && pids.push(fields.pid),
  warn: (event, fields) => event === "child ended" && reasons.push(fields?.reason ?? ""),
};

function alive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

async function gone(pid: number): Promise<void> {
  while (alive(pid)) await pause(5);
}

const REASONS = { segfault: /^SIGSEGV$/, stop: /stopped/, loop: /heartbeat/, leak: /^it held \d+ MiB of memory, and 192 is the most$/ };

faultRow({
  device: "agent",
  fault: "The child of a USB HID scanner crashes, stands still, spins or leaks",
  sees: "`device_absent`",
  does: "ends it, says in the log why, and starts another one",
  bounds: ["child", "tryAgain"],
});
it.each(FAULTS)("%s in the child of a HID device: its link ends, the log says why, and the next one works", async (fault) => {
  const connect = hostedHid(settings, { clock: systemClock(), log }, ENTRY, roots);
  const opened = async (): Promise<HidLink> => {
    const link = await connect(never);
    links.push(link);
    await link.write(REPORT, never);
    expect(await link.read(never)).toEqual(REPORT);
    return link;
  };
  const link = await opened();
  const [pid = 0] = pids;
  const armed = await arm(pid, fault);
  const reading = expect(link.read(never)).rejects.toMatchObject({ kind: "device_absent", retryable: true });
  armed.strike();
  await Promise.all([reading, link.closed, gone(pid)]);
  armed.close();
  expect(reasons).toEqual([expect.stringMatching(REASONS[fault])]);
  await opened();
  expect(pids).toHaveLength(2);
});
