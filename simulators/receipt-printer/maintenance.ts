import { asciiBytes, concatBytes } from "../../src/kernel/bytes.js";

/** What a model name, a version or a counter is sent as: a header, its characters, NUL. */
export function textBlock(text: string): Uint8Array {
  return concatBytes([Uint8Array.of(0x5f), asciiBytes(text), Uint8Array.of(0)]);
}

const NAMES: Readonly<Record<number, string>> = { 65: "1.00", 66: "STATIOND", 67: "SIM-80", 68: "0000000001" };
const IDS: Readonly<Record<number, number>> = { 1: 0x20, 2: 0x02, 3: 0x01 };

/** The answer to GS I n: model, type (autocutter), version as one byte, or names as a block. */
export function identity(n: number): Uint8Array | undefined {
  const name = NAMES[n];
  if (name !== undefined) return textBlock(name);
  const id = IDS[n >= 48 ? n - 48 : n];
  return id === undefined ? undefined : Uint8Array.of(id);
}

const ROWS_PER_LINE_FEED = 30;

export interface MaintenanceCounters {
  addRow(): void;
  addCut(): void;
  /** What follows GS g: the reply to function 2, an empty one to function 0; undefined: no such counter or function. */
  command(body: Uint8Array): Uint8Array | undefined;
}

/** They outlive every power cycle. 20 and 50 can be set back (GS g 0), 148 and 178 count for the printer's life. */
export function createMaintenanceCounters(): MaintenanceCounters {
  const life = { rows: 0, cuts: 0 };
  const resettable = { rows: 0, cuts: 0 };
  const value: Readonly<Record<number, () => number>> = {
    20: () => Math.floor(resettable.rows / ROWS_PER_LINE_FEED),
    50: () => resettable.cuts,
    148: () => Math.floor(life.rows / ROWS_PER_LINE_FEED),
    178: () => life.cuts,
  };
  return {
    addRow() {
      life.rows += 1;
      resettable.rows += 1;
    },
    addCut() {
      life.cuts += 1;
      resettable.cuts += 1;
    },
    command([fn, m, nL = 0, nH = 0]) {
      const number = nL + nH * 256;
      const read = value[number];
      if (!read || m !== 0) return undefined;
      if (fn === 0x32) return textBlock(String(read()));
      if (number === 20) resettable.rows = 0;
      else if (number === 50) resettable.cuts = 0;
      else return undefined;
      return new Uint8Array();
    },
  };
}
