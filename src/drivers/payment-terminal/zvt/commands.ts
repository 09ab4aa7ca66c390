import { DeviceError } from "../../../kernel/errors.js";
import { encodeApdu } from "./apdu.js";
import { type BmpField, encodeBmps } from "./bmp.js";
import { VND } from "./status-information.js";
import { encodeDigits, encodeNumber } from "./values.js";

/** What an ECR of ours sends. No command takes card data: the card is read by the terminal alone. */

/** Six digits. Never part of an error. */
function passwordBytes(password: string): Uint8Array {
  if (!/^\d{6}$/.test(password)) throw new DeviceError("invalid_params", { message: "A terminal password has six digits" });
  return encodeDigits(password);
}

function inRange(name: string, value: number, least: number, most: number): number {
  if (Number.isSafeInteger(value) && value >= least && value <= most) return value;
  throw new DeviceError("invalid_params", { message: `${name} must be a whole number from ${least} to ${most}` });
}

const MOST_AMOUNT = 999_999_999_999;
const amountField = (amountVnd: number): BmpField => ({
  bmp: 0x04,
  value: encodeNumber(inRange("amountVnd", amountVnd, 1, MOST_AMOUNT), 6),
});
const CURRENCY = encodeNumber(VND, 2);
const byteField = (bmp: number, name: string, value: number): BmpField => ({ bmp, value: Uint8Array.of(inRange(name, value, 0, 0xff)) });

/** Bits of the config byte. */
export const REGISTRATION = {
  /** Payment receipts come to us (06 D1, 06 D3). */
  ecrPrintsReceipts: 0x02,
  /** The terminal says what it is doing (04 FF). */
  intermediateStatus: 0x08,
  /** Payments start here, not at the terminal. */
  ecrControlsPayments: 0x10,
} as const;

/** 06 00. The terminal ends it with 06 0F. */
export function registration(password: string, config: number): Uint8Array {
  return encodeApdu(0x0600, passwordBytes(password), Uint8Array.of(inRange("config", config, 0, 0xff)), CURRENCY);
}

/** 06 01: take this amount from a card. */
export function authorisation({ amountVnd, paymentType }: { readonly amountVnd: number; readonly paymentType?: number }): Uint8Array {
  const type = paymentType === undefined ? [] : [byteField(0x19, "paymentType", paymentType)];
  return encodeApdu(0x0601, encodeBmps([amountField(amountVnd), { bmp: 0x49, value: CURRENCY }, ...type]));
}

/** 06 30: give back the payment with this receipt number. */
export function reversal(password: string, receipt: number): Uint8Array {
  return encodeApdu(
    0x0630,
    passwordBytes(password),
    encodeBmps([{ bmp: 0x87, value: encodeNumber(inRange("receipt", receipt, 1, 9999), 2) }]),
  );
}

/** Bits of the service byte of 06 20. */
export const REPEAT = { resendStatus: 0x01, noPrint: 0x02 } as const;

/** 06 20: the last receipt again; by default its 04 0F alone and nothing on paper. */
export function repeatReceipt(password: string, service: number = REPEAT.resendStatus | REPEAT.noPrint): Uint8Array {
  return encodeApdu(0x0620, passwordBytes(password), encodeBmps([byteField(0x03, "service", service)]));
}

/** 05 01. The terminal ends it with a 06 0F for `decodeStatusReport`. The service byte goes with the password only. */
export function statusEnquiry(asked?: { readonly password: string; readonly service: number }): Uint8Array {
  if (!asked) return encodeApdu(0x0501);
  return encodeApdu(0x0501, passwordBytes(asked.password), encodeBmps([byteField(0x03, "service", asked.service)]));
}

/** 06 50. */
export function endOfDay(password: string): Uint8Array {
  return encodeApdu(0x0650, passwordBytes(password));
}

/** 06 B0: stop what is going on. May do nothing, even where it is answered: never read it as "not charged". */
export const abort = (): Uint8Array => encodeApdu(0x06b0);
