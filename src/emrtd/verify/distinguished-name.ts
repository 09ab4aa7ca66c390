import { readTlvs } from "../../formats/tlv.js";
import { toHex } from "../../kernel/bytes.js";
import { elements, expect, oidText, TAG } from "./der.js";

export interface DistinguishedName {
  /** Two names with the same key are the same: case, blanks and the kind of string do not count (RFC 5280 §7.1). */
  readonly key: string;
  /** "C=VN, O=…, CN=…", fit for a terminal. */
  readonly text: string;
  /** Two small letters, where the name says so; the first of several. */
  readonly country: string | undefined;
}

const SHORT: Readonly<Record<string, string>> = {
  "2.5.4.3": "CN",
  "2.5.4.5": "serialNumber",
  "2.5.4.6": "C",
  "2.5.4.7": "L",
  "2.5.4.8": "ST",
  "2.5.4.10": "O",
  "2.5.4.11": "OU",
  "1.2.840.113549.1.9.1": "email",
};
const COUNTRY = "2.5.4.6=";
const ATTRIBUTES = 32;
const TEXT_CHARACTERS = 256;

const CHARSETS: Readonly<Record<number, string>> = { 12: "utf-8", 18: "latin1", 19: "latin1", 20: "latin1", 22: "latin1", 26: "latin1" };
const BMP_STRING = 0x1e;

function stringOf(tag: number, value: Uint8Array): string {
  if (tag === BMP_STRING) {
    let text = "";
    for (let at = 0; at + 1 < value.length; at += 2) text += String.fromCharCode((value[at] ?? 0) * 256 + (value[at + 1] ?? 0));
    return text;
  }
  const charset = CHARSETS[tag];
  return charset === undefined ? `#${toHex(value)}` : new TextDecoder(charset).decode(value);
}

/** A Name's value: SEQUENCE OF SET OF SEQUENCE { type, value } (RFC 5280 §4.1.2.4). @throws TlvError */
export function distinguishedName(value: Uint8Array): DistinguishedName {
  const keys: string[] = [];
  const texts: string[] = [];
  for (const relative of elements(value, ATTRIBUTES)) {
    for (const attribute of elements(expect(relative, TAG.set).value, ATTRIBUTES)) {
      const [type, content] = readTlvs(expect(attribute, TAG.sequence).value);
      if (!type || !content) continue;
      const oid = oidText(expect(type, TAG.oid).value);
      const text = stringOf(content.tag, content.value.subarray(0, 4 * TEXT_CHARACTERS));
      keys.push(`${oid}=${text.normalize("NFKC").toLowerCase().trim().replaceAll(/\s+/g, " ")}`);
      // Control characters of a hostile name must not reach a technician's terminal.
      texts.push(`${SHORT[oid] ?? oid}=${text.replaceAll(/\p{C}/gu, "?").slice(0, TEXT_CHARACTERS)}`);
    }
  }
  const country = keys.find((key) => key.startsWith(COUNTRY))?.slice(COUNTRY.length);
  return { key: keys.join("\0"), text: texts.join(", "), country };
}
