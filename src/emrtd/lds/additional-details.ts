import { findTlv, type Tlv } from "../../formats/tlv.js";
import { toHex } from "../../kernel/bytes.js";
import { boundedText, decodeFile, objectsIn } from "./card-file.js";

/** Fields of text by tag; images (5F16, 5F1D, 5F1E) are left out. */
type Names = ReadonlyMap<number, string>;

/** ICAO 9303-10 §4.7.11 */
const DG11: Names = new Map([
  [0x5f0e, "fullName"],
  [0x5f10, "personalNumber"],
  [0x5f2b, "birthDate"],
  [0x5f11, "placeOfBirth"],
  [0x5f42, "address"],
  [0x5f12, "telephone"],
  [0x5f13, "profession"],
  [0x5f14, "title"],
  [0x5f15, "personalSummary"],
  [0x5f17, "otherDocumentNumbers"],
  [0x5f18, "custody"],
]);

/** ICAO 9303-10 §4.7.12 */
const DG12: Names = new Map([
  [0x5f19, "issuingAuthority"],
  [0x5f26, "issueDate"],
  [0x5f1b, "endorsements"],
  [0x5f1c, "taxOrExitRequirements"],
  [0x5f55, "personalizedAt"],
  [0x5f56, "personalizationSystem"],
]);

/** Content-specific template for names of a kind that may occur more than once (ICAO 9303-10 §4.7.11). */
const OTHER_NAMES = 0xa0;
const OTHER_NAME: Names = new Map([
  [0x5f0f, "otherName"],
  [0x5f1a, "otherPerson"],
]);

const FIELD_CHARACTERS = 1_024;
const MOST_NAMES = 16;

/** Dates are `yyyymmdd` as characters or, in old documents, as BCD (ICAO 9303-10 §4.7.11.1). */
const BCD_BYTES = new Map([
  ["birthDate", 4],
  ["issueDate", 4],
  ["personalizedAt", 7],
]);

function fieldText(name: string, value: Uint8Array): string {
  return value.length === BCD_BYTES.get(name) ? toHex(value) : boundedText(value, FIELD_CHARACTERS);
}

function fieldsByName(objects: readonly Tlv[], names: Names): Record<string, string> {
  const fields: Record<string, string> = {};
  for (const [tag, name] of names) {
    const value = findTlv(objects, tag);
    if (value !== undefined && value.length > 0) fields[name] = fieldText(name, value);
  }
  return fields;
}

function parse(file: Uint8Array, label: string, tag: number, names: Names): Record<string, string> {
  return decodeFile(label, () => {
    const objects = objectsIn(file, tag);
    const fields = fieldsByName(objects, names);
    // The template's numbering 02 n is not needed: the names follow each other.
    const template = objects.find((object) => object.tag === OTHER_NAMES);
    const others = template ? objectsIn(template.raw, OTHER_NAMES).filter((object) => OTHER_NAME.has(object.tag)) : [];
    others.slice(0, MOST_NAMES).forEach(({ tag: kind, value }, index) => {
      fields[`${OTHER_NAME.get(kind)}${index + 1}`] = boundedText(value, FIELD_CHARACTERS);
    });
    return fields;
  });
}

/** DG11: additional personal details by name, text as on the chip (`<` stands for blanks in some). @throws DeviceError `card_error` */
export const parseDg11 = (file: Uint8Array): Record<string, string> => parse(file, "DG11", 0x6b, DG11);

/** DG12: additional details of the document by name. @throws DeviceError `card_error` */
export const parseDg12 = (file: Uint8Array): Record<string, string> => parse(file, "DG12", 0x6c, DG12);
