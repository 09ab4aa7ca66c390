export type Part =
  | { readonly type: "frame"; readonly jpeg: Uint8Array }
  /** Bytes that made no picture; whatever they were, the next whole picture is found. */
  | { readonly type: "broken"; readonly reason: "cut" | "head" | "no_jpeg" | "stray" };

export interface MultipartReader {
  /** What became whole with these bytes. The outcome does not depend on how the stream is cut into chunks. */
  push(chunk: Uint8Array): readonly Part[];
}

export const MAX_FRAME_BYTES = 16 * 1024 * 1024;
const MAX_HEAD_BYTES = 1_024;
const FIRST_CAPACITY = 256 * 1024;
const HEAD_END = Buffer.from("\r\n\r\n", "latin1");

/**
 * Cuts a stream of JPEGs in parts (RFC 2046 §5.1; what ffmpeg's mpjpeg muxer writes) into pictures. Each part must tell its
 * length: nothing is guessed from the picture's own bytes. A delimiter inside a picture means that the rest was lost.
 */
export function createMultipartReader(boundary: string, maxFrameBytes = MAX_FRAME_BYTES): MultipartReader {
  const delimiter = Buffer.from(`--${boundary}\r\n`, "latin1");
  const overlap = delimiter.length - 1;
  // [start, end) is what is held; up to `searched` there is no delimiter in it.
  let buffer = Buffer.allocUnsafeSlow(FIRST_CAPACITY);
  let start = 0;
  let end = 0;
  let searched = 0;
  let at: "between" | "head" | "body" = "between";
  let bodyBytes = 0;
  /** What was passed over since the last part is no more than the line end that belongs there; or we joined in mid-stream. */
  let clean = true;
  let joined = false;

  const append = (chunk: Uint8Array): void => {
    if (start > 0) {
      buffer.copyWithin(0, start, end);
      searched = Math.max(0, searched - start);
      end -= start;
      start = 0;
    }
    if (end + chunk.length > buffer.length) {
      const larger = Buffer.allocUnsafeSlow(Math.max(2 * buffer.length, end + chunk.length));
      buffer.copy(larger, 0, 0, end);
      buffer = larger;
    }
    buffer.set(chunk, end);
    end += chunk.length;
  };

  const delimiterBefore = (limit: number): number => {
    const from = Math.max(start, searched - overlap);
    const found = buffer.subarray(from, limit).indexOf(delimiter);
    if (found >= 0) return from + found;
    searched = limit;
    return -1;
  };

  const passOver = (to: number): void => {
    for (; clean && start < to; start++) clean = buffer[start] === 0x0d || buffer[start] === 0x0a;
    start = to;
  };

  const openPart = (from: number): void => {
    start = searched = from;
    at = "head";
  };

  /** One step; undefined: more bytes are needed. */
  const step = (parts: Part[]): boolean => {
    if (at === "between") {
      const found = delimiterBefore(end);
      passOver(found >= 0 ? found : Math.max(start, end - overlap));
      if (found < 0) return false;
      if (!clean && joined) parts.push({ type: "broken", reason: "stray" });
      clean = joined = true;
      openPart(found + delimiter.length);
      return true;
    }
    if (at === "head") {
      const length = buffer.subarray(start, Math.min(end, start + MAX_HEAD_BYTES)).indexOf(HEAD_END);
      if (length < 0 && end - start < MAX_HEAD_BYTES) return false;
      const bytes = length < 0 ? undefined : contentLength(buffer.toString("latin1", start, start + length));
      if (bytes === undefined || bytes > maxFrameBytes) {
        parts.push({ type: "broken", reason: "head" });
        at = "between";
        // It is told once: what is passed over now belongs to it.
        joined = false;
        return true;
      }
      start += length + HEAD_END.length;
      searched = start;
      bodyBytes = bytes;
      at = "body";
      return true;
    }
    const bodyEnd = start + bodyBytes;
    const cutAt = delimiterBefore(Math.min(end, bodyEnd));
    if (cutAt >= 0) {
      parts.push({ type: "broken", reason: "cut" });
      openPart(cutAt + delimiter.length);
      return true;
    }
    if (end < bodyEnd) return false;
    const jpegBytes = jpegLength(buffer.subarray(start, bodyEnd));
    at = "between";
    if (jpegBytes === undefined) {
      parts.push({ type: "broken", reason: "no_jpeg" });
      joined = false;
      // A delimiter may have begun in its last bytes.
      start = Math.max(start, bodyEnd - overlap);
    } else {
      parts.push({ type: "frame", jpeg: new Uint8Array(buffer.subarray(start, start + jpegBytes)) });
      start = bodyEnd;
    }
    searched = start;
    return true;
  };

  return {
    push(chunk) {
      append(chunk);
      const parts: Part[] = [];
      while (step(parts));
      return parts;
    },
  };
}

/** Bytes of the body; undefined where the head does not say, or says nonsense. */
function contentLength(head: string): number | undefined {
  const [, digits] = /(?:^|\r\n)content-length:[ \t]*(\d{1,9})[ \t]*(?=\r\n|$)/i.exec(head) ?? [];
  return digits === undefined ? undefined : Number(digits);
}

/** Up to and with EOI (ITU T.81 §B.1.1.3); undefined where it is no whole JPEG. Some cameras fill up with zeros behind it. */
function jpegLength(bytes: Buffer): number | undefined {
  let length = bytes.length;
  while (length > 4 && bytes[length - 1] === 0) length--;
  const whole = length >= 4 && bytes.readUInt16BE(0) === 0xffd8 && bytes.readUInt16BE(length - 2) === 0xffd9;
  return whole ? length : undefined;
}
