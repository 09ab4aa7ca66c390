import { createHash } from "node:crypto";

/** By what a picture is known again at the other end. */
export function keyOf(jpeg: Uint8Array): string {
  return `${jpeg.length}-${createHash("sha1").update(jpeg.subarray(-2_048)).digest("base64")}`;
}

/** One clock for all processes of this machine, finer than a millisecond. */
export function nowMs(): number {
  return Number(process.hrtime.bigint()) / 1e6;
}
