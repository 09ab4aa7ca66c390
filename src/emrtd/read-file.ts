import { readTlv, TlvError, tlv, tlvHeader } from "../formats/tlv.js";
import { concatBytes } from "../kernel/bytes.js";
import { type Answer, type Command, END_OF_FILE, NOT_ALLOWED, NOT_FOUND, OK, WRONG_LENGTH } from "./apdu.js";
import type { Channel } from "./channel.js";
import type { FileFacts } from "./files.js";
import { malformed } from "./status.js";

export type FileOutcome =
  | { readonly state: "read"; readonly bytes: Uint8Array }
  /** The chip has no such file, or keeps it from this reader. */
  | { readonly state: "absent" }
  /** `lost`: the session is over, too. */
  | { readonly state: "refused"; readonly sw: number; readonly lost: boolean };

export interface FileRead {
  /** Most bytes to ask for at once. */
  readonly le: number;
  /** SELECT by file identifier instead of READ BINARY by the short one. */
  readonly select: boolean;
  /** Called after each answer: bytes so far, bytes in all. */
  progress(bytes: number, total: number): void;
}

/** READ BINARY with B0 has 15 bits for the offset (ISO 7816-4 §11.3.3). */
const LAST_OFFSET = 0x7fff;
const OFFSET = 0x54;
const DISCRETIONARY_DATA = 0x53;
/** The header that READ BINARY with B1 puts before the data: 53 82 xx xx. */
const DISCRETIONARY_HEADER_BYTES = 4;

function readAt(offset: number, le: number): Command {
  if (offset <= LAST_OFFSET) return { cla: 0x00, ins: 0xb0, p1: offset >> 8, p2: offset & 0xff, le };
  const width = offset > 0xffff ? 3 : 2;
  const bytes = Uint8Array.from({ length: width }, (_, index) => (offset >> (8 * (width - 1 - index))) & 0xff);
  return { cla: 0x00, ins: 0xb1, p1: 0, p2: 0, data: tlv(OFFSET, bytes), le };
}

/** Bytes of the file in the answer to a read at `offset`. */
function bytesOf(answer: Answer, offset: number): Uint8Array {
  if (offset <= LAST_OFFSET || answer.data.length === 0) return answer.data;
  const object = inTlv(() => readTlv(answer.data));
  if (object?.tag !== DISCRETIONARY_DATA) throw malformed("answer to READ BINARY");
  return object.value;
}

const ok = (sw: number): boolean => sw === OK || sw === END_OF_FILE;
const absent = (sw: number): boolean => sw === NOT_FOUND || sw === NOT_ALLOWED;
/** Words about the length asked for, not about the file; some chips have no name for it (6F00). */
export const aboutLength = (sw: number): boolean => sw === 0 || sw === WRONG_LENGTH || sw >> 8 === 0x6c || sw === 0x6f00;

/**
 * Reads one file from its begin to the end that its header declares: the first READ BINARY names the file (by its short
 * identifier), probes the header and brings as much as one answer holds (ICAO 9303-10 §3.6.3).
 * @throws DeviceError `card_error` for contents that lie; what the channel throws
 */
export async function readFile(channel: Channel, file: FileFacts, read: FileRead): Promise<FileOutcome> {
  const refusal = ({ sw, lost }: Answer): FileOutcome => (absent(sw) && !lost ? { state: "absent" } : { state: "refused", sw, lost });
  if (read.select) {
    const data = Uint8Array.of(file.fid >> 8, file.fid & 0xff);
    const selected = await channel.send({ cla: 0x00, ins: 0xa4, p1: 0x02, p2: 0x0c, data });
    if (!ok(selected.sw)) return refusal(selected);
  }
  const first = await channel.send({ ...readAt(0, read.le), ...(read.select ? {} : { p1: 0x80 | file.sfi }) });
  if (!ok(first.sw)) return refusal(first);

  // Some bytes of header come with whatever length was asked for.
  const header = inTlv(() => tlvHeader(first.data));
  if (!header || header.tag !== file.tag) throw malformed(file.name);
  const total = header.end;
  if (total > file.maxBytes) throw malformed(`${file.name}: it declares more than such a file has`);

  const parts: Uint8Array[] = [first.data.subarray(0, total)];
  let offset = parts[0]?.length ?? 0;
  read.progress(offset, total);
  // A chip that hands out single bytes would keep the station for hours.
  const mostReads = 16 + Math.ceil(total / 32);
  for (let reads = 1; offset < total; reads++) {
    if (reads > mostReads) throw malformed(`${file.name}: it comes in crumbs`);
    // The object's header counts against what one answer holds.
    const overhead = offset > LAST_OFFSET ? DISCRETIONARY_HEADER_BYTES : 0;
    const wanted = Math.min(total - offset + overhead, read.le);
    const answer = await channel.send(readAt(offset, wanted));
    if (!ok(answer.sw)) return { state: "refused", sw: answer.sw, lost: answer.lost };
    const part = bytesOf(answer, offset).subarray(0, total - offset);
    if (part.length === 0) throw malformed(`${file.name}: it ends before its declared end`);
    parts.push(part);
    offset += part.length;
    read.progress(offset, total);
  }
  return { state: "read", bytes: concatBytes(parts) };
}

function inTlv<T>(decode: () => T): T | undefined {
  try {
    return decode();
  } catch (error) {
    if (error instanceof TlvError) return undefined;
    throw error;
  }
}
