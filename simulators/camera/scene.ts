import type { SKRSContext2D } from "@napi-rs/canvas";

export interface Scene {
  readonly widthPx: number;
  readonly heightPx: number;
  /** Pictures in the loop, and how many make a second. */
  readonly loopFrames: number;
  readonly framesPerSecond: number;
}

/** Draws picture `index` of the loop: a wall with a ball that wanders, an invented face that blinks, a clock and the number. */
export function drawScene(context: SKRSContext2D, { widthPx, heightPx, loopFrames, framesPerSecond }: Scene, index: number): void {
  const unit = heightPx / 720;
  const phase = (2 * Math.PI * index) / loopFrames;
  const wall = context.createLinearGradient(0, 0, widthPx, heightPx);
  wall.addColorStop(0, "#9fb4c4");
  wall.addColorStop(1, "#5d7486");
  context.fillStyle = wall;
  context.fillRect(0, 0, widthPx, heightPx);
  // Fine lines, so that a blurred picture can be told from a sharp one.
  context.fillStyle = "#ffffff30";
  for (let x = 0; x < widthPx; x += 24 * unit) context.fillRect(x, 0, 2 * unit, heightPx);
  context.fillStyle = "#d98c3f";
  circle(context, widthPx * (0.5 + 0.42 * Math.cos(phase)), heightPx * (0.5 + 0.35 * Math.sin(phase)), 40 * unit);
  context.save();
  context.translate(widthPx / 2 + 6 * unit * Math.sin(phase), heightPx / 2);
  context.scale(unit, unit);
  drawFace(context, index % framesPerSecond < Math.ceil(framesPerSecond / 10) && index >= framesPerSecond);
  context.restore();

  const seconds = index / framesPerSecond;
  context.fillStyle = "#000000b0";
  context.fillRect(0, heightPx - 64 * unit, widthPx, 64 * unit);
  context.fillStyle = "#ffffff";
  context.font = `${Math.round(40 * unit)}px sans-serif`;
  context.textBaseline = "middle";
  context.fillText(`00:${seconds.toFixed(2).padStart(5, "0")}   #${String(index).padStart(4, "0")}`, 24 * unit, heightPx - 32 * unit);
}

function circle(context: SKRSContext2D, x: number, y: number, radius: number): void {
  context.beginPath();
  context.arc(x, y, radius, 0, 2 * Math.PI);
  context.fill();
}

function ellipse(context: SKRSContext2D, x: number, y: number, rx: number, ry: number, colour: string): void {
  context.fillStyle = colour;
  context.beginPath();
  context.ellipse(x, y, rx, ry, 0, 0, 2 * Math.PI);
  context.fill();
}

/** Nobody's: shoulders, neck, hair and a face of ovals, 500 units high. */
function drawFace(context: SKRSContext2D, blink: boolean): void {
  ellipse(context, 0, 330, 230, 150, "#2f4a6d");
  ellipse(context, 0, 190, 62, 80, "#d9a883");
  ellipse(context, 0, -45, 150, 185, "#221b18");
  ellipse(context, 0, 10, 128, 165, "#e8bc98");
  ellipse(context, 0, -125, 125, 60, "#221b18");
  for (const side of [-1, 1]) {
    ellipse(context, side * 128, 20, 18, 34, "#dcae89");
    ellipse(context, side * 52, -42, 34, 6, "#33271f");
    ellipse(context, side * 52, -10, 26, blink ? 2 : 14, blink ? "#8a6249" : "#ffffff");
    if (!blink) ellipse(context, side * 52, -10, 12, 12, "#2b1c12");
  }
  ellipse(context, 0, 42, 15, 24, "#d7a27b");
  ellipse(context, 0, 98, 44, 11, "#a9574f");
}
