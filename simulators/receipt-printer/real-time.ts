/**
 * Real-time commands act when they are received, whatever stands in front of them in the buffer, and even where
 * the bytes are part of an image: the printer only looks for the sequence (Epson's notes to DLE EOT).
 */
export type RealTimeCommand =
  | { readonly kind: "status"; readonly n: 1 | 2 | 3 | 4 }
  | { readonly kind: "recover"; readonly clear: boolean }
  | { readonly kind: "drawer" }
  | { readonly kind: "clear" };

const DLE = 0x10;

const PATTERNS: readonly { readonly bytes: readonly number[]; readonly command: RealTimeCommand }[] = [
  { bytes: [DLE, 0x04, 1], command: { kind: "status", n: 1 } },
  { bytes: [DLE, 0x04, 2], command: { kind: "status", n: 2 } },
  { bytes: [DLE, 0x04, 3], command: { kind: "status", n: 3 } },
  { bytes: [DLE, 0x04, 4], command: { kind: "status", n: 4 } },
  { bytes: [DLE, 0x05, 1], command: { kind: "recover", clear: false } },
  { bytes: [DLE, 0x05, 2], command: { kind: "recover", clear: true } },
  // fn 1: pulse on connector pin m (0 or 1) for t × 100 ms (1–8).
  ...[0, 1].flatMap((m) => [1, 2, 3, 4, 5, 6, 7, 8].map((t) => ({ bytes: [DLE, 0x14, 1, m, t], command: { kind: "drawer" } as const }))),
  // fn 8: clear the buffers; the fixed tail guards against doing it by accident.
  { bytes: [DLE, 0x14, 8, 1, 3, 20, 1, 6, 2, 8], command: { kind: "clear" } },
];

const LONGEST = Math.max(...PATTERNS.map(({ bytes }) => bytes.length));

/** Watches what comes in, byte by byte. */
export function createRealTimeWatch(): (byte: number) => RealTimeCommand | undefined {
  const recent: number[] = [];
  return (byte) => {
    recent.push(byte);
    if (recent.length > LONGEST) recent.shift();
    // Only these last bytes can end a pattern; most bytes of an image leave here.
    if (byte > 20) return undefined;
    return PATTERNS.find(({ bytes }) => {
      const start = recent.length - bytes.length;
      return start >= 0 && bytes.every((value, index) => recent[start + index] === value);
    })?.command;
  };
}
