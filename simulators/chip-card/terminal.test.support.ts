import assert from "node:assert/strict";
import { concatBytes, equalBytes, fromHex } from "../../src/kernel/bytes.js";
import type { Random } from "../../src/kernel/random.js";
import { cipherOf, deriveKey, digest, macOf, pad, unpad } from "./ciphers.js";
import { type Curve, curveById, encodePoint, generateKey, type Point, sharedX } from "./curves.js";
import { bigEndian, dataObjects, oid, oidBytes, tlv } from "./der.js";
import { integratedPoint } from "./integrated-mapping.js";
import { type PaceSet, paceOid } from "./pace.js";
import { type Channel, count, openChannel } from "./secure-messaging.js";

/** A small reader for the card's own tests: just enough of the other side. */
export interface Reply {
  readonly sw: number;
  readonly data: Uint8Array;
}
export type Transmit = (apdu: Uint8Array) => Promise<Uint8Array>;

export interface Terminal {
  /** Sends a plain command. */
  plain(hex: string): Promise<Reply>;
  /** Sends a command under secure messaging where a channel is open. */
  say(header: string, data?: Uint8Array, ne?: number): Promise<Reply>;
  pace(set: PaceSet, password: Uint8Array, reference: 1 | 2): Promise<Reply>;
  bac(mrzKey: string): Promise<Reply>;
  chipAuthentication(curveId: number, key: Uint8Array, cipher: "aes128" | "aes192" | "aes256" | "3des"): Promise<Reply>;
  select(): Promise<Reply>;
  /** All bytes of a file, by its short identifier, in steps of at most `step` bytes. */
  read(shortId: number, step?: number): Promise<Uint8Array>;
  channel: Channel | undefined;
}

const replyOf = (bytes: Uint8Array): Reply => ({
  sw: ((bytes.at(-2) ?? 0) << 8) | (bytes.at(-1) ?? 0),
  data: bytes.slice(0, -2),
});

export function encodeCommand(header: Uint8Array, data: Uint8Array, ne: number, extended: boolean): Uint8Array {
  const word = (value: number): Uint8Array => Uint8Array.of((value >> 8) & 0xff, value & 0xff);
  const lc = data.length === 0 ? [] : extended ? [Uint8Array.of(0), word(data.length)] : [Uint8Array.of(data.length)];
  const le = ne === 0 ? [] : extended ? [...(data.length === 0 ? [Uint8Array.of(0)] : []), word(ne)] : [Uint8Array.of(ne & 0xff)];
  return concatBytes([header, ...lc, data, ...le]);
}

export function createTerminal(transmit: Transmit, random: Random, extended = true): Terminal {
  const terminal: Terminal = {
    channel: undefined,
    async plain(hex) {
      return replyOf(await transmit(fromHex(hex)));
    },
    async say(header, data = new Uint8Array(), ne = 0) {
      const { channel } = terminal;
      const plain = fromHex(header);
      if (!channel) return replyOf(await transmit(encodeCommand(plain, data, ne, ne > 256 || data.length > 255)));
      return await sealed(channel, plain, data, ne);
    },
    async pace(set, password, reference) {
      const curve = curveById(set.parameterId) as Curve;
      const cipher = cipherOf(set.cipher);
      const objects = [tlv(0x80, oidBytes(paceOid(set))), tlv(0x83, Uint8Array.of(reference)), tlv(0x84, Uint8Array.of(set.parameterId))];
      const started = await terminal.say("0022c1a4", concatBytes(objects));
      if (started.sw !== 0x9000) return started;
      const step = async (last: boolean, ...inner: Uint8Array[]): Promise<Reply> => {
        const said = await terminal.say(last ? "00860000" : "10860000", tlv(0x7c, ...inner), 256);
        return { sw: said.sw, data: dataObjects(dataObjects(said.data)?.[0]?.value ?? new Uint8Array())?.[0]?.value ?? new Uint8Array() };
      };
      const nonceStep = await step(false);
      const nonce = cipher.decrypt(deriveKey(cipher, password, 3), new Uint8Array(cipher.blockBytes), nonceStep.data);
      let mapped: Point;
      if (set.mapping === "im") {
        const own = random.bytes(cipher.keyBytes);
        const step2 = await step(false, tlv(0x81, own));
        if (step2.sw !== 0x9000) return step2;
        mapped = integratedPoint(curve, cipher, nonce, own) as Point;
      } else {
        const own = generateKey(curve, random);
        const step2 = await step(false, tlv(0x81, encodePoint(own.point)));
        if (step2.sw !== 0x9000) return step2;
        const theirs = curve.decode(step2.data) as Point;
        const scalar = BigInt(`0x${Buffer.from(nonce).toString("hex")}`) % curve.order;
        mapped = curve.generator.multiply(scalar).add(theirs.multiply(own.secret));
      }
      const key = generateKey(curve, random, mapped);
      const step3 = await step(false, tlv(0x83, encodePoint(key.point)));
      if (step3.sw !== 0x9000) return step3;
      const secret = sharedX(curve, key.secret, curve.decode(step3.data) as Point);
      const [encryptionKey, macKey] = [deriveKey(cipher, secret, 1), deriveKey(cipher, secret, 2)];
      const token = (point: Uint8Array): Uint8Array => macOf(cipher, macKey, tlv(0x7f49, oid(paceOid(set)), tlv(0x86, point)));
      const step4 = await step(true, tlv(0x85, token(step3.data)));
      if (step4.sw !== 0x9000) return step4;
      assert(equalBytes(step4.data, token(encodePoint(key.point))), "the chip's token");
      terminal.channel = openChannel(cipher, encryptionKey, macKey);
      return step4;
    },
    async bac(mrzKey) {
      const cipher = cipherOf("3des");
      const challenge = (await terminal.plain("0084000008")).data;
      const seed = digest("sha1", new TextEncoder().encode(mrzKey)).slice(0, 16);
      const [encryptionKey, macKey] = [deriveKey(cipher, seed, 1), deriveKey(cipher, seed, 2)];
      const [own, ownKey] = [random.bytes(8), random.bytes(16)];
      const body = cipher.encrypt(encryptionKey, new Uint8Array(8), concatBytes([own, challenge, ownKey]));
      const answer = await terminal.say("00820000", concatBytes([body, macOf(cipher, macKey, body)]), 40);
      if (answer.sw !== 0x9000) return answer;
      const opened = cipher.decrypt(encryptionKey, new Uint8Array(8), answer.data.subarray(0, 32));
      const secret = ownKey.map((byte, index) => byte ^ (opened[16 + index] ?? 0));
      const counter = concatBytes([challenge.subarray(4), own.subarray(4)]);
      terminal.channel = openChannel(cipher, deriveKey(cipher, secret, 1), deriveKey(cipher, secret, 2), counter);
      return answer;
    },
    async chipAuthentication(curveId, publicKey, name) {
      const curve = curveById(curveId) as Curve;
      const cipher = cipherOf(name);
      const own = generateKey(curve, random);
      let last: Reply;
      if (name === "3des") last = await terminal.say("002241a6", tlv(0x91, encodePoint(own.point)));
      else {
        const set = await terminal.say("002241a4", tlv(0x80, oidBytes(`0.4.0.127.0.7.2.2.3.2.${cipher.arc}`)));
        if (set.sw !== 0x9000) return set;
        last = await terminal.say("00860000", tlv(0x7c, tlv(0x80, encodePoint(own.point))), 256);
      }
      if (last.sw !== 0x9000) return last;
      const secret = sharedX(curve, own.secret, curve.decode(publicKey) as Point);
      terminal.channel = openChannel(cipher, deriveKey(cipher, secret, 1), deriveKey(cipher, secret, 2));
      return last;
    },
    select: () => terminal.say("00a4040c", fromHex("a0000002471001")),
    async read(shortId, step = 65_536) {
      const first = await terminal.say(`00b0${(0x80 | shortId).toString(16)}00`, undefined, step);
      assert.equal(first.sw & 0xff00, 0x9000 & 0xff00, `${first.sw.toString(16)}`);
      let file = first.data;
      const [, length = 0, high = 0, low = 0, lowest = 0] = file;
      const total = length < 0x80 ? 2 + length : [3 + high, 4 + high * 256 + low, 5 + (high * 256 + low) * 256 + lowest][length - 0x81];
      assert(total !== undefined);
      while (file.length < total) {
        const wanted = Math.min(step, total - file.length);
        const at = file.length.toString(16).padStart(4, "0");
        const more: Reply =
          file.length < 0x8000
            ? await terminal.say(`00b0${at}`, undefined, wanted)
            : await terminal.say("00b10000", tlv(0x54, bigEndian(file.length)), Math.min(step, wanted + 4));
        assert.equal(more.sw, 0x9000);
        file = concatBytes([file, file.length < 0x8000 ? more.data : (dataObjects(more.data)?.[0]?.value ?? new Uint8Array())]);
      }
      return file;
    },
  };

  async function sealed(channel: Channel, plain: Uint8Array, data: Uint8Array, ne: number): Promise<Reply> {
    const { cipher } = channel;
    const odd = (plain[1] ?? 0) % 2 === 1;
    const zero = new Uint8Array(cipher.blockBytes);
    const iv = (): Uint8Array => (cipher.name === "3des" ? zero : cipher.encrypt(channel.encryptionKey, zero, channel.counter));
    const mac = (message: Uint8Array): Uint8Array =>
      cipher.mac(channel.macKey, pad(concatBytes([channel.counter, message]), cipher.blockBytes));
    count(channel);
    const header = Uint8Array.of((plain[0] ?? 0) | 0x0c, ...plain.subarray(1));
    const parts: Uint8Array[] = [];
    if (data.length > 0) {
      const blocks = cipher.encrypt(channel.encryptionKey, iv(), pad(data, cipher.blockBytes));
      parts.push(odd ? tlv(0x85, blocks) : tlv(0x87, Uint8Array.of(1), blocks));
    }
    if (ne > 0) parts.push(tlv(0x97, ne > 256 ? Uint8Array.of((ne >> 8) & 0xff, ne & 0xff) : Uint8Array.of(ne & 0xff)));
    const body = concatBytes(parts);
    const whole = concatBytes([body, tlv(0x8e, mac(concatBytes([pad(header, cipher.blockBytes), body])))]);
    const reply = replyOf(await transmit(encodeCommand(header, whole, extended ? 65_536 : 256, extended)));
    const objects = dataObjects(reply.data) ?? [];
    const last = objects.at(-1);
    if (last?.tag !== 0x8e) return reply;
    count(channel);
    assert(equalBytes(last.value, mac(reply.data.subarray(0, last.start))), "the chip's checksum");
    const found = objects.find(({ tag }) => tag === 0x87 || tag === 0x85);
    const blocks = found?.tag === 0x87 ? found.value.subarray(1) : found?.value;
    const opened = blocks ? unpad(cipher.decrypt(channel.encryptionKey, iv(), blocks)) : new Uint8Array();
    assert(opened, "padding");
    return { sw: reply.sw, data: opened };
  }
  return terminal;
}

export const canBytes = (idNumber: string): Uint8Array => new TextEncoder().encode(idNumber.slice(-6));
