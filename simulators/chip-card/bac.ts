import { concatBytes, equalBytes } from "../../src/kernel/bytes.js";
import type { Random } from "../../src/kernel/random.js";
import { cipherOf, deriveKey, digest, macOf } from "./ciphers.js";
import { type Channel, openChannel } from "./secure-messaging.js";

const tripleDes = cipherOf("3des");
const ZERO = new Uint8Array(8);

/**
 * Basic access control, the chip's side (ICAO 9303-11 §4.3.3): checks what EXTERNAL AUTHENTICATE brought against
 * the challenge given before. Undefined when the terminal does not know the key.
 */
export function mutualAuthenticate(
  mrzKey: string,
  challenge: Uint8Array,
  data: Uint8Array,
  random: Random,
): { readonly answer: Uint8Array; readonly channel: Channel } | undefined {
  if (data.length !== 40 || challenge.length !== 8) return undefined;
  const seed = digest("sha1", new TextEncoder().encode(mrzKey)).slice(0, 16);
  const encryptionKey = deriveKey(tripleDes, seed, 1);
  const macKey = deriveKey(tripleDes, seed, 2);
  const sealed = data.subarray(0, 32);
  if (!equalBytes(macOf(tripleDes, macKey, sealed), data.subarray(32))) return undefined;
  const opened = tripleDes.decrypt(encryptionKey, ZERO, sealed);
  const [theirChallenge, echoed, theirKey] = [opened.subarray(0, 8), opened.subarray(8, 16), opened.subarray(16)];
  if (!equalBytes(echoed, challenge)) return undefined;

  const ownKey = random.bytes(16);
  const reply = tripleDes.encrypt(encryptionKey, ZERO, concatBytes([challenge, theirChallenge, ownKey]));
  const secret = theirKey.map((byte, index) => byte ^ (ownKey[index] ?? 0));
  const counter = concatBytes([challenge.subarray(4), theirChallenge.subarray(4)]);
  const channel = openChannel(tripleDes, deriveKey(tripleDes, secret, 1), deriveKey(tripleDes, secret, 2), counter);
  return { answer: concatBytes([reply, macOf(tripleDes, macKey, reply)]), channel };
}
