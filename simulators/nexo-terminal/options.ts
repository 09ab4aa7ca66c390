import { z } from "../../src/kernel/schema.js";
import { FAULT_TABLE, Fault, STEP_TABLE } from "./faults.js";

const ms = (standard: number) => z.int().min(0).max(3_600_000).default(standard);

/** Cards of nobody: the numbers are made up. */
export const CARDS = {
  napas: { brand: "napas", name: "NAPAS", maskedPan: "970436 **** 0018", country: "704" },
  visa: { brand: "visa", name: "VISA", maskedPan: "412345 **** 1234", country: "704" },
  mastercard: { brand: "mc", name: "MASTERCARD", maskedPan: "512345 **** 9876", country: "840" },
  jcb: { brand: "jcb", name: "JCB", maskedPan: "352899 **** 0005", country: "392" },
  amex: { brand: "amex", name: "AMERICAN EXPRESS", maskedPan: "371234 **** 0002", country: "840" },
} as const;
export type CardName = keyof typeof CARDS;
export const Card = z.enum(Object.keys(CARDS) as [CardName, ...CardName[]]);

export const NexoTerminalOptions = z.strictObject({
  poiId: z
    .string()
    .regex(/^[A-Za-z0-9]{1,16}-\d{1,20}$/)
    .default("V400m-346403161")
    .describe("model and serial number; the certificate's name is made of it"),
  plain: z.boolean().default(false).describe("without the secured envelope, as a test terminal that has no shared key"),
  keyIdentifier: z.string().min(1).max(64).default("station-key").describe("of the shared key"),
  keyVersion: z.int().min(0).max(1_000_000).default(1),
  passphrase: z.string().min(1).max(256).default("a passphrase of nobody"),
  currency: z.string().length(3).default("VND").describe("another one is refused with NotAllowed"),
  merchant: z.string().min(1).max(64).default("TestMerchant"),
  notifyUrl: z
    .string()
    .regex(/^https?:\/\/[^\s/]+/)
    .optional()
    .describe("where display notifications go, for payments that ask for them (tenderOption=ReceiveDisplayNotifications)"),
  duplicateServiceId: z
    .enum(["reject", "message-format"])
    .default("reject")
    .describe("what a ServiceID that was used within 48 hours gets. reject: an EventNotification; message-format: a Failure"),
  cardholder: z.enum(["auto", "manual"]).default("auto").describe("auto: presents a card, knows the PIN, has the money, takes the card"),
  presentMs: ms(1500).describe("auto: until the card is presented"),
  hostMs: ms(1000).describe("until the host decides"),
  removeMs: ms(500).describe("auto: until the card is taken"),
  cardTimeoutMs: ms(60_000).describe("without a card, or then without a PIN, the payment ends with Cancel"),
  removeTimeoutMs: ms(30_000).describe("a card that is left inside holds up the response so long"),
  rebootMs: ms(10_000),
  faults: z
    .array(Fault)
    .max(100)
    .default([])
    .describe(`faults from the beginning, each { fault, step, times, … }. Faults: ${FAULT_TABLE}. Steps: ${STEP_TABLE}`),
});
export type NexoTerminalOptions = z.output<typeof NexoTerminalOptions>;
