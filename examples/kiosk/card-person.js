/** The person on a card as the page shows them: the printed details (DG13) where the chip has them, else the MRZ (DG1). */
export function personOf({ details, mrz }) {
  return {
    name: details?.name ?? mrz?.name,
    idNumber: details?.idNumber ?? mrz?.idNumber,
    birthDate: details?.birthDate ?? mrz?.birthDate,
    sex: details?.sex ?? mrz?.sex,
    residence: details?.residence,
    expiryDate: details?.expiryDate ?? mrz?.expiryDate,
  };
}

const SHOWN_DIGITS = 3;

/** Enough to tell two cards apart, too little to open a chip (its last six digits do that). */
export const masked = (idNumber) => "•".repeat(idNumber.length - SHOWN_DIGITS) + lastDigits(idNumber);
export const lastDigits = (idNumber) => idNumber.slice(-SHOWN_DIGITS);
