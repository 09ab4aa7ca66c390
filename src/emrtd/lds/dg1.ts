import { findTlv, TlvError } from "../../formats/tlv.js";
import { decodeFile, objectsIn } from "./card-file.js";

/** Characters by format of the document (ICAO 9303-10 §4.7.1): lines and their length. */
const FORMATS: Readonly<Record<number, { readonly format: Mrz["format"]; readonly line: number }>> = {
  90: { format: "td1", line: 30 },
  72: { format: "td2", line: 36 },
  88: { format: "td3", line: 44 },
};

export interface Mrz {
  readonly format: "td1" | "td2" | "td3";
  /** As printed: two or three lines without a character between them. */
  readonly text: string;
  readonly lines: readonly string[];
}

/** DG1: the machine-readable zone. Fields and check digits are the business of whoever reads the text. @throws DeviceError `card_error` */
export function parseDg1(file: Uint8Array): Mrz {
  return decodeFile("DG1", () => {
    const bytes = findTlv(objectsIn(file, 0x61), 0x5f1f) ?? new Uint8Array();
    const shape = FORMATS[bytes.length];
    const text = shape ? String.fromCharCode(...bytes) : "";
    if (!shape || !/^[A-Z0-9<]+$/.test(text)) throw new TlvError("no MRZ");
    const count = text.length / shape.line;
    return {
      format: shape.format,
      text,
      lines: Array.from({ length: count }, (_, at) => text.slice(at * shape.line, (at + 1) * shape.line)),
    };
  });
}
