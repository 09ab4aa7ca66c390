import { execFile } from "node:child_process";
import { readFile, statfs } from "node:fs/promises";
import { arch, release, uptime, version } from "node:os";
import { promisify } from "node:util";
import { describeProblems } from "../config/config-error.js";
import type { StationConfig } from "../config/types.js";
import { packageVersion } from "../version.js";
import { LONGEST_LINE, type LogLine, linesOf, readLogLine } from "./logs-lines.js";
import { json } from "./terminal.js";

/** Programs that a station leans on, as Debian calls them. */
const PACKAGES = ["nodejs", "pcscd", "libccid", "libpcsclite1", "sane-utils", "libsane1", "sane-airscan", "ipp-usb", "ffmpeg"].concat([
  "chromium",
  "udev",
  "systemd",
  "usbutils",
  "v4l-utils",
  "cups",
  "modemmanager",
  "brltty",
  "usb-modeswitch",
]);
const PROGRAM_LIMITS = { timeout: 15_000, maxBuffer: 32 * 1024 * 1024 } as const;

/** What a program of the system prints, also where it ends with an error; undefined where it is not there. Through no shell. */
export async function output(program: string, ...args: string[]): Promise<string | undefined> {
  try {
    return (await promisify(execFile)(program, args, PROGRAM_LIMITS)).stdout;
  } catch (error) {
    const { code, stdout } = error as { code?: unknown; stdout?: unknown };
    return typeof code === "number" && typeof stdout === "string" ? stdout : undefined;
  }
}

export function versionsText(): string {
  return json({ stationd: packageVersion(), node: process.versions, arch: arch(), execArgv: process.execArgv.length });
}

export async function packagesText(): Promise<string> {
  // It ends with an error where one of them is not installed, and lists the others all the same.
  const listed = await output(
    "dpkg-query",
    "--show",
    "--showformat",
    "$" + "{Package} $" + "{Version} $" + "{db:Status-Abbrev}\\n",
    ...PACKAGES,
  );
  return listed || "(no dpkg on this machine, or none of these is installed)\n";
}

export async function kernelText(stateDir: string | undefined): Promise<string> {
  const facts = (await readFile("/etc/os-release", "utf8").catch(() => ""))
    .split("\n")
    .filter((line) => /^(PRETTY_NAME|VERSION_ID)=/.test(line));
  const memory = (await readFile("/proc/meminfo", "utf8").catch(() => ""))
    .split("\n")
    .filter((line) => /^(MemTotal|MemAvailable|Swap)/.test(line));
  const modules = (await readFile("/proc/modules", "utf8").catch(() => ""))
    .split("\n")
    .map((line) => line.split(" ")[0] ?? "")
    .filter((name) => /^(usb|hid|uvc|video|cdc|ftdi|ch341|cp210|pl2303|pn533|lp$)/.test(name));
  const disk = stateDir === undefined ? undefined : await statfs(stateDir).catch(() => undefined);
  const free = disk
    ? `${Math.round((disk.bavail * disk.bsize) / 1e6)} MB free of ${Math.round((disk.blocks * disk.bsize) / 1e6)} MB`
    : "unknown";
  return [
    ...facts,
    `${release()} ${version()}`,
    `up ${Math.round(uptime())} s`,
    ...memory,
    `state folder: ${free}`,
    `modules: ${modules.join(" ")}`,
    "",
  ].join("\n");
}

/** How systemd sees the unit; of the unit's environment nothing. */
export async function serviceText(): Promise<string | undefined> {
  const names =
    "ActiveState,SubState,Result,NRestarts,ExecMainStatus,ExecMainCode,ActiveEnterTimestamp,MemoryCurrent,TasksCurrent,FragmentPath";
  return await output("systemctl", "show", "stationd", `--property=${names}`);
}

/** What `stationd doctor --json` says, asked as any user would; undefined where this version has no such command. */
export async function doctorText(config: string): Promise<string | undefined> {
  const [, script] = process.argv;
  if (script === undefined || !/(stationd|cli)(\.js)?$/.test(script)) return undefined;
  const said = await output(process.execPath, script, "doctor", "--json", "--config", config);
  return said?.trimStart().startsWith("{") || said?.trimStart().startsWith("[") ? said : undefined;
}

/** Of a device's properties those that tell what it is and who may use it. */
const UDEV_PROPERTIES =
  /^(DEVNAME|DEVLINKS|SUBSYSTEM|DRIVER|ID_(VENDOR|MODEL|REVISION|SERIAL|BUS|USB_\w+|PATH|V4L_\w+|MM_\w+|BRLTTY_IGNORE)\w*|(CURRENT_)?TAGS|USEC_INITIALIZED)=/;

/** udev's view of what carries our rules' tag, or is named by a link of the configuration. */
export async function udevText(config: StationConfig | undefined): Promise<string> {
  const database = await output("udevadm", "info", "--export-db");
  if (database === undefined) return "(no udev on this machine)\n";
  const text = ourDevices(database, config?.devices.map(({ link }) => link) ?? []);
  const nodes = (await output("ls", "-lLn", ...nodesOf(text))) ?? "";
  return text === "" ? "(udev knows no device with the tag stationd: see systemd/70-stationd.rules)\n" : `${text}\n${nodes}`;
}

/** Exported for its test. */
export function ourDevices(database: string, links: readonly StationConfig["devices"][number]["link"][]): string {
  const hex = (id: number): string => id.toString(16).padStart(4, "0");
  const named = links.flatMap((link) => {
    if (link.kind === "usb" || link.kind === "hid") return [`ID_VENDOR_ID=${hex(link.vendorId)}\nID_MODEL_ID=${hex(link.productId)}`];
    if (link.kind === "serial" || link.kind === "file") return [link.path];
    return link.kind === "video" || link.kind === "webcam" ? [link.device] : [];
  });
  return database
    .split("\n\n")
    .map((block) =>
      block.split("\n").flatMap((line) => (line.startsWith("E: ") && UDEV_PROPERTIES.test(line.slice(3)) ? [line.slice(3)] : [])),
    )
    .filter((properties) => {
      const has = (text: string): boolean => properties.some((property) => property.split(/[=\s]/).includes(text) || property === text);
      return (
        properties.some((property) => /^(CURRENT_)?TAGS=.*:stationd:/.test(property)) || named.some((name) => name.split("\n").every(has))
      );
    })
    .map((properties) => `${properties.join("\n")}\n`)
    .join("\n");
}

const nodesOf = (text: string): string[] => [...text.matchAll(/^DEVNAME=(\/dev\/[\w/.-]+)$/gm)].flatMap(([, path]) => path ?? []);

/** Fields of the agent's own log: anything else in a line is left out. The list is that of observability/log.ts. */
const LOG_FIELDS = new Set(
  "device driver link state kind method session role origin job step reason child pid port path count bytes durationMs attempt fault".split(
    " ",
  ),
);

/**
 * The log as JSON lines of the agent's allow-listed fields. Of what others wrote (a dying Node prints what it pleases)
 * only systemd's own lines and places in programs stay.
 */
export async function logText(source: AsyncIterable<string | Uint8Array>, mostBytes: number): Promise<string> {
  const kept: string[] = [];
  let bytes = 0;
  for await (const text of linesOf(source)) {
    const line = readLogLine(text);
    if (!line) continue;
    const shown = `${JSON.stringify(harmless(line, text))}\n`;
    kept.push(shown);
    bytes += shown.length;
    // The newest count.
    while (bytes > mostBytes && kept.length > 1) bytes -= kept.shift()?.length ?? 0;
  }
  return kept.join("");
}

function harmless(line: LogLine, raw: string): Record<string, unknown> {
  const { time, level, own } = line;
  if (own) {
    const fields = Object.entries(line.fields).filter(([name]) => LOG_FIELDS.has(name));
    const device = line.device === undefined ? {} : { device: line.device };
    return { time, level, event: line.event, ...device, ...Object.fromEntries(fields), stack: line.stack.filter(isFrame) };
  }
  const event =
    raw.length <= LONGEST_LINE && (/"SYSLOG_IDENTIFIER":"systemd"/.test(raw) || isFrame(line.event.trim())) ? line.event : undefined;
  return { time, level, event: event ?? `(not the agent's line: ${line.event.length} characters, left out)` };
}

const isFrame = (text: string): boolean => /^at [^\n]{0,300}:\d+:\d+\)?$/.test(text);

/** The parsed configuration in TOML without secrets; where it has problems, the problems, which repeat no value. */
export async function configText(file: string): Promise<{ text: string; config: StationConfig | undefined }> {
  const [{ loadConfig }, { ConfigError }, { effectiveConfig }, { stringify }] = await Promise.all([
    import("../config/load.js"),
    import("../config/config-error.js"),
    import("../config/show.js"),
    import("smol-toml"),
  ]);
  try {
    const config = await loadConfig(file);
    return { text: stringify(withoutCredentials(effectiveConfig(config)) as Record<string, unknown>), config };
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return { text: `${describeProblems(error)}\n`, config: undefined };
  }
}

/** What `config show` has no name for: a password in an address, or among the arguments of a program. */
function withoutCredentials(value: unknown, name = ""): unknown {
  if (typeof value === "string") return value.replaceAll(/(\w+:\/\/)[^/\s]*@/g, "$1[secret]@");
  if (Array.isArray(value)) return name === "args" ? value.map(() => "[argument]") : value.map((entry) => withoutCredentials(entry));
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, entry]) => [key, withoutCredentials(entry, key)]));
}
