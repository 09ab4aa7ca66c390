import { DeviceError } from "../../../kernel/errors.js";
import { child, count, descendants, readXml } from "./xml.js";

/** A scan as the scanner tells of it. */
export interface JobFacts {
  readonly path: string | undefined;
  /** `Processing`, `Completed`, `Aborted`, `Canceled` … */
  readonly state: string;
}

export interface ScannerStatus {
  /** `Idle`, `Processing`, `Testing`, `Stopped`, `Down`. */
  readonly state: string;
  /** `ScannerAdfLoaded` …; undefined where there is no feeder, or it tells nothing. */
  readonly adfState: string | undefined;
  readonly jobs: readonly JobFacts[];
}

const MOST_JOBS = 100;
const MOST_PATH_CHARACTERS = 512;

/** @throws DeviceError `device_fault` */
export function decodeStatus(bytes: Uint8Array): ScannerStatus {
  const root = readXml(bytes, "ScannerStatus");
  return {
    state: child(root, "State")?.text ?? "",
    adfState: child(root, "AdfState")?.text || undefined,
    jobs: descendants(root, "JobInfo")
      .slice(0, MOST_JOBS)
      .map((job) => ({
        path: pathOf(child(job, "JobUri")?.text ?? ""),
        state: child(job, "JobState")?.text ?? "",
      })),
  };
}

/** Pixels of the page that was fetched last. @throws DeviceError `device_fault` */
export function decodeImageInfo(bytes: Uint8Array): { readonly width: number; readonly height: number } | undefined {
  const root = readXml(bytes, "ScanImageInfo");
  const [width, height] = [count(root, "ActualWidth"), count(root, "ActualHeight")];
  return width && height ? { width, height } : undefined;
}

/** Where a scan is, of an address that the scanner gives. Its host is never looked at: nothing is asked of anyone but the scanner. */
export function pathOf(address: string): string | undefined {
  if (address.length === 0 || address.length > MOST_PATH_CHARACTERS || !URL.canParse(address, "http://scanner/")) return undefined;
  const { protocol, pathname, search } = new URL(address, "http://scanner/");
  const path = `${pathname.replace(/\/+$/, "")}${search}`;
  return /^https?:$/.test(protocol) && /^\/[!-~]+$/.test(path) ? path : undefined;
}

const JAMS: Readonly<Record<string, string>> = {
  ScannerAdfJam: "a page is jammed in the feeder",
  ScannerAdfMispick: "the feeder could not take the page",
  ScannerAdfMultipickDetected: "the feeder took several pages at once",
  ScannerAdfInputTrayFailed: "the feeder's tray has failed",
  ScannerAdfInputTrayOverloaded: "there are too many pages in the feeder",
  ScannerAdfDuplexPageTooShort: "a page is too short to be scanned on both sides",
  ScannerAdfDuplexPageTooLong: "a page is too long to be scanned on both sides",
};
/** The second is in no edition and in many scanners. */
const COVERS: ReadonlySet<string> = new Set(["ScannerAdfHatchOpen", "ScannerAdfDoorOpen"]);

/** What a person has to put right at the feeder. */
export function feederTrouble({ adfState = "" }: ScannerStatus): DeviceError | undefined {
  if (COVERS.has(adfState)) return new DeviceError("cover_open", { message: "the feeder's cover is open" });
  if (!Object.hasOwn(JAMS, adfState)) return undefined;
  return new DeviceError("document_jam", {
    message: JAMS[adfState] as string,
    ...(adfState === "ScannerAdfJam" ? {} : { hint: "Take the pages out, straighten them and put them in again" }),
  });
}

/** What keeps the scanner from going on, at the feeder or elsewhere. */
export function trouble(status: ScannerStatus): DeviceError | undefined {
  const feeder = feederTrouble(status);
  if (feeder || !["Stopped", "Down"].includes(status.state)) return feeder;
  return new DeviceError("device_fault", { message: "the scanner has stopped", hint: "Look at the scanner's own display, and follow it" });
}
