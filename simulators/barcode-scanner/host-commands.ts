import { asciiBytes, concatBytes } from "../../src/kernel/bytes.js";

/** What the host may tell a scanner over the wire that the codes come from. */
export type HostCommand =
  | { readonly kind: "trigger"; readonly on: boolean; readonly answer?: Uint8Array }
  | { readonly kind: "menu"; readonly answer: Uint8Array }
  | { readonly kind: "unknown" };

const SYN = 0x16;
const CR = 0x0d;
const SOH = 0x01;
const STX = 0x02;
const ETX = 0x03;
const ENQ = 0x05;
const ACK = 0x06;
const TILDE = 0x7e;
/** Longer than any settings line: beyond it synchronisation is lost and the scanner starts afresh. */
const LONGEST = 512;

const text = (bytes: readonly number[]): string => String.fromCharCode(...bytes);
/** Three characters of tag, three of sub-tag, then data; several settings are separated by commas and semicolons. */
const wellFormed = (line: string): boolean => /^[A-Za-z0-9_]{6}[\x20-\x7e]*$/.test(line);

/** Honeywell: SYN T CR, SYN U CR; SYN M CR settings and `!` or `.`; the answer echoes them with the verdict before the last character. */
function honeywell(bytes: readonly number[]): HostCommand | "more" {
  const [, command, end] = bytes;
  if (command === undefined) return "more";
  if (command !== 0x54 && command !== 0x55 && command !== 0x4d) return { kind: "unknown" };
  if (end === undefined) return "more";
  if (end !== CR) return { kind: "unknown" };
  if (command !== 0x4d) return { kind: "trigger", on: command === 0x54 };
  const last = bytes.at(-1) ?? 0;
  if (bytes.length < 4 || (last !== 0x2e && last !== 0x21)) return "more";
  const line = text(bytes.slice(3, -1));
  return { kind: "menu", answer: concatBytes([asciiBytes(line), Uint8Array.of(wellFormed(line) ? ACK : ENQ, last)]) };
}

/** Newland: `~` SOH four digits, `@` or `#`, settings, `;` ETX; the answer begins with STX and has the verdict before the `;`. */
function newland(bytes: readonly number[]): HostCommand | "more" {
  if (bytes.length > 1 && bytes[1] !== SOH) return { kind: "unknown" };
  if (bytes.at(-1) !== ETX || bytes.at(-2) !== 0x3b) return "more";
  const [, address, storage, line] = /^([0-9A-F]{4})([@#])(.*)$/s.exec(text(bytes.slice(2, -2))) ?? [];
  if (address === undefined || storage === undefined || line === undefined) return { kind: "unknown" };
  const verdict = wellFormed(line) ? ACK : ENQ;
  const answer = concatBytes([Uint8Array.of(STX, SOH), asciiBytes(address + storage + line), Uint8Array.of(verdict, 0x3b, ETX)]);
  if (line === "SCNTRG1" || line === "SCNTRG0") return { kind: "trigger", on: line === "SCNTRG1", answer };
  return { kind: "menu", answer };
}

/** Reads the host's bytes in any chunking; never fails. */
export function createHostCommands(): (byte: number) => HostCommand | undefined {
  let gathered: number[] = [];
  return (byte) => {
    // SYN and `~` SOH occur in no settings line: they always begin anew.
    if (byte === SYN || (byte === TILDE && gathered[0] !== SYN)) gathered = [];
    gathered.push(byte);
    const first = gathered[0];
    const read = first === SYN ? honeywell(gathered) : first === TILDE ? newland(gathered) : ({ kind: "unknown" } as const);
    if (read === "more" && gathered.length < LONGEST) return undefined;
    gathered = [];
    return read === "more" ? { kind: "unknown" } : read;
  };
}
