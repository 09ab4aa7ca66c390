import type { Describe } from "../../../contracts/driver.js";
import { createReplySorter, type Reply } from "./replies.js";
import { signsOfAutoStatus, type signsOfStatus } from "./status.js";

const DLE = 0x10;
const ESC = 0x1b;
const GS = 0x1d;

/** A command: its name, and how long it is once this much of it is known; undefined while more is needed to tell. */
interface Command {
  readonly name: string;
  length(bytes: Uint8Array): number | undefined;
}
const fixed = (name: string, length: number): Command => ({ name, length: () => length });
/** `at`: where the two bytes stand that tell how much follows them, low byte first. */
const counted = (name: string, at: number): Command => ({
  name,
  length: (bytes) => (bytes.length < at + 2 ? undefined : at + 2 + (bytes[at] ?? 0) + 256 * (bytes[at + 1] ?? 0)),
});

/** By their first bytes. What is not in here is told as bytes. */
const COMMANDS: ReadonlyMap<number, ReadonlyMap<number, Command>> = new Map([
  [
    DLE,
    new Map([
      [0x04, fixed("DLE EOT: how are you", 3)],
      [0x05, fixed("DLE ENQ: go on after the error", 3)],
      [0x14, fixed("DLE DC4", 5)],
    ]),
  ],
  [
    ESC,
    new Map([
      [0x40, fixed("ESC @: as after power-on", 2)],
      [0x21, fixed("ESC !: style", 3)],
      [0x2d, fixed("ESC -: underline", 3)],
      [0x33, fixed("ESC 3: line spacing", 3)],
      [0x32, fixed("ESC 2: line spacing", 2)],
      [0x45, fixed("ESC E: bold", 3)],
      [0x47, fixed("ESC G: double strike", 3)],
      [0x4a, fixed("ESC J: feed dots", 3)],
      [0x4d, fixed("ESC M: font", 3)],
      [0x61, fixed("ESC a: alignment", 3)],
      [0x64, fixed("ESC d: feed lines", 3)],
      [0x70, fixed("ESC p: drawer", 5)],
      [0x74, fixed("ESC t: code page", 3)],
    ]),
  ],
  [
    GS,
    new Map<number, Command>([
      [0x21, fixed("GS !: size", 3)],
      [0x28, counted("GS (: function", 3)],
      [0x48, fixed("GS H: text of barcodes", 3)],
      [0x49, fixed("GS I: who are you", 3)],
      [0x56, { name: "GS V: cut", length: (bytes) => (bytes[2] === undefined ? undefined : bytes[2] >= 65 ? 4 : 3) }],
      [0x61, fixed("GS a: tell what changes", 3)],
      [0x67, fixed("GS g: counter", 6)],
      [0x68, fixed("GS h: height of barcodes", 3)],
      [0x6b, { name: "GS k: barcode", length: (bytes) => (bytes[3] === undefined ? undefined : 4 + bytes[3]) }],
      [0x72, fixed("GS r: answer in turn", 3)],
      [0x77, fixed("GS w: width of barcodes", 3)],
      [0x76, { name: "GS v 0: raster", length: (bytes) => rasterLength(bytes) }],
    ]),
  ],
]);

function rasterLength(bytes: Uint8Array): number | undefined {
  if (bytes.length < 8) return undefined;
  const at = (index: number): number => (bytes[index] ?? 0) + 256 * (bytes[index + 1] ?? 0);
  return 8 + at(4) * at(6);
}

/** So much of a command is kept to tell its length by. */
const MOST_HEAD_BYTES = 8;

/** Names of commands and their lengths; of texts and pictures, their lengths only. */
function commands(): (bytes: Uint8Array) => string[] {
  let head: number[] = [];
  /** Bytes of the command under way that are still to come. */
  let leftBytes = 0;
  return (bytes) => {
    const words: string[] = [];
    let plainBytes = 0;
    const flush = (): void => {
      if (plainBytes > 0) words.push(`${plainBytes} bytes of text or nothing`);
      plainBytes = 0;
    };
    for (let index = 0; index < bytes.length; index++) {
      if (leftBytes > 0) {
        const skipped = Math.min(leftBytes, bytes.length - index);
        leftBytes -= skipped;
        index += skipped - 1;
        continue;
      }
      const byte = bytes[index] ?? 0;
      if (head.length === 0 && !COMMANDS.has(byte)) {
        plainBytes += 1;
        continue;
      }
      head.push(byte);
      if (head.length === 1) continue;
      const known = COMMANDS.get(head[0] ?? 0)?.get(head[1] ?? 0);
      const length = known?.length(Uint8Array.from(head));
      if (known && length === undefined && head.length < MOST_HEAD_BYTES) continue;
      if (known && length !== undefined) {
        flush();
        words.push(length > MOST_HEAD_BYTES ? `${known.name}, ${length} bytes` : known.name);
        leftBytes = Math.max(0, length - head.length);
      } else plainBytes += head.length;
      head = [];
    }
    flush();
    return words.filter((word, index) => word !== words[index - 1]);
  };
}

function saidOf(reply: Reply): string {
  switch (reply.type) {
    case "process_id":
      return "printed so far: the letters asked for";
    case "text":
      return `answers with ${reply.text.length} letters`;
    case "status":
      return `status byte ${hex(reply.byte)}`;
    case "auto_status":
      return `tells ${signsText(signsOfAutoStatus(reply.bytes))}`;
    case "byte":
      return `answers in turn ${hex(reply.byte)}`;
    case "flow":
      return reply.on ? "XON: takes data" : "XOFF: takes no data";
  }
}

const hex = (byte: number): string => byte.toString(16).padStart(2, "0");

function signsText(signs: ReturnType<typeof signsOfStatus>): string {
  const set = Object.entries(signs).flatMap(([name, on]) => (on && name !== "drawerHigh" ? [name] : []));
  return set.length === 0 ? "all is well" : set.join(", ");
}

export function describe(): Describe {
  const sent = commands();
  const sorter = createReplySorter();
  return ({ from, bytes }) => (from === "agent" ? sent(bytes) : sorter.push(bytes).map(saidOf));
}
