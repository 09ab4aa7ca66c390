import type { PcscSettings } from "../pcsc.js";

/**
 * What crosses between the agent and the child that hosts the PC/SC library, structured-cloned. Readers and sessions go by
 * ids that the agent gives out, so that nothing can be told of one before the agent knows it.
 *
 * | method         | arguments       | result                                        |
 * | -------------- | --------------- | --------------------------------------------- |
 * | `open`         | OpenReader      | ReaderFacts                                   |
 * | `closed`       | id of a reader  | ErrorObject, when the reader is gone          |
 * | `connect`      | ConnectCard     | CardFacts                                     |
 * | `ended`        | id of a session | ErrorObject, when the session is over         |
 * | `transmit`     | TransmitApdu    | Uint8Array                                    |
 * | `closeSession` | id of a session |                                               |
 * | `close`        | id of a reader  |                                               |
 *
 * The one event is `presence`, with a PresenceChange; a reader begins without a card.
 */
export interface OpenReader {
  readonly link: number;
  readonly settings: PcscSettings;
}

export interface ReaderFacts {
  readonly description: string;
  readonly reader: string;
}

export interface ConnectCard {
  readonly link: number;
  readonly session: number;
}

export interface CardFacts {
  readonly atr: Uint8Array;
  readonly maxApduBytes: number | undefined;
}

export interface TransmitApdu {
  readonly session: number;
  readonly apdu: Uint8Array;
}

export interface PresenceChange {
  readonly link: number;
  readonly present: boolean;
}
