import { createCanvas } from "@napi-rs/canvas";
import { drawScene } from "./scene.js";

export interface Look {
  readonly dark: boolean;
  readonly blurred: boolean;
}

export interface Pictures {
  /** JPEG of picture `index` of the loop. Drawn once for each look and kept: a camera of 30 pictures a second costs little then. */
  jpeg(index: number, look: Look): Promise<Uint8Array>;
  png(index: number, look: Look): Promise<Uint8Array>;
  readonly loopFrames: number;
}

const LOOP_SECONDS = 5;
const JPEG_QUALITY = 70;

export function createPictures(size: { readonly widthPx: number; readonly heightPx: number; readonly framesPerSecond: number }): Pictures {
  const { widthPx, heightPx, framesPerSecond } = size;
  const loopFrames = LOOP_SECONDS * framesPerSecond;
  let drawnFor = "";
  let drawn: (Promise<Uint8Array> | undefined)[] = [];

  const draw = (index: number, { dark, blurred }: Look) => {
    const canvas = createCanvas(widthPx, heightPx);
    const context = canvas.getContext("2d");
    const filters = [...(blurred ? [`blur(${Math.round(heightPx / 60)}px)`] : []), ...(dark ? ["brightness(8%)"] : [])];
    if (filters.length === 0) drawScene(context, { ...size, loopFrames }, index);
    else {
      const sharp = createCanvas(widthPx, heightPx);
      drawScene(sharp.getContext("2d"), { ...size, loopFrames }, index);
      context.filter = filters.join(" ");
      context.drawImage(sharp, 0, 0);
    }
    return canvas;
  };

  return {
    loopFrames,
    jpeg(index, look) {
      const looks = JSON.stringify(look);
      if (looks !== drawnFor) drawn = [];
      drawnFor = looks;
      // Encoded in a thread of the pool: the simulator may live in the agent's process.
      drawn[index] ??= draw(index, look).encode("jpeg", JPEG_QUALITY);
      return drawn[index];
    },
    png: (index, look) => draw(index, look).encode("png"),
  };
}
