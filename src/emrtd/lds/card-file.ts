import { readTlvs, type Tlv, TlvError, unwrapTlv } from "../../formats/tlv.js";
import { DeviceError } from "../../kernel/errors.js";

/** Runs a decoder of a chip's file; what is malformed becomes `card_error`. Names the file, never its content. */
export function decodeFile<T>(file: string, decode: () => T): T {
  try {
    return decode();
  } catch (thrown) {
    if (!(thrown instanceof TlvError)) throw thrown;
    throw new DeviceError("card_error", { message: `${file} of the card cannot be understood`, details: { file } });
  }
}

/** The data objects in an elementary file's one outer object. @throws TlvError */
export const objectsIn = (file: Uint8Array, tag: number): Tlv[] => readTlvs(unwrapTlv(file, tag));

/** UTF-8 where it is, else one character per byte; control characters become blanks; cut after `most` characters. */
export function boundedText(bytes: Uint8Array, most: number): string {
  const part = bytes.subarray(0, 4 * most);
  let text: string;
  try {
    text = new TextDecoder("utf-8", { fatal: true }).decode(part);
  } catch {
    text = new TextDecoder("latin1").decode(part);
  }
  return [...text.replaceAll(/\p{Cc}/gu, " ")].slice(0, most).join("");
}
