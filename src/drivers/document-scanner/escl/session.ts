import type { Condition } from "../../../contracts/driver.js";
import type { Clock } from "../../../kernel/clock.js";
import { within } from "../../../kernel/deadline.js";
import { DeviceError } from "../../../kernel/errors.js";
import type { HttpLink, HttpRequest, HttpResponse } from "../../../kernel/http.js";
import type { Logger } from "../../../kernel/log.js";
import type { EsclConfig } from "./config.js";
import { decodeStatus, type ScannerStatus, trouble } from "./status.js";

/** A scanner that is asked to stop has so long to say that it heard it; nobody waits for more. */
const DISMISS_WITHIN_MS = 5_000;
/** Less than the agent waits for a driver that is closed. */
const CLOSE_WITHIN_MS = 1_500;

export interface SessionContext {
  readonly device: string;
  readonly config: EsclConfig;
  readonly clock: Clock;
  readonly log: Logger;
  readonly link: HttpLink;
  report(condition: Condition): void;
}

/** One scanner at the end of its link. */
export interface Session extends Omit<SessionContext, "report"> {
  /** Aborts when the device is closed or lost, with the reason. */
  readonly signal: AbortSignal;
  readonly ended: Promise<DeviceError>;
  /** When everything that was dismissed is, or is given up. */
  readonly dismissed: Promise<unknown>;
  /** A scan is under way. */
  readonly scanning: boolean;
  /** One at a time, and what it leaves on the scanner is dismissed before the session closes. It must settle as soon as `signal` aborts. @throws DeviceError `busy` */
  alone<T>(work: () => Promise<T>): Promise<T>;
  /**
   * Without a signal not even the end of the session stops it, but the link's.
   * @throws DeviceError those of the link; `device_fault` where no answer comes in time; the signal's reason on abort
   */
  ask(request: HttpRequest, withinMs: number, signal: AbortSignal | undefined): Promise<HttpResponse>;
  /** The bytes of a document about the scanner. @throws DeviceError as `ask`; `busy`, `device_fault` on another status */
  read(name: string, signal: AbortSignal): Promise<Uint8Array>;
  /** How the scanner is; what it means for the device is reported. @throws DeviceError as `read` */
  status(signal: AbortSignal): Promise<ScannerStatus>;
  /** Ends a scan on the scanner, as soon as it is known where it is; nobody waits for it. */
  dismiss(job: Promise<string | undefined>): void;
  /** Ends the session: `ended` resolves with this. */
  fail(reason: DeviceError): void;
  close(): Promise<void>;
}

export function startSession(context: SessionContext): Session {
  const { device, config, clock, log, link } = context;
  const ending = new AbortController();
  const { signal } = ending;
  let dismissed: Promise<unknown> = Promise.resolve();
  let underWay: Promise<unknown> | undefined;
  let closing: Promise<void> | undefined;
  let told = "";

  const report = (condition: Condition): void => {
    const now = condition.state === "ready" ? "ready" : condition.reason.message;
    if (now === told || signal.aborted) return;
    told = now;
    context.report(condition);
  };

  const session: Session = {
    ...context,
    signal,
    ended: new Promise((resolve) => signal.addEventListener("abort", () => resolve(signal.reason as DeviceError), { once: true })),
    get dismissed() {
      return dismissed;
    },
    get scanning() {
      return underWay !== undefined;
    },
    async alone(work) {
      if (underWay) throw new DeviceError("busy", { device, message: "a scan is under way" });
      const working = work();
      underWay = working;
      try {
        return await working;
      } finally {
        underWay = undefined;
      }
    },
    async ask(request, withinMs, caller) {
      const either = caller && AbortSignal.any([caller, signal]);
      const begunMs = clock.monotonicMs();
      try {
        const answer = await within(clock, withinMs, either, (limit) => link.send(request, limit));
        log.debug("scanner answered", { device, method: request.method, durationMs: Math.round(clock.monotonicMs() - begunMs) });
        return answer;
      } catch (thrown) {
        either?.throwIfAborted();
        if (!(thrown instanceof DeviceError) || thrown.kind !== "timeout") throw thrown;
        throw new DeviceError("device_fault", { device, message: "the scanner does not answer", cause: thrown });
      }
    },
    async read(name, caller) {
      const answer = await session.ask({ method: "GET", path: `${config.path}/${name}` }, config.answerMs, caller);
      if (answer.status === 200) return answer.body;
      if (answer.status === 503) throw new DeviceError("busy", { device, message: "the scanner has no time", hint: BUSY });
      throw refusal(answer.status, device);
    },
    async status(caller) {
      const status = decodeStatus(await session.read("ScannerStatus", caller));
      const reason = trouble(status);
      report(reason ? { state: "attention", reason } : { state: "ready" });
      return status;
    },
    dismiss(job) {
      const end = async (): Promise<void> => {
        const path = await job;
        if (path === undefined) return;
        await within(clock, DISMISS_WITHIN_MS, undefined, (limit) => link.send({ method: "DELETE", path }, limit));
      };
      dismissed = Promise.all([dismissed, end()]).catch(() => log.debug("scan not ended", { device }));
    },
    fail(reason) {
      if (!signal.aborted) ending.abort(reason);
    },
    close() {
      session.fail(new DeviceError("device_absent", { device, message: "the device was closed" }));
      closing ??= (async () => {
        // What is under way rejects first, and dismisses its scan then.
        await underWay?.catch(() => {});
        await within(clock, CLOSE_WITHIN_MS, undefined, async () => await dismissed).catch(() => {});
        await link.close();
      })();
      return closing;
    },
  };
  return session;
}

export const BUSY = "Somebody else uses the scanner: wait until it is done";

/** What a status means that nobody asked for. */
export function refusal(status: number, device: string): DeviceError {
  const hints: Readonly<Record<number, string>> = {
    301: "The scanner wants HTTPS: set link.kind and link.port",
    302: "The scanner wants HTTPS: set link.kind and link.port",
    307: "The scanner wants HTTPS: set link.kind and link.port",
    401: "Switch off on the scanner that one has to log in for scanning",
    403: "Allow scanning from the network on the scanner",
    404: "Check that eSCL (AirScan, Mopria) is switched on, and the path in the device's settings",
  };
  const hint = hints[status];
  return new DeviceError("device_fault", {
    device,
    message: `the scanner answers with HTTP status ${status}`,
    ...(hint === undefined ? {} : { hint }),
  });
}
