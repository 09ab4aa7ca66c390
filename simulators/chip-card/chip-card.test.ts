import { X509Certificate } from "node:crypto";
import { describe, expect, it } from "vitest";
import { toHex } from "../../src/kernel/bytes.js";
import { openBench } from "./bench.test.support.js";
import { dataObjects } from "./der.js";
import { parsePaceSet } from "./pace.js";
import { canBytes } from "./terminal.test.support.js";

const GM = parsePaceSet("gm-aes128-13");

/** The point in DG14's public key: what follows 04 in its bit string. */
function chipPublicKey(dg14: Uint8Array, coordinateBytes: number): Uint8Array {
  const infos = dataObjects(dataObjects(dataObjects(dg14)?.[0]?.value ?? dg14)?.[0]?.value ?? dg14) ?? [];
  for (const info of infos) {
    const [id, key] = dataObjects(info.value) ?? [];
    if (toHex(id?.value ?? new Uint8Array()) !== "04007f000702020102") continue;
    const spki = dataObjects(key?.value ?? new Uint8Array()) ?? [];
    return spki[1]?.value.slice(-(1 + 2 * coordinateBytes)) ?? new Uint8Array();
  }
  return new Uint8Array();
}

describe("a citizen's card", () => {
  it("opens by PACE with its CAN, shows its files, and proves that it is no copy", async () => {
    const { card, terminal, ask } = openBench({ activeAuthentication: "rsa-sha1" });
    expect(toHex(await ask(Uint8Array.of(4)))).toBe("3b8180018080");
    const access = await terminal.say("00b09c00", undefined, 256);
    expect(toHex(access.data)).toBe(
      "3134300d060804007f0007020202020101300f060a04007f000702020302020201013012060a04007f0007020204020202010202010d",
    );
    const { idNumber } = card.holder();
    expect((await terminal.pace(GM, canBytes(idNumber), 2)).sw).toBe(0x9000);
    expect((await terminal.select()).sw).toBe(0x9000);
    const sod = await terminal.read(0x1d);
    const dg14 = await terminal.read(14);
    expect(sod[0]).toBe(0x77);
    expect((await terminal.chipAuthentication(13, chipPublicKey(dg14, 32), "aes128")).sw).toBe(0x9000);
    const dg1 = await terminal.read(1);
    expect(dg1).toHaveLength(95);
    expect(new TextDecoder().decode(dg1.subarray(5))).toContain(`IDVNM${idNumber.slice(-9)}`);
    expect((await terminal.read(2))[0]).toBe(0x75);
    expect(new TextDecoder().decode(await terminal.read(13))).toContain("Nguyễn Thị Thử Nghiệm");
    expect((await terminal.say("00b08300", undefined, 256)).sw).toBe(0x6982);
    expect((await terminal.say("00b08b00", undefined, 256)).sw).toBe(0x6a82);
    expect((await terminal.say("00880000", Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8), 65_536)).data).toHaveLength(256);
    expect(card.state()).toMatchObject({ cardPresent: true, card: "card A", access: "pace-gm", chipAuthenticated: true, apdus: 17 });
    expect(JSON.stringify(card.state())).not.toContain(idNumber.slice(-6));
  });

  it("is issued by an authority whose certificate signed itself", () => {
    const { csca, crl } = openBench({ inserted: false }).card.issuer();
    const certificate = new X509Certificate(csca);
    expect(certificate.verify(certificate.publicKey)).toBe(true);
    expect(certificate.ca).toBe(true);
    expect(crl[0]).toBe(0x30);
  });
});
