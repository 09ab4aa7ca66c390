import { compareIdNumber, comparePrinted } from "../../src/citizen-id/compare.js";
import { parseDg13, withoutSensitive } from "../../src/citizen-id/dg13.js";
import { isTransliterated } from "../../src/citizen-id/names.js";
import { vietnameseMrz } from "../../src/citizen-id/vietnamese-mrz.js";
import { CURVES } from "../../src/emrtd/access/curve-table.js";
import { decodePoint, pointsOf } from "../../src/emrtd/access/curves.js";
import { decodeResponse } from "../../src/emrtd/apdu.js";
import { CIPHER_SUITES } from "../../src/emrtd/ciphers.js";
import { parseDg11, parseDg12 } from "../../src/emrtd/lds/additional-details.js";
import { parseCom } from "../../src/emrtd/lds/com.js";
import { parseDg1 } from "../../src/emrtd/lds/dg1.js";
import { parseDg2 } from "../../src/emrtd/lds/dg2.js";
import { parseDg15 } from "../../src/emrtd/lds/dg15.js";
import { listedDataGroups, parseSecurityObject, parseSod, securityInfosIn } from "../../src/emrtd/lds/security-object.js";
import { decodeOid } from "../../src/emrtd/oid.js";
import { createSecureMessaging } from "../../src/emrtd/secure-messaging.js";
import { parseSecurityInfos, securityInfosOfCardSecurity, securityInfosOfDg14 } from "../../src/emrtd/security-infos.js";
import { decodeEcPublicKey, signatureBytes } from "../../src/emrtd/subject-public-key.js";
import { certificate, ecKey, pem, state } from "../../src/emrtd/testing/test-pki.js";
import { readVirtual, virtualCard } from "../../src/emrtd/testing/virtual-card.js";
import type { FileName } from "../../src/emrtd/types.js";
import { answersChallenge } from "../../src/emrtd/verify/active-authentication.js";
import { withDefiniteLengths } from "../../src/emrtd/verify/ber.js";
import { extensionsOf, parseCertificate } from "../../src/emrtd/verify/certificate.js";
import { fieldsOf, sequence } from "../../src/emrtd/verify/der.js";
import { parseRevocationList } from "../../src/emrtd/verify/revocation-list.js";
import { checkSignature, parseSignedData } from "../../src/emrtd/verify/signed-data.js";
import { parseTrustFile } from "../../src/emrtd/verify/trust-file.js";
import { EMPTY_TRUST } from "../../src/emrtd/verify/trust-store.js";
import { verifyContents } from "../../src/emrtd/verify/verify.js";
import { parseTd1 } from "../../src/formats/mrz.js";
import { readTlv, readTlvs, TlvError, tlv, tlvHeader } from "../../src/formats/tlv.js";
import { fromHex } from "../../src/kernel/bytes.js";
import { DeviceError } from "../../src/kernel/errors.js";
import { type Decoder, insist } from "./decoder.js";
import type { Dice } from "./inputs.js";

const NOW_MS = Date.UTC(2026, 6, 1);
const card = await virtualCard();
const contents = await readVirtual(card, { challenge: Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8) });
const files = [...card.files.values(), ...contents.files.values()];
const file = (name: FileName): Uint8Array => contents.files.get(name) ?? new Uint8Array();
const sod = file("sod");
const cms = readTlv(sod).value;
const utopia = state();
const certificates = [utopia.authority, certificate(utopia.signerSpec)];
const crl = utopia.crl(["05", "06"]);
const nested = tlv(0x30, tlv(0x31, tlv(0x30, tlv(0x04, tlv(0x30, tlv(0x02, Uint8Array.of(1)))))));

/** Each on its own: that one refuses says nothing of the next. */
function each(input: Uint8Array, ...decoders: readonly ((bytes: Uint8Array) => unknown)[]): void {
  for (const decode of decoders) {
    try {
      decode(input);
    } catch (thrown) {
      if (!(thrown instanceof DeviceError)) throw thrown;
    }
  }
}

/** Layers below an entry point, whose callers turn this one failure into theirs. */
const inner =
  (decode: (bytes: Uint8Array) => unknown) =>
  (bytes: Uint8Array): void => {
    try {
      decode(bytes);
    } catch (thrown) {
      if (!(thrown instanceof TlvError)) throw thrown;
    }
  };

function mrz(input: Uint8Array): void {
  const td1 = parseTd1(parseDg1(input).text);
  const zone = td1 && vietnameseMrz(td1, NOW_MS);
  const details = parseDg13(file("dg13"));
  comparePrinted(zone, details);
  compareIdNumber("001190000001", details, zone);
}

function sealedAnswer(input: Uint8Array, dice: Dice): void {
  decodeResponse(input);
  const suite = CIPHER_SUITES[1 + dice.roll(4)];
  if (!suite) return;
  const keys = { encryption: new Uint8Array(suite.keyBytes).fill(5), mac: new Uint8Array(suite.keyBytes).fill(9) };
  const session = createSecureMessaging(suite, keys, new Uint8Array(suite.blockBytes));
  session.protect({ cla: 0, ins: 0xb0, p1: 0, p2: 0, le: 256 });
  const opened = session.open(input);
  insist(typeof opened === "string", "an answer that nobody sealed is believed");
}

function verdicts(input: Uint8Array, dice: Dice): void {
  const name = dice.pick([...contents.files.keys()]);
  const found = verifyContents({ ...contents, files: new Map([...contents.files, [name, input]]) }, EMPTY_TRUST, NOW_MS);
  insist(found.issuer !== "trusted" && found.chip !== "genuine", "believed without a trusted issuer");
}

const curve = CURVES.find(({ name }) => name === "brainpoolP256r1") as (typeof CURVES)[number];
const points = pointsOf(curve);
const emrtd = (...names: readonly string[]): string[] => names.map((name) => `emrtd/${name}.ts`);

export const chipDecoders: readonly Decoder[] = [
  {
    name: "TLV",
    files: ["formats/tlv.ts"],
    weight: 10,
    samples: [nested, cms.subarray(0, 200), fromHex("7f610302010130820004deadbeef")],
    run: (input, dice) =>
      each(
        input,
        inner(readTlv),
        inner(readTlvs),
        inner((bytes) => tlvHeader(bytes, dice.roll(8))),
      ),
  },
  {
    name: "DG13",
    files: ["citizen-id/dg13.ts"],
    weight: 6,
    samples: [file("dg13")],
    run(input) {
      const record = parseDg13(input);
      if (record) withoutSensitive(record, ["religion"]);
    },
  },
  {
    name: "DG1 and its zone",
    files: [...emrtd("lds/dg1"), "citizen-id/compare.ts", "citizen-id/vietnamese-mrz.ts"],
    weight: 4,
    samples: [file("dg1")],
    run: mrz,
  },
  {
    name: "DG2, DG11, DG12, DG15, EF.COM",
    files: emrtd("lds/dg2", "lds/additional-details", "lds/dg15", "lds/com"),
    weight: 5,
    samples: files.map((bytes) => bytes.subarray(0, 2_000)),
    run: (input) => each(input, parseDg2, parseDg11, parseDg12, parseDg15, parseCom),
  },
  {
    name: "security infos",
    files: emrtd("security-infos"),
    weight: 4,
    samples: [file("dg14"), contents.cardAccess ?? nested, readTlv(file("dg14")).value],
    run: (input) => each(input, parseSecurityInfos, securityInfosOfDg14, securityInfosOfCardSecurity),
  },
  {
    name: "SOD and its signature",
    files: emrtd("lds/security-object", "verify/signed-data", "verify/signature"),
    weight: 1,
    samples: [sod, cms],
    run: (input) =>
      each(
        input,
        listedDataGroups,
        inner(securityInfosIn),
        inner(parseSecurityObject),
        inner(parseSignedData),
        inner((bytes) => checkSignature(parseSod(bytes))),
      ),
  },
  {
    name: "certificates, lists, DER",
    files: emrtd("verify/certificate", "verify/revocation-list", "verify/der", "verify/ber", "oid"),
    weight: 4,
    samples: [...certificates, crl, nested],
    run: (input) =>
      each(input, decodeOid, ...[parseCertificate, parseRevocationList, withDefiniteLengths, fieldsOf, sequence, extensionsOf].map(inner)),
  },
  {
    name: "trust files",
    files: emrtd("verify/trust-file"),
    weight: 1,
    samples: [...certificates, crl, ...certificates.map((der) => pem("CERTIFICATE", der)), pem("X509 CRL", crl), cms],
    run: (input) => parseTrustFile(input),
  },
  {
    name: "verdicts over a damaged chip",
    files: emrtd("verify/verify", "verify/chain"),
    weight: 0.3,
    samples: files.map((bytes) => bytes.subarray(0, 4_000)),
    run: verdicts,
  },
  {
    name: "answers of a chip",
    files: emrtd("apdu", "secure-messaging"),
    weight: 2,
    samples: [
      "9000",
      "6988",
      "6700",
      "990290008e08000102030405060790 00",
      "871101aabbccddeeff00112233445566778899990290008e0800010203040506079000",
    ].map(fromHex),
    run: sealedAnswer,
  },
  {
    name: "public keys of a chip",
    files: emrtd("subject-public-key", "access/curves", "verify/active-authentication"),
    weight: 1,
    samples: [file("dg15"), readTlv(file("dg15")).value, ecKey("brainpoolP256r1").spki, Uint8Array.of(4, ...new Uint8Array(64).fill(7))],
    run(input) {
      each(input, decodeEcPublicKey, signatureBytes, (bytes) => decodePoint(points, curve, bytes));
      each(input, (bytes) => answersChallenge(bytes, undefined, { challenge: new Uint8Array(8), signature: new Uint8Array(64) }));
    },
  },
  {
    name: "names",
    files: ["citizen-id/names.ts"],
    weight: 3,
    samples: [new TextEncoder().encode("Nguyễn Thị Thuỳ Dương|NGUYEN THI THUY DUONG")],
    run(input) {
      const [printed = "", zone = ""] = new TextDecoder().decode(input).split("|");
      isTransliterated(printed, zone, true);
    },
  },
];
