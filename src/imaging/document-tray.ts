import { DeviceError } from "../kernel/errors.js";

/** What crosses at once: so little that the agent, which copies it, is held up by a fraction of a millisecond. */
export const PIECE_BYTES = 1_048_576;

/** One piece of a file that is laid into the tray. */
export interface Piece {
  readonly file: number;
  /** Of the whole file. */
  readonly length: number;
  readonly from: number;
  readonly bytes: Uint8Array;
}

export interface Tray {
  /** @throws DeviceError `device_absent` where an earlier piece is missing: this is another process than the one that got it */
  lay(piece: Piece): void;
  /** All that lies in it, which is then empty. */
  empty(): Uint8Array[];
}

/** Large files cross piece by piece, and lie here until they are whole. */
export function openTray(mostBytes: number): Tray {
  let files: { readonly bytes: Uint8Array; filled: number }[] = [];
  return {
    lay({ file, length, from, bytes }) {
      if (file === 0 && from === 0) files = [];
      if (from === 0 && file === files.length && length <= mostBytes) files.push({ bytes: new Uint8Array(length), filled: 0 });
      const into = files[file];
      if (!into || into.filled !== from || from + bytes.length > into.bytes.length) throw new DeviceError("device_absent");
      into.bytes.set(bytes, from);
      into.filled += bytes.length;
    },
    empty() {
      const all = files.map(({ bytes }) => bytes);
      files = [];
      return all;
    },
  };
}
