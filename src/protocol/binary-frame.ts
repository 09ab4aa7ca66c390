/** Header of a binary frame: 24 bytes, big-endian. */
export const HEADER_BYTES = 24;
export const FRAME_KINDS = { blob: 1, preview: 2 } as const;
export type FrameKind = keyof typeof FRAME_KINDS;

export interface FrameHeader {
  readonly kind: FrameKind;
  readonly last: boolean;
  readonly channel: number;
  readonly sequence: number;
  /** Milliseconds since the epoch. */
  readonly capturedAt: number;
}

const kindNames = Object.fromEntries(Object.entries(FRAME_KINDS).map(([name, code]) => [code, name])) as Record<number, FrameKind>;

export function encodeFrame(header: FrameHeader, payload: Uint8Array): Uint8Array {
  const frame = new Uint8Array(HEADER_BYTES + payload.length);
  const view = new DataView(frame.buffer);
  view.setUint8(0, 1);
  view.setUint8(1, FRAME_KINDS[header.kind]);
  view.setUint16(2, header.last ? 1 : 0);
  view.setUint32(4, header.channel);
  view.setUint32(8, header.sequence);
  view.setFloat64(16, header.capturedAt);
  frame.set(payload, HEADER_BYTES);
  return frame;
}

/** Undefined where the bytes are no frame of this version. */
export function decodeFrame(frame: Uint8Array): { header: FrameHeader; payload: Uint8Array } | undefined {
  if (frame.length < HEADER_BYTES) return undefined;
  const view = new DataView(frame.buffer, frame.byteOffset, frame.byteLength);
  const kind = kindNames[view.getUint8(1)];
  if (view.getUint8(0) !== 1 || kind === undefined) return undefined;
  return {
    header: {
      kind,
      last: (view.getUint16(2) & 1) === 1,
      channel: view.getUint32(4),
      sequence: view.getUint32(8),
      capturedAt: view.getFloat64(16),
    },
    payload: frame.subarray(HEADER_BYTES),
  };
}
