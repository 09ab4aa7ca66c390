import { createCanvas } from "@napi-rs/canvas";
import sharp from "sharp";
import { expect, it } from "vitest";
import { judgePicture, qualityOf } from "./document-picture.js";

/** A face-like picture of 1280 × 720 with edges and small things. */
function drawing(background = "#8090a0"): Buffer {
  const context = createCanvas(1_280, 720).getContext("2d");
  context.fillStyle = background;
  context.fillRect(0, 0, 1_280, 720);
  for (let index = 0; index < 300; index++) {
    context.fillStyle = index % 2 === 0 ? "#302018" : "#e0c8b0";
    context.fillRect((index * 97) % 1_260, (index * 53) % 700, 20, 14);
  }
  return context.canvas.toBuffer("image/jpeg", 90);
}

it("is measured: blurred, dark and bright ones show", async () => {
  const sharpOne = drawing();
  const { quality } = await judgePicture(sharpOne, {});
  const blurred = await judgePicture(await sharp(sharpOne).blur(12).jpeg().toBuffer(), {});
  expect(blurred.quality.sharpness * 10).toBeLessThan(quality.sharpness);
  const dark = await judgePicture(await sharp(sharpOne).linear(0.04, 0).jpeg().toBuffer(), {});
  expect([dark.quality.darkShare > 0.95, dark.quality.brightness < 16, quality.darkShare < 0.05]).toEqual([true, true, true]);
  const bright = await judgePicture(await sharp(sharpOne).linear(1, 200).jpeg().toBuffer(), {});
  expect([bright.quality.brightShare > 0.8, bright.quality.brightness > 230, quality.brightShare < 0.05]).toEqual([true, true, true]);
});

it("has exact figures", () => {
  expect(qualityOf(Uint8Array.from([0, 0, 0, 0, 255, 0, 0, 0, 240]), 3, 3)).toEqual({
    sharpness: 0, // one value has no variance
    brightness: 55,
    darkShare: 7 / 9,
    brightShare: 2 / 9,
  });
  // A board of black and white: the Laplacian is +1020 and −1020 in turn.
  const board = Uint8Array.from({ length: 64 }, (_, at) => ((at + Math.floor(at / 8)) % 2) * 255);
  expect(qualityOf(board, 8, 8)).toEqual({ sharpness: 1_020 ** 2, brightness: 127.5, darkShare: 0.5, brightShare: 0.5 });
  expect(qualityOf(Uint8Array.of(7), 1, 1).sharpness).toBe(0);
});

it("is passed on byte by byte where it fits its box, and made smaller where it does not, never larger", async () => {
  const jpeg = drawing();
  expect((await judgePicture(jpeg, { maxWidthPx: 1_280, maxHeightPx: 4_000 })).bytes).toBe(jpeg);
  expect((await judgePicture(jpeg, {})).bytes).toBe(jpeg);
  for (const [box, width, height] of [
    [{ maxWidthPx: 640 }, 640, 360],
    [{ maxHeightPx: 180 }, 320, 180],
    [{ maxWidthPx: 640, maxHeightPx: 180 }, 320, 180],
  ] as const) {
    const { bytes, widthPx, heightPx } = await judgePicture(jpeg, box);
    expect([widthPx, heightPx]).toEqual([width, height]);
    expect(await sharp(bytes).metadata()).toMatchObject({ format: "jpeg", width, height });
  }
});

it("that is cut off, damaged or none is refused", async () => {
  const jpeg = drawing();
  const holed = Buffer.concat([jpeg.subarray(0, 20_000), jpeg.subarray(40_000)]);
  for (const bytes of [jpeg.subarray(0, 30_000), holed.subarray(0, -2), new Uint8Array(), await sharp(jpeg).png().toBuffer()]) {
    await expect(judgePicture(bytes, { maxWidthPx: 320 })).rejects.toMatchObject({ kind: "device_fault" });
  }
});
