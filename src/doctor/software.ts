import { type Checks, type Finding, linksOf, ok, type Station, word } from "./finding.js";
import type { Machine } from "./machine.js";

const OLDEST_NODE = [20, 19] as const;
/** Older ones get no security updates any more. */
const KEPT_NODE = 22;
const UNIT_NODE = "/usr/lib/stationd/node/bin/node";

/** The Node that the agent runs on, and the Debian packages that this configuration needs. */
export const checkSoftware: Checks = async (machine, station) => [
  await nodeFinding(machine),
  ...(await Promise.all(wanted(station).map((needed) => packageFinding(machine, needed)))),
];

async function nodeFinding(machine: Machine): Promise<Finding> {
  const own = (await machine.facts(UNIT_NODE)) && (await machine.run(UNIT_NODE, "--version"));
  const version = own?.status === 0 ? own.out.trim().replace(/^v/, "") : machine.node;
  const [major = 0, minor = 0] = version.split(".").map(Number);
  const finding = `Node ${version}${own ? " for the agent" : ""}`;
  const advice = `Unpack Node 24 (https://nodejs.org) to ${UNIT_NODE.replace("/bin/node", "")}`;
  if (major < OLDEST_NODE[0] || (major === OLDEST_NODE[0] && minor < OLDEST_NODE[1])) {
    return { id: "software.node", verdict: "failure", finding, why: `The agent needs ${OLDEST_NODE.join(".")} or newer.`, advice };
  }
  if (major < KEPT_NODE) {
    return { id: "software.node", verdict: "warning", finding, why: "This release gets no security updates any more.", advice };
  }
  return ok("software.node", finding);
}

interface Needed {
  readonly name: string;
  /** One file of it; `*` for the folder that is named after the processor. */
  readonly file: string;
  readonly why: string;
}

function wanted(station: Station): Needed[] {
  const links = linksOf(station);
  const kinds = new Set(links.map(({ link }) => link.kind));
  const scanners = links.flatMap(({ link }) => (link.kind === "sane" ? [link] : []));
  const library = (name: string, file: string, why: string): Needed => ({ name, file: `/usr/lib/*/${file}`, why });
  const backends = new Set(scanners.flatMap(({ backends, network }) => [...backends, ...(network.length > 0 ? ["airscan"] : [])]));
  return [
    ...(kinds.has("pcsc")
      ? [
          { name: "pcscd", file: "/usr/sbin/pcscd", why: "It is the service that card readers are reached through." },
          { name: "libccid", file: "/usr/lib/pcsc/drivers/ifd-ccid.bundle/Contents/Info.plist", why: "It is the driver of card readers." },
        ]
      : []),
    ...(kinds.has("hid") ? [library("libusb-1.0-0", "libusb-1.0.so.0", "Without it the HID library cannot be loaded.")] : []),
    ...(scanners.length > 0 ? [{ name: "sane-utils", file: "/usr/bin/scanimage", why: "Its scanimage works the document scanner." }] : []),
    ...[...backends].map((backend) =>
      backend === "airscan"
        ? library("sane-airscan", "sane/libsane-airscan.so.1", "It is the backend of network scanners.")
        : library("libsane1", `sane/libsane-${backend}.so.1`, `The configuration names the SANE backend ${backend}.`),
    ),
    ...(kinds.has("video") ? [{ name: "ffmpeg", file: "/usr/bin/ffmpeg", why: "It takes the pictures of the camera." }] : []),
    ...(kinds.has("webcam") ? [{ name: "fswebcam", file: "/usr/bin/fswebcam", why: "It takes the pictures of the camera." }] : []),
  ];
}

async function packageFinding(machine: Machine, { name, file, why }: Needed): Promise<Finding> {
  const id = `software.${name}`;
  const folders = file.includes("/*/") ? (await machine.list("/usr/lib")).filter((entry) => entry.includes("-linux-gnu")) : [""];
  for (const folder of folders) {
    if (await machine.facts(file.replace("/*/", `/${folder}/`))) return ok(id, `${name} is installed`);
  }
  const mend = `apt-get update && apt-get install -y --reinstall ${word(name)}`;
  return { id, verdict: "failure", finding: `${name} is not installed`, why, mend };
}
