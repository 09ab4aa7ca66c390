import { z } from "../../src/kernel/schema.js";
import { ACTIVE_AUTHENTICATION } from "./active-authentication.js";
import { CIPHERS } from "./ciphers.js";
import { IMAGE_DAMAGES, IMAGE_FORMATS } from "./images.js";
import { SIGNERS } from "./issuer.js";
import { Person } from "./people.js";
import { HASHES, SIGNATURES } from "./signatures.js";

const count = z.int().min(1).max(1_000_000);
const onOff = z.boolean();
const FILES = ["com", "sod", "dg1", "dg2", "dg13", "dg14", "dg15", "cardAccess"] as const;
export type FileName = (typeof FILES)[number];

/** What a card can and what is wrong with it. What is not told is as the profile has it. */
export const Knobs = z.strictObject({
  bac: onOff.describe("opens with basic access control"),
  pace: z
    .array(z.string().regex(/^(gm|im|cam)-(3des|aes128|aes192|aes256)-(12|13|15|16|17|18)$/))
    .max(8)
    .describe(
      "ways of PACE: mapping (gm, im, cam), cipher (3des, aes128, aes192, aes256), curve (12 P-256, 13, 16, 17 brainpool 256, 384, 512, 15 P-384, 18 P-521)",
    ),
  refusePace: onOff.describe("offers PACE and refuses it: 6A80"),
  wrongKeyStatus: z
    .string()
    .regex(/^6[0-9a-fA-F]{3}$/)
    .describe("what a wrong CAN or MRZ is answered with, e.g. 6300, 63c2, 6983"),
  cardAccessBySfi: onOff.describe("EF.CardAccess can be read by its short identifier; otherwise only after SELECT"),
  selectMaster: onOff.describe("SELECT of the master file works; otherwise 6D00"),
  extendedLength: onOff.describe("takes extended length; otherwise a plain 6700, and the session is lost"),
  leCap: z.int().min(16).max(65_535).describe("the most bytes that one READ BINARY gives"),
  beyondLeCap: z.enum(["refuse", "tell", "short"]).describe("more than leCap asked for: 6700, 6Cxx, or fewer bytes"),
  chunkBytes: z.int().min(16).max(256).describe("longer answers come in pieces of this size, with 61xx"),
  chipAuthentication: z.enum(["none", ...CIPHERS]).describe("cipher of chip authentication"),
  chipCurve: z.union([z.literal(12), z.literal(13), z.literal(15), z.literal(16), z.literal(17), z.literal(18)]).describe("its curve"),
  chipKeyEncoding: z.enum(["explicit", "named", "standardized"]).describe("how DG14 tells the curve"),
  chipKeyId: z.int().min(0).max(127).describe("number of the key in DG14; the terminal must then name it"),
  activeAuthentication: z.enum(ACTIVE_AUTHENTICATION).describe("kind of the key in DG15"),
  cloned: onOff.describe("a copy: right files, but other secret keys than those in DG14 and DG15"),
  ldsHash: z.enum(HASHES).describe("hash of the data groups in the SOD"),
  signature: z.enum(SIGNATURES).describe("signature of the SOD"),
  signer: z.enum(SIGNERS).describe("who signed: foreign: under another CSCA; impostor: one of the same name; revoked: on the CRL"),
  brokenSignature: onOff.describe("the SOD's signature does not verify"),
  wrongHash: z.enum(["dg1", "dg2", "dg13", "dg14", "dg15"]).describe("the SOD has another hash of this file"),
  paceNotInDg14: onOff.describe("EF.CardAccess offers what the signed DG14 does not (downgrade)"),
  malformed: z
    .strictObject({ file: z.enum(FILES), how: z.enum(["truncated", "lyingLength", "hugeLength", "indefinite", "garbage", "empty"]) })
    .describe(
      "a damaged file; truncated: the second half is missing, lyingLength: inner lengths promise more, hugeLength: says 2 GB, indefinite: has no length",
    ),
  image: z.enum(IMAGE_FORMATS).describe("format of the portrait"),
  imageBytes: z.int().min(0).max(1_000_000).describe("makes the portrait about so long, e.g. 100000 (not for j2k)"),
  imageDamage: z.enum(IMAGE_DAMAGES).describe("the portrait is damaged; huge: promises millions of pixels"),
  parents: z.enum(["pair", "siblings"]).describe("form of DG13 field 13"),
  oldIdField: z.union([z.literal(15), z.literal(16)]).describe("DG13 field of the former number"),
  dg13Shuffled: onOff.describe("DG13's fields in another order"),
  qrFields: z.union([z.literal(6), z.literal(7), z.literal(10)]).describe("fields of the printed QR code"),
  delayMs: z.int().min(0).max(600_000).describe("thinks so long before each answer"),
  kbps: z
    .union([z.literal(106), z.literal(212), z.literal(424), z.literal(848)])
    .describe("speed of the air interface; absent: no time passes"),
  latencyMs: z.int().min(0).max(10_000).describe("passes at each APDU besides"),
  slipAtCommand: count.describe("its send sequence counter slips at this protected command of a session"),
  mute: onOff.describe("has an ATR and answers no APDU, until it is lifted"),
  uidOnly: onOff.describe("no chip with files: a tag that has only a number"),
});
export type Knobs = z.output<typeof Knobs>;
/** Any knob may be left out. */
export const SomeKnobs = Knobs.partial();
export type SomeKnobs = z.output<typeof SomeKnobs>;

const STANDARD = {
  bac: true,
  pace: ["gm-aes128-13"],
  refusePace: false,
  wrongKeyStatus: "6300",
  cardAccessBySfi: true,
  selectMaster: false,
  extendedLength: true,
  beyondLeCap: "refuse",
  chipAuthentication: "aes128",
  chipCurve: 13,
  chipKeyEncoding: "explicit",
  activeAuthentication: "rsa-sha256",
  cloned: false,
  ldsHash: "sha256",
  signature: "ecdsa-sha256",
  signer: "trusted",
  brokenSignature: false,
  paceNotInDg14: false,
  image: "jpeg",
  imageBytes: 0,
  imageDamage: "none",
  parents: "pair",
  oldIdField: 15,
  dg13Shuffled: false,
  qrFields: 7,
  delayMs: 0,
  latencyMs: 0,
  mute: false,
  uidOnly: false,
} as const satisfies SomeKnobs;

/** Kinds of card. Each has an answer to reset of its own, because readers remember by it what a card can. */
export const PROFILES = {
  citizen: { historical: 0x80, knobs: {} },
  "citizen-2024": { historical: 0x81, knobs: { bac: false, image: "jp2", qrFields: 10, oldIdField: 16, parents: "siblings" } },
  "bac-only": {
    historical: 0x82,
    knobs: { pace: [], chipAuthentication: "3des", activeAuthentication: "rsa-sha1", signature: "rsa-sha256", ldsHash: "sha1" },
  },
  "pace-only": { historical: 0x83, knobs: { bac: false, activeAuthentication: "ecdsa-sha256" } },
  "short-only": { historical: 0x84, knobs: { extendedLength: false } },
  "le-192": { historical: 0x85, knobs: { extendedLength: false, leCap: 192 } },
  "le-1024": { historical: 0x86, knobs: { leCap: 1024 } },
  "many-pace": {
    historical: 0x87,
    knobs: {
      pace: ["gm-3des-12", "gm-aes256-16", "gm-aes128-13", "gm-aes128-12", "im-aes128-13"],
      chipAuthentication: "aes256",
      chipCurve: 16,
    },
  },
  "pace-cam": { historical: 0x88, knobs: { pace: ["cam-aes128-13", "gm-aes128-13"], bac: false } },
  "pace-im": { historical: 0x8d, knobs: { pace: ["im-aes128-13"], bac: false } },
  "select-only": { historical: 0x89, knobs: { cardAccessBySfi: false } },
  chunked: { historical: 0x8a, knobs: { extendedLength: false, chunkBytes: 128 } },
  pss: { historical: 0x8b, knobs: { signature: "rsa-pss-sha256", ldsHash: "sha512" } },
  plain: { historical: 0x8c, knobs: { chipAuthentication: "none", activeAuthentication: "none" } },
  tag: { historical: undefined, knobs: { uidOnly: true } },
} as const satisfies Record<string, { readonly historical: number | undefined; readonly knobs: SomeKnobs }>;

export const PROFILE_NAMES = Object.keys(PROFILES) as readonly (keyof typeof PROFILES)[];
export const Profile = z.enum(PROFILE_NAMES as readonly [keyof typeof PROFILES, ...(keyof typeof PROFILES)[]]);
export type Profile = z.output<typeof Profile>;

export const PersonChoice = z
  .union([z.int().min(0).max(25), z.string().regex(/^[A-Za-z]$/)])
  .describe("whose card: A, B, C … or 0, 1, 2 …");

export const ChipCardOptions = z.strictObject({
  inserted: z.boolean().default(false).describe("a card lies on the reader from the beginning"),
  person: PersonChoice.default("A"),
  profile: Profile.default("citizen").describe("kind of card; its properties can be changed one by one with the options below"),
  people: z.array(Person).min(1).max(26).optional().describe("other invented people than the built-in ones; the first is card A"),
  cscaSignature: z.enum(SIGNATURES).default("ecdsa-sha256").describe("key and signature of the signing authority"),
  issuerDir: z.string().min(1).optional().describe("writes csca.der and crl.der of the invented authority into this folder"),
  ...SomeKnobs.shape,
});
export type ChipCardOptions = z.output<typeof ChipCardOptions>;

/** The standard with its types widened to what a knob may be. */
const BASE: Required<Pick<Knobs, keyof typeof STANDARD>> = { ...STANDARD, pace: [...STANDARD.pace] };
export type CardKnobs = SomeKnobs & typeof BASE;

/** The knobs of a card: what was told, else what the profile has, else the standard. */
export function knobsOf(profile: Profile, told: SomeKnobs): CardKnobs {
  const chosen = Object.entries(told).filter(([, value]) => value !== undefined);
  return { ...BASE, ...PROFILES[profile].knobs, ...Object.fromEntries(chosen) } as CardKnobs;
}
