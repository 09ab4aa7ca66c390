import fc from "fast-check";
import jsQR from "jsqr";
import { afterEach, describe, expect, it } from "vitest";
import { asciiBytes, concatBytes, equalBytes, fromHex, toHex } from "../../src/kernel/bytes.js";
import { type ManualClock, manualClock } from "../../src/kernel/clock.js";
import { seededRandom } from "../../src/kernel/random.js";
import { createHost, type Host, settle } from "../testing.js";
import { fuzzPrinter } from "./fuzz.js";
import { type PaperBitmap, type ReceiptPrinter, receiptPrinter } from "./index.js";

interface Bench {
  readonly printer: ReceiptPrinter;
  readonly clock: ManualClock;
  host: Host;
  /** Sends bytes (or hexadecimal) and lets the printer work on them. */
  send(...parts: (string | Uint8Array)[]): Promise<void>;
  /** What the printer has answered since, in hexadecimal. */
  answers(): string;
  act(name: string, params?: unknown): Promise<{ png: Uint8Array } | undefined>;
  /** A new wire. */
  connect(): void;
}

const opened: ReceiptPrinter[] = [];
afterEach(async () => {
  for (const printer of opened.splice(0)) await printer.close();
});

function setUp(options: Record<string, unknown> = {}): Bench {
  const clock = manualClock();
  const printer = receiptPrinter.create(receiptPrinter.options.parse(options), {
    clock,
    random: seededRandom(1),
    changed() {},
  }) as ReceiptPrinter;
  opened.push(printer);
  const bench: Bench = {
    printer,
    clock,
    host: createHost(),
    async send(...parts) {
      for (const part of parts) bench.host.send(typeof part === "string" ? fromHex(part) : part);
      await settle();
    },
    answers: () => toHex(bench.host.take()),
    async act(name, params = {}) {
      const action = printer.actions[name];
      if (!action) throw new Error(name);
      const result = await action.act(action.params.parse(params));
      await settle();
      return result;
    },
    connect() {
      bench.host = createHost();
      printer.attach(bench.host.farEnd);
    },
  };
  printer.attach(bench.host.farEnd);
  return bench;
}

const CUT = "1d5600";
/** GS v 0 of so many rows of 8 dots, each row with its number, so that a lost or doubled one shows. */
const numberedRows = (count: number, from = 1): Uint8Array =>
  concatBytes([
    fromHex("1d763000 0100"),
    Uint8Array.of(count & 0xff, count >> 8),
    Uint8Array.from({ length: count }, (_, row) => from + row),
  ]);

const row = ({ bits, widthDots }: PaperBitmap, y: number): Uint8Array => bits.subarray((y * widthDots) / 8, ((y + 1) * widthDots) / 8);
const firstBytes = (rows: PaperBitmap): number[] => Array.from({ length: rows.heightDots }, (_, y) => row(rows, y)[0] ?? 0);
const ink = ({ bits }: PaperBitmap): number => bits.reduce((sum, byte) => sum + byte.toString(2).replaceAll("0", "").length, 0);
const dot = ({ bits, widthDots }: PaperBitmap, x: number, y: number): number =>
  ((bits[(y * widthDots + (x - (x % 8))) / 8] ?? 0) >> (7 - (x % 8))) & 1;
/** From the first to behind the last dot of a row. */
function extent(rows: PaperBitmap, y: number): readonly [number, number] {
  const columns = Array.from({ length: rows.widthDots }, (_, x) => x).filter((x) => dot(rows, x, y) === 1);
  return [columns[0] ?? -1, (columns.at(-1) ?? -2) + 1];
}

async function printed(
  hexOrBytes: (string | Uint8Array)[],
  options: Record<string, unknown> = {},
): Promise<PaperBitmap & { texts: string }> {
  const { printer, send } = setUp(options);
  await send(...hexOrBytes, CUT);
  const receipt = printer.receipts[0];
  if (!receipt) throw new Error("nothing was cut off");
  return { ...receipt.rows, texts: receipt.texts };
}

describe("text", () => {
  it("prints lines of 30 rows, or as high as the letters are", async () => {
    expect((await printed([asciiBytes("Xin chao\n")])).heightDots).toBe(30);
    expect((await printed(["1d2111", asciiBytes("Xin chao\n")])).heightDots).toBe(48);
    expect((await printed(["1b3318", asciiBytes("a\nb\n")])).heightDots).toBe(48);
    expect((await printed(["1b6404"])).heightDots).toBe(120);
    expect((await printed(["1b4a11"])).heightDots).toBe(17);
  });
  it("wraps at the edge and knows what it printed", async () => {
    const paper = await printed([asciiBytes(`${"x".repeat(50)}\n`)]);
    expect(paper.texts).toBe(`${"x".repeat(48)}\nxx`);
    expect((await printed([asciiBytes(`${"x".repeat(40)}\n`)], { widthDots: 384 })).texts).toBe(`${"x".repeat(32)}\n${"x".repeat(8)}`);
  });
  it("aligns, inverts, underlines and emphasises", async () => {
    const plain = await printed([asciiBytes("II\n")]);
    const bold = await printed(["1b4501", asciiBytes("II\n")]);
    const inverted = await printed(["1d4201", asciiBytes("II\n")]);
    const underlined = await printed(["1b2d01", asciiBytes("II\n")]);
    expect(ink(bold)).toBeGreaterThan(ink(plain));
    expect(ink(inverted)).toBe(24 * 24 - ink(plain));
    expect(extent(underlined, 23)).toEqual([0, 24]);
    expect(extent(await printed(["1b2d01 1b6101", asciiBytes("II\n")]), 23)).toEqual([276, 300]);
    expect(extent(await printed(["1b2d01 1b6102", asciiBytes("II\n")]), 23)).toEqual([552, 576]);
    expect(extent(await printed(["1b2d01 1b246400", asciiBytes("II\n")]), 23)).toEqual([100, 124]);
    expect(extent(await printed(["1b2d01 1b440a00 09", asciiBytes("II\n")]), 23)).toEqual([120, 144]);
  });
  it("prints Vietnamese on the right page and garbage on the wrong one", async () => {
    // "Việt" in TCVN-3 and in Windows-1258 (ê and a combining dot below).
    expect((await printed(["1b741e 56 69 d6 74 0a"])).texts).toBe("Việt");
    expect((await printed(["1b7434 56 69 ea f2 74 0a"])).texts).toBe("Việt");
    expect((await printed(["56 69 d6 74 0a"])).texts).toBe("Vi╓t");
    // Another maker has TCVN-3 elsewhere: page 30 is refused there and the page in force stays.
    expect((await printed(["1b741e 56 69 d6 74 0a"], { model: "clone" })).texts).toBe("Vi╓t");
    expect((await printed(["1b741b 56 69 d6 74 0a"], { model: "clone" })).texts).toBe("Việt");
  });
  it("has all accented Vietnamese letters of TCVN-3, each different from the others", async () => {
    const { printer, send } = setUp();
    const bytes = Array.from({ length: 95 }, (_, index) => 0xa1 + index);
    await send("1b741e", Uint8Array.from(bytes), "0a", "1b741f", Uint8Array.from(bytes), "0a", CUT);
    const letters = new Set((printer.receipts[0]?.texts ?? "").normalize("NFC").replaceAll(/[?\n]/g, ""));
    expect([...letters].filter((letter) => /[^A-Za-z]/.test(letter)).length).toBe(134);
  });
});

describe("dots", () => {
  it("GS v 0 dot for dot, doubled where asked, clipped at the edge", async () => {
    expect(firstBytes(await printed(["1d763000 0100 0300 f0 0f aa"]))).toEqual([0xf0, 0x0f, 0xaa]);
    const doubled = await printed(["1d763003 0100 0100 a0"]);
    expect(doubled.heightDots).toBe(2);
    expect([row(doubled, 0)[0], row(doubled, 1)[0]]).toEqual([0xcc, 0xcc]);
    const wide = await printed(["1d763000 5000 0100", new Uint8Array(80).fill(0xff)]);
    expect(extent(wide, 0)).toEqual([0, 576]);
  });
  it("GS ( L and GS 8 L store and print", async () => {
    const paper = await printed(["1d284c 0c00 30 70 30 01 01 31 0800 0200 f00f", "1d284c 0200 30 32"]);
    expect(firstBytes(paper)).toEqual([0xf0, 0x0f]);
    const scaled = await printed(["1d384c 0b000000 30 70 30 02 02 31 0800 0100 a0", "1d284c 0200 30 32"]);
    expect([row(scaled, 0)[0], row(scaled, 1)[0]]).toEqual([0xcc, 0xcc]);
  });
  it("ESC * columns of 8 and 24 dots", async () => {
    const eight = await printed(["1b2a01 0100 80 0a"]);
    expect([dot(eight, 0, 0), dot(eight, 0, 2), dot(eight, 0, 3)]).toEqual([1, 1, 0]);
    const full = await printed(["1b2a21 0200 800001 000000 0a"]);
    expect([dot(full, 0, 0), dot(full, 0, 23), dot(full, 1, 0), dot(full, 0, 1)]).toEqual([1, 1, 0, 0]);
  });
  it("a QR code that a phone reads", async () => {
    const text = "001099012345||Nguyễn Văn An|01011990|Nam|Hà Nội|01012021";
    const content = new TextEncoder().encode(text);
    const length = content.length + 3;
    const paper = await printed([
      "1b6101",
      "1d286b 0400 31 41 32 00",
      "1d286b 0300 31 43 06",
      "1d286b 0300 31 45 31",
      concatBytes([fromHex("1d286b"), Uint8Array.of(length & 0xff, length >> 8), fromHex("315030"), content]),
      "1b6403 1d286b 0300 31 51 30 1b6403",
    ]);
    const rgba = new Uint8ClampedArray(paper.widthDots * paper.heightDots * 4);
    for (let y = 0; y < paper.heightDots; y++) {
      for (let x = 0; x < paper.widthDots; x++)
        rgba.fill(dot(paper, x, y) ? 0 : 255, (y * paper.widthDots + x) * 4, (y * paper.widthDots + x + 1) * 4);
    }
    const decode = jsQR as unknown as typeof jsQR.default;
    const found = decode(rgba, paper.widthDots, paper.heightDots);
    expect(new TextDecoder().decode(Uint8Array.from(found?.binaryData ?? []))).toBe(text);
  });
  it.each([
    ["UPC-A", "1d6b00 303132333435363738393035 00", 95],
    ["EAN-13", "1d6b43 0d 35393031323334313233343537", 95],
    ["EAN-8", "1d6b03 3936333835303734 00", 67],
    ["CODE39", "1d6b04 414243 00", 5 * 16 - 1],
    ["ITF", "1d6b05 31323334 00", 36],
    // Start, code set B: 2 characters, check (11 modules each) and stop (13).
    ["CODE128", "1d6b49 04 7b424142", 11 * 4 + 13],
  ])("barcode %s at 2 dots a module", async (_, hex, modules) => {
    const paper = await printed(["1d7702 1d6832 1d4802", hex]);
    const [from, to] = extent(paper, 10);
    expect((to - from) / 2).toBe(modules);
    // 50 rows of bars and the readable line under them
    expect(paper.heightDots).toBe(74);
    expect(paper.texts.length).toBeGreaterThan(1);
  });
  it("CODE128 in code set C counts pairs", async () => {
    const paper = await printed(["1d7702 1d6b49 05 7b43 0c2238"]);
    const [from, to] = extent(paper, 10);
    expect((to - from) / 2).toBe(11 * 5 + 13);
    expect((await setUpReport("1d6b49 03 7b4364")).unknownCommands).toBe(1);
  });
});

async function setUpReport(hex: string, options: Record<string, unknown> = {}): Promise<ReturnType<ReceiptPrinter["state"]>> {
  const { printer, send } = setUp(options);
  await send(hex);
  return printer.state();
}

describe("status", () => {
  it("DLE EOT 1–4, bit for bit", async () => {
    const { send, answers, act } = setUp();
    const all = async (): Promise<string> => {
      await send("100401 100402 100403 100404");
      return answers();
    };
    expect(await all()).toBe("12121212");
    await act("openCover");
    expect(await all()).toBe("1a161212");
    await act("closeCover");
    await act("paperNearEnd", { on: true });
    expect(await all()).toBe("1212121e");
    await act("paperOut");
    expect(await all()).toBe("1a32127e");
    await act("refill");
    expect(await all()).toBe("12121212");
    await act("jamCutter");
    expect(await all()).toBe("1a521a12");
    await act("clearJam");
    expect(await all()).toBe("3a521a12");
    await send("100501");
    expect(await all()).toBe("12121212");
    await act("offline", { on: true });
    expect(await all()).toBe("1a121212");
  });
  it("ASB: at once when enabled, then four bytes on each enabled change", async () => {
    const { send, answers, act } = setUp();
    await act("openCover");
    await act("closeCover");
    expect(answers()).toBe("");
    await send("1d610f");
    expect(answers()).toBe("1000000f");
    const steps: [string, unknown, string][] = [
      ["openCover", {}, "3800000f"],
      ["closeCover", {}, "1000000f"],
      ["paperNearEnd", { on: true }, "1000030f"],
      ["paperOut", {}, "18000f0f"],
      ["refill", {}, "1000000f"],
      ["jamCutter", {}, "1808000f"],
      ["clearJam", {}, "1809000f"],
      ["offline", { on: true }, ""],
    ];
    for (const [name, params, expected] of steps) {
      await act(name, params);
      expect([name, answers()]).toEqual([name, expected]);
    }
    await act("offline", { on: false });
    await send("100501");
    expect(answers()).toBe("1000000f");
  });
  it("ASB of paper only says nothing of the cover; ESC @ switches it off unless the model keeps it", async () => {
    const { send, answers, act } = setUp();
    await send("1d6108");
    answers();
    await act("openCover");
    await act("closeCover");
    expect(answers()).toBe("");
    await act("paperOut");
    expect(answers()).toBe("18000f0f");
    await act("refill");
    await send("1b40");
    answers();
    await act("paperOut");
    expect(answers()).toBe("");
    const keeping = setUp({ initKeepsAsb: true });
    await keeping.send("1d610f 1b40");
    keeping.answers();
    await keeping.act("paperOut");
    expect(keeping.answers()).toBe("18000f0f");
  });
  it("GS r answers only while it works, DLE EOT always", async () => {
    const { send, answers, act } = setUp();
    await send("1d7201 1d7202");
    expect(answers()).toBe("0000");
    await act("openCover");
    await send("1d7201 100402");
    expect(answers()).toBe("16");
    await act("closeCover");
    expect(answers()).toBe("00");
    await act("paperNearEnd");
    await send("1d7201");
    expect(answers()).toBe("03");
  });
  it("executes real-time commands inside an image and leaves them in it", async () => {
    const { send, answers, printer } = setUp();
    await send("1d763000 0300 0200 1004");
    expect(answers()).toBe("");
    await send("01");
    expect(answers()).toBe("12");
    await send("aabbcc", CUT);
    const rows = printer.receipts[0]?.rows;
    expect(rows && toHex(row(rows, 0).subarray(0, 3))).toBe("100401");
  });
  it("says who it is and counts its cuts", async () => {
    const { send, answers } = setUp();
    await send("1d4901 1d4942");
    expect(answers()).toBe(`205f${toHex(asciiBytes("STATIOND"))}00`);
    await send(asciiBytes("a\n"), CUT, asciiBytes("b\n"), CUT, "1d673200 3200 1d673200 b200");
    expect(answers()).toBe("5f3200".repeat(2));
    await send("1d673000 3200 1d673200 3200 1d673200 b200");
    expect(answers()).toBe("5f3000" + "5f3200");
  });
});

describe("in sequence", () => {
  const ask = "1d2848 0600 30 30 4a303031";
  it("GS ( H answers when everything before it is on paper, not before", async () => {
    const { send, answers, clock, printer } = setUp({ rowsPerSecond: 1000 });
    await send(numberedRows(100), CUT, ask);
    expect(answers()).toBe("");
    await clock.advance(60);
    expect(answers()).toBe("");
    expect(printer.state().receipts).toBe(0);
    await clock.advance(100);
    expect(printer.state().receipts).toBe(1);
    expect(answers()).toBe("37224a30303100");
  });
  it("not while the paper is out, nor on a clone, nor on a one-way link", async () => {
    const { send, answers, act } = setUp();
    await act("paperLeft", { rows: 50 });
    await send(numberedRows(100), CUT, ask, "1d673200 b200");
    expect(answers()).toBe("");
    await act("refill");
    expect(answers()).toBe("37224a30303100" + "5f3100");
    expect((await setUpReport(ask, { model: "clone" })).lastUnknown).toBe("1d2848");
    const mute = setUp({ model: "one-way" });
    await mute.send(ask, "100401 1d610f 1d4901");
    expect(mute.answers()).toBe("");
    expect(mute.printer.state()).toMatchObject({ repliesSent: 0, unknownCommands: 0 });
  });
});

describe("trouble", () => {
  it("paper out in mid-job: the buffer waits, after the refill no row is lost or doubled", async () => {
    const { send, act, printer } = setUp({ bufferBytes: 256 });
    await act("paperLeft", { rows: 70 });
    for (let band = 0; band < 4; band++) await send(numberedRows(50, 1 + band * 50));
    await send(CUT);
    expect(printer.state()).toMatchObject({ paper: "out", online: false, rowsPrinted: 70, receipts: 0 });
    await act("openCover");
    await act("refill");
    expect(printer.state()).toMatchObject({ rowsPrinted: 70, paper: "ok", cover: "open" });
    await act("closeCover");
    expect(printer.state()).toMatchObject({ online: true, receipts: 1 });
    const rows = printer.receipts[0]?.rows;
    expect(rows && firstBytes(rows)).toEqual(Array.from({ length: 200 }, (_, index) => index + 1));
  });
  it("near end shows before the end", async () => {
    const { send, answers, act, printer } = setUp({ nearEndRows: 20 });
    await act("paperLeft", { rows: 60 });
    await send("1d610f", numberedRows(50));
    expect(answers()).toBe("1000000f" + "1000030f");
    expect(printer.state().paper).toBe("near_end");
  });
  it("a cover opened in mid-print is an error on some models", async () => {
    const { send, answers, act, printer, clock } = setUp({ rowsPerSecond: 1000, coverNeedsRecover: true });
    await send(numberedRows(100));
    await clock.advance(40);
    await act("openCover");
    await act("closeCover");
    await clock.advance(1000);
    expect(printer.state()).toMatchObject({ online: false, cover: "closed", rowsPrinted: 40 });
    await send("100401 100402 100403");
    expect(answers()).toBe("3a5216");
    await send("100501");
    await clock.advance(1000);
    expect(printer.state()).toMatchObject({ online: true, rowsPrinted: 100 });
  });
  it("DLE ENQ 2 forgets the job, DLE DC4 8 too and says so", async () => {
    const { send, answers, act, printer } = setUp();
    await act("jamCutter");
    await send(numberedRows(10), CUT);
    await act("clearJam");
    await send("100502");
    expect(printer.state()).toMatchObject({ online: true, cutter: "ok", rowsPrinted: 0, bufferedBytes: 0 });
    await act("openCover");
    await send(numberedRows(10), "1014 08 01 03 14 01 06 02 08");
    expect(answers()).toBe("372500");
    await act("closeCover");
    expect(printer.state()).toMatchObject({ rowsPrinted: 0, unknownCommands: 0 });
  });
  it("power cycle: buffer, settings and wire are lost, the half-printed paper stays until a cut", async () => {
    const bench = setUp();
    await bench.act("paperLeft", { rows: 30 });
    await bench.send("1d610f 1b4501", numberedRows(50), CUT);
    const wire = bench.host;
    await bench.act("powerCycle");
    expect(wire.ended).toBe(true);
    await bench.act("refill");
    bench.connect();
    expect(bench.printer.state()).toMatchObject({ uncutRows: 30, rowsPrinted: 30, bufferedBytes: 0 });
    await bench.send(numberedRows(5), CUT);
    expect(bench.answers()).toBe("");
    expect(bench.printer.receipts[0]?.rows.heightDots).toBe(35);
  });
  it("off, it takes no wire; a jam is still there when it comes on", async () => {
    const bench = setUp();
    await bench.act("jamCutter");
    await bench.act("powerOff");
    bench.connect();
    expect(bench.host.ended).toBe(true);
    await bench.act("powerOn");
    expect(bench.printer.state()).toMatchObject({ powered: true, cutter: "jam", online: false });
    await bench.act("powerOff");
    await bench.act("clearJam");
    await bench.act("powerOn");
    expect(bench.printer.state()).toMatchObject({ cutter: "ok", online: true });
  });
  it("an unplugged wire leaves a half command behind, unless the model resets on connect", async () => {
    const halfImage = numberedRows(4).subarray(0, 10);
    for (const resetOnConnect of [false, true]) {
      const bench = setUp({ resetOnConnect });
      await bench.send(halfImage);
      await bench.act("unplug");
      bench.connect();
      expect(bench.host.ended).toBe(true);
      await bench.act("plug");
      bench.connect();
      await bench.send("1b40 1b40");
      expect(bench.printer.state().rowsPrinted).toBe(resetOnConnect ? 0 : 4);
    }
  });
  it("loses replies as told", async () => {
    const { send, answers, act } = setUp();
    await act("loseReplies", { count: 2 });
    await send("100401 100402 100403");
    expect(answers()).toBe("12");
    await act("loseReplies", { on: true });
    await send("100401");
    expect(answers()).toBe("");
    await act("loseReplies", { on: false });
    await send("100401");
    expect(answers()).toBe("12");
  });
  it("a slow link takes bytes by and by", async () => {
    const { send, act, clock, printer } = setUp();
    await act("slowLink", { bytesPerSecond: 1000 });
    await send(numberedRows(100));
    await clock.advance(50);
    expect(printer.state().bytesReceived).toBe(40);
    await clock.advance(1000);
    expect(printer.state().rowsPrinted).toBe(100);
  });
  it("a full buffer stops reading, XOFF and XON say so on a serial line", async () => {
    const bench = setUp({ bufferBytes: 128, flowControl: "xonxoff" });
    await bench.act("openCover");
    await bench.send(numberedRows(100), numberedRows(100), numberedRows(100));
    expect(bench.printer.state().bufferedBytes).toBe(128);
    expect(bench.host.reads).toBe(2);
    expect(bench.answers()).toBe("13");
    await bench.act("closeCover");
    expect(bench.host.reads).toBe(3);
    expect(bench.answers()).toBe("11");
    expect(bench.printer.state().rowsPrinted).toBe(300);
  });
  it("cuts behind the head where the knife is, unless fed to it", async () => {
    const { send, printer } = setUp({ cutterOffsetRows: 20 });
    await send(numberedRows(50), CUT);
    expect(printer.receipts[0]?.rows.heightDots).toBe(30);
    await send("1d564205");
    expect(printer.receipts[1]?.rows.heightDots).toBe(25);
  });
});

describe("the rest", () => {
  it("reports what it does not know, by its opcode", async () => {
    expect(await setUpReport("1b99")).toMatchObject({ unknownCommands: 1, lastUnknown: "1b99" });
    expect(await setUpReport("1d2841 0200 3002")).toMatchObject({ unknownCommands: 1, lastUnknown: "1d2841" });
    expect(await setUpReport("1d6100 1d67320032 00 1d284c 0200 3032", { model: "clone" })).toMatchObject({
      unknownCommands: 3,
      lastUnknown: "1d284c",
    });
    expect(await setUpReport("1b40 1b6333 02 1b3d01 1b700019fa 1d2844 0300 140100 1c2e")).toMatchObject({
      unknownCommands: 0,
      drawerKicks: 1,
    });
  });
  it("a deselected printer (ESC = 0) lets everything pass but real-time requests", async () => {
    const { send, answers, printer } = setUp();
    await send("1b3d00", asciiBytes("a\n"), "100401 1b3d01", asciiBytes("b\n"), CUT);
    expect(answers()).toBe("12");
    expect(printer.receipts[0]?.texts).toBe("b");
  });
  it("hands out pictures of the paper, tears it off, and starts as new", async () => {
    const { send, act, printer, answers } = setUp();
    await send("1d610f", asciiBytes("a\n"), CUT, asciiBytes("b\n"));
    answers();
    const all = await act("paper");
    expect(all && toHex(all.png.subarray(0, 24))).toBe("89504e470d0a1a0a0000000d49484452" + "00000240" + "0000003e");
    const last = await act("paper", { receipt: "last" });
    expect(last && toHex(last.png.subarray(20, 24))).toBe("0000001e");
    await act("tear");
    expect(printer.state()).toMatchObject({ uncutRows: 0, receipts: 1 });
    expect(printer.receipts).toEqual([]);
    await act("openCover");
    await act("reset");
    expect(printer.state()).toMatchObject({ online: true, receipts: 0, bytesReceived: 0, attached: true });
    // What the host set up over the wire that is still there stays.
    expect(answers()).toBe("3800000f" + "1000000f");
  });
  it("shows no content in its state and refuses unknown parameters", async () => {
    const { send, printer } = setUp();
    await send(asciiBytes("Nguyen Van An\n"));
    expect(JSON.stringify(printer.state())).not.toContain("Nguyen");
    expect(printer.actions.openCover?.params.safeParse({ wide: true }).success).toBe(false);
    expect(receiptPrinter.options.safeParse({ modell: "epson" }).success).toBe(false);
  });
});

describe("any bytes", () => {
  const look = async (chunks: Uint8Array[]): Promise<{ paper: Uint8Array; replies: string; state: unknown }> => {
    const { printer, send, answers } = setUp();
    await send(...chunks);
    const { revision: _, ...state } = printer.state();
    const seen = { paper: await printer.png("all"), replies: answers(), state };
    await printer.close();
    return seen;
  };
  const someCommands = fc
    .array(
      fc.oneof(
        fc.uint8Array({ minLength: 1, maxLength: 12 }),
        fc
          .constantFrom(...["1d610f", "100401", "1b40", "1d763000010003001004 01", "0a", CUT, "1d2848060030304a303031", "1d7201", "1b741e"])
          .map(fromHex),
        fc.string({ maxLength: 12 }).map(asciiBytes),
      ),
      { maxLength: 30 },
    )
    .map(concatBytes);

  it("in any chunks give the same paper and the same replies", async () => {
    await fc.assert(
      fc.asyncProperty(someCommands, fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 40 }), async (bytes, sizes) => {
        const chunks: Uint8Array[] = [];
        for (let start = 0, index = 0; start < bytes.length; index++) {
          const size = sizes[index % sizes.length] ?? 1;
          chunks.push(bytes.slice(start, start + size));
          start += size;
        }
        const [whole, pieces] = [await look([bytes]), await look(chunks)];
        expect(pieces.replies).toBe(whole.replies);
        expect(pieces.state).toEqual(whole.state);
        expect(equalBytes(pieces.paper, whole.paper)).toBe(true);
      }),
      { numRuns: 60 },
    );
  });
  it("20,000 random commands, with all kinds of trouble in between", async () => {
    const result = await fuzzPrinter(seededRandom(7), 20_000);
    expect(result.commands).toBe(20_000);
    expect(result.rowsPrinted).toBeGreaterThan(1000);
    expect(result.unknownCommands).toBeGreaterThan(100);
  });
});
