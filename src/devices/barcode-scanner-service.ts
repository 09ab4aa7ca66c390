import { parseScan } from "../citizen-id/scan.js";
import type { BarcodeScanner, ScannedCode } from "../contracts/barcode-scanner.js";
import type { Clock } from "../kernel/clock.js";
import { DeviceError } from "../kernel/errors.js";
import type { Scan } from "../protocol/barcode-scanner.js";
import type { Call, Caller } from "../protocol/call.js";
import type { Bay } from "./bay.js";

/** What one scanner is doing for whom. A code that nobody waits for is dropped, never kept. */
interface Watch {
  /** A one-shot request that waits for the next code. */
  once: ((code: ScannedCode) => void) | undefined;
  /** The session that gets every code. */
  enabledFor: Caller | undefined;
  /** Its connection is gone: whoever comes next, as a reloaded page does, takes over. */
  away: boolean;
}

export interface BarcodeScannerServiceContext {
  readonly clock: Clock;
  publish(scan: Scan, session: string): void;
}

export class BarcodeScannerService {
  readonly #context: BarcodeScannerServiceContext;
  readonly #watches = new Map<Bay<"barcodeScanner">, Watch>();

  constructor(context: BarcodeScannerServiceContext) {
    this.#context = context;
  }

  /** `former`: the bay of the same device before its settings changed; who had it enabled still has. */
  adopt(bay: Bay<"barcodeScanner">, former?: Bay<"barcodeScanner">): void {
    const { enabledFor, away } = (former && this.#watches.get(former)) ?? { enabledFor: undefined, away: false };
    if (former) this.#watches.delete(former);
    const watch: Watch = { once: undefined, enabledFor, away };
    this.#watches.set(bay, watch);
    bay.onOpen((scanner) => {
      scanner.onScan((code) => this.#scanned(bay, watch, code));
      if (watch.enabledFor) void this.#trigger(scanner, true);
    });
  }

  forget(bay: Bay<"barcodeScanner">): void {
    this.#watches.delete(bay);
  }

  async scan(bay: Bay<"barcodeScanner">, call: Call): Promise<Scan> {
    this.mayUse(bay, call.caller);
    return await bay.use("barcodeScanner.scan", call.signal, async (scanner, signal) => {
      const watch = this.#watch(bay);
      // A claim or another session's enabling may have come while this request waited.
      this.mayUse(bay, call.caller);
      let stopWaiting = (): void => {};
      try {
        const next = new Promise<ScannedCode>((resolve, reject) => {
          watch.once = resolve;
          stopWaiting = () => reject(signal.reason);
          signal.addEventListener("abort", stopWaiting, { once: true });
        });
        next.catch(() => {});
        await scanner.trigger(true, signal);
        call.progress("waiting");
        const code = await next;
        return this.#shown(bay, code);
      } finally {
        signal.removeEventListener("abort", stopWaiting);
        watch.once = undefined;
        if (!watch.enabledFor) await this.#trigger(scanner, false);
      }
    });
  }

  async enable(bay: Bay<"barcodeScanner">, call: Call): Promise<void> {
    this.mayUse(bay, call.caller);
    const scanner = await bay.opened(call.signal);
    await scanner.trigger(true, call.signal);
    Object.assign(this.#watch(bay), { enabledFor: call.caller, away: false });
  }

  async disable(bay: Bay<"barcodeScanner">, caller: Caller): Promise<void> {
    const watch = this.#watch(bay);
    if (watch.enabledFor?.session !== caller.session) return;
    watch.enabledFor = undefined;
    if (bay.device && !watch.once) await this.#trigger(bay.device, false);
  }

  away({ session }: Caller, away: boolean): void {
    for (const watch of this.#watches.values()) if (watch.enabledFor?.session === session) watch.away = away;
  }

  /** The citizen left, or the page did. */
  sessionEnded(caller: Caller): void {
    for (const bay of this.#watches.keys()) void this.disable(bay, caller);
  }

  #watch(bay: Bay<"barcodeScanner">): Watch {
    const watch = this.#watches.get(bay);
    if (!watch) throw new DeviceError("unknown_device", { device: bay.spec.id });
    return watch;
  }

  /** @throws DeviceError `busy` where another session has a claim, or has it enabled */
  mayUse(bay: Bay<"barcodeScanner">, caller: Caller): void {
    bay.claims.check(caller);
    const watch = this.#watch(bay);
    const other = watch.enabledFor;
    if (other && watch.away && other.session !== caller.session) watch.enabledFor = undefined;
    else if (other && other.session !== caller.session) {
      throw new DeviceError("busy", { device: bay.spec.id, message: `enabled by ${other.client}` });
    }
  }

  #scanned(bay: Bay<"barcodeScanner">, watch: Watch, code: ScannedCode): void {
    if (watch.once) {
      const { once } = watch;
      watch.once = undefined;
      once(code);
    } else if (watch.enabledFor) {
      this.#context.publish(this.#shown(bay, code), watch.enabledFor.session);
    }
  }

  /** A trigger that fails is no reason to fail what has succeeded: the link's loss tells on its own. */
  async #trigger(scanner: BarcodeScanner, on: boolean): Promise<void> {
    const patience = new AbortController();
    using _ = this.#context.clock.timer(1_000, () => patience.abort(new DeviceError("timeout")));
    await scanner.trigger(on, patience.signal).catch(() => {});
  }

  #shown(bay: Bay<"barcodeScanner">, code: ScannedCode): Scan {
    return {
      device: bay.spec.id,
      at: this.#context.clock.now(),
      text: code.text,
      base64: Buffer.from(code.bytes).toString("base64"),
      ...(code.symbology === undefined ? {} : { symbology: code.symbology }),
      encoding: code.encoding,
      parsed: code.encoding === "utf-8" ? parseScan(code.text) : { kind: "plain" },
      ...(bay.spec.simulated ? { simulated: true as const } : {}),
    };
  }
}
