import type { DrivenClass, Driver, LinkOf } from "../contracts/driver.js";
import type { Imaging } from "../contracts/imaging.js";
import type { Clock } from "../kernel/clock.js";
import type { Json } from "../kernel/errors.js";
import type { Connect } from "../kernel/link.js";
import type { Logger } from "../kernel/log.js";
import type { Meter } from "../kernel/meter.js";
import type { Random } from "../kernel/random.js";
import type { Tap } from "../kernel/tap.js";

/** A device as the config names it, with its wire. */
export interface DeviceSpec<C extends DrivenClass = DrivenClass> {
  readonly id: string;
  readonly driver: Driver<C>;
  /** Parsed by the driver's own schema. */
  readonly settings: unknown;
  readonly connect: Connect<LinkOf<C>>;
  readonly simulated: boolean;
  readonly enabled: boolean;
  /** Where others may listen, and what a recording says of link and settings: without secrets. */
  readonly wire?: { readonly tap: Tap; readonly shown: { readonly link: Json; readonly settings: Json } };
  /** Stable name of the socket it is plugged into, where the system tells. */
  readonly hardwarePath?: () => Promise<string | undefined>;
}

export interface BayContext {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  readonly meter: Meter;
  readonly imaging: Imaging;
}
