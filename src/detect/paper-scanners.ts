import type { Machine } from "../doctor/machine.js";
import type { Found } from "./found.js";

const NAME = /^[\w.:+/ ()=-]{1,128}$/;

/** Scanners that announce eSCL in the network, and those that SANE finds; asking SANE takes seconds. */
export async function paperScanners(machine: Machine): Promise<Found[]> {
  const [escl, sane] = await Promise.all([esclScanners(machine), saneScanners(machine)]);
  return [...escl, ...sane];
}

async function esclScanners(machine: Machine): Promise<Found[]> {
  const scanners = new Map<string, Found>();
  for (const kind of ["http", "https"] as const) {
    const told = (await machine.run("avahi-browse", "-rtp", kind === "http" ? "_uscan._tcp" : "_uscans._tcp"))?.out ?? "";
    for (const line of told.split("\n")) {
      const [mark, , family, , , , , host = "", port = "", ...rest] = line.split(";");
      const text = rest.join(";");
      if (mark !== "=" || family !== "IPv4" || !/^[\d.]{7,15}$/.test(host) || !(Number(port) >= 1 && Number(port) <= 65_535)) continue;
      // What needs no certificate comes first.
      if (scanners.has(host)) continue;
      const resource = /"rs=\/?([\w/-]{1,64})"/.exec(text)?.[1] ?? "eSCL";
      scanners.set(host, {
        id: "document-scanner",
        driver: "escl",
        what: `Network scanner ${/"ty=([^"]*)"/.exec(text)?.[1] ?? host}`,
        notes: ["Give it a fixed address.", ...(kind === "https" ? ["caFile: the certificate that the scanner shows, saved as PEM."] : [])],
        settings: { path: `/${resource}` },
        link: { kind, host, port: Number(port), ...(kind === "https" ? { caFile: "/etc/stationd/scanner.pem" } : {}) },
      });
    }
  }
  return [...scanners.values()];
}

async function saneScanners(machine: Machine): Promise<Found[]> {
  const told = (await machine.run("scanimage", "-f", "%d|%v %m|%t%n"))?.out ?? "";
  return told.split("\n").flatMap((line): Found[] => {
    const [device = "", name = "", type = ""] = line.split("|");
    const backend = device.split(":")[0] ?? "";
    // Cameras are no paper scanners, a virtual one is none at all, and eSCL is spoken without SANE.
    if (!NAME.test(device) || ["v4l", "test", "airscan", "escl"].includes(backend)) return [];
    // The rest of such a name changes with each plugging in.
    const stable = /libusb:|:usb:|\/dev\/bus\//.test(device) ? backend : device;
    return [
      {
        id: "document-scanner",
        driver: "sane",
        what: `${type === "" ? "Scanner" : type} ${name}`,
        notes: ["backends: only its own, so that looking for it takes no seconds."],
        link: { kind: "sane", device: stable, backends: [backend] },
      },
    ];
  });
}
