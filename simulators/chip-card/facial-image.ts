import { concatBytes } from "../../src/kernel/bytes.js";
import { tlv } from "./der.js";

export interface Portrait {
  /** JPEG, JP2 or a raw JPEG 2000 codestream. */
  readonly bytes: Uint8Array;
  readonly jpeg2000: boolean;
  readonly width: number;
  readonly height: number;
}

const u16 = (value: number): number[] => [(value >> 8) & 0xff, value & 0xff];
const u32 = (value: number): number[] => [...u16(value >>> 16), ...u16(value & 0xffff)];
const bytes = (...values: readonly number[]): Uint8Array => Uint8Array.from(values);

/** One image as an ISO 19794-5 record (§5: header of 14 bytes, facial information of 20, image information of 12). */
export function facialRecord({ bytes: image, jpeg2000, width, height }: Portrait): Uint8Array {
  const blockBytes = 20 + 12 + image.length;
  const header = [0x46, 0x41, 0x43, 0x00, 0x30, 0x31, 0x30, 0x00, ...u32(14 + blockBytes), ...u16(1)];
  // No feature points; gender, eyes, hair, properties, expression and pose are not told.
  const information = [...u32(blockBytes), ...u16(0), 0, 0, 0, 0, 0, 0, ...u16(0), 0, 0, 0, 0, 0, 0];
  // Full frontal (1); 0 is JPEG and 1 JPEG 2000; 24 bit RGB; source, device and quality not told.
  const imageInformation = [0x01, jpeg2000 ? 0x01 : 0x00, ...u16(width), ...u16(height), 0x01, 0x00, ...u16(0), ...u16(0)];
  return concatBytes([bytes(...header, ...information, ...imageInformation), image]);
}

/** DG2: a group of one biometric template in the common exchange format (ICAO 9303-10 §4.7.2.1). */
export function dataGroup2(record: Uint8Array): Uint8Array {
  const header = tlv(
    0xa1,
    tlv(0x80, bytes(0x01, 0x01)),
    tlv(0x81, bytes(0x02)),
    tlv(0x87, bytes(0x01, 0x01)),
    tlv(0x88, bytes(0x00, 0x08)),
  );
  return tlv(0x75, tlv(0x7f61, tlv(0x02, bytes(1)), tlv(0x7f60, header, tlv(0x5f2e, record))));
}
