import type { StationConfig } from "./config/types.js";
import { DeviceError } from "./kernel/errors.js";
import type { Clock } from "./kernel/clock.js";
import type { Logger } from "./kernel/log.js";
import type { Random } from "./kernel/random.js";
import type { OpenJournal } from "./journal/types.js";

export interface AgentOptions {
  readonly config: StationConfig;
  readonly clock?: Clock;
  readonly random?: Random;
  readonly log?: Logger;
  readonly openJournal?: OpenJournal;
}

export interface Agent {
  /** `ws://127.0.0.1:7870/v1` */
  readonly url: string;
  /** `http://127.0.0.1:7870` */
  readonly httpUrl: string;
  readonly port: number;
  /** Demo and test mode: a token for one connection of the simulator role. @throws DeviceError `unsupported` in production */
  mintSimulatorToken(): string;
  /** Restarts only what changed; the ids of the devices that were opened anew, added or removed. */
  reload(config: StationConfig): Promise<{ readonly restarted: readonly string[] }>;
  stop(): Promise<void>;
}

/** @throws DeviceError `busy` where the port or a socket is taken. */
export async function startAgent(_options: AgentOptions): Promise<Agent> {
  throw new DeviceError("unsupported");
}
