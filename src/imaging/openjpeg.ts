import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import type { Jpeg2000 } from "./jpeg2000.js";

interface Decoder {
  getEncodedBuffer(byteLength: number): Uint8Array;
  decode(): void;
  getDecodedBuffer(): Uint8Array;
  getFrameInfo(): { width: number; height: number; bitsPerSample: number; componentCount: number; isSigned: boolean };
}
interface OpenJpeg {
  readonly J2KDecoder: new () => Decoder;
}
interface Settings {
  instantiateWasm(imports: WebAssembly.Imports, receive: (instance: WebAssembly.Instance) => void): WebAssembly.Exports;
  print(line: string): void;
  printErr(line: string): void;
}
type Load = (settings: Settings) => Promise<OpenJpeg>;

/** An image of 4 million pixels in three colours takes about half of it. */
const MAX_MEMORY_BYTES = 256 * 1_024 * 1_024;

/**
 * Samples by rows, the components of a pixel side by side. Undefined where the codestream is damaged. Every image is decoded in memory
 * of its own: the decoder is written in C and may, by a hostile image, be brought to read what an earlier one left there.
 */
export async function decodeJpeg2000({ codestream, width, height, components }: Jpeg2000): Promise<Uint8Array | undefined> {
  const { J2KDecoder } = await loadDecoder();
  try {
    const decoder = new J2KDecoder();
    decoder.getEncodedBuffer(codestream.length).set(codestream);
    decoder.decode();
    const frame = decoder.getFrameInfo();
    const samples = decoder.getDecodedBuffer();
    // A failure is not thrown, but leaves nothing behind.
    const isWhole = frame.width === width && frame.height === height && frame.componentCount === components && frame.bitsPerSample === 8;
    return isWhole && samples.length === width * height * components ? samples : undefined;
  } catch {
    // Exceptions of C++ come as numbers; a lack of memory or an access out of bounds as errors of the engine.
    return undefined;
  }
}

async function loadDecoder(): Promise<OpenJpeg> {
  const require = createRequire(import.meta.url);
  const load = require("@cornerstonejs/codec-openjpeg/decodewasmjs") as Load;
  const compiled = await WebAssembly.compile(await readFile(require.resolve("@cornerstonejs/codec-openjpeg/decodewasm")));
  return await load({
    instantiateWasm(imports, receive) {
      const instance = new WebAssembly.Instance(compiled, imports);
      for (const one of Object.values(instance.exports)) if (one instanceof WebAssembly.Memory) limitMemory(one);
      receive(instance);
      return instance.exports;
    },
    // What it says of an image is of no use to anyone.
    print() {},
    printErr() {},
  });
}

/** The package would let it grow to 2 GB, and the heap limit of the process does not count it. */
function limitMemory(memory: WebAssembly.Memory): void {
  const grow = memory.grow.bind(memory);
  memory.grow = (pages) => {
    if (memory.buffer.byteLength + pages * 65_536 > MAX_MEMORY_BYTES) throw new RangeError("image memory");
    return grow(pages);
  };
}
