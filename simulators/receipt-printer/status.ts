/** What the sensors and the controller say. */
export interface PrinterCondition {
  readonly drawerHigh: boolean;
  readonly offline: boolean;
  readonly coverOpen: boolean;
  readonly paperNearEnd: boolean;
  readonly paperOut: boolean;
  /** An error that DLE ENQ ends once its cause is gone (the cover opened while printing). */
  readonly recoverableError: boolean;
  readonly cutterError: boolean;
  /** The cause of the error is gone; the printer waits for DLE ENQ. */
  readonly waitingForRecovery: boolean;
}

const when = (condition: boolean, bits: number): number => (condition ? bits : 0);

/** The one byte that DLE EOT n answers: 0xx1xx10. */
export function realTimeStatus(n: 1 | 2 | 3 | 4, is: PrinterCondition): number {
  const bits = {
    1: when(is.drawerHigh, 0x04) | when(is.offline, 0x08) | when(is.waitingForRecovery, 0x20),
    2: when(is.coverOpen, 0x04) | when(is.paperOut, 0x20) | when(is.recoverableError || is.cutterError, 0x40),
    3: when(is.recoverableError, 0x04) | when(is.cutterError, 0x08),
    4: when(is.paperNearEnd, 0x0c) | when(is.paperOut, 0x60),
  }[n];
  return 0x12 | bits;
}

/** The four bytes of automatic status back (GS a). */
export function automaticStatus(is: PrinterCondition): Uint8Array {
  return Uint8Array.of(
    0x10 | when(is.drawerHigh, 0x04) | when(is.offline, 0x08) | when(is.coverOpen, 0x20),
    when(is.waitingForRecovery, 0x01) | when(is.recoverableError, 0x04) | when(is.cutterError, 0x08),
    when(is.paperNearEnd, 0x03) | when(is.paperOut, 0x0c),
    0x0f,
  );
}

/** Which bits of the four bytes each item of GS a n watches: bit 0 drawer, 1 on/offline, 2 error, 3 paper. */
const WATCHED: readonly (readonly [item: number, byte: number, bits: number])[] = [
  [0x01, 0, 0x04],
  [0x02, 0, 0x28],
  [0x02, 1, 0x01],
  [0x04, 1, 0x6c],
  [0x08, 2, 0x0f],
];

/** Whether an item that `items` (the n of GS a) enables differs between two statuses. */
export function enabledItemChanged(items: number, before: Uint8Array, after: Uint8Array): boolean {
  return WATCHED.some(([item, byte, bits]) => (items & item) !== 0 && (((before[byte] ?? 0) ^ (after[byte] ?? 0)) & bits) !== 0);
}

/** The byte that GS r 1 (paper) or GS r 2 (drawer) answers: bit 4 and bit 7 are 0. */
export function sensorStatus(n: number, is: PrinterCondition): Uint8Array | undefined {
  if (n === 1 || n === 49) return Uint8Array.of(when(is.paperNearEnd, 0x03) | when(is.paperOut, 0x0c));
  if (n === 2 || n === 50) return Uint8Array.of(when(is.drawerHigh, 0x01));
  return undefined;
}
