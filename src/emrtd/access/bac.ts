import { timingSafeEqual } from "node:crypto";
import { concatBytes, equalBytes } from "../../kernel/bytes.js";
import { OK } from "../apdu.js";
import type { Channel } from "../channel.js";
import { pad, TRIPLE_DES } from "../ciphers.js";
import { createSecureMessaging } from "../secure-messaging.js";
import { keyRefused, malformed, statusError } from "../status.js";
import type { MrzKey } from "../types.js";
import { bacKeys, deriveSessionKeys, wipe, xor } from "./keys.js";

const NONCE_BYTES = 8;
const KEY_BYTES = 16;
const CRYPTOGRAM_BYTES = 32;

/**
 * Basic access control (ICAO 9303-11 §4.3) in two commands; the application is selected already, and the channel protected
 * afterwards. The key is tried once.
 * @throws DeviceError `access_denied`, `card_error`, `invalid_params`; what the channel throws
 */
export async function bac(channel: Channel, mrz: MrzKey, randomBytes: (length: number) => Uint8Array): Promise<void> {
  const suite = TRIPLE_DES;
  const zero = new Uint8Array(suite.blockBytes);
  const keys = bacKeys(suite, mrz);
  const secrets = [keys.encryption, keys.mac];
  const seal = (cryptogram: Uint8Array): Uint8Array => suite.mac(keys.mac, pad(cryptogram, suite.blockBytes));
  try {
    const challenge = await channel.send({ cla: 0x00, ins: 0x84, p1: 0, p2: 0, le: NONCE_BYTES });
    if (challenge.sw !== OK) throw statusError("GET CHALLENGE", challenge.sw);
    if (challenge.data.length !== NONCE_BYTES) throw malformed("challenge");

    const ownNonce = Uint8Array.from(randomBytes(NONCE_BYTES));
    const ownKey = Uint8Array.from(randomBytes(KEY_BYTES));
    const plain = concatBytes([ownNonce, challenge.data, ownKey]);
    secrets.push(ownKey, plain);
    const cryptogram = suite.encrypt(keys.encryption, zero, plain);
    const data = concatBytes([cryptogram, seal(cryptogram)]);
    const { sw, data: answer } = await channel.send({ cla: 0x00, ins: 0x82, p1: 0, p2: 0, data, le: data.length });
    if (sw !== OK) throw statusError("BAC", sw, keyRefused(sw) ? "access_denied" : "card_error");

    const theirs = answer.subarray(0, CRYPTOGRAM_BYTES);
    const expected = seal(theirs);
    const mac = answer.subarray(CRYPTOGRAM_BYTES);
    if (mac.length !== expected.length || !timingSafeEqual(mac, expected)) throw malformed("answer of BAC");
    const opened = suite.decrypt(keys.encryption, zero, theirs);
    secrets.push(opened);
    // §4.3.2 step 3c: both nonces come back, or the answer is an old one.
    if (!equalBytes(opened.subarray(0, NONCE_BYTES), challenge.data)) throw malformed("answer of BAC");
    if (!equalBytes(opened.subarray(NONCE_BYTES, 2 * NONCE_BYTES), ownNonce)) throw malformed("answer of BAC");

    const seed = xor(ownKey, opened.subarray(2 * NONCE_BYTES));
    secrets.push(seed);
    // §9.8.7.1: the low halves of both nonces, the chip's first.
    const counter = concatBytes([challenge.data.subarray(4), ownNonce.subarray(4)]);
    channel.setProtection(createSecureMessaging(suite, deriveSessionKeys(suite, seed), counter));
  } finally {
    wipe(...secrets);
  }
}
