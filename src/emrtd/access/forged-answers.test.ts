import { expect, test } from "vitest";
import { concatBytes, fromHex, toHex } from "../../kernel/bytes.js";
import { createChannel } from "../channel.js";
import { pad, TRIPLE_DES } from "../ciphers.js";
import { parseSecurityInfos } from "../security-infos.js";
import { ICAO_EXAMPLES } from "../testing/icao-examples.js";
import { mrzKey, scriptedCard, scriptedRandom } from "../testing/scripted-card.js";
import { bac } from "./bac.js";
import { choosePace } from "./choose-pace.js";
import { curveOfParameter, decodePoint, pointsOf } from "./curves.js";
import { bacKeys } from "./keys.js";
import { pace } from "./pace.js";

const { paceGmEcdh: gm, bac: example } = ICAO_EXAMPLES;
const signal = new AbortController().signal;

test("PACE with a chip whose token is wrong, cut off or absent: no session", async () => {
  const choice = choosePace(parseSecurityInfos(fromHex(gm.cardAccess)));
  if (!choice) throw new RangeError("no PACE");
  const answers = gm.exchanges.map(({ response }) => response as string);
  const [token = ""] = answers.slice(-1);
  const open = async (last: string): Promise<string> => {
    const channel = createChannel(scriptedCard([...answers.slice(0, -1), last]), signal);
    const random = scriptedRandom(gm.terminalMappingPrivate, gm.terminalKeyAgreementPrivate);
    const access = mrzKey(gm.mrz.documentNumber, gm.mrz.dateOfBirth, gm.mrz.dateOfExpiry);
    const state = await pace(channel, choice, access, random).then(
      ({ state }) => state,
      (error: { readonly kind?: string }) => error.kind ?? "crash",
    );
    return `${state} ${channel.protection ? "protected" : "open"}`;
  };
  expect(await open(token)).toBe("open protected");
  const flipped = token.replace(/(.)(.{4})$/, (_, digit: string, sw: string) => (Number.parseInt(digit, 16) ^ 1).toString(16) + sw);
  for (const last of [flipped, "7C0A8607000000000000009000", "7C0286009000", "7C009000", "9000"]) {
    expect(await open(last), last).toBe("card_error open");
  }
});

test("BAC by one who knows the key, but answers with another's nonces: an old answer, and no session", async () => {
  const { documentNumber, dateOfBirth: birthDate, dateOfExpiry: expiryDate } = example;
  const mrz = { documentNumber, birthDate, expiryDate };
  const answerOf = (chipNonce: string, ownNonce: string, macFlip = 0): string => {
    const keys = bacKeys(TRIPLE_DES, mrz);
    const plain = concatBytes([fromHex(chipNonce), fromHex(ownNonce), new Uint8Array(16).fill(7)]);
    const cryptogram = TRIPLE_DES.encrypt(keys.encryption, new Uint8Array(8), plain);
    const mac = TRIPLE_DES.mac(keys.mac, pad(cryptogram, 8));
    mac[7] = (mac[7] ?? 0) ^ macFlip;
    return `${toHex(cryptogram)}${toHex(mac)}9000`;
  };
  const open = async (answer: string): Promise<string> => {
    const channel = createChannel(scriptedCard([`${example.rndIc}9000`, answer]), signal);
    const kind = await bac(channel, mrz, scriptedRandom(example.rndIfd, example.kIfd)).then(
      () => "opened",
      (error: { readonly kind?: string }) => error.kind ?? "crash",
    );
    return `${kind} ${channel.protection ? "protected" : "open"}`;
  };
  const other = "0102030405060708";
  expect(await open(answerOf(example.rndIc, example.rndIfd))).toBe("opened protected");
  expect(await open(answerOf(other, example.rndIfd))).toBe("card_error open");
  expect(await open(answerOf(example.rndIc, other))).toBe("card_error open");
  expect(await open(answerOf(example.rndIc, example.rndIfd, 1))).toBe("card_error open");
});

test("a public key is a point of the curve, and not infinity", () => {
  const curve = curveOfParameter(13);
  if (!curve) throw new RangeError("no curve");
  const decode = (x: bigint, y: bigint) => {
    const hex = [x, y].map((number) => number.toString(16).padStart(64, "0")).join("");
    return decodePoint(pointsOf(curve), curve, fromHex(`04${hex}`));
  };
  expect(decode(curve.gx, curve.gy).is0()).toBe(false);
  for (const [x, y] of [
    [curve.gx, curve.gy + 1n],
    [0n, 0n],
    [curve.gx + 1n, curve.gy],
    [curve.p, curve.gy],
  ] as const) {
    expect(() => decode(x, y)).toThrow(expect.objectContaining({ kind: "card_error" }));
  }
});
