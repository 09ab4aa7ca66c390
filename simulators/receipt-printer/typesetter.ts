import type { CodePage } from "./code-pages.js";
import { blankDots, type Dots, invertDots, packRows, paint, scaleDots, turnClockwise, turnUpsideDown, unpackDots } from "./dots.js";
import { CELLS, createGlyphs } from "./glyphs.js";
import { initialStyle, SETTINGS, u16 } from "./style.js";
import { barcodeModules, type QrLevel, qrModules } from "./symbols.js";

/** Paper to move: rows to print, in order, and the line of text that they show. */
export interface Output {
  readonly rows: readonly Uint8Array[];
  readonly text?: string;
}

/** What a command did: put something on paper (perhaps nothing yet), or it is not one that this printer knows. */
export type Typeset = readonly Output[] | "unknown";

export interface TypesetterOptions {
  readonly widthDots: number;
  readonly codePages: ReadonlyMap<number, CodePage>;
  /** GS ( L and GS 8 L. */
  readonly graphics: boolean;
}

export interface Typesetter {
  character(code: number): readonly Output[];
  /** LF, CR and HT; others are unknown. */
  control(code: number): Typeset;
  /** `undefined`: the command is not about printing. */
  command(name: string, body: Uint8Array): Typeset | undefined;
  /** Prints the line that was begun, without further feed. */
  flush(): readonly Output[];
  feed(rows: number): Output;
  /** What DLE ENQ 2 clears: the begun line and stored images; styles stay. */
  clear(): void;
  /** ESC @. */
  initialize(): void;
}

const QR_LEVELS: Readonly<Record<number, QrLevel>> = { 48: "L", 49: "M", 50: "Q", 51: "H" };
const LF = 0x0a;
const CR = 0x0d;
const HT = 0x09;

/** What is gathered on the line that is not printed yet. */
interface Line {
  parts: { readonly left: number; readonly dots: Dots }[];
  cursor: number;
  text: string;
}

const emptyLine = (): Line => ({ parts: [], cursor: 0, text: "" });

export function createTypesetter({ widthDots, codePages, graphics }: TypesetterOptions): Typesetter {
  const glyph = createGlyphs();
  const blankRow = new Uint8Array(Math.ceil(widthDots / 8));
  let style = initialStyle(widthDots, codePages.get(0));
  let line = emptyLine();
  let stored: Dots | undefined;

  const feed = (rows: number): Output => ({ rows: Array<Uint8Array>(rows).fill(blankRow) });
  const area = (): number => Math.max(0, Math.min(style.areaWidth, widthDots - style.leftMargin));
  const aligned = (width: number): number => Math.max(0, Math.floor(((area() - width) * style.align) / 2));

  /** A picture of its own across the paper, at the alignment in force. */
  const block = (dots: Dots): Output => {
    const strip = blankDots(widthDots, dots.height);
    const shown = style.upsideDown ? turnUpsideDown(dots) : dots;
    const within = shown.width > area() ? crop(shown, area()) : shown;
    paint(strip, within, style.leftMargin + aligned(within.width), 0);
    return { rows: packRows(strip) };
  };

  /** Ends the line: its rows, and blank ones until the paper has moved by `advanceRows`. */
  const endLine = (advanceRows: number): Output[] => {
    const { parts, text } = line;
    line = emptyLine();
    if (parts.length === 0) return [feed(advanceRows)];
    const height = Math.max(...parts.map(({ dots }) => dots.height));
    const width = Math.max(...parts.map(({ left, dots }) => left + dots.width));
    const composed = blankDots(Math.min(width, area()), height);
    for (const { left, dots } of parts) paint(composed, dots, left, height - dots.height);
    return [{ ...block(composed), text }, ...(advanceRows > height ? [feed(advanceRows - height)] : [])];
  };
  const flush = (): readonly Output[] => (line.parts.length === 0 ? [] : endLine(0));

  const place = (dots: Dots, text: string): readonly Output[] => {
    const ended = line.cursor + dots.width > area() && line.parts.length > 0 ? endLine(style.lineRows) : [];
    line.parts.push({ left: line.cursor, dots });
    line.cursor += dots.width;
    line.text += text;
    return ended;
  };

  const characterDots = (character: string): Dots => {
    const drawn = glyph(character, { font: style.font, bold: style.bold || style.doubleStrike });
    const turned = style.turned ? turnClockwise(drawn) : drawn;
    const scaled = scaleDots(turned, style.scaleX, style.scaleY);
    const cell = blankDots(scaled.width + style.spacingDots * style.scaleX, scaled.height);
    paint(cell, scaled, 0, 0);
    for (let up = 1; up <= style.underlineDots; up++)
      cell.ink.fill(1, (cell.height - up) * cell.width, (cell.height - up + 1) * cell.width);
    return style.inverted ? invertDots(cell) : cell;
  };

  const character = (code: number): readonly Output[] => {
    const letter = code < 0x80 ? String.fromCharCode(code) : (style.codePage?.(code) ?? "?");
    // A page with combining tones (1258): the tone goes onto the letter before it.
    if (/^\p{M}$/u.test(letter) && line.parts.length > 0) {
      const base = line.text.at(-1) ?? "";
      const composed = (base + letter).normalize("NFC");
      const last = line.parts.pop();
      if (last && composed.length === 1) {
        line.cursor = last.left;
        line.text = line.text.slice(0, -1);
        return place(characterDots(composed), composed);
      }
      if (last) line.parts.push(last);
    }
    return place(characterDots(letter), letter);
  };

  const tab = (): readonly Output[] => {
    const cell = (CELLS[style.font].width + style.spacingDots) * style.scaleX;
    const next = style.tabs.map((columns) => columns * cell).find((left) => left > line.cursor);
    if (next !== undefined && next < area()) {
      line.cursor = next;
      line.text += "\t";
    }
    return [];
  };

  const twoDimensional = (body: Uint8Array): Typeset => {
    // Behind "k pL pH": cn fn parameters; 49 is QR.
    const [cn, fn, first = 0, second = 0] = body.subarray(3);
    if (cn !== 49) return "unknown";
    switch (fn) {
      case 65:
        // Function 165: model; only model 2 is built in.
        return first === 50 && second === 0 ? [] : "unknown";
      case 67:
        if (first < 1 || first > 16) return "unknown";
        style = { ...style, qrModuleDots: first };
        return [];
      case 69: {
        const level = QR_LEVELS[first];
        if (!level) return "unknown";
        style = { ...style, qrLevel: level };
        return [];
      }
      case 80:
        style = { ...style, qrContent: body.slice(6) };
        return [];
      case 81: {
        if (style.qrContent.length === 0) return [];
        const symbol = qrModules(style.qrContent, style.qrLevel);
        // A symbol that does not fit the area is not printed (Epson, function 181).
        if (!symbol || symbol.width * style.qrModuleDots > area()) return "unknown";
        return [...flush(), block(scaleDots(symbol, style.qrModuleDots, style.qrModuleDots))];
      }
      default:
        return "unknown";
    }
  };

  const graphicsData = (parameters: Uint8Array): Typeset => {
    const [m, fn, a, byX = 0, byY = 0] = parameters;
    if (m !== 48) return "unknown";
    if (fn === 50 || fn === 2) {
      const printed = stored ? [...flush(), block(stored)] : [];
      stored = undefined;
      return printed;
    }
    const width = u16(parameters, 6);
    const height = u16(parameters, 8);
    const stride = Math.ceil(width / 8);
    const sound = fn === 112 && a === 48 && (byX === 1 || byX === 2) && (byY === 1 || byY === 2) && width > 0 && height > 0;
    if (!sound || parameters.length < 10 + stride * height) return "unknown";
    stored = scaleDots(unpackDots(parameters.subarray(10), stride, height, Math.min(width, widthDots)), byX, byY);
    return [];
  };

  const raster = (body: Uint8Array): Typeset => {
    const m = body[1] ?? 0;
    const stride = u16(body, 2);
    const dots = unpackDots(body.subarray(6), stride, u16(body, 4), Math.min(stride * 8, widthDots));
    return [...flush(), block(scaleDots(dots, m & 1 ? 2 : 1, m & 2 ? 2 : 1))];
  };

  /** ESC *: columns of 8 or 24 dots, a line of text high, onto the current line. */
  const columns = (body: Uint8Array): Typeset => {
    const m = body[0] ?? 0;
    const count = u16(body, 1);
    if (count === 0) return [];
    const bytesPerColumn = m >= 32 ? 3 : 1;
    const dots = blankDots(Math.min(count, widthDots), bytesPerColumn * 8);
    for (let x = 0; x < dots.width; x++) {
      for (let y = 0; y < dots.height; y++) {
        dots.ink[y * dots.width + x] = ((body[3 + x * bytesPerColumn + (y >> 3)] ?? 0) >> (7 - (y & 7))) & 1;
      }
    }
    return place(scaleDots(dots, m & 1 ? 1 : 2, m >= 32 ? 1 : 3), "");
  };

  const barcode = (body: Uint8Array): Typeset => {
    const m = body[0] ?? 0;
    const data = m <= 6 ? body.subarray(1, -1) : body.subarray(2);
    const { barcodeModuleDots, barcodeHeightDots, barcodeReadable, barcodeFont: font } = style;
    const symbol = barcodeModules(m, data);
    if (!symbol || symbol.bars.width * barcodeModuleDots > area()) return "unknown";
    const caption = [...symbol.readable].map((letter) => glyph(letter, { font, bold: false }));
    const captionDots = blankDots(CELLS[font].width * caption.length, CELLS[font].height);
    caption.forEach((dots, index) => {
      paint(captionDots, dots, index * dots.width, 0);
    });
    const above = barcodeReadable & 1 ? [block(captionDots)] : [];
    const below = barcodeReadable & 2 ? [{ ...block(captionDots), text: symbol.readable }] : [];
    return [...flush(), ...above, block(scaleDots(symbol.bars, barcodeModuleDots, barcodeHeightDots)), ...below];
  };

  return {
    character,
    flush,
    feed,
    control(code) {
      if (code === LF) return endLine(style.lineRows);
      if (code === HT) return tab();
      // The serial interface's "auto line feed" is off, as delivered.
      return code === CR ? [] : "unknown";
    },
    command(name, body) {
      const setting = SETTINGS[name];
      if (setting) {
        const change = setting(body[0] ?? 0, body, codePages);
        style = { ...style, ...change };
        return change ? [] : "unknown";
      }
      switch (name) {
        case "ESC $":
          line.cursor = Math.min(u16(body), area());
          return [];
        case "ESC \\":
          // A signed number of dots.
          line.cursor = Math.max(0, Math.min(area(), line.cursor + ((u16(body) << 16) >> 16)));
          return [];
        case "ESC d": {
          const lines = body[0] ?? 0;
          return [...endLine(lines === 0 ? 0 : style.lineRows), feed(Math.max(0, lines - 1) * style.lineRows)];
        }
        case "ESC J":
          return endLine(body[0] ?? 0);
        case "ESC *":
          return columns(body);
        case "GS v 0":
          return raster(body);
        case "GS k":
          return barcode(body);
        case "GS 8":
          return graphics && body[0] === 0x4c ? graphicsData(body.subarray(5)) : "unknown";
        case "GS (":
          if (body[0] === 0x6b) return twoDimensional(body);
          if (body[0] === 0x4c) return graphics ? graphicsData(body.subarray(3)) : "unknown";
          return undefined;
        default:
          return undefined;
      }
    },
    clear() {
      line = emptyLine();
      stored = undefined;
    },
    initialize() {
      line = emptyLine();
      stored = undefined;
      style = initialStyle(widthDots, codePages.get(0));
    },
  };
}

function crop(dots: Dots, width: number): Dots {
  const cropped = blankDots(width, dots.height);
  paint(cropped, dots, 0, 0);
  return cropped;
}
