import { createCanvas, type SKRSContext2D } from "@napi-rs/canvas";
import { digest } from "./ciphers.js";

export const PORTRAIT_WIDTH = 360;
export const PORTRAIT_HEIGHT = 480;

/** A face nobody has, the same each time for the same seed: shapes and colours follow from its hash. */
export function drawPortrait(seed: string): { jpeg(quality: number): Uint8Array; rgb(): Uint8Array } {
  const facts = digest("sha256", new TextEncoder().encode(seed));
  const canvas = createCanvas(PORTRAIT_WIDTH, PORTRAIT_HEIGHT);
  const pen = canvas.getContext("2d");
  draw(pen, (index, from, to) => from + ((facts[index] ?? 0) / 255) * (to - from));
  return {
    jpeg: (quality) => new Uint8Array(canvas.toBuffer("image/jpeg", quality)),
    rgb() {
      const { data } = pen.getImageData(0, 0, PORTRAIT_WIDTH, PORTRAIT_HEIGHT);
      return Uint8Array.from({ length: (data.length / 4) * 3 }, (_, at) => data[Math.floor(at / 3) * 4 + (at % 3)] ?? 0);
    },
  };
}

function draw(pen: SKRSContext2D, between: (index: number, from: number, to: number) => number): void {
  const oval = (x: number, y: number, rx: number, ry: number, colour: string): void => {
    pen.fillStyle = colour;
    pen.beginPath();
    pen.ellipse(x, y, rx, ry, 0, 0, 2 * Math.PI);
    pen.fill();
  };
  const skin = `hsl(${between(0, 18, 34)}, 45%, ${between(1, 58, 78)}%)`;
  const hair = `hsl(${between(2, 10, 40)}, 25%, ${between(3, 6, 26)}%)`;
  const wide = between(4, 82, 100);
  pen.fillStyle = "#eef3f8";
  pen.fillRect(0, 0, PORTRAIT_WIDTH, PORTRAIT_HEIGHT);
  oval(180, 500, 160, 120, `hsl(${between(5, 180, 260)}, 40%, 35%)`);
  oval(180, 205, wide + 24, between(6, 130, 165), hair);
  oval(180, 385, 42, 60, skin);
  oval(180, 235, wide, 122, skin);
  oval(180, 128, wide - 6, between(7, 24, 44), hair);
  for (const side of [-1, 1]) {
    const x = 180 + side * between(8, 34, 44);
    oval(x, 222, 17, 9, "#ffffff");
    oval(x, 222, 8, 8, "#241a14");
    pen.fillStyle = hair;
    pen.fillRect(x - 19, between(9, 192, 201), 38, 6);
  }
  pen.lineWidth = 5;
  pen.strokeStyle = "rgba(90, 40, 20, 0.55)";
  pen.beginPath();
  pen.moveTo(180, 228);
  pen.lineTo(180 - between(10, 8, 16), 268);
  pen.lineTo(186, 272);
  pen.stroke();
  pen.beginPath();
  pen.arc(180, 285, between(11, 26, 38), 0.2 * Math.PI, 0.8 * Math.PI);
  pen.stroke();
}
