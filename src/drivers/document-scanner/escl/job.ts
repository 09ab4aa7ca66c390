import type { ScanEnd, ScanOrder, ScanSteps } from "../../../contracts/document-scanner.js";
import { raceSignal, within } from "../../../kernel/deadline.js";
import { DeviceError } from "../../../kernel/errors.js";
import type { HttpResponse } from "../../../kernel/http.js";
import type { ScannerCapabilities } from "./capabilities.js";
import { recognisePage } from "./page.js";
import { planScan, realResolution, type ScanPlan, scanSettings } from "./plan.js";
import { BUSY, refusal, type Session } from "./session.js";
import { decodeImageInfo, feederTrouble, pathOf, type ScannerStatus, trouble } from "./status.js";

/** A4 in colour at 600 dpi, hardly compressed. */
const MOST_PAGE_BYTES = 60 * 1024 * 1024;
/** eSCL: a page that is not ready yet is asked for again, not for ever. */
const MOST_RETRIES = 30;
const RETRY_AFTER_MS = { least: 500, usual: 2_000, most: 10_000 };
const IMAGE_INFO_WITHIN_MS = 3_000;

/** One scan under way. */
interface Job {
  readonly session: Session;
  readonly plan: ScanPlan;
  readonly path: string;
  readonly signal: AbortSignal;
}

/** The contract's `scan`. */
export async function scan(
  session: Session,
  capabilities: ScannerCapabilities,
  order: ScanOrder,
  steps: ScanSteps,
  caller: AbortSignal,
): Promise<ScanEnd> {
  const signal = AbortSignal.any([caller, session.signal]);
  signal.throwIfAborted();
  // The scan before may still be on its way out.
  await within(session.clock, session.config.busyMs, signal, () => session.dismissed).catch(() => signal.throwIfAborted());
  const plan = planScan(order, capabilities, await idleStatus(session, signal));
  const job: Job = { session, plan, path: await begin(session, plan, signal), signal };
  const most = plan.source === "flatbed" ? 1 : order.maxPages;
  let pages = 0;
  try {
    while (pages < most) {
      const answer = await nextDocument(job, steps);
      if (answer.status !== 200) {
        await end(job, pages, answer.status === 410);
        break;
      }
      const mediaType = recognisePage(answer.body);
      const resolutionDpi = await resolutionOf(job);
      await raceSignal(steps.page({ mediaType, bytes: answer.body, resolutionDpi }), signal);
      pages += 1;
    }
    return { state: "done" };
  } catch (thrown) {
    signal.throwIfAborted();
    if (pages === 0 || !(thrown instanceof DeviceError)) throw thrown;
    return { state: "broken_off", reason: thrown };
  } finally {
    // Scans that are done, too: a scanner keeps them, and itself busy, until they are fetched to the end or deleted.
    session.dismiss(Promise.resolve(job.path));
  }
}

/** A scanner that has no time to say how it is may have some for the scan itself. */
async function idleStatus(session: Session, signal: AbortSignal): Promise<ScannerStatus> {
  try {
    return await session.status(signal);
  } catch (thrown) {
    if (thrown instanceof DeviceError && thrown.kind === "busy") return { state: "", adfState: undefined, jobs: [] };
    throw thrown;
  }
}

/** What the scanner says of itself after something went wrong; undefined where it says nothing. */
async function afterwards({ session, signal }: Pick<Job, "session" | "signal">): Promise<ScannerStatus | undefined> {
  try {
    return await session.status(signal);
  } catch {
    signal.throwIfAborted();
    return undefined;
  }
}

/** Asks for the scan, again for a while where the scanner is busy, and answers where it is. */
async function begin(session: Session, plan: ScanPlan, signal: AbortSignal): Promise<string> {
  const { config, clock, device } = session;
  const untilMs = clock.monotonicMs() + config.busyMs;
  for (;;) {
    const answer = await post(session, plan, signal);
    if (answer.status === 201) {
      const path = pathOf(header(answer, "location"));
      if (path === undefined) throw new DeviceError("device_fault", { device, message: "the scanner does not tell where the scan is" });
      return path;
    }
    const status = await afterwards({ session, signal });
    const reason = status && (troubleFor(plan, status) ?? emptyFor(plan, status));
    if (reason) throw reason;
    if (answer.status !== 409 && answer.status !== 503) throw refusal(answer.status, device);
    // Conflict: with a scan that goes on, or with what the scanner can do.
    if (answer.status === 409 && status?.state === "Idle") {
      throw new DeviceError("unsupported", {
        device,
        message: "the scanner refuses what it was asked for, though it says that it can do it",
      });
    }
    const leftMs = untilMs - clock.monotonicMs();
    if (leftMs <= 0) throw new DeviceError("busy", { device, message: "the scanner is busy", hint: BUSY });
    await clock.sleep(Math.min(retryAfterMs(answer), leftMs), signal);
  }
}

const emptyFor = ({ source }: ScanPlan, { adfState }: ScannerStatus): DeviceError | undefined =>
  source !== "flatbed" && adfState === "ScannerAdfEmpty" ? new DeviceError("feeder_empty") : undefined;

/** A caller that gives up leaves the request alone: only its answer tells what is to be deleted. */
async function post(session: Session, plan: ScanPlan, signal: AbortSignal): Promise<HttpResponse> {
  const { config } = session;
  const headers = { "content-type": "text/xml" };
  const request = { method: "POST", path: `${config.path}/ScanJobs`, headers, body: scanSettings(plan) } as const;
  signal.throwIfAborted();
  const posting = session.ask(request, config.startMs, undefined);
  try {
    return await raceSignal(posting, signal);
  } catch (thrown) {
    if (signal.aborted) session.dismiss(posting.then((answer) => (answer.status === 201 ? pathOf(header(answer, "location")) : undefined)));
    throw thrown;
  }
}

/** The next page (200), or why there is none: it was the last (404), or the scan is gone (410). */
async function nextDocument(job: Job, steps: ScanSteps): Promise<HttpResponse> {
  const { session, path, signal } = job;
  const { config, clock, device } = session;
  let shown = -1;
  const heard = (bytes: number, ofBytes: number | undefined): void => {
    const hundredths = ofBytes ? Math.floor((100 * bytes) / ofBytes) : -1;
    if (hundredths <= shown) return;
    shown = hundredths;
    steps.progress(hundredths / 100);
  };
  const request = { method: "GET", path: below(path, "NextDocument"), mostBytes: MOST_PAGE_BYTES, heard } as const;
  steps.progress(undefined);
  for (let tries = 0; ; tries++) {
    const answer = await session.ask(request, config.pageMs, signal).catch((thrown: unknown) => failed(job, thrown));
    if (answer.status === 200 || answer.status === 404 || answer.status === 410) return answer;
    const status = await afterwards(job);
    const reason = status && troubleFor(job.plan, status);
    if (reason) throw reason;
    if (answer.status !== 503) throw refusal(answer.status, device);
    if (tries >= MOST_RETRIES)
      throw new DeviceError("device_fault", { device, message: "the scanner does not come to an end with a page" });
    await clock.sleep(retryAfterMs(answer), signal);
  }
}

/** A feeder does not matter to who uses the glass. */
const troubleFor = ({ source }: ScanPlan, status: ScannerStatus): DeviceError | undefined =>
  source === "flatbed" && feederTrouble(status) ? undefined : trouble(status);

/** No whole page came. */
async function failed(job: Job, thrown: unknown): Promise<never> {
  job.signal.throwIfAborted();
  const status = await afterwards(job);
  const reason = status && troubleFor(job.plan, status);
  if (reason) throw reason;
  if (!status || !(thrown instanceof DeviceError) || thrown.kind !== "device_absent") throw thrown;
  // It is still there: the page broke off, not the scanner.
  throw new DeviceError("device_fault", { device: job.session.device, message: "the scanner cut off a page", cause: thrown });
}

/** There are no more pages. @throws DeviceError where that is not as it should be */
async function end(job: Job, pages: number, gone: boolean): Promise<void> {
  const { plan, path, session } = job;
  const status = await afterwards(job);
  const reason = status && troubleFor(plan, status);
  if (reason) throw reason;
  const fault = (message: string): DeviceError => new DeviceError("device_fault", { device: session.device, message });
  const state = status?.jobs.find((one) => one.path === path)?.state ?? "";
  if (state === "Aborted" || state === "Canceled") throw fault("the scan was ended at the scanner");
  if (pages > 0) {
    if (gone && state !== "Completed") throw fault("the scanner forgot the scan");
    return;
  }
  if (plan.source === "flatbed") throw gone ? fault("the scanner forgot the scan") : new DeviceError("scan_empty");
  throw status?.adfState === "ScannerAdfLoaded" ? fault("the feeder takes no pages") : new DeviceError("feeder_empty");
}

async function resolutionOf({ session, plan, path, signal }: Job): Promise<number> {
  if (plan.source !== "flatbed") return plan.resolutionDpi;
  try {
    const answer = await session.ask({ method: "GET", path: below(path, "ScanImageInfo") }, IMAGE_INFO_WITHIN_MS, signal);
    const pixels = answer.status === 200 ? decodeImageInfo(answer.body) : undefined;
    return pixels ? realResolution(plan, pixels) : plan.resolutionDpi;
  } catch {
    // Many do not have it.
    signal.throwIfAborted();
    return plan.resolutionDpi;
  }
}

/** The address of a scan may have a query. */
function below(path: string, name: string): string {
  const [before = "", ...query] = path.split("?");
  return [`${before}/${name}`, ...query].join("?");
}

function header({ headers }: HttpResponse, name: string): string {
  const value = headers[name];
  return typeof value === "string" ? value : "";
}

function retryAfterMs(answer: HttpResponse): number {
  const { least, usual, most } = RETRY_AFTER_MS;
  const seconds = header(answer, "retry-after");
  return /^\d{1,4}$/.test(seconds) ? Math.min(Math.max(Number(seconds) * 1_000, least), most) : usual;
}
