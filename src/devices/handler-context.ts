import type { DrivenClass } from "../contracts/driver.js";
import type { Logger } from "../kernel/log.js";
import type { Handlers } from "../protocol/call.js";
import type { Bay } from "./bay.js";
import type { Citizens } from "./citizens.js";

/** What the handlers of one device class need of the station. */
export interface HandlerContext {
  readonly citizens: Citizens;
  readonly log: Logger;
  /** The named device, or the only one of its class, of the kind that is wanted. @throws DeviceError `unknown_device`, `invalid_params` */
  ofClass<C extends DrivenClass>(wanted: C, id: string | undefined, kind?: KindOf<C> | undefined): Bay<C>;
}

export interface KindOf<C extends DrivenClass> {
  readonly name: string;
  fits(bay: Bay<C>): boolean;
}

/** The handlers of all methods `CLASS.…`. */
export type HandlersOf<C extends DrivenClass> = Pick<Handlers, Extract<keyof Handlers, `${C}.${string}`>>;

/** What every result of a device begins with. */
export function marked({ spec }: { readonly spec: { readonly id: string; readonly simulated: boolean } }): {
  device: string;
  simulated?: true;
} {
  return { device: spec.id, ...(spec.simulated ? { simulated: true as const } : {}) };
}
