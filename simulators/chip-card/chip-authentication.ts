import { type Cipher, deriveKey } from "./ciphers.js";
import { type Curve, sharedX } from "./curves.js";
import { type Channel, openChannel } from "./secure-messaging.js";

/** The chip's static key (ICAO 9303-11 §6.2). */
export interface ChipKey {
  readonly cipher: Cipher;
  readonly curve: Curve;
  /** In a copy of the card: some other key than the one in DG14. */
  readonly secret: bigint;
  /** Where DG14 tells one, the terminal must name it. */
  readonly keyId: number | undefined;
}

/** Agrees with the terminal's ephemeral key; undefined for what is no point. The counter starts again from zero. */
export function agreeWithChip({ cipher, curve, secret }: ChipKey, theirs: Uint8Array): Channel | undefined {
  const point = curve.decode(theirs);
  if (!point) return undefined;
  const shared = sharedX(curve, secret, point);
  const channel = openChannel(cipher, deriveKey(cipher, shared, 1), deriveKey(cipher, shared, 2));
  shared.fill(0);
  return channel;
}
