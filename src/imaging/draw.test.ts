import { createCanvas } from "@napi-rs/canvas";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Bitmap, DrawableBlock } from "../contracts/imaging.js";
import { toHex } from "../kernel/bytes.js";
import { systemClock } from "../kernel/clock.js";
import { silentLog } from "../kernel/log.js";
import { drawBlocks } from "./draw.js";
import { createImaging } from "./imaging.js";
import { encodePng } from "./png.js";

const style = { widthDots: 576, fontDots: 24 };
const never = new AbortController().signal;
const draw = async (block: DrawableBlock): Promise<Bitmap> => (await drawBlocks([block], style, never))[0] as Bitmap;
const letter = async (text: string, bold = false): Promise<string> => toHex((await draw({ type: "text", text, bold })).bits);
const ink = ({ bits }: Bitmap): number => bits.reduce((sum, byte) => sum + byte.toString(2).replaceAll("0", "").length, 0);

describe("Vietnamese", () => {
  const tones = ["", "\u0300", "\u0309", "\u0303", "\u0301", "\u0323"];
  const small = [...[..."aăâeêioôơuưy"].flatMap((vowel) => tones.map((tone) => (vowel + tone).normalize("NFC"))), "đ"];

  it.each([false, true])("every letter has a form of its own, and none is the missing glyph (bold: %s)", async (bold) => {
    const missing = await letter("\u{10FFFD}", bold);
    const forms = new Map<string, string>();
    for (const one of [...small, ...small.map((of) => of.toUpperCase())]) {
      const form = await letter(one, bold);
      expect(form, one).not.toBe(missing);
      expect(forms.get(form), `${one} looks like ${forms.get(form)}`).toBeUndefined();
      forms.set(form, one);
    }
    expect(forms.size).toBe(146);
  });
  it("a decomposed letter is drawn as the composed one", async () => {
    expect(await letter("ệ".normalize("NFD"))).toBe(await letter("ệ"));
  });
});

describe("layout", () => {
  it("wraps, aligns and scales within the paper", async () => {
    const long = await draw({ type: "text", text: "một hai ba bốn năm ".repeat(10) });
    expect(long.widthDots).toBe(576);
    expect(long.heightDots).toBeGreaterThan((await draw({ type: "text", text: "một" })).heightDots * 2);
    expect((await draw({ type: "text", text: "một", size: 2 })).heightDots).toBeGreaterThan(long.heightDots / 4);
    expect(await letter("x")).not.toBe(toHex((await draw({ type: "text", text: "x", align: "right" })).bits));
    expect(ink(await draw({ type: "text", text: "x", invert: true }))).toBeGreaterThan(ink(await draw({ type: "text", text: "x" })) * 10);
  });
  it("any text of the schema's length is drawn, whatever is in it", async () => {
    await fc.assert(
      fc.asyncProperty(fc.string({ unit: "binary", maxLength: 200 }), async (text) => {
        const bitmap = await draw({ type: "text", text });
        expect(bitmap.bits.length).toBe((bitmap.widthDots / 8) * bitmap.heightDots);
      }),
      { numRuns: 60 },
    );
  });
  it("ends at four metres of paper", async () => {
    const blocks = Array.from({ length: 500 }, (): DrawableBlock => ({ type: "text", text: "dài\n".repeat(100) }));
    await expect(drawBlocks(blocks, style, never)).rejects.toMatchObject({ kind: "too_large" });
  });
});

describe("pictures are hostile", () => {
  const image = (bytes: Uint8Array, mediaType: "image/png" | "image/jpeg" = "image/png"): DrawableBlock => ({
    type: "image",
    mediaType,
    base64: Buffer.from(bytes).toString("base64"),
  });
  const grey = (): Buffer => {
    const canvas = createCanvas(64, 32);
    const context = canvas.getContext("2d");
    context.fillStyle = "#888";
    context.fillRect(0, 0, 64, 32);
    return canvas.toBuffer("image/png");
  };
  it("a grey area: nothing or all at a threshold, about half of it dithered", async () => {
    const plain = ink(await draw(image(grey())));
    expect([0, 64 * 32]).toContain(plain);
    const dithered = ink(await draw({ ...image(grey()), dither: true } as DrawableBlock));
    expect(dithered).toBeGreaterThan(600);
    expect(dithered).toBeLessThan(1_400);
  });
  it("a header that announces a huge picture is refused before anything is decoded", async () => {
    const png = grey();
    png.writeUInt32BE(60_000, 16);
    png.writeUInt32BE(60_000, 20);
    await expect(draw(image(png))).rejects.toMatchObject({ kind: expect.stringMatching(/too_large|invalid_params/) });
  });
  it("any bytes under any name end in a picture or a named error", async () => {
    const png = grey();
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 400 }), fc.nat(png.length), fc.boolean(), async (noise, keep, jpeg) => {
        const bytes = Buffer.concat([png.subarray(0, keep), noise]);
        try {
          await draw(image(bytes, jpeg ? "image/jpeg" : "image/png"));
        } catch (error) {
          expect(error).toMatchObject({ kind: expect.stringMatching(/^(invalid_params|too_large)$/) });
        }
      }),
      { numRuns: 100 },
    );
  });
  it("a barcode that cannot be is refused by its name", async () => {
    await expect(draw({ type: "barcode", symbology: "ean13", data: "12345" })).rejects.toMatchObject({ kind: "invalid_params" });
  });
});

it("the child draws as this process does, is replaced when it dies, and stops for good", async () => {
  const imaging = createImaging({ log: silentLog, clock: systemClock() });
  const block: DrawableBlock = { type: "text", text: "Trạm Công dân số" };
  try {
    const [drawn] = await imaging.draw([block], style, never);
    expect(drawn).toEqual(await draw(block));
    expect(Buffer.from(await imaging.png(await draw(block), never))).toEqual(Buffer.from(await encodePng(await draw(block))));
    process.kill(imaging.pid ?? 0, "SIGKILL");
    let again: readonly Bitmap[] | undefined;
    while (!again) again = await imaging.draw([block], style, never).catch(() => undefined);
    expect(again[0]).toEqual(drawn);
    // Killed in the middle, it costs the work nothing.
    const once = imaging.draw([block], style, never);
    process.kill(imaging.pid ?? 0, "SIGKILL");
    expect((await once)[0]).toEqual(drawn);
  } finally {
    await imaging.stop();
  }
  await expect(imaging.draw([block], style, never)).rejects.toMatchObject({ kind: expect.stringMatching(/shutting_down|internal/) });
});
