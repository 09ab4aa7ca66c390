import assert from "node:assert/strict";
import { readdirSync } from "node:fs";
import { constants, setPriority } from "node:os";
import { type ChildContext, serveChild } from "../child/serve.js";
import type { RawPage } from "../contracts/document-scanner.js";
import type { Assembled, AssembleOrder, Picture, PreparedPage, PrepareOrder } from "../contracts/imaging.js";
import { systemClock } from "../kernel/clock.js";
import { assemblePages } from "./document-assemble.js";
import { preparePage } from "./document-page.js";
import { judgePicture } from "./document-picture.js";
import { openTray, PIECE_BYTES, type Piece } from "./document-tray.js";

/** Beside the page's bytes, which come through the tray. */
export interface PrepareRequest {
  readonly page: Omit<RawPage, "bytes">;
  readonly order: PrepareOrder;
}
/** Beside the pages' bytes, which come through the tray. */
export interface AssembleRequest {
  readonly pages: readonly Omit<PreparedPage, "bytes">[];
  readonly order: AssembleOrder;
  readonly createdAt: number;
}
/** Beside the files themselves, which are fetched one after the other: the images, or the one PDF. */
export interface AssembleAnswer {
  readonly whole: Omit<Assembled, "images" | "document">;
  readonly files: readonly { readonly length: number; readonly widthPx: number; readonly heightPx: number }[];
}
export interface FetchRequest {
  readonly file: number;
  readonly from: number;
}
export interface PictureRequest {
  readonly jpeg: Uint8Array;
  readonly box: { readonly maxWidthPx?: number; readonly maxHeightPx?: number };
}

/** More than the largest page takes. Native libraries know no limit of their own. */
const MOST_MEMORY_BYTES = 2 ** 31;
const MEMORY_CHECK_MS = 100;
const MOST_TRAY_BYTES = 2 ** 29;
const LIMIT_MS = { prepare: 60_000, assemble: 600_000, picture: 10_000 };

const clock = systemClock();
const tray = openTray(MOST_TRAY_BYTES);
let made: readonly Uint8Array[] = [];
let isModest = false;

// A native decoder that hangs or swells hears nothing, but this thread still turns: the process ends itself, and the next call gets a new one.
const die = (): void => void process.kill(process.pid, "SIGKILL");
const watchMemory = (): void => {
  if (process.memoryUsage.rss() > MOST_MEMORY_BYTES) die();
  clock.timer(MEMORY_CHECK_MS, watchMemory);
};
watchMemory();

async function within<T>(limitMs: number, work: Promise<T>): Promise<T> {
  using _limit = clock.timer(limitMs, die);
  return await work;
}

/** Pages are many and may take their time: the agent, the browser and the camera go first. On Linux priority belongs to each thread. */
function beModest(): void {
  if (isModest) return;
  isModest = true;
  for (const thread of readdirSync("/proc/self/task")) setPriority(Number(thread), constants.priority.PRIORITY_BELOW_NORMAL);
}

serveChild({
  lay: async (args) => tray.lay(args as Piece),
  async prepare(args, { signal }: ChildContext): Promise<PreparedPage> {
    beModest();
    const { page, order } = args as PrepareRequest;
    const [bytes] = tray.empty();
    assert(bytes);
    return await within(LIMIT_MS.prepare, preparePage({ ...page, bytes }, order, signal));
  },
  async assemble(args, { signal }: ChildContext): Promise<AssembleAnswer> {
    beModest();
    const { pages, order, createdAt } = args as AssembleRequest;
    const files = tray.empty();
    assert(files.length === pages.length);
    const whole = pages.map((page, index) => ({ ...page, bytes: files[index] ?? new Uint8Array() }));
    const { images, document, ...rest } = await within(LIMIT_MS.assemble, assemblePages(whole, order, createdAt, signal));
    const answer = document ? [{ bytes: document, widthPx: 0, heightPx: 0 }] : images;
    signal.throwIfAborted();
    made = answer.map(({ bytes }) => bytes);
    return { whole: rest, files: answer.map(({ bytes, widthPx, heightPx }) => ({ length: bytes.length, widthPx, heightPx })) };
  },
  async fetch(args): Promise<Uint8Array> {
    const { file, from } = args as FetchRequest;
    return made[file]?.subarray(from, from + PIECE_BYTES) ?? new Uint8Array();
  },
  clear: async () => {
    tray.empty();
    made = [];
  },
  async picture(args): Promise<Picture> {
    const { jpeg, box } = args as PictureRequest;
    return await within(LIMIT_MS.picture, judgePicture(jpeg, box));
  },
});
