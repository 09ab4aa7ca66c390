import { gunzipSync } from "node:zlib";

/** Every shape in which a value might have slipped out, as bytes to look for. */
export function shapesOf(value: string): Map<string, Buffer> {
  const unaccented = value.normalize("NFD").replaceAll(/\p{M}/gu, "").replaceAll("đ", "d").replaceAll("Đ", "D");
  const shapes = new Map<string, Buffer>();
  for (const [form, text] of [
    ["NFC", value.normalize("NFC")],
    ["NFD", value.normalize("NFD")],
    ["unaccented", unaccented],
  ] as const) {
    const utf8 = Buffer.from(text, "utf8");
    const utf16 = Buffer.from(text, "utf16le");
    shapes.set(`${form} UTF-8`, utf8);
    shapes.set(`${form} UTF-16LE`, utf16);
    shapes.set(`${form} UTF-16BE`, Buffer.from(utf16).swap16());
    shapes.set(`${form} hex`, Buffer.from(utf8.toString("hex")));
    shapes.set(
      `${form} JSON escapes`,
      Buffer.from([...text].map((c) => (c < "\u0080" ? c : `\\u${c.charCodeAt(0).toString(16).padStart(4, "0")}`)).join("")),
    );
    shapes.set(`${form} percent`, Buffer.from(encodeURIComponent(text)));
    // Base64 shifts with what stands before: the inner part of each of the three alignments is the same everywhere.
    for (const shift of [0, 1, 2]) {
      const encoded = Buffer.concat([Buffer.alloc(shift), utf8])
        .toString("base64")
        .replaceAll("=", "");
      shapes.set(`${form} base64 +${shift}`, Buffer.from(encoded.slice(shift === 0 ? 0 : 4, -2)));
    }
  }
  return shapes;
}

/** The bytes themselves, and whatever gzip members are in them. */
function layers(bytes: Buffer): Buffer[] {
  const found = [bytes];
  for (let at = bytes.indexOf("\x1f\x8b\x08", 0, "latin1"); at >= 0; at = bytes.indexOf("\x1f\x8b\x08", at + 1, "latin1")) {
    try {
      found.push(gunzipSync(bytes.subarray(at)));
    } catch {
      // not a gzip member after all, or a torn one
    }
  }
  return found;
}

/** Names of the planted values, with their shape, that are in the bytes. */
export function leaks(bytes: Buffer, planted: Readonly<Record<string, string>>): string[] {
  const found = new Set<string>();
  for (const layer of layers(bytes)) {
    for (const [name, value] of Object.entries(planted)) {
      for (const [shape, wanted] of shapesOf(value)) if (layer.includes(wanted)) found.add(`${name} (${shape})`);
    }
  }
  return [...found];
}
