/** What the client needs of the place it runs in: the browser's entry and Node's differ in nothing else. */
export interface Platform {
  openSocket(url: string, subprotocol: string, handlers: SocketHandlers): Socket;
  /** Calls back once after `ms`; the answer cancels. */
  after(ms: number, callback: () => void): () => void;
  /** From 0 up to, not including, 1: the jitter of the back-off. */
  fraction(): number;
  /** A connection without any sign of life for so long is given up. Left out where the platform hides pings from us. */
  readonly silenceMs?: number;
}

export interface Socket {
  send(text: string): void;
  /** Idempotent; `closed` follows if it has not been called. */
  close(): void;
}

export interface SocketHandlers {
  open(): void;
  text(text: string): void;
  bytes(bytes: Uint8Array): void;
  /** Something came in that carries no message: a ping. */
  alive(): void;
  /** Also after a refused upgrade, where a browser does not tell the reason. */
  closed(code: number, reason: string): void;
}

/** Calls every listener; one that throws is reported as uncaught and harms no other. */
export function emit<T>(listeners: Iterable<(value: T) => void>, value: T): void {
  for (const listener of [...listeners]) {
    try {
      listener(value);
    } catch (fault) {
      queueMicrotask(() => {
        throw fault;
      });
    }
  }
}
