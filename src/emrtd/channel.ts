import { concatBytes } from "../kernel/bytes.js";
import type { Transceiver } from "../kernel/card.js";
import { DeviceError } from "../kernel/errors.js";
import { type Answer, type Command, decodeResponse, EXTENDED_LE, encodeCommand, NO_ANSWER, OK, SHORT_LE, UNVERIFIED } from "./apdu.js";
import type { SecureMessaging } from "./secure-messaging.js";

/** Pieces of one answer that GET RESPONSE fetches, at most: 65,536 bytes come in 256. */
const MOST_PIECES = 260;
/** Longest response APDU there is (ISO 7816-4 §5.1). */
const MOST_RESPONSE_BYTES = EXTENDED_LE + 2;

/** The way to one chip: counts commands, and protects them once there are keys. */
export interface Channel {
  readonly apdus: number;
  readonly protection: SecureMessaging | undefined;
  /** New keys, or none; those before are wiped. */
  setProtection(next: SecureMessaging | undefined): void;
  /**
   * Sends one command; one that did not get through, or whose answer does not verify, is an answer, too (`NO_ANSWER`, `UNVERIFIED`).
   * @throws DeviceError `card_removed`, `device_absent`; the signal's reason on abort
   */
  send(command: Command): Promise<Answer>;
}

const NOTHING = new Uint8Array();

export function createChannel(card: Transceiver, signal: AbortSignal): Channel {
  let apdus = 0;
  let protection: SecureMessaging | undefined;

  const exchange = async (command: Command): Promise<Uint8Array | undefined> => {
    signal.throwIfAborted();
    apdus++;
    try {
      const response = await card.transmit(encodeCommand(command), signal);
      return response.length >= 2 && response.length <= MOST_RESPONSE_BYTES ? response : undefined;
    } catch (error) {
      signal.throwIfAborted();
      if (error instanceof DeviceError && error.kind === "card_error") return undefined;
      throw error;
    }
  };

  /** ISO 7816-4 §5.3.4: what is ready, but did not come. */
  const rest = async (first: Uint8Array): Promise<Uint8Array | undefined> => {
    const pieces: Uint8Array[] = [];
    let total = 0;
    let response = first;
    for (let count = 0; count < MOST_PIECES; count++) {
      const piece = decodeResponse(response);
      if (!piece) return undefined;
      pieces.push(piece.data);
      total += piece.data.length;
      if (total > EXTENDED_LE) return undefined;
      if (piece.sw >> 8 !== 0x61) return concatBytes([...pieces, response.subarray(-2)]);
      const le = piece.sw & 0xff || SHORT_LE;
      const next = await exchange({ cla: 0x00, ins: 0xc0, p1: 0, p2: 0, le });
      if (!next) return undefined;
      response = next;
    }
    return undefined;
  };

  const transmit = async (command: Command): Promise<Uint8Array | undefined> => {
    const response = await exchange(command);
    return response?.at(-2) === 0x61 ? rest(response) : response;
  };

  const sendPlain = async (command: Command): Promise<Answer> => {
    let response = await transmit(command);
    // 6Cxx names the Le to ask with (ISO 7816-4 §5.6); once, for a chip may name another each time.
    if (response?.length === 2 && response[0] === 0x6c && command.le !== undefined) {
      response = await transmit({ ...command, le: response[1] || SHORT_LE });
    }
    const answer = response && decodeResponse(response);
    return answer ? { ...answer, lost: false } : { data: NOTHING, sw: NO_ANSWER, lost: false };
  };

  const send = async (command: Command): Promise<Answer> => {
    if (!protection) return sendPlain(command);
    const response = await transmit(protection.protect(command));
    if (!response) return { data: NOTHING, sw: NO_ANSWER, lost: true };
    const opened = protection.open(response);
    if (typeof opened === "object") return { ...opened, lost: false };
    const sw = opened === "plain" ? (decodeResponse(response)?.sw ?? UNVERIFIED) : UNVERIFIED;
    // Success that nobody sealed is none.
    return { data: NOTHING, sw: sw === OK ? UNVERIFIED : sw, lost: true };
  };

  return {
    get apdus() {
      return apdus;
    },
    get protection() {
      return protection;
    },
    setProtection(next) {
      protection?.close();
      protection = next;
    },
    send,
  };
}
