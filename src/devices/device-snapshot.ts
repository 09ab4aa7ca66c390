import { DeviceError, errorObject } from "../kernel/errors.js";
import type { DeviceIdentity, DeviceSnapshot, DeviceState } from "../protocol/devices.js";
import type { DeviceSpec } from "./device-spec.js";
import type { Life } from "./lifecycle.js";

/** What a device looks like from outside, besides its spec. */
interface Outside {
  readonly life: Life;
  readonly since: number;
  readonly identity: DeviceIdentity;
  readonly queued: number;
  readonly running: string | undefined;
  readonly claim: DeviceSnapshot["claim"];
}

/** The state word: `busy` is a ready device at work. */
function stateOf(life: Life, running: string | undefined): DeviceState {
  if (life.at !== "open") return life.at;
  return life.standing.state === "ready" && running ? "busy" : life.standing.state;
}

/** Why the device is not ready, where it is not. */
export function reasonOf(life: Life): DeviceError | undefined {
  if (life.at === "absent" || life.at === "faulted") return life.reason;
  return life.at === "open" && life.standing.state !== "ready" ? life.standing.reason : undefined;
}

/** The same error, naming the device. */
export function errorOf(device: string, error: DeviceError): DeviceError {
  if (error.device !== undefined) return error;
  const { kind, message, retryable, hint, details } = error;
  return new DeviceError(kind, { message, retryable, hint, device, cause: error, ...(details === undefined ? {} : { details }) });
}

export function describeDevice(
  { id, driver, simulated }: DeviceSpec,
  { life, since, identity, queued, running, claim }: Outside,
): DeviceSnapshot {
  const reason = reasonOf(life);
  const warnings = life.at === "open" && life.standing.state !== "faulted" ? life.standing.warnings : [];
  return {
    id,
    class: driver.class,
    driver: driver.id,
    state: stateOf(life, running),
    since,
    ...(reason ? { reason: errorObject(errorOf(id, reason)) as NonNullable<DeviceSnapshot["reason"]> } : {}),
    ...(warnings.length > 0 ? { warnings: [...warnings] } : {}),
    ...(simulated ? { simulated: true as const } : {}),
    ...(Object.keys(identity).length > 0 ? { identity } : {}),
    queue: { length: queued, ...(running ? { running } : {}) },
    ...(claim ? { claim } : {}),
  };
}
