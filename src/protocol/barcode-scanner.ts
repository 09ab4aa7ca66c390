import { z } from "../kernel/schema.js";
import { DeviceId, defineMethod, device, FRONT, Instant, simulated, timeoutMs } from "./method.js";

/** What the code on a citizen's ID card says. Dates are ISO 8601 (yyyy-mm-dd). */
export const CitizenCardCode = z.object({
  kind: z.literal("citizenCard"),
  idNumber: z.string().describe("12 digits"),
  oldIdNumber: z.string().optional().describe("9 digits"),
  name: z.string().describe("composed letters (NFC)"),
  birthDate: z.string().describe("yyyy-mm-dd"),
  sex: z.enum(["male", "female"]),
  address: z.string().describe("of residence, composed letters (NFC)"),
  issueDate: z.string().optional().describe("yyyy-mm-dd"),
  idNumberFits: z.boolean().describe("the ID number agrees with birth year and sex; where not, a person should look"),
  extra: z.array(z.string()).describe("fields after the seventh, as they are"),
});

export const VietQrCode = z.object({
  kind: z.literal("vietqr"),
  bankBin: z.string().describe("6 digits: the bank"),
  account: z.string().describe("number of the account or card that is paid"),
  service: z.string().describe("`QRIBFTTA` to an account, `QRIBFTTC` to a card"),
  amountVnd: z.int().optional().describe("whole đồng; left out where the payer chooses"),
  purpose: z.string().optional().describe("text of the transfer"),
  dynamic: z.boolean().describe("made for one payment, not printed once for all"),
});

export const PlainCode = z.object({ kind: z.literal("plain") }).describe("anything else: read `text`");

export const Scan = z.object({
  device: DeviceId,
  at: Instant,
  text: z.string().describe("UTF-8, decoded once over the whole code"),
  base64: z.string().describe("the bytes as they came"),
  symbology: z.string().optional().describe("AIM identifier such as `]Q1`, where the device tells"),
  encoding: z.enum(["utf-8", "lossy"]).describe("`lossy`: bytes were no UTF-8; trust `base64` only"),
  parsed: z
    .discriminatedUnion("kind", [CitizenCardCode, VietQrCode, PlainCode])
    .describe("what the text is, where every part of it checks out"),
  simulated,
});
export type Scan = z.infer<typeof Scan>;

const errors = ["unknown_device", "busy", "maintenance", "device_absent", "device_fault"] as const;

export const barcodeScannerMethods = {
  "barcodeScanner.scan": defineMethod({
    summary: "Waits for one code and answers with it. Triggers the device where it has a trigger.",
    roles: FRONT,
    params: z.strictObject({ device, timeoutMs: timeoutMs.default(30_000) }),
    result: Scan,
    errors: [...errors, "timeout"],
    stages: ["waiting"],
  }),
  "barcodeScanner.enable": defineMethod({
    summary: "From now on every code goes to this session as a `scanned` event, and to no other.",
    roles: FRONT,
    params: z.strictObject({ device }),
    result: z.object({ device: DeviceId, simulated }),
    errors: [...errors],
  }),
  "barcodeScanner.disable": defineMethod({
    summary: "No more `scanned` events.",
    roles: FRONT,
    params: z.strictObject({ device }),
    result: z.object({ device: DeviceId, simulated }),
    errors: ["unknown_device"],
  }),
};
