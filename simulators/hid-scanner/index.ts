import { toHex } from "../../src/kernel/bytes.js";
import { z } from "../../src/kernel/schema.js";
import { defineAction, defineSimulator, type Simulator, type SimulatorContext } from "../simulator.js";
import { createWire } from "../wire.js";
import { createHostFrames, descriptorFrame, type HostFrame, inputFrame } from "./frames.js";
import { keyReports } from "./keys.js";
import { KEYBOARD_DESCRIPTOR, MODELS, type Model } from "./models.js";

export const HidScannerOptions = z.strictObject({
  model: z
    .enum(["honeywell", "honeywell-early", "honeywell-remote", "jieli", "newland", "uncounted", "keyboard"])
    .default("honeywell")
    .describe(
      "whose report descriptor it has: the Honeywells', jieli's and the keyboard's are devices' own, newland's and uncounted's constructed",
    ),
  mode: z.enum(["continuous", "triggered"]).default("continuous").describe("triggered: keeps a code in view until it is told to read"),
  redirect: z
    .enum(["none", "silent", "re-enumerate"])
    .default("none")
    .describe(
      "what feature report 254 does. none: nothing is needed; silent: no code before it; re-enumerate: it leaves the bus once, too",
    ),
});
export type HidScannerOptions = z.output<typeof HidScannerOptions>;

const delivery = {
  symbology: z
    .string()
    .regex(/^\][A-Za-z][0-9A-Za-z]$/)
    .default("]Q1")
    .describe("AIM identifier"),
  fragments: z.array(z.int().min(1).max(56)).max(1000).optional().describe("bytes of the code in each report; the rest fills its reports"),
  gapMs: z.int().min(0).max(60_000).default(0).describe("pause between the reports"),
};
type Delivery = z.output<z.ZodObject<typeof delivery>>;
const none = z.strictObject({});

interface Presented {
  readonly reports: readonly Uint8Array[];
  readonly gapMs: number;
}

function create(options: HidScannerOptions, { clock, random, changed }: SimulatorContext): Simulator {
  const model: Model | undefined = options.model === "keyboard" ? undefined : MODELS[options.model];
  const descriptor = model?.descriptor ?? KEYBOARD_DESCRIPTOR;
  let unplugged = false;
  let triggered = false;
  let redirected = options.redirect === "none";
  let scansSent = 0;
  let outputReports = 0;
  let lastOutput = "";
  let unknownReports = 0;
  /** In view, not read yet. */
  let held: Presented | undefined;
  let stop = new AbortController();
  let tail = Promise.resolve();
  let frames = createHostFrames();
  /** A device that the host has not looked at yet reports nothing. */
  let greeted = false;

  const wire = createWire(async (bytes) => {
    for (const byte of bytes) {
      const frame = frames(byte);
      if (frame) take(frame);
    }
    changed();
  });

  const take = ({ kind, report }: HostFrame): void => {
    if (kind === "hello") {
      greeted = true;
      return wire.send(descriptorFrame(descriptor));
    }
    const hex = toHex(report);
    if (kind === "output") {
      outputReports += 1;
      lastOutput = hex.slice(0, 16);
    }
    if (kind === "output" && hex === model?.trigger?.on) trigger(true);
    else if (kind === "output" && hex === model?.trigger?.off) trigger(false);
    else if (kind === "feature" && hex === model?.redirect) redirect();
    else unknownReports += 1;
  };
  const redirect = (): void => {
    if (options.redirect === "re-enumerate" && !redirected) wire.detach();
    redirected = true;
  };

  const tell = (report: Uint8Array): void => {
    if (greeted) wire.send(inputFrame(report));
  };
  /** One code after the other, whoever asked. */
  const send = ({ reports, gapMs }: Presented): Promise<void> => {
    const { signal } = stop;
    tail = tail.then(async () => {
      for (const [index, report] of reports.entries()) {
        if (index > 0 && gapMs > 0) await clock.sleep(gapMs, signal).catch(() => {});
        if (signal.aborted) return;
        // Before it is redirected the code goes to the keyboard's interface, which is none of ours.
        if (redirected) tell(report);
      }
      scansSent += 1;
      changed();
    });
    return tail;
  };
  const trigger = (on: boolean): void => {
    triggered = on;
    if (!on || !held) return;
    const code = held;
    held = undefined;
    triggered = false;
    void send(code);
  };
  const present = async (code: Presented): Promise<void> => {
    if (options.mode === "triggered" && !triggered) {
      held = code;
      return changed();
    }
    triggered = false;
    await send(code);
  };

  const reportsOf = (content: Uint8Array, { symbology, fragments = [], gapMs }: Delivery): Presented => {
    if (!model) return { reports: keyReports(new TextDecoder().decode(content)), gapMs };
    const parts: Uint8Array[] = [];
    for (let start = 0; start < content.length; ) {
      const part = content.subarray(start, start + Math.min(fragments[parts.length] ?? model.room, model.room));
      parts.push(part);
      start += part.length;
    }
    return { reports: parts.map((part, index) => model.report(part, symbology, index < parts.length - 1)), gapMs };
  };
  const anyReport = (): Uint8Array => model?.report(new Uint8Array(5).fill(0x41), "]Q1", false) ?? new Uint8Array(8);

  const actions = {
    scan: defineAction({
      summary: "Shows a code to the scanner",
      params: z.strictObject({ text: z.string().min(1).max(10_000), ...delivery }),
      async act({ text, ...how }) {
        await present(reportsOf(new TextEncoder().encode(text), how));
        return undefined;
      },
    }),
    scanBytes: defineAction({
      summary: "Shows a code whose content is no UTF-8 text",
      params: z.strictObject({ base64: z.base64().max(20_000), ...delivery }),
      async act({ base64, ...how }) {
        await present(reportsOf(new Uint8Array(Buffer.from(base64, "base64")), how));
        return undefined;
      },
    }),
    garbage: defineAction({
      summary: "Sends reports of random bytes and lengths",
      params: z.strictObject({ reports: z.int().min(1).max(500).default(20) }),
      async act({ reports }) {
        for (let count = 0; count < reports; count++) tell(random.bytes(1 + Math.floor(random.fraction() * 80)));
        return undefined;
      },
    }),
    endless: defineAction({
      summary: "Sends reports that each say that another one follows, and then stops",
      params: z.strictObject({ reports: z.int().min(1).max(900).default(200) }),
      async act({ reports }) {
        const part = new Uint8Array(model?.room ?? 0).fill(0x41);
        for (let count = 0; model && count < reports; count++) tell(model.report(part, "]Q1", true));
        return undefined;
      },
    }),
    wrongLength: defineAction({
      summary: "Sends a report that is cut short, too long, or counts more bytes than it has room for",
      params: z.strictObject({ kind: z.enum(["short", "long", "count"]) }),
      async act({ kind }) {
        const report = anyReport();
        const wrong = {
          short: report.subarray(0, 9),
          long: Uint8Array.from([...report, ...new Uint8Array(200).fill(0x42)]),
          count: model?.miscounted?.(new Uint8Array(5).fill(0x41)) ?? report.subarray(0, 9),
        };
        tell(wrong[kind]);
        return undefined;
      },
    }),
    unplug: defineAction({
      summary: "Pulls the cable",
      params: none,
      async act() {
        unplugged = true;
        wire.detach();
        changed();
        return undefined;
      },
    }),
    plug: defineAction({
      summary: "Plugs it in again",
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
    kind: "hid-scanner",
    actions,
    attach(farEnd) {
      if (unplugged) return void farEnd.close();
      frames = createHostFrames();
      greeted = false;
      wire.attach(farEnd);
      changed();
    },
    detach() {
      wire.detach();
      changed();
    },
    state: () => ({
      model: options.model,
      mode: options.mode,
      attached: wire.attached,
      greeted: wire.attached && greeted,
      triggered,
      redirected,
      pending: held ? 1 : 0,
      scansSent,
      outputReports,
      lastOutput,
      unknownReports,
    }),
    reset() {
      stop.abort();
      stop = new AbortController();
      unplugged = false;
      triggered = false;
      redirected = options.redirect === "none";
      held = undefined;
      scansSent = 0;
      outputReports = 0;
      lastOutput = "";
      unknownReports = 0;
      changed();
    },
    async close() {
      stop.abort();
      wire.detach();
    },
  };
  return simulator;
}

export const hidScanner = defineSimulator({
  kind: "hid-scanner",
  summary: "A barcode and QR scanner in USB HID POS mode, or one that types, at the boundary of hidraw",
  options: HidScannerOptions,
  create,
});
