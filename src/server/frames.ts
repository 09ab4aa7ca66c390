const FINAL_TEXT = 0x81;
const FINAL_BINARY = 0x82;

/**
 * Text frames as a server sends them (RFC 6455 §5.2: final, unmasked, the shortest form of the length), one after
 * the other in one buffer. `ws.send` writes header and text as two chunks each; one write for all the replies of a
 * turn is what makes the agent as fast as a bare echo.
 */
export function encodeTextFrames(texts: readonly string[]): Buffer {
  let total = 0;
  const lengths = new Array<number>(texts.length);
  for (let index = 0; index < texts.length; index++) {
    const length = Buffer.byteLength(texts[index] as string);
    lengths[index] = length;
    total += length + headerBytes(length);
  }
  const frames = Buffer.allocUnsafe(total);
  let offset = 0;
  for (let index = 0; index < texts.length; index++) {
    const length = lengths[index] as number;
    writeHeader(frames, offset, FINAL_TEXT, length);
    offset += headerBytes(length);
    offset += frames.write(texts[index] as string, offset);
  }
  return frames;
}

/** What stands before the `length` bytes of a binary frame. */
export function binaryFrameHeader(length: number): Buffer {
  const header = Buffer.allocUnsafe(headerBytes(length));
  writeHeader(header, 0, FINAL_BINARY, length);
  return header;
}

function writeHeader(to: Buffer, offset: number, firstByte: number, length: number): void {
  to[offset] = firstByte;
  if (length < 126) to[offset + 1] = length;
  else if (length < 65_536) {
    to[offset + 1] = 126;
    to.writeUInt16BE(length, offset + 2);
  } else {
    to[offset + 1] = 127;
    to.writeUInt32BE(0, offset + 2);
    to.writeUInt32BE(length, offset + 6);
  }
}

function headerBytes(length: number): number {
  if (length < 126) return 2;
  return length < 65_536 ? 4 : 10;
}
