/** What can be wrong with a picture on its way. */
export type Damage = "cut" | "no_end" | "garbage" | "wrong_length";

/**
 * One picture as a body part (RFC 2046 §5.1.1) with its length, as ffmpeg's mpjpeg muxer writes it: the delimiter of the next
 * part follows a picture at once, so that nobody waits for the next picture to know that this one is whole.
 */
export function bodyPart(jpeg: Uint8Array, boundary: string, damage?: Damage): Uint8Array {
  const told = damage === "wrong_length" ? jpeg.length + 1_000 : jpeg.length;
  const head = `Content-type: image/jpeg\r\nContent-length: ${told}\r\n\r\n`;
  return Buffer.concat([Buffer.from(head, "latin1"), damaged(jpeg, damage), delimiter(boundary, "\r\n")]);
}

export function delimiter(boundary: string, before = ""): Uint8Array {
  return Buffer.from(`${before}--${boundary}\r\n`, "latin1");
}

function damaged(jpeg: Uint8Array, damage: Damage | undefined): Uint8Array {
  if (damage === "cut") return jpeg.subarray(0, jpeg.length >> 1);
  if (damage === "no_end") return Buffer.concat([jpeg.subarray(0, jpeg.length - 2), Uint8Array.of(1, 2)]);
  if (damage === "garbage") return new Uint8Array(jpeg.length).fill(0x55);
  return jpeg;
}
