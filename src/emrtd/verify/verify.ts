import { TlvError } from "../../formats/tlv.js";
import { equalBytes, toHex } from "../../kernel/bytes.js";
import { parseDg1 } from "../lds/dg1.js";
import { LDS_SECURITY_OBJECT, parseSecurityObject, parseSod, type SecurityObject, securityInfosIn } from "../lds/security-object.js";
import type { ChipContents, DataGroup, Verdicts } from "../types.js";
import { answersChallenge } from "./active-authentication.js";
import { hashNamed } from "./algorithms.js";
import type { Certificate } from "./certificate.js";
import { checkIssuer, type IssuerCheck } from "./chain.js";
import { digest } from "./signature.js";
import { checkSignature, parseSignedData, type SignedData } from "./signed-data.js";
import type { TrustStore } from "./trust-store.js";

/** Content of EF.CardSecurity (BSI TR-03110-3 §A.1.2.5). */
const CARD_SECURITY_OBJECT = "0.4.0.127.0.7.3.2.1";
const CARD_SECURITY_BYTES = 65_536;

const NUMBERS: Readonly<Record<DataGroup, number>> = { dg1: 1, dg2: 2, dg11: 11, dg12: 12, dg13: 13, dg14: 14, dg15: 15 };
const DATA_GROUPS = Object.keys(NUMBERS) as DataGroup[];

/** What `decode` makes of hostile bytes; undefined where they are malformed. */
function attempt<T>(decode: () => T): T | undefined {
  try {
    return decode();
  } catch (thrown) {
    if (thrown instanceof TlvError) return undefined;
    throw thrown;
  }
}

interface SignedFile {
  readonly signature: Verdicts["signature"];
  readonly issuer: IssuerCheck;
  readonly signer: Certificate | undefined;
  readonly content: Uint8Array | undefined;
}

const NOBODY: IssuerCheck = { issuer: "unknown", revoked: "unknown", certificateExpired: "unknown" };

interface Judging {
  readonly trust: TrustStore;
  readonly nowMs: number;
  readonly issuingState: string | undefined;
}

/** Of the MRZ in DG1: three characters of its first line, in every format (ICAO 9303-3 §4.3). */
function issuingStateOf(dg1: Uint8Array | undefined): string | undefined {
  try {
    return dg1 && parseDg1(dg1).text.slice(2, 5);
  } catch {
    return undefined;
  }
}

function checkSigned(
  file: Uint8Array | undefined,
  parse: (file: Uint8Array) => SignedData,
  type: string,
  { trust, nowMs, issuingState }: Judging,
): SignedFile {
  if (!file) return { signature: "missing", issuer: NOBODY, signer: undefined, content: undefined };
  const data = attempt(() => parse(file));
  if (data?.contentType !== type) return { signature: "invalid", issuer: NOBODY, signer: undefined, content: undefined };
  const { valid, signer } = checkSignature(data);
  return {
    signature: valid ? "valid" : "invalid",
    issuer: signer ? checkIssuer(signer, trust, nowMs, issuingState) : NOBODY,
    signer,
    content: data.content,
  };
}

/** A state that the operator trusts vouches for the content, and has not taken it back. */
const isVouchedFor = (file: SignedFile): boolean =>
  file.signature === "valid" && file.issuer.issuer === "trusted" && file.issuer.revoked !== "yes";

type Hashed = "match" | "mismatch" | "not_checked";

/** Of one file against the SOD; one that the SOD does not list is a mismatch (ICAO 9303-11 §5.1). */
function compareHash(file: Uint8Array | undefined, number: number, object: SecurityObject | undefined): Hashed {
  const hash = object && hashNamed(object.hashOid);
  if (!file || !hash) return "not_checked";
  const expected = object.hashes.get(number);
  return expected && equalBytes(expected, digest(hash, file)) ? "match" : "mismatch";
}

function checkHashes(contents: ChipContents, object: SecurityObject | undefined): Verdicts["hashes"] {
  const compared = DATA_GROUPS.map((name) => ({ name, hash: compareHash(contents.files.get(name), NUMBERS[name], object) }));
  const mismatched = compared.filter(({ hash }) => hash === "mismatch").map(({ name }) => name);
  const checked = compared.some(({ hash }) => hash !== "not_checked");
  return { verdict: mismatched.length > 0 ? "mismatch" : checked ? "match" : "not_checked", mismatched };
}

/** The state signed this file, and the chip keeps it back or has another in its place: what a copy does that lacks its secret key. */
const isWithheld = (hash: Hashed, number: number, object: SecurityObject | undefined): boolean =>
  hash === "mismatch" || (hash === "not_checked" && object?.hashes.has(number) === true && hashNamed(object.hashOid) !== undefined);

/** Object identifiers of PACE (ICAO 9303-11 §9.2.4) begin so, in a SecurityInfo after the SEQUENCE's two bytes. */
const PACE_OID = "04007f0007020204";
const isPace = (info: string): boolean => /^30..06/.test(info) && info.startsWith(PACE_OID, 8);

/**
 * Every SecurityInfo of the unsigned file must stand in the signed one, byte for byte (ICAO 9303-11 §9.2), and every way of PACE of
 * the signed one in the unsigned: nobody took the better ones away.
 */
function checkCardAccess(contents: ChipContents, dg14Signed: boolean): Verdicts["cardAccess"] {
  const { cardAccess, files } = contents;
  const dg14 = files.get("dg14");
  // Against a DG14 that nobody signed the comparison proves nothing.
  if (!cardAccess || !dg14 || !dg14Signed) return "not_checked";
  const signed = attempt(() => new Set(securityInfosIn(dg14).map(toHex)));
  if (!signed) return "not_checked";
  const offered = attempt(() => securityInfosIn(cardAccess).map(toHex));
  const complete = [...signed].every((info) => !isPace(info) || offered?.includes(info));
  return complete && offered?.every((info) => signed.has(info)) ? "confirmed" : "downgraded";
}

/** Chip authentication by DG14, or PACE with chip authentication mapping by EF.CardSecurity (ICAO 9303-11 §4.4.3.3.3, §6.2). */
function checkChip(contents: ChipContents, dg14: Hashed, sod: SignedFile, withheld: boolean, judging: Judging): Verdicts["chip"] {
  const { chipAuthentication, camVerified, cardSecurity } = contents;
  if (chipAuthentication.state === "failed" || camVerified === false || withheld) return "failed";
  const done = chipAuthentication.state === "done";
  if (done && dg14 === "match" && isVouchedFor(sod)) return "genuine";
  if (camVerified) {
    const bounded = cardSecurity && cardSecurity.length <= CARD_SECURITY_BYTES ? cardSecurity : undefined;
    if (isVouchedFor(checkSigned(bounded, parseSignedData, CARD_SECURITY_OBJECT, judging))) return "genuine";
  }
  return done || camVerified ? "unproven" : "not_supported";
}

function checkActive(contents: ChipContents, dg15Hash: Hashed, sod: SignedFile, withheld: boolean): Verdicts["activeAuthentication"] {
  const { activeAuthentication, files } = contents;
  if (activeAuthentication.state === "refused" || (activeAuthentication.state === "not_supported" && withheld)) return "failed";
  if (activeAuthentication.state !== "answered") return activeAuthentication.state;
  const dg15 = files.get("dg15");
  if (!dg15) return "unproven";
  if (!answersChallenge(dg15, files.get("dg14"), activeAuthentication)) return "failed";
  return dg15Hash === "match" && isVouchedFor(sod) ? "genuine" : "unproven";
}

/**
 * Judges what was read from a chip. Each verdict stands for itself, but for the two about the chip, which rest on a valid
 * SOD of a trusted issuer whose certificate is not revoked. Never throws for what a chip said.
 * @param nowMs for validity of certificates and CRLs
 */
export function verifyContents(contents: ChipContents, trust: TrustStore, nowMs: number): Verdicts {
  const judging: Judging = { trust, nowMs, issuingState: issuingStateOf(contents.files.get("dg1")) };
  const sod = checkSigned(contents.files.get("sod"), parseSod, LDS_SECURITY_OBJECT, judging);
  const { content, signer } = sod;
  const object = content && attempt(() => parseSecurityObject(content));
  const dg14 = compareHash(contents.files.get("dg14"), NUMBERS.dg14, object);
  const dg15 = compareHash(contents.files.get("dg15"), NUMBERS.dg15, object);
  return {
    signature: sod.signature,
    hashes: checkHashes(contents, object),
    ...sod.issuer,
    cardAccess: checkCardAccess(contents, dg14 === "match" && sod.signature === "valid"),
    chip: checkChip(contents, dg14, sod, isWithheld(dg14, NUMBERS.dg14, object), judging),
    activeAuthentication: checkActive(contents, dg15, sod, isWithheld(dg15, NUMBERS.dg15, object)),
    ...(signer && { signer: { subject: signer.subject.text, issuer: signer.issuer.text, serial: signer.serial, sha256: signer.sha256 } }),
  };
}
