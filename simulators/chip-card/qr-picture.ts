import { createCanvas } from "@napi-rs/canvas";
import { encode } from "uqr";

const DOTS_PER_MODULE = 6;
const QUIET_MODULES = 4;

/** A picture that a scanner or a camera can read. */
export async function qrPicture(text: string): Promise<Uint8Array> {
  const { data, size } = encode(text, { border: QUIET_MODULES });
  const canvas = createCanvas(size * DOTS_PER_MODULE, size * DOTS_PER_MODULE);
  const pen = canvas.getContext("2d");
  pen.fillStyle = "#ffffff";
  pen.fillRect(0, 0, canvas.width, canvas.height);
  pen.fillStyle = "#000000";
  for (const [row, modules] of data.entries()) {
    for (const [column, dark] of modules.entries()) {
      if (dark) pen.fillRect(column * DOTS_PER_MODULE, row * DOTS_PER_MODULE, DOTS_PER_MODULE, DOTS_PER_MODULE);
    }
  }
  return new Uint8Array(canvas.toBuffer("image/png"));
}
