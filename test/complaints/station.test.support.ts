import type { StationClient } from "../../src/client/node.js";
import type { DeviceSnapshot } from "../../src/protocol/devices.js";

/** Resolves when the page hears that the device is in this state. */
export async function untilDevice(page: StationClient, id: string, state: DeviceSnapshot["state"]): Promise<DeviceSnapshot> {
  for await (const update of page.events(["devices"])) {
    const snapshots = update.kind === "state" ? update.state : [update.data];
    const found = snapshots.find((snapshot) => snapshot.id === id && snapshot.state === state);
    if (found) return found;
  }
  throw new RangeError("the events ended");
}
