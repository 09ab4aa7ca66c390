import { gzipSync } from "node:zlib";

export interface TarEntry {
  /** At most 100 bytes of ASCII. */
  readonly name: string;
  readonly content: Uint8Array;
}

const BLOCK = 512;

/** A ustar archive (POSIX.1-1988), compressed. Files belong to root and are their owner's alone. */
export function tarGz(entries: readonly TarEntry[], modifiedAt: number): Uint8Array {
  const parts = entries.flatMap(({ name, content }) => {
    const padding = (BLOCK - (content.length % BLOCK)) % BLOCK;
    return [header(name, content.length, modifiedAt), content, Buffer.alloc(padding)];
  });
  return gzipSync(Buffer.concat([...parts, Buffer.alloc(2 * BLOCK)]));
}

function header(name: string, size: number, modifiedAt: number): Buffer {
  const block = Buffer.alloc(BLOCK);
  const octal = (value: number, at: number, length: number): void => {
    block.write(`${value.toString(8).padStart(length - 1, "0")}\0`, at, "latin1");
  };
  block.write(name.slice(0, 100), 0, "latin1");
  octal(0o600, 100, 8);
  octal(0, 108, 8);
  octal(0, 116, 8);
  octal(size, 124, 12);
  octal(Math.floor(modifiedAt / 1_000), 136, 12);
  // The sum is made with blanks in its own place.
  block.fill(" ", 148, 156);
  block.write("0", 156, "latin1");
  block.write("ustar\x0000", 257, "latin1");
  block.write("root", 265, "latin1");
  block.write("root", 297, "latin1");
  const sum = block.reduce((total, byte) => total + byte, 0);
  block.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148, "latin1");
  return block;
}
