import type { Condition, DeviceContracts, DrivenClass, DriverContext, LinkOf, OpenDevice } from "../contracts/driver.js";
import { deadline, raceSignal } from "../kernel/deadline.js";
import { asDeviceError, DeviceError, errorObject } from "../kernel/errors.js";
import type { Logger } from "../kernel/log.js";
import type { DeviceSnapshot } from "../protocol/devices.js";
import { Claims } from "./claim.js";
import { describeDevice, errorOf, reasonOf } from "./device-snapshot.js";
import type { BayContext, DeviceSpec } from "./device-spec.js";
import { Fifo } from "./fifo.js";
import { type Life, type LifeEffect, type LifeEvent, next } from "./lifecycle.js";

interface Opening<D> {
  readonly ended: AbortController;
  device: D | undefined;
}

export const OPEN_WITHIN_MS = 20_000;
/** How long a driver may take to stop what it was asked to stop, before its device is opened anew. */
export const STOP_WITHIN_MS = 2_000;
const QUEUE_LIMIT = 64;

/**
 * Where one device lives: opens it, keeps its state, queue and claim, and opens it anew when it is lost.
 * Whatever its driver does (throw, hang, flood), it stays inside.
 */
export class Bay<C extends DrivenClass = DrivenClass> {
  readonly spec: DeviceSpec<C>;
  readonly fifo: Fifo;
  readonly claims: Claims;
  readonly #context: BayContext;
  readonly #log: Logger;
  readonly #changed: (bay: Bay<C>) => void;
  #life: Life = { at: "disabled" };
  #since: number;
  #opening: Opening<DeviceContracts[C]> | undefined;
  #closing: Promise<void> = Promise.resolve();
  #retryTimer: Disposable | undefined;
  #settleTimer: Disposable | undefined;
  #shown: DeviceSnapshot | undefined;
  #path: string | undefined;
  #tried = false;
  readonly #waiters = new Set<() => void>();
  #onOpen: ((device: DeviceContracts[C]) => void) | undefined;

  constructor(spec: DeviceSpec<C>, context: BayContext, changed: (bay: Bay<C>) => void) {
    this.spec = spec;
    this.#context = context;
    this.#changed = changed;
    this.#log = context.log.with({ device: spec.id, driver: spec.driver.id });
    this.#since = context.clock.now();
    const touched = (): void => this.#touch();
    this.fifo = new Fifo(QUEUE_LIMIT, touched);
    this.claims = new Claims(spec.id, context.clock, touched);
  }

  start(): void {
    if (this.spec.enabled) this.#dispatch({ type: "enable" });
    else this.#tried = true;
  }

  /** Resolves when the device is closed and nothing of it is left. */
  async stop(): Promise<void> {
    this.#dispatch({ type: "disable" });
    await this.#closing;
  }

  reset(): void {
    this.#dispatch({ type: "reset" });
  }

  hotplug(): void {
    this.#dispatch({ type: "hotplug" });
  }

  /** Called with each freshly opened device, before anyone else gets it. */
  onOpen(listener: (device: DeviceContracts[C]) => void): void {
    this.#onOpen = listener;
  }

  /** The first attempt to open has ended, one way or the other. */
  get tried(): boolean {
    return this.#tried;
  }

  get device(): DeviceContracts[C] | undefined {
    return this.#life.at === "open" ? this.#opening?.device : undefined;
  }

  /**
   * The open device; waits while it is being opened.
   * @throws DeviceError with the reason why it is not open, or the signal's.
   */
  async opened(signal: AbortSignal): Promise<DeviceContracts[C]> {
    for (;;) {
      if (signal.aborted) throw signal.reason;
      const { device } = this;
      if (device) return device;
      if (this.#life.at !== "opening") throw this.#whyNot();
      await this.#nextChange(signal);
    }
  }

  /** The open device, however long that takes. Rejects only with the signal's reason. */
  async whenOpen(signal: AbortSignal): Promise<DeviceContracts[C]> {
    for (;;) {
      if (signal.aborted) throw signal.reason;
      const { device } = this;
      if (device) return device;
      await this.#nextChange(signal);
    }
  }

  /**
   * Queues for the device and runs `work` on it. A driver that does not stop when the signal asks is cut off.
   * @throws DeviceError of the work, of the queue, or why the device is not open.
   */
  use<T>(method: string, signal: AbortSignal, work: (device: DeviceContracts[C], signal: AbortSignal) => Promise<T>): Promise<T> {
    return this.fifo.run(method, signal, async () => {
      const device = await this.opened(signal);
      const started = this.#context.clock.monotonicMs();
      const ended = this.#opening?.ended.signal ?? signal;
      const running = (async () => await work(device, signal))();
      try {
        return await raceSignal(raceSignal(running, signal), ended);
      } catch (thrown) {
        if (signal.aborted) await this.#mustSettle(running);
        throw this.named(thrown);
      } finally {
        this.#context.meter.observeMs("stationd_device_operation", this.#context.clock.monotonicMs() - started, {
          device: this.spec.id,
          method,
        });
      }
    });
  }

  /**
   * Runs `work` on the open device past the queue: for looking only. Ends with the device.
   * @throws DeviceError of the work, or why the device is not open.
   */
  async look<T>(signal: AbortSignal, work: (device: DeviceContracts[C], signal: AbortSignal) => Promise<T>): Promise<T> {
    const device = await this.opened(signal);
    const ended = this.#opening?.ended.signal;
    const either = new AbortController();
    const stop = (): void => either.abort(signal.aborted ? signal.reason : ended?.reason);
    for (const one of [signal, ended]) one?.addEventListener("abort", stop, { once: true });
    if (signal.aborted || ended?.aborted) stop();
    try {
      return await raceSignal(work(device, either.signal), either.signal);
    } catch (thrown) {
      if (signal.aborted) throw signal.reason;
      throw this.named(thrown);
    } finally {
      for (const one of [signal, ended]) one?.removeEventListener("abort", stop);
    }
  }

  /** Any thrown thing as an error that names this device. What a driver throws outside the closed list is its fault. */
  named(thrown: unknown): DeviceError {
    if (thrown instanceof DeviceError) return errorOf(this.spec.id, thrown);
    this.#log.error("driver threw outside the closed list", {}, thrown);
    return new DeviceError("device_fault", { device: this.spec.id, message: "the driver failed", cause: thrown });
  }

  snapshot(): DeviceSnapshot {
    this.#shown ??= this.#describe();
    return this.#shown;
  }

  #describe(): DeviceSnapshot {
    return describeDevice(this.spec, {
      life: this.#life,
      since: this.#since,
      identity: { ...this.device?.identity, ...(this.#path === undefined ? {} : { hardwarePath: this.#path }) },
      queued: this.fifo.length,
      running: this.fifo.running || undefined,
      claim: this.claims.shown,
    });
  }

  #whyNot(): DeviceError {
    const life = this.#life;
    if (life.at === "absent" || life.at === "faulted") return this.named(life.reason);
    return new DeviceError("device_absent", {
      device: this.spec.id,
      message: "switched off in the config",
      hint: `Set enabled = true in [devices.${this.spec.id}] or reset the device`,
      retryable: false,
    });
  }

  #nextChange(signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const done = (): void => {
        this.#waiters.delete(done);
        signal.removeEventListener("abort", done);
        resolve();
      };
      this.#waiters.add(done);
      signal.addEventListener("abort", done, { once: true });
    });
  }

  #touch(): void {
    this.#shown = undefined;
    this.#changed(this);
  }

  #dispatch(event: LifeEvent): void {
    const before = this.#life;
    const { life, effects } = next(before, event);
    this.#life = life;
    if (event.type === "opened" || event.type === "open_failed" || event.type === "disable") this.#tried = true;
    if (life !== before) {
      const standing = (of: Life): string => (of.at === "open" ? of.standing.state : of.at);
      if (standing(life) !== standing(before)) {
        this.#since = this.#context.clock.now();
        const reason = reasonOf(life);
        this.#log.info("device state", { state: standing(life), ...(reason ? { kind: reason.kind } : {}) });
      }
      this.#touch();
    }
    for (const effect of effects) this.#perform(effect);
    for (const wake of [...this.#waiters]) wake();
  }

  #perform(effect: LifeEffect): void {
    switch (effect.type) {
      case "open":
        void this.#open();
        return;
      case "close":
        this.#close();
        return;
      case "retry_after": {
        // A little chance, so that devices that fell together do not come back in lockstep.
        const ms = effect.ms * (0.9 + 0.2 * this.#context.random.fraction());
        this.#retryTimer?.[Symbol.dispose]();
        this.#retryTimer = this.#context.clock.timer(ms, () => this.#dispatch({ type: "retry" }));
        return;
      }
      case "settle_after":
        this.#settleTimer?.[Symbol.dispose]();
        this.#settleTimer = this.#context.clock.timer(effect.ms, () => this.#dispatch({ type: "settled" }));
        return;
    }
  }

  async #open(): Promise<void> {
    if (this.#opening) return; // an attempt is under way: its end decides
    const opening: Opening<DeviceContracts[C]> = { ended: new AbortController(), device: undefined };
    this.#opening = opening;
    this.#retryTimer?.[Symbol.dispose]();
    await this.#closing;
    if (opening.ended.signal.aborted) return;
    const { clock, random, imaging } = this.#context;
    using limit = deadline(clock, OPEN_WITHIN_MS, opening.ended.signal, "the device did not open in time");
    const context: DriverContext<LinkOf<C>> = {
      device: this.spec.id,
      connect: this.spec.connect,
      clock,
      random,
      imaging,
      log: this.#log,
      signal: opening.ended.signal,
      simulated: this.spec.simulated,
      report: (condition) => this.#reported(opening, condition),
    };
    // An opening that ends late, after it was given up, must not leave an open device behind.
    const attempt = (async () => await this.spec.driver.open(this.spec.settings as never, context))();
    const late = (device: OpenDevice): void => {
      if (opening.ended.signal.aborted) void device.close().catch(() => {});
    };
    attempt.then(late, () => {});
    try {
      this.#path ??= await this.spec.hardwarePath?.().catch(() => undefined);
      const device = await raceSignal(attempt, limit.signal);
      opening.device = device;
      this.#dispatch({ type: "opened" });
      if (this.#pendingStanding) this.#dispatch({ type: "standing", standing: this.#pendingStanding });
      this.#pendingStanding = undefined;
      this.#onOpen?.(device);
      device.lost.then(
        (reason) => this.#ended(opening, reason),
        (thrown) => this.#ended(opening, this.named(thrown)),
      );
    } catch (thrown) {
      if (this.#opening !== opening) return; // closed meanwhile: nobody waits for this outcome
      opening.ended.abort(new DeviceError("device_absent"));
      this.#opening = undefined;
      const reason = this.named(thrown);
      this.#dispatch({ type: "open_failed", reason: reason.kind === "timeout" ? asFault(reason, this.spec.id) : reason });
    }
  }

  /** What a driver reports while it is still opening counts from the moment it is open. */
  #pendingStanding: Extract<LifeEvent, { type: "standing" }>["standing"] | undefined;

  #reported(opening: Opening<DeviceContracts[C]>, condition: Condition): void {
    if (this.#opening !== opening) return;
    const standing = condition.state === "faulted" ? condition : { ...condition, warnings: condition.warnings ?? [] };
    if (this.#life.at !== "open") {
      this.#pendingStanding = standing;
      return;
    }
    // A driver that repeats itself costs nothing.
    if (JSON.stringify(shape(standing)) === JSON.stringify(shape(this.#life.standing))) return;
    this.#dispatch({ type: "standing", standing });
  }

  #ended(opening: Opening<DeviceContracts[C]>, reason: DeviceError): void {
    if (this.#opening === opening) this.#dispatch({ type: "lost", reason });
  }

  #close(): void {
    this.#retryTimer?.[Symbol.dispose]();
    this.#settleTimer?.[Symbol.dispose]();
    const opening = this.#opening;
    this.#opening = undefined;
    this.#pendingStanding = undefined;
    if (!opening) return;
    opening.ended.abort(new DeviceError("device_absent", { device: this.spec.id }));
    const device = opening.device;
    if (!device) return;
    const { clock } = this.#context;
    this.#closing = (async () => {
      using limit = deadline(clock, STOP_WITHIN_MS);
      await raceSignal((async () => await device.close())(), limit.signal);
    })().catch((thrown) => this.#log.warn("device did not close cleanly", { kind: asDeviceError(thrown).kind }));
  }

  async #mustSettle(running: Promise<unknown>): Promise<void> {
    const opening = this.#opening;
    using limit = deadline(this.#context.clock, STOP_WITHIN_MS);
    const settled = await raceSignal(
      running.then(
        () => true,
        () => true,
      ),
      limit.signal,
    ).catch(() => false);
    if (settled || !opening) return;
    this.#log.warn("driver did not stop when asked: its device is opened anew");
    this.#ended(opening, new DeviceError("device_fault", { device: this.spec.id, message: "did not stop when asked" }));
  }
}

function shape(standing: Extract<LifeEvent, { type: "standing" }>["standing"]): unknown {
  return standing.state === "ready" ? standing : { ...standing, reason: errorObject(standing.reason) };
}

function asFault(timeout: DeviceError, device: string): DeviceError {
  return new DeviceError("device_fault", {
    device,
    message: timeout.message,
    hint: "The device takes the connection but does not answer: switch it off and on, check its model and speed settings",
    cause: timeout,
  });
}
