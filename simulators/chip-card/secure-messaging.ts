import { concatBytes, equalBytes } from "../../src/kernel/bytes.js";
import { type Answer, type Command, encodeAnswer } from "./apdu.js";
import { type Cipher, pad, unpad } from "./ciphers.js";
import { dataObjects, tlv } from "./der.js";

/** The chip's end of secure messaging (ICAO 9303-11 §9.8): keys and the send sequence counter. */
export interface Channel {
  readonly cipher: Cipher;
  readonly encryptionKey: Uint8Array;
  readonly macKey: Uint8Array;
  /** As long as a block; counts every command and every answer. */
  readonly counter: Uint8Array;
}

export const SM_OBJECTS_MISSING = 0x6987;
export const SM_OBJECTS_WRONG = 0x6988;

export function openChannel(cipher: Cipher, encryptionKey: Uint8Array, macKey: Uint8Array, counter?: Uint8Array): Channel {
  return { cipher, encryptionKey, macKey, counter: counter ?? new Uint8Array(cipher.blockBytes) };
}

export function closeChannel({ encryptionKey, macKey, counter }: Channel): void {
  for (const secret of [encryptionKey, macKey, counter]) secret.fill(0);
}

export function count({ counter }: Channel): void {
  for (let at = counter.length - 1; at >= 0; at--) {
    counter[at] = ((counter[at] ?? 0) + 1) & 0xff;
    if (counter[at] !== 0) return;
  }
}

function ivOf({ cipher, encryptionKey, counter }: Channel): Uint8Array {
  // 3DES starts from zero, AES from the encrypted counter (§9.8.6).
  const zero = new Uint8Array(cipher.blockBytes);
  return cipher.name === "3des" ? zero : cipher.encrypt(encryptionKey, zero, counter);
}

function checksum({ cipher, macKey, counter }: Channel, message: Uint8Array): Uint8Array {
  return cipher.mac(macKey, pad(concatBytes([counter, message]), cipher.blockBytes));
}

/** Opens a protected command, or tells the status word that ends the session. */
export function unwrapCommand(channel: Channel, command: Command): Command | number {
  const { cipher } = channel;
  count(channel);
  const objects = dataObjects(command.data);
  if (!objects) return SM_OBJECTS_WRONG;
  const last = objects.at(-1);
  if (last?.tag !== 0x8e) return SM_OBJECTS_MISSING;
  const tags = objects.slice(0, -1).map(({ tag }) => tag);
  // An odd instruction carries its data in 85, an even one in 87 (ISO 7816-4 table 30).
  const dataTag = command.ins % 2 === 1 ? 0x85 : 0x87;
  if (tags.some((tag) => tag !== dataTag && tag !== 0x97) || new Set(tags).size !== tags.length) return SM_OBJECTS_WRONG;

  const header = pad(Uint8Array.of(command.cla, command.ins, command.p1, command.p2), cipher.blockBytes);
  const expected = checksum(channel, concatBytes([header, command.data.subarray(0, last.start)]));
  if (!equalBytes(expected, last.value)) return SM_OBJECTS_WRONG;

  const sealed = objects.find(({ tag }) => tag === dataTag)?.value;
  const data = sealed === undefined ? new Uint8Array() : openData(channel, sealed, dataTag);
  const le = objects.find(({ tag }) => tag === 0x97)?.value;
  if (!data || (le && (le.length < 1 || le.length > 2))) return SM_OBJECTS_WRONG;
  const told = le?.reduce((value, byte) => value * 256 + byte, 0) ?? 0;
  const ne = le && told === 0 ? (le.length === 1 ? 256 : 65_536) : told;
  return { ...command, cla: command.cla & ~0x0c, data, ne, neIsMaximum: le !== undefined && told === 0 };
}

function openData(channel: Channel, sealed: Uint8Array, tag: number): Uint8Array | undefined {
  const { cipher, encryptionKey } = channel;
  if (tag === 0x87 && sealed[0] !== 0x01) return undefined;
  const blocks = tag === 0x87 ? sealed.subarray(1) : sealed;
  if (blocks.length === 0 || blocks.length % cipher.blockBytes !== 0) return undefined;
  return unpad(cipher.decrypt(encryptionKey, ivOf(channel), blocks));
}

/** Seals an answer; `odd` is that of the command's instruction. */
export function wrapAnswer(channel: Channel, { data, sw }: Answer, odd: boolean): Uint8Array {
  const { cipher, encryptionKey } = channel;
  count(channel);
  const parts: Uint8Array[] = [];
  if (data.length > 0) {
    const blocks = cipher.encrypt(encryptionKey, ivOf(channel), pad(data, cipher.blockBytes));
    parts.push(odd ? tlv(0x85, blocks) : tlv(0x87, Uint8Array.of(0x01), blocks));
  }
  parts.push(tlv(0x99, Uint8Array.of(sw >> 8, sw & 0xff)));
  const body = concatBytes(parts);
  return encodeAnswer({ data: concatBytes([body, tlv(0x8e, checksum(channel, body))]), sw });
}

/** The most plaintext bytes whose sealed answer fits into `bytes` (status word not counted). */
export function plaintextThatFits({ cipher }: Channel, bytes: number, odd: boolean): number {
  // 99 and 8E take 14 bytes; 87 or 85 its tag, its length field and, in 87, the indicator.
  const room = bytes - 14 - 1 - (odd ? 0 : 1);
  const lengthField = bytes <= 0x80 ? 1 : bytes <= 0x100 ? 2 : 3;
  const blocks = Math.floor((room - lengthField) / cipher.blockBytes);
  return Math.max(0, blocks * cipher.blockBytes - 1);
}
