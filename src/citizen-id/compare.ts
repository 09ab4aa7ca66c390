import type { CardDetailsRecord } from "./dg13.js";
import { isTransliterated } from "./names.js";
import type { VietnameseMrz } from "./vietnamese-mrz.js";

export type Compared = "same" | "different" | "not_compared";

/** Is this the chip of the card whose code was scanned, or whose number was given? The number in DG13 counts, else that of the MRZ. */
export function compareIdNumber(
  given: string | undefined,
  details: Pick<CardDetailsRecord, "idNumber"> | undefined,
  mrz: Pick<VietnameseMrz, "idNumber"> | undefined,
): Compared {
  return compared(given, details?.idNumber ?? mrz?.idNumber);
}

/**
 * Does the MRZ (DG1) say the same as the printed details (DG13)? ID number, birth date, sex, expiry and name; what one of them leaves
 * out is passed over. One difference is enough.
 */
export function comparePrinted(mrz: VietnameseMrz | undefined, details: CardDetailsRecord | undefined): Compared {
  if (!mrz || !details) return "not_compared";
  const fields = [
    compared(mrz.idNumber, details.idNumber),
    // An MRZ may know the year only: so much of it is compared.
    compared(mrz.birthDate, details.birthDate?.slice(0, mrz.birthDate.length)),
    mrz.sex === "unspecified" ? "not_compared" : compared(mrz.sex, details.sex),
    compared(mrz.expiryDate, details.expiryDate),
    isTransliterated(details.name, mrz.name, mrz.nameMayBeCut) ? "same" : "different",
  ];
  return fields.includes("different") ? "different" : "same";
}

function compared(a: string | undefined, b: string | undefined): Compared {
  if (a === undefined || b === undefined) return "not_compared";
  return a === b ? "same" : "different";
}
