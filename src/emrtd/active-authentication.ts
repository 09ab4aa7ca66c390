import { TlvError, unwrapTlv } from "../formats/tlv.js";
import { NO_ANSWER, OK, SHORT_LE, UNVERIFIED } from "./apdu.js";
import type { Channel } from "./channel.js";
import { aboutLength } from "./read-file.js";
import type { ReadLengths } from "./read-lengths.js";
import { largestPlaintext } from "./secure-messaging.js";
import { statusError } from "./status.js";
import { signatureBytes } from "./subject-public-key.js";
import type { ActiveAuthentication } from "./types.js";

const DG15 = 0x6f;

function expectedBytes(dg15: Uint8Array): number | undefined {
  try {
    return signatureBytes(unwrapTlv(dg15, DG15));
  } catch (error) {
    if (error instanceof TlvError) return undefined;
    throw error;
  }
}

/**
 * Active authentication (ICAO 9303-11 §6.1): the chip signs the challenge, 8 bytes. Nothing is verified here.
 * @param dg15 the chip's public key, which tells how long the signature will be
 * @throws what the channel throws
 */
export async function authenticateActively(
  channel: Channel,
  dg15: Uint8Array,
  challenge: Uint8Array,
  lengths: ReadLengths,
  blockBytes: number,
): Promise<ActiveAuthentication> {
  const length = expectedBytes(dg15);
  if (length === undefined || length === 0) return { state: "not_supported" };
  const most = lengths.le(blockBytes);
  // A chip that was asked for more than fits would end the session with 6700.
  if (length > most) return { state: "not_possible" };
  const short = length <= largestPlaintext(SHORT_LE + 2, blockBytes);
  const { sw, data } = await channel.send({ cla: 0x00, ins: 0x88, p1: 0, p2: 0, data: challenge, le: short ? SHORT_LE : most });
  // A card that slipped is no false one; only an extended length may be what did not get through.
  if (sw === UNVERIFIED || (sw === NO_ANSWER && short)) throw statusError("active authentication", sw);
  if (sw === OK && data.length > 0) return { state: "answered", challenge: Uint8Array.from(challenge), signature: Uint8Array.from(data) };
  // A copy has the public key, too, and would rather not be asked.
  return aboutLength(sw) && !short ? { state: "not_possible" } : { state: "refused" };
}
