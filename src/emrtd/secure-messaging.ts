import { timingSafeEqual } from "node:crypto";
import { readTlv, tlv } from "../formats/tlv.js";
import { concatBytes } from "../kernel/bytes.js";
import { type SessionKeys, wipe } from "./access/keys.js";
import { type Command, decodeResponse, EXTENDED_LE, SHORT_LE } from "./apdu.js";
import { type CipherSuite, pad, unpad } from "./ciphers.js";

/** Cryptograms (ICAO 9303-11 §9.8.4): with an indicator of the padding, and without for odd instructions. */
const CRYPTOGRAM = 0x87;
const CRYPTOGRAM_ODD = 0x85;
const PROTECTED_LE = 0x97;
const PROCESSING_STATUS = 0x99;
const CHECKSUM = 0x8e;
/** A protected answer has three objects; some room for ones that this reader does not know. */
const MOST_OBJECTS = 8;

/** Largest plaintext whose protected answer, status word included, is at most `apduBytes` long. */
export function largestPlaintext(apduBytes: number, blockBytes: number): number {
  const room = Math.min(apduBytes, EXTENDED_LE + 2);
  // SW, DO'8E', DO'99', then DO'87' with its header, the padding indicator and at least one byte of padding.
  const header = room > 2 + SHORT_LE ? 4 : 3;
  return Math.floor((room - 2 - 10 - 4 - header - 1) / blockBytes) * blockBytes - 1;
}

/** One session of secure messaging (ICAO 9303-11 §9.8): each command and answer is encrypted, counted and sealed. */
export interface SecureMessaging {
  readonly suite: CipherSuite;
  protect(command: Command): Command;
  /**
   * Answer of the last command.
   * @returns `plain`: not protected, only its status word may be believed to be some; `unverified`: wrong seal or form
   */
  open(response: Uint8Array): { data: Uint8Array; sw: number } | "plain" | "unverified";
  /** Wipes the keys. */
  close(): void;
}

/** `counter`: the send sequence counter before the first command, one block long. The keys belong to the session from now on. */
export function createSecureMessaging(suite: CipherSuite, keys: SessionKeys, counter: Uint8Array): SecureMessaging {
  const { blockBytes } = suite;
  const ssc = Uint8Array.from(counter);
  const zero = new Uint8Array(blockBytes);

  const count = (): void => {
    for (let index = ssc.length - 1; index >= 0; index--) {
      ssc[index] = ((ssc[index] ?? 0) + 1) & 0xff;
      if (ssc[index] !== 0) return;
    }
  };
  // §9.8.6: zero for 3DES, the encrypted counter for AES.
  const iv = (): Uint8Array => (suite.name === "3des" ? zero : suite.encrypt(keys.encryption, zero, ssc));

  const protect = (command: Command): Command => {
    count();
    const { ins, p1, p2, data, le } = command;
    const cla = command.cla | 0x0c;
    const objects: Uint8Array[] = [];
    if (data && data.length > 0) {
      const cryptogram = suite.encrypt(keys.encryption, iv(), pad(data, blockBytes));
      objects.push(ins % 2 === 1 ? tlv(CRYPTOGRAM_ODD, cryptogram) : tlv(CRYPTOGRAM, Uint8Array.of(1), cryptogram));
    }
    const extended = le !== undefined && le > SHORT_LE;
    if (le !== undefined) objects.push(tlv(PROTECTED_LE, extended ? Uint8Array.of((le >> 8) & 0xff, le & 0xff) : Uint8Array.of(le & 0xff)));
    const body = concatBytes(objects);
    const header = pad(Uint8Array.of(cla, ins, p1, p2), blockBytes);
    const mac = suite.mac(keys.mac, ssc, body.length > 0 ? header : new Uint8Array(), pad(body.length > 0 ? body : header, blockBytes));
    return { cla, ins, p1, p2, data: concatBytes([body, tlv(CHECKSUM, mac)]), le: extended ? EXTENDED_LE : SHORT_LE };
  };

  const decrypt = (cryptogram: Uint8Array): Uint8Array | undefined => {
    if (cryptogram.length === 0 || cryptogram.length % blockBytes !== 0) return undefined;
    return unpad(suite.decrypt(keys.encryption, iv(), cryptogram));
  };

  const open = (response: Uint8Array): ReturnType<SecureMessaging["open"]> => {
    count();
    const outer = decodeResponse(response);
    if (!outer) return "unverified";
    const { data: body, sw } = outer;
    if (body.length === 0) return "plain";
    let cryptogram: Uint8Array | undefined;
    let status: number | undefined;
    let offset = 0;
    try {
      for (let objects = 0; offset < body.length; objects++) {
        if (objects === MOST_OBJECTS) return "unverified";
        const object = readTlv(body, offset);
        if (object.tag === CHECKSUM) {
          const mac = suite.mac(keys.mac, ssc, pad(body.subarray(0, offset), blockBytes));
          const last = offset + object.raw.length === body.length;
          if (!last || object.value.length !== mac.length || !timingSafeEqual(object.value, mac)) return "unverified";
          // A status outside that the sealed one does not confirm could be anybody's.
          if (status !== sw) return "unverified";
          if (cryptogram === undefined) return { data: new Uint8Array(), sw };
          const data = decrypt(cryptogram);
          return data ? { data, sw } : "unverified";
        }
        if (object.tag === CRYPTOGRAM && object.value[0] === 1) cryptogram = object.value.subarray(1);
        else if (object.tag === CRYPTOGRAM_ODD) cryptogram = object.value;
        else if (object.tag === PROCESSING_STATUS && object.value.length === 2) {
          status = (object.value[0] ?? 0) * 256 + (object.value[1] ?? 0);
        } else return "unverified";
        offset += object.raw.length;
      }
    } catch {
      return "unverified";
    }
    return "unverified";
  };

  return { suite, protect, open, close: () => wipe(keys.encryption, keys.mac, ssc) };
}
