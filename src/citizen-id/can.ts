/** The card access number: the last 6 of the ID number's 12 digits. So the QR code on the card is enough to open the chip (PACE). */
export function canOf(idNumber: string): string {
  return idNumber.slice(-6);
}

/**
 * Document number in the card's MRZ: the last 9 digits. With the birth and the expiry date it makes the other access key (BAC, PACE
 * with the MRZ); no QR code says when the card expires, so from a QR code alone that key cannot be made.
 */
export function documentNumberOf(idNumber: string): string {
  return idNumber.slice(-9);
}
