import { superviseChild } from "../child/child.js";
import type { Assembled, Documents, Picture, PreparedPage } from "../contracts/imaging.js";
import type { Clock } from "../kernel/clock.js";
import { raceSignal } from "../kernel/deadline.js";
import { DeviceError } from "../kernel/errors.js";
import type { Logger } from "../kernel/log.js";
import { PIECE_BYTES, type Piece } from "./document-tray.js";
import type { AssembleAnswer, AssembleRequest, FetchRequest, PictureRequest, PrepareRequest } from "./documents-entry.js";
import { OWN_FONTS_ONLY } from "./own-fonts.js";
import { secondTry } from "./second-try.js";

export interface DocumentsRoom extends Documents {
  /** Of the children, while they run. */
  readonly pids: { readonly documents: number | undefined; readonly pictures: number | undefined };
  /** For good. Idempotent, never rejects. */
  stop(): Promise<void>;
}

const IDLE_STOP_MS = 60_000;
const MAX_OLD_SPACE_MB = 256;
/** Decoding happens in threads of its own; what is left is measuring, and that is short. */
const HEARTBEAT = { everyMs: 1_000, deadAfterMs: 10_000 };

const notDecoded = (cause: DeviceError): DeviceError =>
  new DeviceError("device_fault", {
    message: "the device sent a picture that could not be decoded",
    hint: "Try again; if it stays, switch the device off and on",
    cause,
  });
const notAssembled = (cause: DeviceError): DeviceError =>
  new DeviceError("internal", { message: "putting the pages together ended unexpectedly", retryable: true, cause });

/**
 * Pages and pictures in supervised children, each started by the first request and stopped after a minute without one. Two of them, so
 * that a live picture never waits for a page, and no page is lost with a damaged picture.
 */
export function createDocuments({ log, clock }: { readonly log: Logger; readonly clock: Clock }): DocumentsRoom {
  const supervise = (name: string) =>
    superviseChild({
      entry: new URL("./documents-entry.js", import.meta.url),
      name,
      log,
      clock,
      idleStopMs: IDLE_STOP_MS,
      maxOldSpaceMb: MAX_OLD_SPACE_MB,
      heartbeat: HEARTBEAT,
      env: OWN_FONTS_ONLY,
    });
  const documents = supervise("documents");
  const pictures = supervise("pictures");
  const turns = oneAfterTheOther();
  const takeTurn = <T>(signal: AbortSignal, work: () => Promise<T>): Promise<T> =>
    turns(signal, async () => {
      try {
        return await work();
      } finally {
        // Nothing of a citizen's papers waits for the idle stop.
        if (documents.pid !== undefined) await documents.call("clear", undefined, new AbortController().signal).catch(() => {});
      }
    });

  const lay = async (files: readonly Uint8Array[], signal: AbortSignal): Promise<void> => {
    for (const [file, bytes] of files.entries()) {
      for (let from = 0; from === 0 || from < bytes.length; from += PIECE_BYTES) {
        const piece: Piece = { file, length: bytes.length, from, bytes: bytes.subarray(from, from + PIECE_BYTES) };
        await documents.call("lay", piece, signal);
      }
    }
  };
  const fetch = async (file: number, length: number, signal: AbortSignal): Promise<Uint8Array> => {
    const bytes = new Uint8Array(length);
    for (let from = 0; from < length; ) {
      const request: FetchRequest = { file, from };
      const piece = (await documents.call("fetch", request, signal)) as Uint8Array;
      if (piece.length === 0) throw new DeviceError("device_absent");
      bytes.set(piece, from);
      from += piece.length;
    }
    return bytes;
  };

  return {
    get pids() {
      return { documents: documents.pid, pictures: pictures.pid };
    },
    async stop() {
      await Promise.all([documents.stop(), pictures.stop()]);
    },
    prepare: ({ bytes, ...page }, order, signal) =>
      takeTurn(signal, () =>
        secondTry(async () => {
          await lay([bytes], signal);
          const request: PrepareRequest = { page, order };
          return (await documents.call("prepare", request, signal)) as PreparedPage;
        }, notDecoded),
      ),
    assemble: (pages, order, signal) =>
      takeTurn(signal, () =>
        secondTry(async (): Promise<Assembled> => {
          if (pages.length === 0) throw new DeviceError("invalid_params", { message: "no pages" });
          await lay(
            pages.map(({ bytes }) => bytes),
            signal,
          );
          const facts = pages.map(({ bytes: _, thumbnail: __, ...page }) => ({ ...page, thumbnail: new Uint8Array() }));
          const request: AssembleRequest = { pages: facts, order, createdAt: clock.now() };
          const { whole, files } = (await documents.call("assemble", request, signal)) as AssembleAnswer;
          const made: { bytes: Uint8Array; widthPx: number; heightPx: number }[] = [];
          for (const [file, { length, widthPx, heightPx }] of files.entries()) {
            made.push({ bytes: await fetch(file, length, signal), widthPx, heightPx });
          }
          const [first] = made;
          return order.format === "pdf" && first ? { ...whole, images: [], document: first.bytes } : { ...whole, images: made };
        }, notAssembled),
      ),
    picture: (jpeg, box, signal) =>
      secondTry(async () => {
        const request: PictureRequest = { jpeg, box };
        return (await pictures.call("picture", request, signal)) as Picture;
      }, notDecoded),
  };
}

/** There is one tray, and memory for one page at a time. */
function oneAfterTheOther(): <T>(signal: AbortSignal, work: () => Promise<T>) => Promise<T> {
  let last: Promise<unknown> = Promise.resolve();
  return async (signal, work) => {
    const before = last;
    const turn = raceSignal(before, signal).then(work);
    last = Promise.allSettled([before, turn]);
    return await turn;
  };
}
