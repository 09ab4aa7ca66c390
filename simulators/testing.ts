import { concatBytes } from "../src/kernel/bytes.js";
import { DeviceError } from "../src/kernel/errors.js";
import { createInbox } from "../src/kernel/link.js";
import type { FarEnd } from "./simulator.js";

/** The host's side of a wire in memory, for tests of simulators alone. */
export interface Host {
  readonly farEnd: FarEnd;
  send(bytes: Uint8Array): void;
  /** Everything the device has sent so far; forgotten once taken. */
  take(): Uint8Array;
  /** How many pieces the device has fetched from the wire. */
  readonly reads: number;
  readonly ended: boolean;
}

export function createHost(): Host {
  const inbox = createInbox(Number.POSITIVE_INFINITY);
  let received: Uint8Array[] = [];
  let reads = 0;
  let ended = false;
  let end = (): void => {};
  const closed = new Promise<void>((resolve) => {
    end = resolve;
  });
  return {
    send: (bytes) => void inbox.push(bytes),
    take() {
      const bytes = concatBytes(received);
      received = [];
      return bytes;
    },
    get reads() {
      return reads;
    },
    get ended() {
      return ended;
    },
    farEnd: {
      closed,
      async read(signal) {
        const bytes = await inbox.read(signal);
        reads += 1;
        return bytes;
      },
      async write(bytes) {
        received.push(bytes.slice());
      },
      async close() {
        ended = true;
        inbox.end(new DeviceError("device_absent"));
        end();
      },
    },
  };
}

/** Lets everything that is ready to happen happen; no time passes. */
export async function settle(): Promise<void> {
  for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve));
}
