import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import sharp from "sharp";
import { documentScanner } from "../simulators/document-scanner/index.js";
import { Sheet } from "../simulators/document-scanner/options.js";
import { createPages } from "../simulators/document-scanner/page.js";
import { serveTcp } from "../simulators/serve.js";
import { connectStation } from "../src/client/node.js";
import { createDocuments } from "../src/imaging/documents.js";
import { systemClock } from "../src/kernel/clock.js";
import { silentLog } from "../src/kernel/log.js";
import { seededRandom } from "../src/kernel/random.js";
import { benchAgent, ended, median } from "./process.js";
import { atMost, type BenchResult } from "./report.js";

const PAGES = 10;
const DPI = 300;
const MAX_BYTES = 5_000_000;
const SKEWS = [1.2, -0.7, 2.6, 0, -1.9, 0.4, 3.3, -2.2, 0.9, -0.3];
const BLANK = new Set([3, 7]);
const SHEETS = SKEWS.map((skewDegrees, index) => Sheet.parse({ skewDegrees, ...(BLANK.has(index) ? { blank: "dirty" } : {}) }));

interface LoopDelay {
  readonly p50: number;
  readonly p99: number;
  readonly max: number;
  readonly samples: number;
}

/**
 * Ten pages in colour at 300 dpi from the feeder, straightened, two blank ones left out, as a PDF of at most 5 MB: how late the agent's
 * event loop is meanwhile. And one page after the other through the imaging child, against a bare decode and encode of the same page.
 */
export async function scan(): Promise<BenchResult> {
  const whole = await wholeScan();
  const page = await pageByPage();
  return {
    name: "scan",
    rows: [
      {
        what: "delay of the event loop during ten colour pages at 300 dpi, p99",
        unit: "ms",
        ours: whole.delay.p99,
        floor: { value: whole.idle.p99, is: "at rest" },
        target: atMost(20),
      },
      { what: "a page straightened and judged", unit: "ms", ours: page.ours, floor: { value: page.floor, is: "decoded and encoded" } },
    ],
    beside: whole,
  };
}

async function wholeScan() {
  const context = { clock: systemClock(), random: seededRandom(1), changed: () => {} };
  const simulator = documentScanner.create(documentScanner.options.parse({ pageMs: 0, sheets: SHEETS }), context);
  const wire = await serveTcp(simulator, { host: "127.0.0.1", port: 0 });
  const agent = await benchAgent(
    `[devices.papers]\ndriver = "escl"\nlink = { kind = "http", host = "127.0.0.1", port = ${wire.port} }`,
    "",
    "technician",
  );
  const folder = mkdtempSync(join(tmpdir(), "stationd-bench-loop-"));
  const file = join(folder, "delay.json");
  const script = (name: string): string => fileURLToPath(new URL(name, import.meta.url));
  const server = spawn(process.execPath, ["--import", script("./loop-delay.js"), script("../bundle/stationd.js"), ...agent.args], {
    stdio: ["ignore", "ignore", "inherit"],
    env: { ...process.env, BENCH_LOOP_FILE: file },
  });
  try {
    const client = await connectStation({ url: agent.url, client: { name: "bench", version: "1" }, token: agent.token });
    while ((await client.call("devices.get", { device: "papers" })).state !== "ready") await pause(20);
    await loopDelay(server, file);
    await pause(2_000);
    const idle = await loopDelay(server, file);
    const started = performance.now();
    const { pages, jpegQuality, resolutionDpi } = await client.call("documentScanner.scan", {
      source: "feeder",
      resolutionDpi: DPI,
      dropBlankPages: true,
      maxBytes: MAX_BYTES,
    });
    const totalMs = performance.now() - started;
    const delay = await loopDelay(server, file);
    client.close();
    const dropped = pages.filter((page) => page.dropped).length;
    if (pages.length !== PAGES || dropped !== BLANK.size) throw new Error(`${pages.length} pages, ${dropped} blank`);
    const skewErrors = pages.map(({ skewDegrees }, index) => (BLANK.has(index) ? 0 : Math.abs(skewDegrees + (SKEWS[index] ?? 0))));
    return { delay, idle, totalMs, jpegQuality, resolutionDpi, worstSkewErrorDegrees: Math.max(...skewErrors) };
  } finally {
    server.kill();
    await ended(server);
    await wire.close();
    await simulator.close();
    agent.remove();
    rmSync(folder, { recursive: true, force: true });
  }
}

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** Since it was last asked. */
async function loopDelay(server: ChildProcess, file: string): Promise<LoopDelay> {
  rmSync(file, { force: true });
  server.kill("SIGUSR2");
  for (;;) {
    try {
      return JSON.parse(readFileSync(file, "utf8")) as LoopDelay;
    } catch {
      await pause(10);
    }
  }
}

async function pageByPage(): Promise<{ ours: number; floor: number }> {
  const documents = createDocuments({ log: silentLog, clock: systemClock() });
  const draw = createPages("white");
  const window = { resolutionDpi: DPI, leftMm: 0, topMm: 0, widthMm: 210, heightMm: 297, mode: "color" } as const;
  const order = { mode: "color", deskew: true, cropToPage: false } as const;
  const never = new AbortController().signal;
  const [ours, floor]: [number[], number[]] = [[], []];
  try {
    for (const [index, sheet] of SHEETS.entries()) {
      const bytes = await draw({ ...sheet, number: index + 1 }, window);
      const page = { mediaType: "image/jpeg", bytes, resolutionDpi: DPI } as const;
      if (index === 0) await documents.prepare(page, order, never); // starts the child
      const started = performance.now();
      await documents.prepare(page, order, never);
      const between = performance.now();
      await sharp(bytes, { sequentialRead: true }).jpeg({ quality: 85 }).toBuffer();
      ours.push(between - started);
      floor.push(performance.now() - between);
    }
  } finally {
    await documents.stop();
  }
  return { ours: median(ours), floor: median(floor) };
}
