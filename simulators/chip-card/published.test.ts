import { expect, it } from "vitest";
import { fromHex, toHex } from "../../src/kernel/bytes.js";
import type { Random } from "../../src/kernel/random.js";
import { type CardContent, type ChipBehaviour, createChip } from "./chip.js";
import { EF_CARD_ACCESS, EF_COM } from "./files.js";

/** Worked examples of ICAO 9303-11, appendices D and G.1: the chip must answer byte for byte as published. */

/** Gives the published random numbers in their order. */
function drawn(...hex: readonly string[]): Random {
  const left = hex.map(fromHex);
  return {
    fraction: () => 0,
    bytes(length) {
      const next = left.shift();
      expect(next?.length).toBe(length);
      return next ?? new Uint8Array(length);
    },
  };
}

const BEHAVIOUR: ChipBehaviour = {
  bac: true,
  pace: [{ mapping: "gm", cipher: "aes128", parameterId: 13 }],
  refusePace: false,
  wrongKeyStatus: 0x6300,
  cardAccessBySfi: true,
  selectMaster: false,
  extendedLength: true,
  leCap: undefined,
  beyondLeCap: "refuse",
  chunkBytes: undefined,
  slipAtCommand: undefined,
};

function content(mrzKey: string, files: readonly (readonly [number, Uint8Array])[]): CardContent {
  return {
    masterFiles: new Map([[EF_CARD_ACCESS, fromHex("31143012060a04007f0007020204020202010202010d")]]),
    applicationFiles: new Map(files),
    closedFiles: new Set(),
    can: "123456",
    mrzKey,
  };
}

it("answers the PACE example (G.1) byte for byte", () => {
  const random = drawn(
    "3f00c4d39d153f2b2a214a078d899b22",
    "498ff49756f2dc1587840041839a85982be7761d14715fb091efa7bce9058560",
    "107cf58696ef6155053340fd633392ba81909df7b9706f226f32086c7aff974a",
  );
  const chip = createChip(content("T22000129364081251010318", []), BEHAVIOUR, random);
  const exchanges = [
    ["0022c1a412800a04007f0007020204020283010184010d", "9000"],
    ["10860000027c0000", "7c12801095a3a016522ee98d01e76cb6b98b42c39000"],
    [
      "10860000457c438141047acf3efc982ec45565a4b155129efbc74650dcbfa6362d896fc70262e0c2cc5e544552dcb6725218799115b55c9baa6d9f6bc3a9618e70c25af71777a9c4922d00",
      "7c43824104824fba91c9cbe26bef53a0ebe7342a3bf178cea9f45de0b70aa601651fba3f5730d8c879aaa9c9f73991e61b58f4d52eb87a0a0c709a49dc63719363ccd13c549000",
    ],
    [
      "10860000457c438341042db7a64c0355044ec9df190514c625cba2cea48754887122f3a5ef0d5edd301c3556f3b3b186df10b857b58f6a7eb80f20ba5dc7be1d43d9bf850149fbb3646200",
      "7c438441049e880f842905b8b3181f7af7caa9f0efb743847f44a306d2d28c1d9ec65df6db7764b22277a2eddc3c265a9f018f9cb852e111b768b326904b59a0193776f0949000",
    ],
    ["008600000c7c0a8508c2b0bd78d94ba86600", "7c0a86083abb9674bce93c089000"],
  ];
  for (const [command = "", answer] of exchanges) expect(toHex(chip.transmit(fromHex(command)))).toBe(answer);
  expect(chip.access).toBe("pace-gm");
});

it("answers the examples of basic access control and 3DES secure messaging (D.3, D.4) byte for byte", () => {
  const com = fromHex("60145f0104303130365f36063034303030305c026175");
  const random = drawn("4608f91988702212", "0b4f80323eb3191cb04970cb4052790b");
  const chip = createChip(content("L898902C<369080619406236", [[EF_COM, com]]), BEHAVIOUR, random);
  const say = (command: string): string => toHex(chip.transmit(fromHex(command)));
  expect(say("00a4040c07a0000002471001")).toBe("9000");
  expect(say("0084000008")).toBe("4608f919887022129000");
  expect(say("008200002872c29c2371cc9bdb65b779b8e8d37b29ecc154aa56a8799fae2f498f76ed92f25f1448eea8ad90a728")).toBe(
    "46b9342a41396cd7386bf5803104d7cedc122b9132139baf2eedc94ee178534f2f2d235d074d74499000",
  );
  expect(say("0ca4020c158709016375432908c044f68e08bf8b92d635ff24f800")).toBe("990290008e08fa855a5d4c50a8ed9000");
  expect(say("0cb000000d9701048e08ed6705417e96ba5500")).toBe("8709019ff0ec34f9922651990290008e08ad55cc17140b2ded9000");
  expect(say("0cb000040d9701128e082ea28a70f3c7b53500")).toBe(
    "871901fb9235f4e4037f2327dcc8964f1f9b8c30f42c8e2fff224a990290008e08c8b2787eaea07d749000",
  );
  expect(chip.access).toBe("bac");
});
