export interface ReceiveBuffer {
  readonly held: number;
  readonly full: boolean;
  push(byte: number): void;
  shift(): number | undefined;
  clear(): void;
}

/** The printer's receive buffer: a ring of fixed size. */
export function createReceiveBuffer(capacity: number): ReceiveBuffer {
  const ring = new Uint8Array(capacity);
  let start = 0;
  let held = 0;
  return {
    get held() {
      return held;
    },
    get full() {
      return held === capacity;
    },
    push(byte) {
      ring[(start + held) % capacity] = byte;
      held += 1;
    },
    shift() {
      if (held === 0) return undefined;
      const byte = ring[start];
      start = (start + 1) % capacity;
      held -= 1;
      return byte;
    },
    clear() {
      held = 0;
    },
  };
}
