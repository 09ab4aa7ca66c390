import { createHash, verify, X509Certificate } from "node:crypto";
import { describe, expect, it } from "vitest";
import { toHex } from "../../src/kernel/bytes.js";
import { seededRandom } from "../../src/kernel/random.js";
import type { CardContent } from "./chip.js";
import { dataObjects, tlv } from "./der.js";
import { EF_CARD_ACCESS, EF_SOD } from "./files.js";
import { createIssuer } from "./issuer.js";
import { checkDigit, machineReadableZone } from "./mrz.js";
import { knobsOf, type SomeKnobs } from "./options.js";
import { PEOPLE, type Person } from "./people.js";
import { personalise } from "./personalise.js";

const NOW_MS = Date.UTC(2026, 0, 1);
const issuer = createIssuer("ecdsa-sha256", NOW_MS);
const [first] = PEOPLE as readonly [Person];

async function written(told: SomeKnobs): Promise<CardContent> {
  const knobs = knobsOf("plain", told);
  return await personalise({ person: first, knobs, issuer, random: seededRandom(5), nowMs: NOW_MS });
}
const file = (content: CardContent, id: number): Uint8Array => content.applicationFiles.get(id) ?? new Uint8Array();

/** The value at the end of a path of child numbers. */
function descend(bytes: Uint8Array, ...path: readonly number[]): Uint8Array {
  return path.reduce((inside, child) => dataObjects(inside)?.[child]?.value ?? new Uint8Array(), bytes);
}

/** SignedData of a SOD: 77, ContentInfo, [0], and the sequence in it. */
const signedData = (content: CardContent): Uint8Array => descend(file(content, EF_SOD), 0, 0, 1, 0);
const certificateOf = (content: CardContent): X509Certificate => new X509Certificate(descend(signedData(content), 3));

function signatureHolds(content: CardContent): boolean {
  const signer = descend(signedData(content), 4, 0);
  const attributes = tlv(0x31, descend(signer, 3));
  return verify("sha256", attributes, certificateOf(content).publicKey, descend(signer, 5));
}

describe("a written card", () => {
  it("carries a security object that a certificate of its authority signed, with the hashes of its files", async () => {
    const content = await written({});
    const csca = new X509Certificate(issuer.csca);
    expect(signatureHolds(content)).toBe(true);
    expect(certificateOf(content).verify(csca.publicKey)).toBe(true);
    const sod = toHex(file(content, EF_SOD));
    for (const group of [1, 2, 13, 14]) {
      const hash = createHash("sha256")
        .update(file(content, 0x100 + group))
        .digest("hex");
      expect(sod).toContain(`0201${group.toString(16).padStart(2, "0")}0420${hash}`);
    }
  });

  it.each(["foreign", "impostor"] as const)("signed by a %s one: the signature holds, the authority's does not", async (signer) => {
    const content = await written({ signer });
    expect(signatureHolds(content)).toBe(true);
    const certificate = certificateOf(content);
    expect(certificate.verify(new X509Certificate(issuer.csca).publicKey)).toBe(false);
    expect(certificate.issuer === new X509Certificate(issuer.csca).subject).toBe(signer === "impostor");
  });

  it("its other faults are where they are said to be", async () => {
    expect(signatureHolds(await written({ brokenSignature: true }))).toBe(false);
    const wrong = await written({ wrongHash: "dg13" });
    expect(signatureHolds(wrong)).toBe(true);
    expect(toHex(file(wrong, EF_SOD))).not.toContain(createHash("sha256").update(file(wrong, 0x10d)).digest("hex"));
    expect(new Date(certificateOf(await written({ signer: "expired" })).validTo).getTime()).toBeLessThan(NOW_MS);
    const serial = certificateOf(await written({ signer: "revoked" })).serialNumber.toLowerCase();
    expect(toHex(issuer.crl)).toContain(`0202${serial.padStart(4, "0")}`);
    const downgraded = await written({ paceNotInDg14: true });
    const pace = "04007f00070202040202";
    expect(toHex(downgraded.masterFiles.get(EF_CARD_ACCESS) ?? new Uint8Array())).toContain(pace);
    expect(toHex(file(downgraded, 0x10e))).not.toContain(pace);
  });

  it.each(["truncated", "lyingLength", "hugeLength", "indefinite", "empty"] as const)(
    "a %s file cannot be read as data objects",
    async (how) => {
      const content = await written({ malformed: { file: "dg13", how } });
      const outer = dataObjects(file(content, 0x10d));
      expect(how === "empty" || outer === undefined || dataObjects(outer[0]?.value ?? new Uint8Array()) === undefined).toBe(true);
    },
  );

  it.each([
    ["jpeg", "ffd8ff"],
    ["jp2", "0000000c6a5020"],
    ["j2k", "ff4fff51"],
  ] as const)("has its portrait as %s", async (image, begins) => {
    const content = await written({ image });
    const hex = toHex(file(content, 0x102));
    // The facial record's header and blocks are 46 bytes.
    const record = hex.indexOf("46414300303130") + 46 * 2;
    expect(hex.slice(record, record + begins.length)).toBe(begins);
  });
});

it.each(PEOPLE)("each zone has three lines of 30 and check digits that fit ($id)", (person) => {
  const text = machineReadableZone(person);
  expect(text).toMatch(/^IDVNM\d{10}\d{12}<<\d\d{7}[MF]\d{7}VNM<{11}\d[A-Z<]{30}$/);
  const composite = text.slice(5, 30) + text.slice(30, 37) + text.slice(38, 45) + text.slice(48, 59);
  expect(text[59]).toBe(checkDigit(composite));
  expect(checkDigit("L898902C<")).toBe("3");
});
