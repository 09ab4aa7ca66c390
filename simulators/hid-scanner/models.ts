import { fromHex } from "../../src/kernel/bytes.js";

/**
 * What scanners say of themselves, and how they then report. The reports are laid out here by hand from the makers' tables,
 * not by reading the descriptors: that is the driver's reading.
 */
export interface Model {
  readonly descriptor: Uint8Array;
  /** Most bytes of a code in one report. */
  readonly room: number;
  report(part: Uint8Array, aim: string, more: boolean): Uint8Array;
  /** Report with a byte count that is beyond its room; undefined where there is none. */
  miscounted?(part: Uint8Array): Uint8Array;
  /** Output reports, as hidraw takes them. */
  readonly trigger?: { readonly on: string; readonly off: string };
  /** Feature report that sends codes to this interface and not to the keyboard's. */
  readonly redirect?: string;
}

const latin1 = (text: string): Uint8Array => Uint8Array.from(text, (character) => character.charCodeAt(0));

/** Honeywell's 64 bytes: number 2, count, AIM identifier, 56 of data, Honeywell's own code letter, 0, and in the last bit 0 "continued". */
function honeywellReport(part: Uint8Array, aim: string, more: boolean, count = part.length): Uint8Array {
  const report = new Uint8Array(64);
  report.set([2, count]);
  report.set(latin1(aim), 2);
  report.set(part, 5);
  report[61] = 0x73;
  report[63] = more ? 1 : 0;
  return report;
}
const honeywellCodes = {
  room: 56,
  report: (part: Uint8Array, aim: string, more: boolean) => honeywellReport(part, aim, more),
  miscounted: (part: Uint8Array) => honeywellReport(part, "]Q1", false, 200),
};

/** Scanned data report, as all Honeywell scanners below describe it; `code` is the usage of the code letter. */
const scannedData = (code: string, buffered: string): string => `
  09 12 a1 02  85 02 15 00 26 ff 00 75 08 95 01 05 01 09 3b 81 02
  95 03 05 8c 09 fb 09 fc 09 fd 81 02  95 38 09 fe 82 ${buffered}
  06 66 ff 95 02 09 ${code} 09 00 81 02  05 8c 25 01 75 01 95 08 09 ff 81 02  c0`;
const serialData = "09 01 a1 02 85 fd 95 01 09 21 91 02 95 3e 09 22 92 82 01 c0";

/**
 * A device's own bytes, as read from Honeywell (Hand Held Products) 2D scanners: reports 2, 4, 253 and feature 254, which
 * redirects output. The maker's manual has the same trigger: 04 04 starts, 04 02 stops.
 */
const honeywell: Model = {
  descriptor: fromHex(`05 8c 09 02 a1 01 ${scannedData("04", "02 01")}
    09 14 a1 02 85 04 15 00 25 01 75 01 95 08 09 00 09 5f 09 60 09 00 09 00 09 85 09 86 91 86 c0
    06 66 ff 75 08 26 ff 00 09 03 a1 02 85 fe 95 01 09 03 b2 82 01 c0 ${serialData} c0`),
  ...honeywellCodes,
  trigger: { on: "0404", off: "0402" },
  redirect: "fe01",
};

/** A device's own bytes: an earlier one of the same house, with the trigger one bit lower and a raw channel as report 240. */
const honeywellEarly: Model = {
  descriptor: fromHex(`05 8c 09 02 a1 01 ${scannedData("00", "02 02")}
    09 14 a1 02 85 04 15 00 25 01 75 01 95 08 09 5f 09 60 09 85 09 86 91 86 c0
    06 ff ff 09 01 a1 02 85 f0 15 00 26 ff 00 75 08 95 3f 09 02 82 02 02 95 3f 09 03 92 02 02 c0 c0`),
  ...honeywellCodes,
  trigger: { on: "0402", off: "0401" },
};

/**
 * As the maker of scanner chips JieLi publishes it with its firmware, from which scanners of many names are built:
 * Honeywell's, with "power on reset" as the lowest bit of the trigger.
 */
const jieli: Model = {
  descriptor: fromHex(`05 8c 09 02 a1 01 ${scannedData("04", "02 01")}
    09 14 a1 02 85 04 15 00 25 01 75 01 95 08 09 5e 09 5f 09 60 09 00 09 00 09 85 09 86 91 86 c0
    06 66 ff 75 08 26 ff 00 09 03 a1 02 85 fe 95 01 09 03 b2 82 01 c0 ${serialData} c0`),
  ...honeywellCodes,
  trigger: { on: "0404", off: "0402" },
};

/** A device's own bytes: Honeywell's third interface, whose collection is on a page of the maker while its fields are not. */
const honeywellRemote: Model = {
  descriptor: fromHex(`06 8c ff 09 02 a1 01 ${scannedData("04", "02 01")} 06 66 ff 75 08 26 ff 00 ${serialData} c0`),
  ...honeywellCodes,
};

/**
 * Newland FM420 and FM430: constructed from the table of their integration guide, which prints no descriptor. 2 count, 2–57
 * data, 58–61 reserved, 62 Newland's own letter for the symbology, 63 bit 0 continued; commands as report 4.
 */
const newland: Model = {
  descriptor: fromHex(`05 8c 09 02 a1 01 09 12 a1 02 85 02 15 00 26 ff 00 75 08 95 01 05 01 09 3b 81 02
    05 8c 95 38 09 fe 82 02 01 95 04 81 03 06 00 ff 95 01 09 01 81 02 05 8c 25 01 75 01 95 01 09 ff 81 02 95 07 81 03 c0
    06 00 ff 09 02 a1 02 85 04 26 ff 00 75 08 95 01 09 02 91 02 95 3e 09 03 92 02 01 c0 c0`),
  room: 56,
  report: (part, _aim, more) => newlandReport(part, more),
  miscounted: (part) => newlandReport(part, false, 57),
};
function newlandReport(part: Uint8Array, more: boolean, count = part.length): Uint8Array {
  const report = new Uint8Array(64);
  report.set([2, count]);
  report.set(part, 2);
  report[62] = 0x73;
  report[63] = more ? 1 : 0;
  return report;
}

/**
 * Constructed from the specification, for what Zebra and Datalogic leave open by publishing nothing: no report numbers, no
 * count, the flag first, data in the middle, the identifier as a range of usages at the end; a trigger with start before stop.
 */
const uncounted: Model = {
  descriptor: fromHex(`05 8c 09 02 a1 01 15 00 25 01 75 01 95 01 09 ff 81 02 95 07 81 03
    26 ff 00 75 08 95 1c 09 fe 82 02 01 95 03 19 fb 29 fd 81 02 25 01 75 01 95 02 09 60 09 5f 91 02 95 06 91 03 c0`),
  room: 28,
  report(part, aim, more) {
    const report = new Uint8Array(32);
    report[0] = more ? 1 : 0;
    report.set(part, 1);
    report.set(latin1(aim), 29);
    return report;
  },
  trigger: { on: "0001", off: "0002" },
};

export const MODELS = {
  honeywell,
  "honeywell-early": honeywellEarly,
  "honeywell-remote": honeywellRemote,
  jieli,
  newland,
  uncounted,
} as const satisfies Readonly<Record<string, Model>>;

const keyboard = (padding: string): Uint8Array =>
  fromHex(`05 01 09 06 a1 01 05 07 19 e0 29 e7 15 00 25 01 75 01 95 08 81 02 95 01 75 08 81 ${padding}
  95 05 75 01 05 08 19 01 29 05 91 02 95 01 75 03 91 ${padding} 95 06 75 08 15 00 26 ff 00 05 07 19 00 2a ff 00 81 00 c0`);

/** A device's own bytes: a Datalogic Gryphon GD4400 as it is shipped, a keyboard. */
export const KEYBOARD_DESCRIPTOR = keyboard("01");

/** A device's own bytes: the first interface of a Honeywell that is keyboard and HID POS in one. */
export const HONEYWELL_KEYBOARD_DESCRIPTOR = keyboard("03");
