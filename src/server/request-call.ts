import type { Clock } from "../kernel/clock.js";
import { DeviceError } from "../kernel/errors.js";
import type { Call, Caller, FrameOutlet } from "../protocol/call.js";
import type { RequestId } from "../protocol/jsonrpc.js";
import type { BlobRef } from "../protocol/method.js";
import type { Route } from "./routes.js";

/** What a call needs of the connection it came by. */
export interface CallWire {
  readonly clock: Clock;
  readonly caller: Caller;
  progress(call: RequestCall, ...told: Parameters<Call["progress"]>): void;
  blob(call: RequestCall, mediaType: string, bytes: Uint8Array): Promise<BlobRef>;
  stream(): FrameOutlet;
}

/** One request under way. Made for every request, so everything that may not be needed is made on first use. */
export class RequestCall implements Call {
  readonly id: RequestId;
  readonly route: Route;
  readonly caller: Caller;
  /** The client has its answer, or is gone: whatever the handler still does is for nobody. */
  answered = false;
  private readonly wire: CallWire;
  private controller: AbortController | undefined = undefined;
  private reason: DeviceError | undefined = undefined;
  private timer: Disposable | undefined = undefined;

  constructor(id: RequestId, route: Route, wire: CallWire) {
    this.id = id;
    this.route = route;
    this.caller = wire.caller;
    this.wire = wire;
  }

  get signal(): AbortSignal {
    if (this.controller === undefined) {
      this.controller = new AbortController();
      if (this.reason !== undefined) this.controller.abort(this.reason);
    }
    return this.controller.signal;
  }

  progress(...told: Parameters<Call["progress"]>): void {
    if (!this.answered) this.wire.progress(this, ...told);
  }

  blob(mediaType: string, bytes: Uint8Array): Promise<BlobRef> {
    return this.wire.blob(this, mediaType, bytes);
  }

  stream(): FrameOutlet {
    return this.wire.stream();
  }

  /** @throws DeviceError the reason why nobody waits for this request any more */
  check(): void {
    if (this.answered) throw this.reason ?? new DeviceError("canceled", { message: "the client is gone" });
  }

  startDeadline(ms: number, onPassed: (reason: DeviceError) => void): void {
    this.timer = this.wire.clock.timer(Math.max(0, ms), () => onPassed(new DeviceError("timeout")));
  }

  /** Asks to stop. The first reason counts. */
  abort(reason: DeviceError): void {
    if (this.reason !== undefined) return;
    this.reason = reason;
    this.controller?.abort(reason);
  }

  /** The handler has ended. */
  release(): void {
    this.timer?.[Symbol.dispose]();
    this.timer = undefined;
  }
}
