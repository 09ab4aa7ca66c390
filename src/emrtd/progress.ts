import type { FileFacts } from "./files.js";

/** Share of all bytes that are expected, from 0 to 1, never falling. */
export interface ReadingProgress {
  start(): void;
  at(file: FileFacts, bytes: number, total: number): void;
  /** The file is read, or there is none. */
  done(file: FileFacts): void;
}

/** Files that are still unknown count with their typical size. */
export function createProgress(files: readonly FileFacts[], report: (fraction: number) => void): ReadingProgress {
  const sizes = new Map(files.map((file) => [file, { bytes: 0, total: file.typicalBytes }]));
  let told = 0;
  const tell = (): void => {
    const all = [...sizes.values()];
    const total = all.reduce((sum, size) => sum + size.total, 0);
    told = Math.max(told, all.reduce((sum, size) => sum + size.bytes, 0) / Math.max(1, total));
    report(told);
  };
  return {
    start: () => report(0),
    at(file, bytes, total) {
      sizes.set(file, { bytes, total });
      tell();
    },
    done(file) {
      const { bytes } = sizes.get(file) ?? { bytes: 0 };
      sizes.set(file, { bytes, total: bytes });
      tell();
    },
  };
}
