import { findTlv } from "../../formats/tlv.js";
import { boundedText, decodeFile, objectsIn } from "./card-file.js";

/** Tags of the data groups 1 to 16 in EF.COM's list (ICAO 9303-10 table 38). */
const TAGS: readonly number[] = [0x61, 0x75, 0x63, 0x76, 0x65, 0x66, 0x67, 0x68, 0x69, 0x6a, 0x6b, 0x6c, 0x6d, 0x6e, 0x6f, 0x70];

export interface CommonData {
  /** "0107"; absent where the chip does not tell. */
  readonly ldsVersion: string | undefined;
  /** Numbers of the data groups that the chip says it has: unsigned, the SOD's list counts. */
  readonly dataGroups: readonly number[];
}

/** EF.COM (ICAO 9303-10 §4.6.1). Unknown tags are left out. @throws DeviceError `card_error` */
export function parseCom(file: Uint8Array): CommonData {
  return decodeFile("EF.COM", () => {
    const objects = objectsIn(file, 0x60);
    const version = findTlv(objects, 0x5f01);
    const listed = [...(findTlv(objects, 0x5c) ?? [])].map((tag) => TAGS.indexOf(tag) + 1);
    return { ldsVersion: version && boundedText(version, 8), dataGroups: [...new Set(listed)].filter((number) => number > 0) };
  });
}
