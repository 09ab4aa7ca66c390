import type { Json } from "../kernel/errors.js";
import type { SimulatorSnapshot } from "../protocol/simulators.js";

/** The simulators as the station offers them; the agent fills it in demo and test mode. */
export interface SimulatorDesk {
  list(): readonly SimulatorSnapshot[];
  /** @throws DeviceError `unknown_device`, `unsupported` (no such action), `invalid_params` */
  act(
    simulator: string,
    action: string,
    params: Readonly<Record<string, Json>>,
  ): Promise<{ readonly state: SimulatorSnapshot["state"]; readonly png?: Uint8Array }>;
  onChange(listener: (snapshot: SimulatorSnapshot) => void): void;
}
