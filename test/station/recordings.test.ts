import { describe, expect, it } from "vitest";
import { barcodeScanner } from "../../simulators/barcode-scanner/index.js";
import { camera } from "../../simulators/camera/index.js";
import { chipCard } from "../../simulators/chip-card/index.js";
import { canOf, PEOPLE } from "../../simulators/chip-card/people.js";
import { documentScanner } from "../../simulators/document-scanner/index.js";
import { hidScanner } from "../../simulators/hid-scanner/index.js";
import { nexoTerminal } from "../../simulators/nexo-terminal/index.js";
import { receiptPrinter } from "../../simulators/receipt-printer/index.js";
import { serveTcp } from "../../simulators/serve.js";
import type { Simulator, SimulatorKind } from "../../simulators/simulator.js";
import { zvtTerminal } from "../../simulators/zvt-terminal/index.js";
import type { BarcodeScanner, ScannedCode } from "../../src/contracts/barcode-scanner.js";
import type { Camera } from "../../src/contracts/camera.js";
import type { ChipReader } from "../../src/contracts/chip-reader.js";
import type { DocumentScanner, RawPage } from "../../src/contracts/document-scanner.js";
import type { PaymentTerminal } from "../../src/contracts/payment-terminal.js";
import type { Printer } from "../../src/contracts/printer.js";
import { hidPos } from "../../src/drivers/barcode-scanner/hid-pos/driver.js";
import { serialScanner } from "../../src/drivers/barcode-scanner/serial-scanner/driver.js";
import { ffmpeg } from "../../src/drivers/camera/ffmpeg/driver.js";
import { pcsc } from "../../src/drivers/chip-reader/pcsc/driver.js";
import { escl } from "../../src/drivers/document-scanner/escl/driver.js";
import { sane } from "../../src/drivers/document-scanner/sane/driver.js";
import { nexo } from "../../src/drivers/payment-terminal/nexo/driver.js";
import { zvt } from "../../src/drivers/payment-terminal/zvt/driver.js";
import { escpos } from "../../src/drivers/printer/escpos/driver.js";
import { readChip } from "../../src/emrtd/read-chip.js";
import { canKey, lengthMemory } from "../../src/emrtd/testing/scripted-card.js";
import { toHex } from "../../src/kernel/bytes.js";
import { type Clock, systemClock } from "../../src/kernel/clock.js";
import type { Connect, Link } from "../../src/kernel/link.js";
import type { ProgramLink } from "../../src/kernel/program.js";
import { seededRandom } from "../../src/kernel/random.js";
import type { z } from "../../src/kernel/schema.js";
import { hidOverLink } from "../../src/transports/hid-over-link.js";
import { http } from "../../src/transports/http.js";
import { memoryPair } from "../../src/transports/memory.js";
import { vpcd } from "../../src/transports/vpcd.js";
import { type Case, changed, type FarSide, never, recordRun, replayRun, type Stage } from "./recordings-rig.js";
// Loaded by now: a clock that is moved by hand waits for no file.
import "../../src/drivers/barcode-scanner/hid-pos/device.js";
import "../../src/drivers/barcode-scanner/serial-scanner/device.js";
import "../../src/drivers/document-scanner/sane/device.js";
import "../../src/drivers/payment-terminal/zvt/device.js";
import "../../src/drivers/printer/escpos/device.js";

/** Sealed messages hold the time: both runs have the same. */
const machine: Clock = { ...systemClock(), now: () => Date.UTC(2026, 0, 2) };

function simulated<S extends z.ZodType>(kind: SimulatorKind<S>, options: object, clock: Clock): Simulator {
  return kind.create(kind.options.parse(options), { clock, random: seededRandom(1), changed() {} });
}

const acting =
  (simulator: Simulator): FarSide["act"] =>
  async (name, params = {}) => {
    const action = simulator.actions[name];
    if (!action) throw new RangeError(`no action ${name}`);
    await action.act(action.params.parse(params));
  };

/** A simulator at the end of a wire in memory. */
function atWire(
  kind: SimulatorKind,
  options: object,
  over: (connect: Connect<Link>, clock: Clock) => Connect<never>,
): Case<never>["farSide"] {
  return async (clock) => {
    const simulator = simulated(kind, options, clock);
    const connect = async (): Promise<Link> => {
      const [near, far] = memoryPair();
      simulator.attach(far);
      return near;
    };
    return { connect: over(connect, clock), act: acting(simulator), close: () => simulator.close() };
  };
}
const bytes = (connect: Connect<Link>): Connect<never> => connect as Connect<never>;

function atHttp(kind: SimulatorKind, options: object): Case<never>["farSide"] {
  return async (clock) => {
    const simulator = simulated(kind, options, clock);
    const served = await serveTcp(simulator, { host: "127.0.0.1", port: 0 });
    const address = { host: "127.0.0.1", port: served.port };
    const connect = simulator.authority
      ? http({ kind: "https", ...address, caFile: "", serverName: simulator.tlsName }, simulator.authority)
      : http({ kind: "http", ...address });
    return {
      connect: connect as Connect<never>,
      act: acting(simulator),
      async close() {
        await simulator.close();
        await served.close();
      },
    };
  };
}

const slip = { blocks: [{ type: "text" as const, text: "GIẤY BIÊN NHẬN" }, { type: "rule" as const }] };
const printing: Case<Printer> = {
  driver: escpos,
  time: "manual",
  farSide: atWire(receiptPrinter, {}, bytes),
  async play({ device }) {
    const stages: string[] = [];
    const steps = {
      sending: async () => {},
      finishing: async () => {},
      sent: async () => {},
      progress: (stage: string) => void stages.push(stage),
    };
    const prepared = await device.prepare(slip, { reprint: false, simulated: false }, never);
    const outcome = await device.print(prepared, steps, never);
    return { outcome, stages, identity: device.identity, capabilities: device.capabilities, checks: await device.selfTest(never) };
  },
};

const CODE = "079203004567|234567890|Nguyễn Thị Thuỳ Dương|01022003|Nữ|Số 7 hẻm Cầu Đá|03042021";
async function scanning({ device, act, clock }: Stage<BarcodeScanner>): Promise<unknown> {
  const codes: ScannedCode[] = [];
  device.onScan((code) => codes.push(code));
  await device.trigger(true, never);
  await act("scan", { text: CODE });
  await clock.sleep(5_000);
  await act("scan", { text: "HS-2026-000123" });
  await clock.sleep(5_000);
  await device.trigger(false, never);
  expect(codes.at(0)?.text).toBe(CODE);
  return { codes, identity: device.identity, checks: await device.selfTest(never) };
}
const serialScanning: Case<BarcodeScanner> = {
  driver: serialScanner,
  settings: { dialect: "newland" },
  time: "manual",
  farSide: atWire(barcodeScanner, { mode: "triggered" }, bytes),
  play: scanning,
};
const hidScanning: Case<BarcodeScanner> = {
  driver: hidPos,
  time: "manual",
  farSide: atWire(hidScanner, { model: "honeywell", mode: "triggered" }, (connect) => hidOverLink(connect) as Connect<never>),
  play: scanning,
};

async function paying({ device }: Stage<PaymentTerminal>): Promise<unknown> {
  const [stages, lines]: [string[], string[]] = [[], []];
  const outcome = await device.pay(
    { amountVnd: 50_000, reference: "HS-1", description: "le phi" },
    {
      armed: async () => {},
      sent: async () => {},
      held: async () => {},
      answering: async () => {},
      progress: (stage) => void stages.push(stage),
      receiptLine: (line) => void lines.push(line),
      showCode() {},
    },
    never,
  );
  expect(outcome.state).toBe("approved");
  return { outcome, stages, lines, totals: await device.totals(false, never).catch((thrown: unknown) => String(thrown)) };
}
const PRESENT = { presentMs: 20, hostMs: 20, removeMs: 20 };
const zvtPaying: Case<PaymentTerminal> = {
  driver: zvt,
  settings: { password: "123456", framing: "tcp", printReceipts: true },
  time: "manual",
  farSide: atWire(zvtTerminal, PRESENT, bytes),
  play: paying,
};
const nexoPaying: Case<PaymentTerminal> = {
  driver: nexo,
  settings: {
    poiId: "V400m-346403161",
    saleId: "kiosk-1",
    keyIdentifier: "station-key",
    keyVersion: 1,
    passphrase: "a passphrase of nobody",
  },
  time: "machine",
  machine,
  farSide: atHttp(nexoTerminal, PRESENT),
  play: paying,
};

const reading: Case<ChipReader> = {
  driver: pcsc,
  time: "machine",
  machine,
  farSide: atWire(chipCard, { inserted: true }, (connect, clock) => vpcd(connect, clock) as Connect<never>),
  async play({ device }) {
    const uid = await device.readUid(never).catch((thrown: unknown) => String(thrown));
    const session = await device.connect(never);
    try {
      const [person] = PEOPLE;
      if (!person) throw new RangeError("nobody there");
      const random = seededRandom(9);
      const stages: string[] = [];
      const contents = await readChip(
        session,
        { access: canKey(canOf(person)), protocol: "auto", files: ["dg1", "dg13", "dg2"] },
        {
          atr: toHex(session.atr),
          maxApduBytes: session.maxApduBytes,
          lengths: lengthMemory(),
          randomBytes: (length) => random.bytes(length),
          signal: never,
          progress: (stage, fraction) => void stages.push(`${stage} ${fraction}`),
        },
      );
      expect(contents.access.protocol).toBe("pace");
      return { uid, contents, stages };
    } finally {
      await session.close();
    }
  },
};

async function scanningPages({ device }: Stage<DocumentScanner>): Promise<unknown> {
  const pages: RawPage[] = [];
  const order = { source: "feeder", mode: "gray", resolutionDpi: 75, widthMm: 210, heightMm: 297, maxPages: 3 } as const;
  const end = await device.scan(order, { progress() {}, page: async (page) => void pages.push(page) }, never);
  expect(pages).toHaveLength(2);
  return { end, pages, capabilities: device.capabilities };
}
const esclScanning: Case<DocumentScanner> = {
  driver: escl,
  settings: { pollMs: 3_600_000 },
  time: "machine",
  machine,
  farSide: atHttp(documentScanner, { pageMs: 0, sheets: [{}, {}] }),
  play: scanningPages,
};
/** There is no simulated scanner for scanimage: a program of the test's own says what scanimage would. */
const scanimage: ProgramLink = {
  description: "scanimage",
  folder: "/nowhere",
  async run(args, { begun, stdout, stderr }) {
    let answered = (): void => {};
    begun?.(() => answered());
    if (args[0] === "-f") stdout?.("sim:1\tNobody\tScanBox");
    else if (args.includes("--all-options")) {
      for (const line of ["    --mode Color|Gray [Gray]", "    --resolution 75|300dpi [75]", "    --source Flatbed|ADF [Flatbed]"])
        stdout?.(line);
    } else {
      for (const page of [1, 2]) {
        const answer = new Promise<void>((resolve) => {
          answered = resolve;
        });
        stderr?.(`Place document no. ${page} on the scanner.`);
        await answer;
        stdout?.(`page${page}.pnm`);
      }
    }
    return { code: 0, stopped: false };
  },
  take: async (name) => Uint8Array.from([...Buffer.from("P5\n1 1\n255\n"), name.charCodeAt(4)]),
  async close() {},
};
const saneScanning: Case<DocumentScanner> = {
  driver: sane,
  time: "manual",
  farSide: async () => ({ connect: (async () => scanimage) as unknown as Connect<never>, act: async () => {}, close: async () => {} }),
  play: scanningPages,
};

const looking: Case<Camera> = {
  driver: ffmpeg,
  time: "machine",
  machine,
  farSide: atWire(camera, { widthPx: 64, heightPx: 64, framesPerSecond: 30 }, bytes),
  async play({ device }) {
    const frames: Uint8Array[] = [];
    await new Promise<void>((resolve, reject) => {
      const view = device.view({
        frame({ jpeg }) {
          if (frames.push(jpeg) < 3) return;
          view[Symbol.dispose]();
          resolve();
        },
        lost: reject,
      });
    });
    return frames.slice(0, 3);
  },
};

describe.each<[string, Case<never>]>([
  ["printer, escpos", printing as Case<never>],
  ["barcode scanner, serial-scanner", serialScanning as Case<never>],
  ["barcode scanner, hid-pos", hidScanning as Case<never>],
  ["payment terminal, zvt", zvtPaying as Case<never>],
  ["payment terminal, nexo", nexoPaying as Case<never>],
  ["chip reader, pcsc over vpcd", reading as Case<never>],
  ["document scanner, escl", esclScanning as Case<never>],
  ["document scanner, sane", saneScanning as Case<never>],
  ["camera, ffmpeg", looking as Case<never>],
])("a recording of a %s", (name, of) => {
  it("replays byte for byte into a fresh driver with the same result", async () => {
    const recorded = await recordRun(of);
    const replayed = await replayRun(of, recorded.recording);
    expect(replayed).toEqual({ outcome: { result: recorded.result, conditions: recorded.conditions }, diverged: [] });
    if (name.startsWith("camera"))
      return expect(recorded.passed.filter(({ from, bytes }) => from === "agent" && bytes.length > 0)).toEqual([]);
    // A byte that the agent sends otherwise is named, early and late.
    for (const pick of [(lines: readonly number[]) => lines[0] ?? 0, (lines: readonly number[]) => lines.at(-1) ?? 0]) {
      const { text, line } = changed(recorded.recording, pick);
      const { diverged } = await replayRun(of, text);
      expect(diverged).toMatchObject([{ kind: "device_fault", message: expect.stringMatching(`^replay, line ${line}: `) }]);
    }
  });
});
