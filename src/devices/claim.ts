import type { Clock } from "../kernel/clock.js";
import { DeviceError } from "../kernel/errors.js";
import type { Caller } from "../protocol/call.js";

interface Claim {
  readonly holder: Caller;
  readonly until: number;
}

/** Who holds one device: at most one session, until released, expired or disconnected. */
export class Claims {
  readonly #clock: Clock;
  readonly #device: string;
  readonly #changed: () => void;
  #claim: Claim | undefined;
  #expiry: Disposable | undefined;

  constructor(device: string, clock: Clock, changed: () => void) {
    this.#device = device;
    this.#clock = clock;
    this.#changed = changed;
  }

  /** For snapshots: the client's name, never its session. */
  get shown(): { client: string; until: number } | undefined {
    return this.#claim && { client: this.#claim.holder.client, until: this.#claim.until };
  }

  /** @throws DeviceError `busy`, with who and until when, where another session holds it. */
  check(caller: Caller): void {
    if (!this.#claim || this.#claim.holder.session === caller.session) return;
    const { client, until } = { client: this.#claim.holder.client, until: this.#claim.until };
    throw new DeviceError("busy", { device: this.#device, message: `claimed by ${client}`, details: { client, until } });
  }

  take(caller: Caller, ttlMs: number): number {
    this.check(caller);
    this.#end();
    const until = this.#clock.now() + ttlMs;
    this.#claim = { holder: caller, until };
    this.#expiry = this.#clock.timer(ttlMs, () => this.#end());
    this.#changed();
    return until;
  }

  /** Whose claim it ended; undefined where there was none. @throws DeviceError `busy` where it is another's and not forced. */
  release(caller: Caller, force: boolean): Caller | undefined {
    const holder = this.#claim?.holder;
    if (!force) this.check(caller);
    this.#end();
    return holder;
  }

  /** Goes on with a claim of the same device's former bay. */
  inherit(former: Claims): void {
    const claim = former.#claim;
    former.#end();
    if (claim) this.take(claim.holder, claim.until - this.#clock.now());
  }

  sessionGone(session: string): void {
    if (this.#claim?.holder.session === session) this.#end();
  }

  #end(): void {
    this.#expiry?.[Symbol.dispose]();
    this.#expiry = undefined;
    if (!this.#claim) return;
    this.#claim = undefined;
    this.#changed();
  }
}
