import { findTlv, readTlvs, TlvError, unwrapTlv } from "../../formats/tlv.js";
import { decodeFile } from "./card-file.js";

export interface Portrait {
  readonly format: "jpeg" | "jp2" | "j2k";
  /** As on the chip: hostile until an isolated decoder has looked at it. Shares memory with the file. */
  readonly image: Uint8Array;
}

/** How the images begin: JPEG, JP2 file, raw JPEG 2000 codestream (ITU-T T.81, T.800 annexes A and I). */
const BEGINNINGS: readonly (readonly [Portrait["format"], readonly number[]])[] = [
  ["jpeg", [0xff, 0xd8, 0xff]],
  ["jp2", [0x00, 0x00, 0x00, 0x0c, 0x6a, 0x50, 0x20]],
  ["j2k", [0xff, 0x4f, 0xff, 0x51]],
];

function imageAt(bytes: Uint8Array): Portrait | undefined {
  const found = BEGINNINGS.find(([, beginning]) => beginning.every((byte, index) => bytes[index] === byte));
  return found && { format: found[0], image: bytes };
}

/** ISO 19794-5:2005 §5.4–5.7: file header, then per face its lengths and its points. */
const RECORD = { fileHeader: 14, faceBlock: 20, featurePoint: 8, imageBlock: 12 } as const;
const FAC = [0x46, 0x41, 0x43, 0x00];

/** The first face of a face record; a length that lies is cut to what is there. */
function faceRecordImage(record: Uint8Array): Portrait | undefined {
  if (!FAC.every((byte, index) => record[index] === byte)) return undefined;
  const view = new DataView(record.buffer, record.byteOffset, record.byteLength);
  if (record.length < RECORD.fileHeader + RECORD.faceBlock) return undefined;
  const end = RECORD.fileHeader + view.getUint32(RECORD.fileHeader);
  const points = view.getUint16(RECORD.fileHeader + 4);
  const start = RECORD.fileHeader + RECORD.faceBlock + points * RECORD.featurePoint + RECORD.imageBlock;
  return imageAt(record.subarray(start, end));
}

/** Objects of a template nest in five levels here, in ISO 39794-5 in nine. */
const DEPTH = 12;
const isConstructed = (tag: number): boolean => ((tag > 0xff ? tag >> 8 : tag) & 0x20) !== 0;

/** ISO 39794-5 (tag 7F2E) keeps the image in a primitive object some levels down. */
function nestedImage(bytes: Uint8Array, depth = 0): Portrait | undefined {
  if (depth > DEPTH) return undefined;
  for (const { tag, value } of readTlvs(bytes)) {
    const found = isConstructed(tag) ? nestedImage(value, depth + 1) : imageAt(value);
    if (found) return found;
  }
  return undefined;
}

const BIOMETRIC_GROUP = 0x7f61;
const BIOMETRIC_TEMPLATE = 0x7f60;

/** DG2: the portrait (ICAO 9303-10 §4.7.2); of several, the first. @throws DeviceError `card_error` */
export function parseDg2(file: Uint8Array): Portrait {
  return decodeFile("DG2", () => {
    const group = readTlvs(unwrapTlv(unwrapTlv(file, 0x75), BIOMETRIC_GROUP));
    const template = readTlvs(findTlv(group, BIOMETRIC_TEMPLATE) ?? new Uint8Array());
    const plain = findTlv(template, 0x5f2e);
    const constructed = findTlv(template, 0x7f2e);
    const body = plain ?? constructed ?? new Uint8Array();
    const portrait = faceRecordImage(body) ?? imageAt(body) ?? (constructed === body ? nestedImage(body) : undefined);
    if (!portrait) throw new TlvError("no image");
    return portrait;
  });
}
