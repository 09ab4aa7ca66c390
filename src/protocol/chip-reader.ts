import { z } from "../kernel/schema.js";
import { BlobReference, DeviceId, defineMethod, device, FRONT, Instant, simulated, TECHNICIAN, timeoutMs } from "./method.js";

const mrzDate = z.string().regex(/^\d{6}$/);

/** What opens the chip; one of these. */
export const CardAccess = z
  .union([
    z.strictObject({ qr: z.string().min(12).max(1_024).describe("text of the QR code on the card") }),
    z.strictObject({
      can: z
        .string()
        .regex(/^\d{6}$/)
        .describe("card access number: the last 6 digits of the ID number"),
    }),
    z.strictObject({
      idNumber: z
        .string()
        .regex(/^\d{12}$/)
        .describe("12 digits"),
    }),
    z.strictObject({
      mrz: z
        .strictObject({
          documentNumber: z
            .string()
            .regex(/^[A-Z0-9<]{1,22}$/)
            .describe("as in the MRZ: the last 9 digits of the ID number"),
          birthDate: mrzDate.describe("yyMMdd"),
          expiryDate: mrzDate.describe("yyMMdd; 991231 where the card never expires"),
        })
        .describe("fields of the machine-readable zone, printed on the back"),
    }),
  ])
  .describe("what opens the chip: the QR code, the CAN, the ID number, or fields of the MRZ");
export type CardAccess = z.infer<typeof CardAccess>;

export const SENSITIVE_FIELDS = ["ethnicity", "religion", "parents", "spouse"] as const;
export type SensitiveField = (typeof SENSITIVE_FIELDS)[number];

const isoDate = z.string().describe("yyyy-mm-dd");
const expiry = z.union([isoDate, z.literal("unlimited")]).describe("yyyy-mm-dd, or `unlimited` (coded 991231)");

/** DG1: the machine-readable zone (ICAO 9303-5, TD1). */
export const MrzFields = z.object({
  text: z.string().describe("three lines of 30 characters"),
  documentNumber: z.string(),
  issuingState: z.string(),
  nationality: z.string(),
  name: z.string().describe("transliterated, surname first"),
  birthDate: isoDate,
  sex: z.enum(["male", "female", "unspecified"]),
  expiryDate: expiry,
  idNumber: z.string().optional().describe("12 digits, where the optional data of a Vietnamese card holds them"),
  checkDigits: z.boolean().describe("all of them fit"),
});

/** DG13: what is printed on the card, with diacritics. */
export const CardDetails = z.object({
  idNumber: z.string(),
  oldIdNumber: z.string().optional().describe("9 digits"),
  name: z.string(),
  birthDate: isoDate.optional(),
  sex: z.enum(["male", "female"]).optional(),
  nationality: z.string().optional(),
  placeOfOrigin: z.string().optional(),
  residence: z.string().optional(),
  identifyingMarks: z.string().optional(),
  issueDate: isoDate.optional(),
  expiryDate: expiry.optional(),
  ethnicity: z.string().optional().describe("only when asked for"),
  religion: z.string().optional().describe("only when asked for"),
  parents: z.array(z.string()).optional().describe("only when asked for: father, mother, where the card says"),
  spouse: z.string().optional().describe("only when asked for"),
});

const compared = z.enum(["same", "different", "not_compared"]);

export const CardVerdicts = z.object({
  signature: z.enum(["valid", "invalid", "missing"]).describe("of the security object (SOD), by the document signer's certificate"),
  hashes: z.enum(["match", "mismatch", "not_checked"]).describe("of every data group that was read, against the SOD"),
  mismatched: z.array(z.string()).describe("data groups whose hash differs"),
  issuer: z
    .enum(["trusted", "untrusted", "unknown"])
    .describe(
      "`untrusted`: a CSCA of this name is in the trust store, but did not sign, or is another state's than the card's (needs `dg1`); `unknown`: none of this name",
    ),
  revoked: z.enum(["no", "yes", "unknown"]).describe("`unknown`: no CRL of the issuer, or a stale one"),
  certificateExpired: z.enum(["no", "yes", "unknown"]).describe("the document signer's or its CSCA's certificate"),
  documentExpired: z.enum(["no", "yes", "unknown"]),
  cardAccess: z
    .enum(["confirmed", "downgraded", "not_checked"])
    .describe("the unsigned EF.CardAccess against the signed DG14; `downgraded` is a manipulation"),
  chip: z
    .enum(["genuine", "failed", "unproven", "not_supported"])
    .describe(
      "chip authentication: is it no copy? `failed`: also where the chip hides the signed key; `unproven`: the chip has the key, but who vouches for the key is not trusted",
    ),
  activeAuthentication: z
    .enum(["genuine", "failed", "unproven", "not_asked", "not_supported", "not_possible"])
    .describe("the chip's signature over `challenge`; `failed`: also where it withholds its signed key or refuses to sign"),
  qr: compared.describe("the QR code or ID number that was given against the chip's ID number"),
  printed: compared.describe("the MRZ (DG1) against the printed details (DG13)"),
});
export type CardVerdicts = z.infer<typeof CardVerdicts>;

export const ApduTrace = z.object({
  header: z.string().describe("CLA INS P1 P2, hexadecimal"),
  sentBytes: z.int(),
  receivedBytes: z.int(),
  status: z.string().describe("status word, hexadecimal"),
  atMs: z.number().describe("since the first APDU"),
  durationMs: z.number(),
});
export type ApduTrace = z.infer<typeof ApduTrace>;

export const CARD_PARTS = ["dg1", "dg2", "dg11", "dg12", "dg13"] as const;

export const CardReading = z.object({
  device: DeviceId,
  at: Instant,
  access: z.object({
    protocol: z.enum(["pace", "bac"]),
    password: z.enum(["can", "mrz"]),
    cipher: z.enum(["3des", "aes-128", "aes-192", "aes-256"]),
    mapping: z.enum(["gm", "im", "cam"]).optional(),
    unproved: z.literal(true).optional().describe("built after the standard; no independent example of this variant was found to test it"),
  }),
  mrz: MrzFields.optional().describe("DG1"),
  details: CardDetails.optional().describe("DG13"),
  additional: z
    .object({ dg11: z.record(z.string(), z.string()).optional(), dg12: z.record(z.string(), z.string()).optional() })
    .optional()
    .describe("DG11 and DG12 by name of their fields, where asked for and there"),
  portrait: z
    .object({
      image: BlobReference.describe("JPEG or PNG"),
      widthPx: z.int(),
      heightPx: z.int(),
      original: BlobReference.optional().describe("as on the chip (JPEG or JPEG 2000), where asked for"),
    })
    .optional()
    .describe("DG2"),
  missing: z.array(z.enum(CARD_PARTS)).describe("parts that were asked for and that this chip has not"),
  unreadable: z.array(z.enum(CARD_PARTS)).describe("parts that were read and make no sense, e.g. a damaged portrait"),
  verdicts: CardVerdicts,
  activeAuthenticationSignature: z.string().optional().describe("base64; the chip's answer to `challenge`"),
  signer: z
    .object({ subject: z.string(), issuer: z.string(), serial: z.string(), sha256: z.string() })
    .optional()
    .describe("the document signer's certificate"),
  raw: z
    .array(z.object({ file: z.string().describe("`sod`, `dg1`, … `cardAccess`"), content: BlobReference }))
    .optional()
    .describe("the files as they are on the chip, where asked for"),
  apdus: z.int().describe("round trips to the chip"),
  trace: z.array(ApduTrace).optional(),
  durationMs: z.number().describe("from the first to the last byte of the chip"),
  simulated,
});
export type CardReading = z.infer<typeof CardReading>;

const hex = z.string().regex(/^(?:[0-9a-fA-F]{2})+$/);

const away = ["unknown_device", "busy", "maintenance", "device_absent", "device_fault"] as const;
const onCard = [...away, "timeout", "card_removed", "card_unsupported", "card_error"] as const;
export const CardPresence = z.object({ device: DeviceId, present: z.boolean(), simulated });

export const chipReaderMethods = {
  "chipReader.readCard": defineMethod({
    summary: "Waits for a card, opens its chip, reads it and says what can be proved about it. Each verdict stands for itself.",
    roles: FRONT,
    params: z.strictObject({
      device,
      access: CardAccess,
      protocol: z.enum(["auto", "pace", "bac"]).default("auto").describe("`auto`: PACE where the chip has it, else BAC"),
      parts: z
        .array(z.enum(CARD_PARTS))
        .max(CARD_PARTS.length)
        .default(["dg1", "dg2", "dg13"])
        .describe("which data groups to read; SOD and DG14 always are"),
      sensitive: z
        .array(z.enum(SENSITIVE_FIELDS))
        .max(SENSITIVE_FIELDS.length)
        .default([])
        .describe("fields of DG13 that need express consent; only with `consentRef`"),
      consentRef: z
        .string()
        .regex(/^[\w.:/-]{1,64}$/)
        .optional()
        .describe("where the citizen's consent is on record; an opaque code"),
      challenge: hex.length(16).optional().describe("8 bytes, hexadecimal: the chip signs them (active authentication, DG15)"),
      includeRaw: z
        .boolean()
        .default(false)
        .describe("the files as they are, for a verifier elsewhere; with `dg13` it needs `consentRef`, for DG13 is signed as a whole"),
      portraitOriginal: z.boolean().default(false).describe("the portrait as on the chip, too"),
      trace: z.boolean().default(false).describe("the list of APDUs with timings, without their contents; technicians only"),
      timeoutMs: timeoutMs.default(60_000),
    }),
    result: CardReading,
    errors: [...onCard, "mrz_required", "access_denied"],
    stages: ["waiting", "access", "reading", "authenticating"],
    restricted: { trace: ["technician"] },
  }),
  "chipReader.waitForCard": defineMethod({
    summary: "Answers when a card lies on the reader. Reads nothing of it.",
    roles: FRONT,
    params: z.strictObject({ device, timeoutMs: timeoutMs.default(60_000) }),
    result: CardPresence,
    errors: [...away, "timeout"],
    stages: ["waiting"],
  }),
  "chipReader.waitForRemoval": defineMethod({
    summary: "Answers when no card lies on the reader.",
    roles: FRONT,
    params: z.strictObject({ device, timeoutMs: timeoutMs.default(60_000) }),
    result: CardPresence,
    errors: [...away, "timeout"],
    stages: ["waiting"],
  }),
  "chipReader.readUid": defineMethod({
    summary: "Waits for a contactless card or tag and answers with its UID.",
    roles: FRONT,
    params: z.strictObject({ device, timeoutMs: timeoutMs.default(60_000) }),
    result: z.object({
      device: DeviceId,
      uid: z.string().describe("hexadecimal, 4, 7 or 10 bytes"),
      random: z.boolean().describe("made up by the card at each activation (first byte 08): identifies nothing, ID cards do this"),
      simulated,
    }),
    errors: [...onCard],
    stages: ["waiting"],
  }),
  "chipReader.transmit": defineMethod({
    summary: "Sends APDUs to the card on the reader, in one session. For technicians, in maintenance mode.",
    roles: TECHNICIAN,
    params: z.strictObject({
      device,
      apdus: z.array(hex.min(8).max(131_086)).min(1).max(64).describe("command APDUs, hexadecimal, sent in order"),
      timeoutMs: timeoutMs.default(10_000),
    }),
    result: z.object({
      device: DeviceId,
      responses: z.array(z.string()).describe("response APDUs, hexadecimal, status word included"),
      simulated,
    }),
    errors: [...onCard, "card_absent"],
  }),
};
