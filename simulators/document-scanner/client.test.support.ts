import { request } from "node:http";
import sharp from "sharp";
import { systemClock } from "../../src/kernel/clock.js";
import { seededRandom } from "../../src/kernel/random.js";
import { serveTcp } from "../serve.js";
import type { Simulator } from "../simulator.js";
import { documentScanner } from "./index.js";
import { SQUARES } from "./page.js";

export interface Answer {
  readonly status: number;
  readonly location: string | undefined;
  readonly declaredBytes: number;
  readonly body: Buffer;
  /** All that was declared has come. */
  readonly whole: boolean;
}

export interface ScannerBench extends AsyncDisposable {
  readonly simulator: Simulator;
  readonly port: number;
  ask(method: string, path: string, body?: string, signal?: AbortSignal): Promise<Answer>;
  act(name: string, params?: object): Promise<void>;
  inject(fault: string, more?: object): Promise<void>;
  /** A new job's path. */
  job(settings?: string): Promise<string>;
  /** The next page of a job. */
  next(path: string): Promise<Answer>;
}

/** A scanner behind a port of this machine, and a client that knows no more of eSCL than the test tells it. */
export async function openScanner(options: object = {}): Promise<ScannerBench> {
  const simulator = documentScanner.create(documentScanner.options.parse({ pageMs: 0, ...options }), {
    clock: systemClock(),
    random: seededRandom(1),
    changed() {},
  });
  const served = await serveTcp(simulator, { host: "127.0.0.1", port: 0 });
  const ask: ScannerBench["ask"] = (method, path, body, signal) =>
    new Promise((resolve, reject) => {
      const sending = request(
        { host: "127.0.0.1", port: served.port, method, path, agent: false, ...(signal ? { signal } : {}) },
        (answer) => {
          const parts: Buffer[] = [];
          const end = (): void =>
            resolve({
              status: answer.statusCode ?? 0,
              location: answer.headers.location,
              declaredBytes: Number(answer.headers["content-length"]),
              body: Buffer.concat(parts),
              whole: answer.complete,
            });
          answer.on("data", (part: Buffer) => parts.push(part));
          answer.on("end", end);
          answer.on("error", end);
        },
      );
      sending.on("error", reject);
      sending.end(body);
    });
  const act = async (name: string, params: object = {}): Promise<void> => {
    const action = simulator.actions[name];
    if (!action) throw new RangeError(name);
    await action.act(action.params.parse(params));
  };
  return {
    simulator,
    port: served.port,
    ask,
    act,
    inject: (fault, more = {}) => act("inject", { fault, ...more }),
    async job(settings = scan()) {
      const { status, location } = await ask("POST", "/eSCL/ScanJobs", settings);
      if (status !== 201 || location === undefined) throw new RangeError(`job refused: ${status}`);
      return new URL(location).pathname;
    },
    next: (path) => ask("GET", `${path}/NextDocument`),
    async [Symbol.asyncDispose]() {
      await simulator.close();
      await served.close();
    },
  };
}

/** ScanSettings, with these elements in place of the usual ones. */
export function scan(elements: Readonly<Record<string, string | number | boolean>> = {}): string {
  const all = { InputSource: "Feeder", ColorMode: "RGB24", XResolution: 75, YResolution: 75, DocumentFormatExt: "image/jpeg", ...elements };
  const told = Object.entries(all).map(([name, value]) => `<scan:${name}>${value}</scan:${name}>`);
  return `<?xml version="1.0"?><scan:ScanSettings xmlns:scan="http://schemas.hp.com/imaging/escl/2011/05/03">${told.join("")}</scan:ScanSettings>`;
}

/** Number of a drawn page, read off its picture; 0 for one with none. The sheet is A4 and lies at the window's left top corner. */
export async function pageNumber(picture: Uint8Array, resolutionDpi: number): Promise<number> {
  const { data, info } = await sharp(picture).greyscale().raw().toBuffer({ resolveWithObject: true });
  const at = (mm: number): number => Math.round((mm / 25.4) * resolutionDpi);
  const left = (210 - SQUARES.count * SQUARES.pitchMm) / 2;
  let number = 0;
  for (let bit = 0; bit < SQUARES.count; bit++) {
    const x = at(left + bit * SQUARES.pitchMm + 1 + SQUARES.sideMm / 2);
    number = number * 2 + ((data[at(SQUARES.yMm) * info.width + x] ?? 255) < 100 ? 1 : 0);
  }
  return number;
}
