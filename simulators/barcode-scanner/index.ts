import { concatBytes, fromHex } from "../../src/kernel/bytes.js";
import { z } from "../../src/kernel/schema.js";
import { defineAction, defineSimulator, type Simulator, type SimulatorContext } from "../simulator.js";
import { createWire } from "../wire.js";
import { createHostCommands } from "./host-commands.js";

const Terminator = z
  .union([z.enum(["cr", "lf", "crlf", "none"]), z.string().regex(/^hex:([0-9a-fA-F]{2})+$/)])
  .describe("cr, lf, crlf, none, or any bytes as `hex:0304`");

export const BarcodeScannerOptions = z.strictObject({
  terminator: Terminator.default("cr"),
  aimPrefix: z.boolean().default(false).describe("sends the AIM symbology identifier before each code"),
  mode: z.enum(["continuous", "triggered"]).default("continuous").describe("triggered: keeps a code in view until it is told to read"),
});
export type BarcodeScannerOptions = z.output<typeof BarcodeScannerOptions>;

/** How a scan goes out. */
const delivery = {
  symbology: z
    .string()
    .regex(/^\][A-Za-z][0-9A-Za-z]$/)
    .default("]Q1")
    .describe("AIM identifier; sent where aimPrefix is on"),
  chunks: z.array(z.int().min(1).max(65_536)).max(1000).optional().describe("sizes of the pieces; the rest goes in one"),
  gapMs: z.int().min(0).max(60_000).default(0).describe("pause between the pieces"),
  terminator: Terminator.optional(),
};
type Delivery = z.output<z.ZodObject<typeof delivery>>;

const Text = z.string().min(1).max(10_000);
const none = z.strictObject({});

const TERMINATORS: Readonly<Record<string, string>> = { cr: "0d", lf: "0a", crlf: "0d0a", none: "" };

function terminatorBytes(terminator: string): Uint8Array {
  return fromHex(TERMINATORS[terminator] ?? terminator.slice("hex:".length));
}

/** The bytes in pieces of the given sizes; what is left over is the last piece. */
function pieces(bytes: Uint8Array, sizes: readonly number[]): Uint8Array[] {
  const cut: Uint8Array[] = [];
  let start = 0;
  for (const size of [...sizes, bytes.length]) {
    if (start < bytes.length) cut.push(bytes.subarray(start, start + size));
    start += size;
  }
  return cut;
}

interface Presented {
  readonly pieces: readonly Uint8Array[];
  readonly gapMs: number;
}

function create(options: BarcodeScannerOptions, { clock, random, changed }: SimulatorContext): Simulator {
  let unplugged = false;
  let triggered = false;
  let scansSent = 0;
  let unknownCommands = 0;
  /** In view, not read yet. */
  let held: Presented | undefined;
  let last: Presented | undefined;
  let stop = new AbortController();
  let tail = Promise.resolve();
  let commands = createHostCommands();

  const wire = createWire(async (bytes) => {
    for (const byte of bytes) {
      const command = commands(byte);
      if (!command) continue;
      if (command.kind === "unknown") unknownCommands += 1;
      else if (command.answer) wire.send(command.answer);
      if (command.kind === "trigger") trigger(command.on);
    }
    changed();
  });

  /** Resolves when the last piece is out; one code after the other, whoever asked. */
  const send = (code: Presented): Promise<void> => {
    last = code;
    const { signal } = stop;
    tail = tail.then(async () => {
      for (const [index, piece] of code.pieces.entries()) {
        if (index > 0 && code.gapMs > 0) await clock.sleep(code.gapMs, signal).catch(() => {});
        if (signal.aborted) return;
        wire.send(piece);
      }
      scansSent += 1;
      changed();
    });
    return tail;
  };

  const trigger = (on: boolean): void => {
    triggered = on;
    const code = held;
    if (!on || !code) return;
    held = undefined;
    triggered = false;
    void send(code);
  };

  /** A code comes into view: read at once where the scanner reads all the time or was told to, which ends the reading. */
  const present = async (code: Presented): Promise<void> => {
    if (options.mode === "triggered" && !triggered) {
      held = code;
      return changed();
    }
    triggered = false;
    await send(code);
  };

  const framed = (content: Uint8Array, { symbology, chunks, gapMs, terminator }: Delivery): Presented => {
    const prefix = options.aimPrefix ? new TextEncoder().encode(symbology) : new Uint8Array();
    const bytes = concatBytes([prefix, content, terminatorBytes(terminator ?? options.terminator)]);
    return { pieces: pieces(bytes, chunks ?? []), gapMs };
  };
  const encoded = (text: string): Uint8Array => new TextEncoder().encode(text);

  const actions = {
    scan: defineAction({
      summary: "Shows a code to the scanner",
      params: z.strictObject({ text: Text, ...delivery }),
      async act({ text, ...how }) {
        await present(framed(encoded(text), how));
        return undefined;
      },
    }),
    scanBytes: defineAction({
      summary: "Shows a code whose content is no UTF-8 text",
      params: z.strictObject({ base64: z.base64().max(20_000), ...delivery }),
      async act({ base64, ...how }) {
        await present(framed(new Uint8Array(Buffer.from(base64, "base64")), how));
        return undefined;
      },
    }),
    garbage: defineAction({
      summary: "Sends random bytes, as a bad cable does",
      params: z.strictObject({ bytes: z.int().min(1).max(65_536) }),
      async act({ bytes }) {
        wire.send(random.bytes(bytes));
        return undefined;
      },
    }),
    duplicate: defineAction({
      summary: "Sends the last code again",
      params: z.strictObject({ times: z.int().min(1).max(1000).default(1) }),
      async act({ times }) {
        for (let time = 0; last && time < times; time++) await send(last);
        return undefined;
      },
    }),
    hold: defineAction({
      summary: "Shows a code and keeps it there until the scanner is triggered",
      params: z.strictObject({ text: Text, ...delivery }),
      async act({ text, ...how }) {
        held = framed(encoded(text), how);
        changed();
        return undefined;
      },
    }),
    unplug: defineAction({
      summary: "Pulls the wire",
      params: none,
      async act() {
        unplugged = true;
        wire.detach();
        changed();
        return undefined;
      },
    }),
    plug: defineAction({
      summary: "Lets the next wire in",
      params: none,
      async act() {
        unplugged = false;
        changed();
        return undefined;
      },
    }),
    reset: defineAction({
      summary: "As new",
      params: none,
      async act() {
        simulator.reset();
        return undefined;
      },
    }),
  };

  const simulator: Simulator = {
    kind: "barcode-scanner",
    actions,
    attach(farEnd) {
      if (unplugged) return void farEnd.close();
      commands = createHostCommands();
      wire.attach(farEnd);
      changed();
    },
    detach() {
      wire.detach();
      changed();
    },
    state: () => ({ mode: options.mode, attached: wire.attached, triggered, pending: held ? 1 : 0, scansSent, unknownCommands }),
    reset() {
      stop.abort();
      stop = new AbortController();
      unplugged = false;
      triggered = false;
      held = undefined;
      last = undefined;
      scansSent = 0;
      unknownCommands = 0;
      commands = createHostCommands();
      changed();
    },
    async close() {
      stop.abort();
      wire.detach();
    },
  };
  return simulator;
}

export const barcodeScanner = defineSimulator({
  kind: "barcode-scanner",
  summary: "A serial barcode and QR scanner that sends what it is told",
  options: BarcodeScannerOptions,
  create,
});
