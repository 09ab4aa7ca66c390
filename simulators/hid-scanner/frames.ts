import { concatBytes } from "../../src/kernel/bytes.js";

/**
 * HID over a wire of bytes, the device's side: a byte of type, two of length (the high one first), then so many more.
 * The host says hello with an empty 5 and is told the report descriptor, 1; then 2 are input reports. From the host come 3,
 * an output report, and 4, a feature report.
 */
const LONGEST = 4_096;

export const descriptorFrame = (descriptor: Uint8Array): Uint8Array => framed(1, descriptor);
export const inputFrame = (report: Uint8Array): Uint8Array => framed(2, report);

function framed(type: number, content: Uint8Array): Uint8Array {
  return concatBytes([Uint8Array.of(type, Math.floor(content.length / 256), content.length % 256), content]);
}

export interface HostFrame {
  readonly kind: "hello" | "output" | "feature" | "unknown";
  readonly report: Uint8Array;
}

const KINDS: Readonly<Record<number, HostFrame["kind"] | undefined>> = { 3: "output", 4: "feature", 5: "hello" };

/** Takes a byte at a time, in any chunking; never fails. What is no frame is told once and then skipped to the end of the wire. */
export function createHostFrames(): (byte: number) => HostFrame | undefined {
  const head: number[] = [];
  let body: number[] = [];
  let lost = false;
  return (byte) => {
    if (lost) return undefined;
    if (head.length < 3) head.push(byte);
    else body.push(byte);
    const [type, high = 0, low = 0] = head;
    const length = high * 256 + low;
    const kind = type === undefined ? undefined : KINDS[type];
    if (!kind || length > LONGEST) {
      lost = true;
      return { kind: "unknown", report: new Uint8Array() };
    }
    if (head.length < 3 || body.length < length) return undefined;
    const report = Uint8Array.from(body);
    head.length = 0;
    body = [];
    return { kind, report };
  };
}
