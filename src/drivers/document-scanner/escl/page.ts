import type { RawPage } from "../../../contracts/document-scanner.js";
import { asciiBytes, equalBytes } from "../../../kernel/bytes.js";
import { DeviceError } from "../../../kernel/errors.js";

const KINDS: readonly { readonly mediaType: RawPage["mediaType"]; readonly begins: Uint8Array; readonly ends?: Uint8Array }[] = [
  { mediaType: "image/jpeg", begins: Uint8Array.of(0xff, 0xd8, 0xff), ends: Uint8Array.of(0xff, 0xd9) },
  { mediaType: "image/png", begins: Uint8Array.of(0x89, ...asciiBytes("PNG\r\n"), 0x1a, 0x0a), ends: asciiBytes("IEND") },
  { mediaType: "image/tiff", begins: asciiBytes("II*\0") },
  { mediaType: "image/tiff", begins: asciiBytes("MM\0*") },
];
/** Some fill up a page's last block. */
const TAIL_BYTES = 1_024;

/**
 * What a page is, by its first bytes; headers say what they like. A page that lacks its end is none: where a scanner closes the connection
 * instead of telling a length, nothing else shows it.
 * @throws DeviceError `device_fault`
 */
export function recognisePage(bytes: Uint8Array): RawPage["mediaType"] {
  const kind = KINDS.find(({ begins }) => equalBytes(bytes.subarray(0, begins.length), begins));
  if (!kind) throw new DeviceError("device_fault", { message: "the scanner sent a page that is no picture" });
  if (kind.ends && Buffer.from(bytes.subarray(-TAIL_BYTES)).indexOf(kind.ends) < 0) {
    throw new DeviceError("device_fault", { message: "the scanner sent a page that is cut off" });
  }
  return kind.mediaType;
}
