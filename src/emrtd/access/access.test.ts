import { expect, test } from "vitest";
import { fromHex, toHex } from "../../kernel/bytes.js";
import { createChannel } from "../channel.js";
import { CIPHER_SUITES, TRIPLE_DES } from "../ciphers.js";
import { createSecureMessaging } from "../secure-messaging.js";
import { parseSecurityInfos } from "../security-infos.js";
import { CHIP_AUTHENTICATION_MAPPING, ICAO_EXAMPLES, INTEGRATED_MAPPING } from "../testing/icao-examples.js";
import { canKey, mrzKey, scriptedCard, scriptedRandom } from "../testing/scripted-card.js";
import { bac } from "./bac.js";
import { choosePace, type PaceChoice } from "./choose-pace.js";
import { curveOfParameter, decodePoint, encodePoint, pointsOf } from "./curves.js";
import { passwordKey, toNumber } from "./keys.js";
import { encodeToPoint, genericMapping, nonceTerm, pseudoRandom } from "./mapping.js";
import { pace, verifyCam } from "./pace.js";

const AES_128 = CIPHER_SUITES[2] ?? TRIPLE_DES;
const upper = (bytes: Uint8Array): string => toHex(bytes).toUpperCase();
const { paceGmEcdh: gm, bac: bacExample, secureMessaging3des } = ICAO_EXAMPLES;
const signal = new AbortController().signal;
const gmAccess = mrzKey(gm.mrz.documentNumber, gm.mrz.dateOfBirth, gm.mrz.dateOfExpiry);
const responses = (exchanges: readonly { readonly response: string }[]): string[] => exchanges.map(({ response }) => response);
const commands = (exchanges: readonly { readonly command: string }[]): string[] => exchanges.map(({ command }) => command);

function choiceOf(cardAccess: string): PaceChoice {
  const choice = choosePace(parseSecurityInfos(fromHex(cardAccess)));
  if (!choice) throw new RangeError("no PACE");
  return choice;
}
const cardAccessOf = (oid: string): string =>
  gm.cardAccess.replace("04007F00070202040202", oid === INTEGRATED_MAPPING.oid ? "04007F00070202040402" : "04007F00070202040602");

/** The first protected command shows both session keys. */
async function firstProtected(
  card: ReturnType<typeof scriptedCard>,
  channel: ReturnType<typeof createChannel>,
): Promise<string | undefined> {
  await channel.send({ cla: 0, ins: 0xa4, p1: 4, p2: 0x0c, data: fromHex("A0000002471001") }).catch(() => {});
  return card.commands.at(-1);
}
function expectedFirst(ksEnc: string, ksMac: string): string {
  const session = createSecureMessaging(AES_128, { encryption: fromHex(ksEnc), mac: fromHex(ksMac) }, new Uint8Array(16));
  const { data = new Uint8Array() } = session.protect({ cla: 0, ins: 0xa4, p1: 4, p2: 0x0c, data: fromHex("A0000002471001") });
  return `0CA4040C${data.length.toString(16).toUpperCase()}${upper(data)}00`;
}

test("BAC is that of Doc 9303-11 D.3, and secure messaging begins with its keys and counter", async () => {
  const answer = "46B9342A41396CD7386BF5803104D7CEDC122B9132139BAF2EEDC94EE178534F2F2D235D074D7449";
  const card = scriptedCard([`${bacExample.rndIc}9000`, `${answer}9000`, ...responses(secureMessaging3des.exchanges)]);
  const channel = createChannel(card, signal);
  const { documentNumber, dateOfBirth: birthDate, dateOfExpiry: expiryDate } = bacExample;
  await bac(channel, { documentNumber, birthDate, expiryDate }, scriptedRandom(bacExample.rndIfd, bacExample.kIfd));
  expect(card.commands).toEqual(["0084000008", `0082000028${bacExample.eIfd}${bacExample.mIfd}28`]);
  expect(await channel.send({ cla: 0, ins: 0xa4, p1: 2, p2: 0x0c, data: fromHex("011E") })).toMatchObject({ sw: 0x9000, lost: false });
  expect(card.commands.at(-1)).toBe(secureMessaging3des.exchanges[0].command);
});

test("PACE with generic mapping is that of Doc 9303-11 G.1, in every exchange, point, key and token", async () => {
  const suite = choiceOf(gm.cardAccess).info.suite;
  const key = passwordKey(suite, gmAccess);
  expect(upper(key)).toBe(gm.kPi);
  expect(upper(suite.decrypt(key, new Uint8Array(16), fromHex(gm.encryptedNonce)))).toBe(gm.nonce);

  const curve = curveOfParameter(gm.parameterId);
  if (!curve) throw new RangeError("no curve");
  const points = pointsOf(curve);
  const chipMappingKey = fromHex(gm.exchanges[2].response.slice(8, -4));
  const shared = decodePoint(points, curve, chipMappingKey).multiply(toNumber(fromHex(gm.terminalMappingPrivate)));
  expect(upper(encodePoint(curve, shared))).toBe(`04${gm.sharedMappingPointX}${gm.sharedMappingPointY}`);
  // Under the secret 1 our public key is the generator itself.
  const one = Uint8Array.of(1);
  const term = nonceTerm(points, curve, fromHex(gm.nonce), one);
  const generator = genericMapping(points, curve, term, { mapping: fromHex(gm.terminalMappingPrivate), ephemeral: one }, chipMappingKey);
  expect(upper(encodePoint(curve, generator))).toBe(`04${gm.mappedGeneratorX}${gm.mappedGeneratorY}`);

  const card = scriptedCard(responses(gm.exchanges));
  const channel = createChannel(card, signal);
  const random = scriptedRandom(gm.terminalMappingPrivate, gm.terminalKeyAgreementPrivate);
  expect(await pace(channel, choiceOf(gm.cardAccess), gmAccess, random)).toEqual({ state: "open" });
  expect(card.commands).toEqual(commands(gm.exchanges));
  expect(channel.apdus).toBe(5);
  expect(await firstProtected(card, channel)).toBe(expectedFirst(gm.ksEnc, gm.ksMac));
});

test("the integrated mapping is that of Doc 9303-11 H.1", () => {
  const curve = curveOfParameter(INTEGRATED_MAPPING.parameterId);
  if (!curve) throw new RangeError("no curve");
  const random = pseudoRandom(AES_128, fromHex(INTEGRATED_MAPPING.nonce), fromHex(INTEGRATED_MAPPING.terminalNonce), 256);
  expect(upper(random)).toBe(INTEGRATED_MAPPING.pseudoRandom);
  const reduced = toNumber(random) % curve.p;
  expect(reduced).toBe(toNumber(fromHex(INTEGRATED_MAPPING.reduced)));
  const point = encodeToPoint(pointsOf(curve), curve, reduced);
  expect(upper(encodePoint(curve, point))).toBe(`04${INTEGRATED_MAPPING.mappedGeneratorX}${INTEGRATED_MAPPING.mappedGeneratorY}`);
});

test("PACE with integrated mapping is that of Doc 9303-11 H.1", async () => {
  // The appendix gives Kπ of a password that it does not name: the nonce is encrypted anew under one of ours.
  const access = canKey("123456");
  const key = passwordKey(AES_128, access);
  const encrypted = upper(AES_128.encrypt(key, new Uint8Array(16), fromHex(INTEGRATED_MAPPING.nonce)));
  const original = upper(AES_128.encrypt(fromHex(INTEGRATED_MAPPING.kPi), new Uint8Array(16), fromHex(INTEGRATED_MAPPING.nonce)));
  const answers = responses(INTEGRATED_MAPPING.exchanges);
  expect(answers[0]).toBe(`7C128010${original}9000`);
  const card = scriptedCard(["9000", `7C128010${encrypted}9000`, ...answers.slice(1)]);
  const channel = createChannel(card, signal);
  const choice = choiceOf(cardAccessOf(INTEGRATED_MAPPING.oid));
  expect(choice).toMatchObject({ unproved: false, info: { mapping: "im", oid: INTEGRATED_MAPPING.oid } });
  const random = scriptedRandom(INTEGRATED_MAPPING.terminalNonce, INTEGRATED_MAPPING.terminalPrivate);
  expect(await pace(channel, choice, access, random)).toEqual({ state: "open" });
  expect(card.commands.slice(1)).toEqual(commands(INTEGRATED_MAPPING.exchanges));
  expect(await firstProtected(card, channel)).toBe(expectedFirst(INTEGRATED_MAPPING.ksEnc, INTEGRATED_MAPPING.ksMac));
});

test("PACE with chip authentication mapping is that of Doc 9303-11 I.1, and proves the chip", async () => {
  const example = CHIP_AUTHENTICATION_MAPPING;
  const card = scriptedCard(["9000", ...responses(example.exchanges)]);
  const channel = createChannel(card, signal);
  const choice = choiceOf(cardAccessOf(example.oid));
  const access = mrzKey(example.mrz.documentNumber, example.mrz.birthDate, example.mrz.expiryDate);
  const outcome = await pace(channel, choice, access, scriptedRandom(example.terminalMappingPrivate, example.terminalPrivate));
  expect(card.commands.slice(1)).toEqual(commands(example.exchanges));
  expect(await firstProtected(card, channel)).toBe(expectedFirst(example.ksEnc, example.ksMac));

  const cam = outcome.state === "open" ? outcome.cam : undefined;
  if (!cam) throw new RangeError("no evidence");
  expect(upper(cam.data)).toBe(example.chipAuthenticationData);
  const [key] = parseSecurityInfos(fromHex(example.securityInfos)).chipAuthenticationKeys;
  if (!key?.ec) throw new RangeError("no key");
  expect(key.keyId).toBe(13);
  expect(verifyCam(choice.curve, cam, key.ec.point)).toBe(true);
  const other = Uint8Array.from(cam.data);
  other[31] = (other[31] ?? 0) ^ 1;
  expect(verifyCam(choice.curve, { ...cam, data: other }, key.ec.point)).toBe(false);
  expect(verifyCam(choice.curve, { ...cam, data: new Uint8Array() }, key.ec.point)).toBe(false);
});
