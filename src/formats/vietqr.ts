import { type EmvcoObject, emvcoValue, parseEmvcoObjects, parseEmvcoPayload, writeEmvcoObjects, writeEmvcoPayload } from "./emvco.js";

/** A transfer to a Vietnamese bank account or card, as its QR code asks for it. */
export interface VietQr {
  /** Six digits: the bank. */
  readonly bankBin: string;
  /** Account or card number. */
  readonly account: string;
  /** `QRIBFTTA` to an account, `QRIBFTTC` to a card. */
  readonly service: string;
  /** Whole đồng; left out where the payer chooses. */
  readonly amountVnd?: number;
  readonly purpose?: string;
  /** Made for one payment (`12`), not printed once for all (`11`). */
  readonly dynamic: boolean;
}

/** NAPAS' application identifier. */
const NAPAS = "A000000727";

function nested(objects: readonly EmvcoObject[], id: string): readonly EmvcoObject[] | undefined {
  const value = emvcoValue(objects, id);
  if (value === undefined) return undefined;
  const parsed = parseEmvcoObjects(value);
  return parsed.ok ? parsed.objects : undefined;
}

/**
 * Reads a VietQR payload; undefined where the text is none, its checksum is wrong, or a field is not what the
 * format says: a payment code that is half understood must not be shown as one.
 */
export function readVietQr(text: string): VietQr | undefined {
  const payload = parseEmvcoPayload(text);
  if (!payload.ok) return undefined;
  const { objects } = payload;

  const initiation = emvcoValue(objects, "01");
  if (initiation !== undefined && initiation !== "11" && initiation !== "12") return undefined;
  // ISO 4217: 704 is the đồng, which has no smaller unit.
  if (emvcoValue(objects, "53") !== "704" || emvcoValue(objects, "58") !== "VN") return undefined;

  const merchant = nested(objects, "38");
  if (!merchant || emvcoValue(merchant, "00") !== NAPAS) return undefined;
  const beneficiary = nested(merchant, "01");
  const bankBin = beneficiary && emvcoValue(beneficiary, "00");
  const account = beneficiary && emvcoValue(beneficiary, "01");
  const service = emvcoValue(merchant, "02");
  if (!bankBin || !/^\d{6}$/.test(bankBin) || !account || !/^[0-9A-Za-z]{1,19}$/.test(account)) return undefined;
  if (!service || !/^[0-9A-Z]{1,10}$/.test(service)) return undefined;

  const amount = emvcoValue(objects, "54");
  // Thirteen characters at most (§4.7.5), and never zero.
  if (amount !== undefined && !/^(?=.*[1-9])\d{1,13}$/.test(amount)) return undefined;

  const additional = nested(objects, "62");
  if (emvcoValue(objects, "62") !== undefined && !additional) return undefined;
  const purpose = additional && emvcoValue(additional, "08");

  return {
    bankBin,
    account,
    service,
    ...(amount === undefined ? {} : { amountVnd: Number(amount) }),
    ...(purpose === undefined ? {} : { purpose }),
    dynamic: initiation === "12",
  };
}

/** The payload of a code. What `readVietQr` reads is what was written; the caller keeps to the limits of its fields. */
export function writeVietQr({ bankBin, account, service, amountVnd, purpose, dynamic }: VietQr): string {
  const beneficiary = writeEmvcoObjects([
    { id: "00", value: bankBin },
    { id: "01", value: account },
  ]);
  const merchant = [
    { id: "00", value: NAPAS },
    { id: "01", value: beneficiary },
    { id: "02", value: service },
  ];
  return writeEmvcoPayload([
    { id: "01", value: dynamic ? "12" : "11" },
    { id: "38", value: writeEmvcoObjects(merchant) },
    { id: "53", value: "704" },
    ...(amountVnd === undefined ? [] : [{ id: "54", value: String(amountVnd) }]),
    { id: "58", value: "VN" },
    ...(purpose === undefined ? [] : [{ id: "62", value: writeEmvcoObjects([{ id: "08", value: purpose }]) }]),
  ]);
}
