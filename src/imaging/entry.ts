import { serveChild } from "../child/serve.js";
import type { Bitmap, DrawableBlock, LayoutStyle } from "../contracts/imaging.js";
import { drawBlocks } from "./draw.js";
import { makePhoto } from "./photo.js";
import { encodePng } from "./png.js";

/** What crosses to the imaging child. */
export interface DrawRequest {
  readonly blocks: readonly DrawableBlock[];
  readonly style: LayoutStyle;
}

serveChild({
  draw: async (args, { signal }) => {
    const { blocks, style } = args as DrawRequest;
    return await drawBlocks(blocks, style, signal);
  },
  png: async (args) => await encodePng(args as Bitmap),
  photo: async (args, { signal }) => await makePhoto(args as Uint8Array, signal),
});
