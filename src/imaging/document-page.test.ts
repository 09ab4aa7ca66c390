import type { SKRSContext2D } from "@napi-rs/canvas";
import sharp from "sharp";
import { describe, expect, it } from "vitest";
import type { RawPage } from "../contracts/document-scanner.js";
import type { PreparedPage, PrepareOrder } from "../contracts/imaging.js";
import { asPage, asPnm, DPI, type Drawing, drawScan, text } from "./document-drawings.test.support.js";
import { preparePage } from "./document-page.js";

const never = new AbortController().signal;
const prepare = (page: RawPage, order: Partial<PrepareOrder> = {}): Promise<PreparedPage> =>
  preparePage(page, { mode: "color", deskew: true, cropToPage: false, ...order }, never);

async function pixel(bytes: Uint8Array, xMm: number, yMm: number): Promise<number[]> {
  const at = { left: Math.round((xMm * DPI) / 25.4), top: Math.round((yMm * DPI) / 25.4), width: 1, height: 1 };
  return [...(await sharp(bytes).extract(at).raw().toBuffer())];
}

/** Loose ends of a scan that say nothing. */
const dust = (context: SKRSContext2D): void => {
  for (let speck = 0; speck < 40; speck++) context.fillRect(10 + ((speck * 53) % 190), 10 + ((speck * 97) % 277), 0.4, 0.4);
};
const holes = (context: SKRSContext2D): void => {
  for (const y of [108.5, 188.5]) {
    context.beginPath();
    context.arc(12, y, 3, 0, 2 * Math.PI);
    context.fill();
  }
};
const shadow = (context: SKRSContext2D): void => {
  const shade = context.createLinearGradient(206, 0, 210, 0);
  shade.addColorStop(0, "#f8f8f4");
  shade.addColorStop(1, "#606060");
  context.fillStyle = shade;
  context.fillRect(206, 0, 4, 297);
};
const streak = (context: SKRSContext2D): void => context.fillRect(77, 0, 0.3, 297);

describe("straightening", () => {
  it.each([-4.7, -3.1, -1.6, -0.5, 0.3, 0.9, 2.4, 4.7])("a page that lies %d degrees askew", async (skewDegrees) => {
    const page = await prepare(asPage(drawScan({ skewDegrees, draw: text(), noise: 6 })));
    expect(Math.abs(page.skewDegrees + skewDegrees)).toBeLessThan(0.15);
    // And what comes out lies straight.
    const again = await prepare({ mediaType: "image/jpeg", bytes: page.bytes, resolutionDpi: DPI });
    expect(Math.abs(again.skewDegrees)).toBeLessThanOrEqual(0.15);
  });

  it("reads lines that stand, as of a page fed sideways, and few lines on a black lid", async () => {
    const sideways = (context: SKRSContext2D): void => {
      context.translate(160, 50);
      context.rotate(Math.PI / 2);
      text(20, { leftMm: 0, topMm: 0 })(context);
    };
    expect((await prepare(asPage(drawScan({ skewDegrees: 2, draw: sideways })))).skewDegrees).toBeCloseTo(-2, 0);
    const sheet = { leftMm: 30, topMm: 40, widthMm: 148, heightMm: 210 };
    const onBlack = drawScan({ lid: "#101010", sheet, skewDegrees: -2, draw: text(4, { leftMm: 15 }) });
    expect(Math.abs((await prepare(asPage(onBlack))).skewDegrees - 2)).toBeLessThan(0.15);
  });

  it("leaves alone what lies straight, what has no lines, and what nobody asked to turn", async () => {
    const circles = (context: SKRSContext2D): void => {
      for (let index = 0; index < 300; index++) {
        context.fillStyle = `hsla(${(index * 37) % 360},60%,${20 + (index % 60)}%,.4)`;
        context.beginPath();
        context.arc(10 + ((index * 53) % 190), 10 + ((index * 97) % 277), 5 + (index % 35), 0, 7);
        context.fill();
      }
    };
    const straight = drawScan({ draw: text() });
    for (const page of [
      asPage(straight),
      asPage(drawScan({ draw: circles, skewDegrees: 3 })),
      asPage(drawScan({ skewDegrees: 3, noise: 6 })),
    ]) {
      expect(await prepare(page)).toMatchObject({ skewDegrees: 0, widthPx: straight.width, heightPx: straight.height });
    }
    const askew = asPage(drawScan({ draw: text(), skewDegrees: 3 }));
    expect(await prepare(askew, { deskew: false })).toMatchObject({ skewDegrees: 0, widthPx: straight.width });
  });

  it("fills what was not scanned with the paper's colour, and loses no writing at the edges", async () => {
    const corners = (context: SKRSContext2D): void => {
      text()(context);
      context.fillStyle = "#c00000";
      // As close to the edge as writing gets.
      for (const [x, y] of [
        [7, 7],
        [188, 7],
        [7, 282],
        [188, 282],
      ] as const)
        context.fillRect(x, y, 15, 8);
    };
    // Laid on the glass askew about a corner: nothing is symmetrical to the middle.
    const canvas = drawScan({ paper: "#fdf3d8", lid: "#fdf3d8", skewDegrees: 0, draw: corners });
    const askew = { ...asPage(canvas), bytes: await sharp(asPage(canvas).bytes).rotate(-4, { background: "#fdf3d8" }).toBuffer() };
    const page = await prepare(askew);
    expect(Math.abs(page.skewDegrees - 4)).toBeLessThan(0.15);
    const whole = await sharp(page.bytes).raw().toBuffer({ resolveWithObject: true });
    let red = 0;
    for (let at = 0; at < whole.data.length; at += 3) if ((whole.data[at] ?? 0) > 130 && (whole.data[at + 1] ?? 255) < 70) red++;
    expect((red / (4 * 15 * 8)) * (25.4 / DPI) ** 2).toBeGreaterThan(0.94);
    const [r = 0, g = 0, b = 0] = await pixel(page.bytes, 1, 1);
    expect([Math.abs(r - 0xfd) < 6, Math.abs(g - 0xf3) < 6, Math.abs(b - 0xd8) < 6]).toEqual([true, true, true]);
  });
});

describe("a blank page", () => {
  it.each([
    ["nothing", () => {}],
    ["dust", dust],
    ["punch holes", holes],
    ["the shadow of an edge", shadow],
    ["the streak of a dirty feeder", streak],
    ["all of that", (context: SKRSContext2D) => [dust, holes, streak, shadow].forEach((part) => void part(context))],
  ])("has %s on it", async (_, draw) => {
    expect(await prepare(asPage(drawScan({ draw, noise: 8 })))).toMatchObject({ blank: true });
    const sheet = { leftMm: 20, topMm: 20, widthMm: 160, heightMm: 240 };
    expect(await prepare(asPage(drawScan({ lid: "#181818", sheet, skewDegrees: 1, noise: 8 })))).toMatchObject({ blank: true });
  });

  it("has only the shadow of a sheet that lies askew on it", async () => {
    const draw = (context: SKRSContext2D): void => {
      const shade = context.createLinearGradient(0, 0, 9, 0);
      shade.addColorStop(0, "#949492");
      shade.addColorStop(1, "#f8f8f4");
      context.fillStyle = shade;
      context.fillRect(0, 0, 9, 297);
    };
    expect(await prepare(asPage(drawScan({ draw, skewDegrees: -2.2, noise: 4 })))).toMatchObject({ blank: true, skewDegrees: 0 });
  });

  it.each([
    ["one faint line of pencil", text(1, { style: "#8c8c8c" })],
    [
      "three words of pencil",
      (context: SKRSContext2D) => {
        context.fillStyle = "#888888";
        context.font = "4px sans-serif";
        context.fillText("đã nhận đủ", 120, 250);
      },
    ],
    [
      "a page number and a rule",
      (context: SKRSContext2D) => {
        context.font = "4px sans-serif";
        context.fillText("– 17 –", 100, 285);
        context.fillRect(20, 20, 170, 0.3);
      },
    ],
    [
      "a stamp",
      (context: SKRSContext2D) => {
        context.strokeStyle = "#d06060";
        context.lineWidth = 0.8;
        context.beginPath();
        context.arc(150, 220, 17, 0, 7);
        context.stroke();
      },
    ],
    [
      "bright letters on black",
      (context: SKRSContext2D) => {
        context.fillStyle = "#101010";
        context.fillRect(0, 0, 210, 297);
        text(12, { style: "#f0f0f0", sizeMm: 6 })(context);
      },
    ],
  ])("has not %s on it", async (_, draw) => {
    expect(await prepare(asPage(drawScan({ draw, noise: 8 })))).toMatchObject({ blank: false });
  });
});

describe("the sheet on the glass", () => {
  const sheet = { leftMm: 2, topMm: 3, widthMm: 148, heightMm: 210 };
  const card = { leftMm: 60, topMm: 90, widthMm: 85.6, heightMm: 54 };
  const mm = (px: number): number => (px * 25.4) / DPI;

  it.each([
    ["a black lid", "#101010", sheet, 0],
    ["a black lid, askew", "#101010", { ...sheet, leftMm: 20, topMm: 30 }, 2.5],
    ["a white lid", "#e8e8e6", sheet, 0],
    ["a white lid, askew", "#e8e8e6", { ...sheet, leftMm: 20, topMm: 30 }, -3],
    ["a grey lid, and small", "#909090", card, 1.5],
  ])("is found on %s", async (_, lid, lies, skewDegrees) => {
    const draw = text(7, { leftMm: 8, topMm: 12, sizeMm: lies === card ? 1.7 : 3 });
    const page = await prepare(asPage(drawScan({ lid, sheet: lies, skewDegrees, draw, noise: 4 })), { cropToPage: true });
    expect(Math.abs(mm(page.widthPx) - lies.widthMm)).toBeLessThan(2.5);
    expect(Math.abs(mm(page.heightPx) - lies.heightMm)).toBeLessThan(2.5);
    // Paper right up to the corners.
    for (const [x, y] of [
      [1.5, 1.5],
      [mm(page.widthPx) - 1.5, mm(page.heightPx) - 1.5],
    ] as const) {
      expect(Math.min(...(await pixel(page.bytes, x, y)))).toBeGreaterThan(235);
    }
  });

  it("stays whole where nothing tells it from the lid, and where what looks like a lid has writing on it", async () => {
    const same = drawScan({ draw: text() });
    expect(await prepare(asPage(same), { cropToPage: true })).toMatchObject({ widthPx: same.width, heightPx: same.height });
    const shaded = drawScan({
      draw: (context) => {
        const shade = context.createRadialGradient(105, 148, 20, 105, 148, 180);
        shade.addColorStop(0, "#f8f8f4");
        shade.addColorStop(1, "#dcdcd8");
        context.fillStyle = shade;
        context.fillRect(0, 0, 210, 297);
        text()(context);
      },
      noise: 4,
    });
    expect(await prepare(asPage(shaded), { cropToPage: true })).toMatchObject({ widthPx: shaded.width, heightPx: shaded.height });
    const banner = drawScan({
      draw: (context) => {
        context.fillStyle = "#103a80";
        context.fillRect(0, 0, 210, 40);
        text(3, { style: "#ffffff", sizeMm: 8, leftMm: 10, topMm: 12 })(context);
        text(20, { topMm: 60 })(context);
      },
    });
    expect(await prepare(asPage(banner), { cropToPage: true })).toMatchObject({ heightPx: banner.height });
  });
});

describe("what is kept", () => {
  it("is the same of every kind of file, in the mode asked for", async () => {
    const canvas = drawScan({ draw: text(), skewDegrees: 1 });
    const tiff = await sharp(asPage(canvas).bytes).removeAlpha().tiff({ compression: "lzw" }).toBuffer();
    for (const page of [
      asPage(canvas),
      asPage(canvas, "image/jpeg"),
      asPnm(canvas, "P4"),
      asPnm(canvas, "P5"),
      asPnm(canvas, "P6"),
      { mediaType: "image/tiff", bytes: tiff, resolutionDpi: DPI } as const,
    ]) {
      for (const mode of ["color", "gray", "black_white"] as const) {
        const made = await prepare(page, { mode });
        expect(Math.abs(made.skewDegrees + 1)).toBeLessThan(0.15);
        expect(made).toMatchObject({ widthPx: canvas.width, heightPx: canvas.height, resolutionDpi: DPI, blank: false });
        expect(made.mediaType).toBe(mode === "black_white" ? "image/png" : "image/jpeg");
        const facts = await sharp(made.bytes).metadata();
        expect(facts).toMatchObject({ width: canvas.width, height: canvas.height, channels: mode === "color" ? 3 : 1, density: DPI });
        if (mode === "black_white") expect(made.bytes[24]).toBe(1);
        const [most] = (await sharp(made.bytes).stats()).channels;
        expect([(most?.mean ?? 0) > 200, (most?.min ?? 255) < 60]).toEqual([true, true]);
      }
    }
  });

  it("has its colours at full resolution where there are some, were it only a word", async () => {
    const word = (style: string) => (context: SKRSContext2D) => {
      text()(context);
      context.fillStyle = style;
      context.font = "3px sans-serif";
      context.fillText("ĐÃ THU", 150, 260);
    };
    const chroma = async (drawing: Drawing): Promise<string | undefined> => {
      const page = await prepare(asPage(drawScan(drawing), "image/jpeg"));
      return (await sharp(page.bytes).metadata()).chromaSubsampling;
    };
    expect(await chroma({ draw: word("#202020"), noise: 6, skewDegrees: 1 })).toBe("4:2:0");
    for (const style of ["#d02020", "#e0a0a0", "#2030b0"]) expect(await chroma({ draw: word(style), skewDegrees: 1 })).toBe("4:4:4");
  });

  it("holds nothing of the source's own metadata, and its thumbnail is small", async () => {
    const canvas = drawScan({ draw: text() });
    const bytes = await sharp(asPage(canvas).bytes)
      .jpeg()
      .withExif({ IFD0: { Copyright: "PLANTED" } })
      .toBuffer();
    expect(bytes.includes("PLANTED")).toBe(true);
    const page = await prepare({ mediaType: "image/jpeg", bytes, resolutionDpi: DPI });
    for (const made of [page.bytes, page.thumbnail]) {
      const facts = await sharp(made).metadata();
      expect([facts.exif !== undefined, facts.xmp !== undefined, facts.iptc !== undefined]).toEqual([false, false, false]);
      expect(Buffer.from(made).includes("PLANTED")).toBe(false);
    }
    const { width, height } = await sharp(page.thumbnail).metadata();
    expect([width <= 480, height === 480]).toEqual([true, true]);
  });

  it("a caller who has gone is not served", async () => {
    const order = { mode: "gray", deskew: true, cropToPage: false } as const;
    await expect(preparePage(asPage(drawScan({})), order, AbortSignal.abort(new RangeError("gone")))).rejects.toThrow("gone");
  });
});
