/** Dotted form of an object identifier's value (ITU-T X.690 §8.19); undefined where it is none, or longer than any of this field. */
export function decodeOid(value: Uint8Array): string | undefined {
  if (value.length === 0 || value.length > 64) return undefined;
  const arcs: number[] = [];
  let arc = 0;
  let pending = false;
  for (const byte of value) {
    arc = arc * 128 + (byte & 0x7f);
    if (arc > Number.MAX_SAFE_INTEGER / 128) return undefined;
    pending = (byte & 0x80) !== 0;
    if (pending) continue;
    if (arcs.length === 0) {
      const first = Math.min(2, Math.floor(arc / 40));
      arcs.push(first, arc - first * 40);
    } else arcs.push(arc);
    arc = 0;
  }
  return pending ? undefined : arcs.join(".");
}

/** Value of an object identifier, without tag and length. */
export function encodeOid(oid: string): Uint8Array {
  const [first = 0, second = 0, ...others] = oid.split(".").map(Number);
  const bytes: number[] = [];
  for (const arc of [first * 40 + second, ...others]) {
    const septets = [arc & 0x7f];
    for (let left = Math.floor(arc / 128); left > 0; left = Math.floor(left / 128)) septets.unshift((left % 128) | 0x80);
    bytes.push(...septets);
  }
  return Uint8Array.from(bytes);
}
