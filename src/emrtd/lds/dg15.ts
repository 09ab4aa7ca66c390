import { readTlv, unwrapTlv } from "../../formats/tlv.js";
import { expect, TAG } from "../verify/der.js";
import { decodeFile } from "./card-file.js";

/** DG15: SubjectPublicKeyInfo of active authentication, in DER (ICAO 9303-10 §4.7.15). @throws DeviceError `card_error` */
export function parseDg15(file: Uint8Array): Uint8Array {
  return decodeFile("DG15", () => expect(readTlv(unwrapTlv(file, 0x6f)), TAG.sequence).raw);
}
