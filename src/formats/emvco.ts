import assert from "node:assert/strict";
import { crc16CcittFalse } from "./crc16.js";

/** One data object of a QR code: two digits of id, two digits of length, value. */
export interface EmvcoObject {
  /** Two digits. */
  readonly id: string;
  readonly value: string;
}

export type EmvcoResult =
  | { readonly ok: true; readonly objects: readonly EmvcoObject[] }
  | { readonly ok: false; readonly reason: "too_long" | "malformed" | "duplicate" | "no_format_indicator" | "no_crc" | "wrong_crc" };

/** EMV QRCPS merchant-presented mode §3.4: the payload has at most 512 characters. */
const LIMIT_CHARACTERS = 512;

/**
 * The data objects of one level. Lengths count characters (§3.3.1), so the text is walked by code points.
 * An id that stands twice is refused: two readers could take different ones of the two.
 */
export function parseEmvcoObjects(text: string): EmvcoResult {
  if (text.length > 2 * LIMIT_CHARACTERS) return { ok: false, reason: "too_long" };
  const characters = Array.from(text);
  if (characters.length > LIMIT_CHARACTERS) return { ok: false, reason: "too_long" };
  const objects: EmvcoObject[] = [];
  const seen = new Set<string>();
  let offset = 0;
  while (offset < characters.length) {
    const head = characters.slice(offset, offset + 4).join("");
    if (!/^\d{4}$/.test(head)) return { ok: false, reason: "malformed" };
    const id = head.slice(0, 2);
    const length = Number(head.slice(2));
    offset += 4;
    // "00" is no length: a value has 1 to 99 characters (§3.3.1).
    if (length === 0 || offset + length > characters.length) return { ok: false, reason: "malformed" };
    if (seen.has(id)) return { ok: false, reason: "duplicate" };
    seen.add(id);
    objects.push({ id, value: characters.slice(offset, offset + length).join("") });
    offset += length;
  }
  return { ok: true, objects };
}

/**
 * A whole merchant-presented payload: format indicator `000201` first, checksum `63` last (§4.7.2, §4.7.3).
 * The checksum covers everything up to and including its own id and length.
 */
export function parseEmvcoPayload(text: string): EmvcoResult {
  const parsed = parseEmvcoObjects(text);
  if (!parsed.ok) return parsed;
  const first = parsed.objects[0];
  if (first?.id !== "00" || first.value !== "01") return { ok: false, reason: "no_format_indicator" };
  const last = parsed.objects.at(-1);
  if (last?.id !== "63" || !/^[0-9A-Fa-f]{4}$/.test(last.value)) return { ok: false, reason: "no_crc" };
  const covered = new TextEncoder().encode(text.slice(0, -4));
  if (crc16CcittFalse(covered) !== Number.parseInt(last.value, 16)) return { ok: false, reason: "wrong_crc" };
  return parsed;
}

/** @throws AssertionError where a value is empty or has more than 99 characters (§3.3.1): no payload of ours has one */
export function writeEmvcoObjects(objects: readonly EmvcoObject[]): string {
  return objects
    .map(({ id, value }) => {
      const { length } = Array.from(value);
      assert(length >= 1 && length <= 99, `the value of ${id} has ${length} characters`);
      return `${id}${String(length).padStart(2, "0")}${value}`;
    })
    .join("");
}

/** A whole payload, format indicator and checksum included (§4.7.2, §4.7.3). */
export function writeEmvcoPayload(objects: readonly EmvcoObject[]): string {
  const covered = `${writeEmvcoObjects([{ id: "00", value: "01" }, ...objects])}6304`;
  const checksum = crc16CcittFalse(new TextEncoder().encode(covered));
  return covered + checksum.toString(16).toUpperCase().padStart(4, "0");
}

/** The value of an id, or undefined. */
export function emvcoValue(objects: readonly EmvcoObject[], id: string): string | undefined {
  return objects.find((object) => object.id === id)?.value;
}
