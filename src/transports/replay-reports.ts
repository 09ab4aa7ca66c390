import { concatBytes } from "../kernel/bytes.js";
import { DeviceError } from "../kernel/errors.js";
import type { HidLink } from "../kernel/hid.js";
import type { Link } from "../kernel/link.js";

/** The device's side of what hid-over-link.ts describes: type, length in two bytes, payload. */
const HEAD_BYTES = 3;
const MOST_PAYLOAD_BYTES = 4_096;
const TYPES = { descriptor: 1, input: 2, output: 3, feature: 4, hello: 5 } as const;

const never = new AbortController().signal;

/** Both directions, each until it ends. */
export function pumpReports(link: HidLink, farEnd: Pick<Link, "read" | "write">): (() => Promise<void>)[] {
  const put = (type: number, payload: Uint8Array): Promise<void> =>
    farEnd.write(concatBytes([Uint8Array.of(type, payload.length >> 8, payload.length & 0xff), payload]), never);
  let greeted = (): void => {};
  const greeting = new Promise<void>((resolve) => {
    greeted = resolve;
  });
  const take = async (type: number, payload: Uint8Array): Promise<void> => {
    if (type === TYPES.output) return await link.write(payload, never);
    if (type === TYPES.feature) return await link.sendFeature(payload, never);
    if (type !== TYPES.hello) throw new DeviceError("device_fault", { message: "replay: no frames of a HID device" });
    await put(TYPES.descriptor, link.reportDescriptor);
    greeted();
  };
  return [
    async () => {
      await greeting;
      for (;;) await put(TYPES.input, await link.read(never));
    },
    async () => {
      let held: Uint8Array = new Uint8Array();
      for (;;) {
        held = concatBytes([held, await farEnd.read(never)]);
        while (held.length >= HEAD_BYTES) {
          const [type = 0, high = 0, low = 0] = held;
          const end = HEAD_BYTES + 256 * high + low;
          if (end > HEAD_BYTES + MOST_PAYLOAD_BYTES)
            throw new DeviceError("device_fault", { message: "replay: no frames of a HID device" });
          if (held.length < end) break;
          const payload = held.slice(HEAD_BYTES, end);
          held = held.subarray(end);
          await take(type, payload);
        }
      }
    },
  ];
}
