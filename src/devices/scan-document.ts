import type { RawPage } from "../contracts/document-scanner.js";
import type { Documents, PreparedPage } from "../contracts/imaging.js";
import { DeviceError, errorObject } from "../kernel/errors.js";
import type { Call } from "../protocol/call.js";
import { PAGE_SIZES, type ScannedPage } from "../protocol/document-scanner.js";
import type { Params, Result } from "../protocol/methods.js";
import type { Bay } from "./bay.js";
import { marked } from "./handler-context.js";

type ScanParams = Params<"documentScanner.scan">;

/** Pages that may wait to be worked on: the scanner is slowed down then. */
const PAGES_IN_HAND = 2;
/** What a scan may hold in memory; two hundred pages of colour at 300 dpi fit. */
const MOST_HELD_BYTES = 512 * 1024 * 1024;

interface Held {
  readonly page: PreparedPage;
  readonly dropped: boolean;
}

/**
 * Scans, works on each page while the next one is under the lamp, tells each as it comes, and puts the whole together. Keeps nothing.
 * @param stop ends the scan early and keeps its pages, unlike the call's own signal
 */
export async function scanDocument(
  bay: Bay<"documentScanner">,
  params: ScanParams,
  call: Call,
  documents: Documents,
  stop: AbortSignal,
): Promise<Result<"documentScanner.scan">> {
  return await bay.use("documentScanner.scan", call.signal, async (scanner, signal) => {
    bay.claims.check(call.caller);
    const held: Held[] = [];
    const work = pageWork(params, call, documents, held, signal, stop);
    const [widthMm, heightMm] = PAGE_SIZES[params.pageSize];
    const { source, mode, resolutionDpi, maxPages } = params;
    call.progress("scanning", 0);
    const end = await scanner
      .scan(
        { source, mode, resolutionDpi, widthMm, heightMm, maxPages },
        { progress: (fraction) => call.progress("scanning", fraction), page: work.page },
        AbortSignal.any([signal, stop]),
      )
      .catch((thrown: unknown) => {
        if (signal.aborted || !stop.aborted) throw thrown;
        return { state: "broken_off", reason: stop.reason as DeviceError } as const;
      });
    const broken = (await work.done()) ?? (end.state === "broken_off" ? end.reason : undefined);
    if (broken && held.length === 0) throw broken;
    call.progress("assembling");
    return await put(held, broken && bay.named(broken), bay, params, call, documents, signal);
  });
}

/** Hands pages to the imaging child one after the other; the first that fails ends the work. */
function pageWork(params: ScanParams, call: Call, documents: Documents, held: Held[], signal: AbortSignal, stop: AbortSignal) {
  const { mode, deskew, cropToPage, dropBlankPages } = params;
  let failed: DeviceError | undefined;
  let inHand = 0;
  let heldBytes = 0;
  let tail: Promise<void> = Promise.resolve();
  let room = (): void => {};

  const take = async (raw: RawPage): Promise<void> => {
    const page = await documents.prepare(raw, { mode, deskew, cropToPage }, signal);
    const dropped = dropBlankPages && page.blank;
    heldBytes += page.bytes.length;
    if (heldBytes > MOST_HELD_BYTES) throw new DeviceError("too_large", { message: "the stack is too much for one scan", hint: SMALLER });
    // A dropped page is counted and not kept.
    held.push({ page: dropped ? { ...page, bytes: new Uint8Array() } : page, dropped });
    const thumbnail = await call.blob("image/jpeg", page.thumbnail);
    call.progress("page", undefined, undefined, { page: held.length, blank: page.blank, dropped, thumbnail });
  };
  const SMALLER = "Scan in several parts, or at a lower resolution";

  return {
    /** Resolves when there is room for another. @throws the reason why no more pages are wanted */
    async page(raw: RawPage): Promise<void> {
      if (failed) throw failed;
      stop.throwIfAborted();
      inHand += 1;
      tail = tail
        .then(async () => {
          if (!failed) await take(raw);
        })
        .catch((thrown) => {
          signal.throwIfAborted();
          failed ??= thrown instanceof DeviceError ? thrown : new DeviceError("internal", { cause: thrown });
        })
        .finally(() => {
          inHand -= 1;
          room();
        });
      tail.catch(() => {});
      while (inHand >= PAGES_IN_HAND) {
        await new Promise<void>((resolve) => {
          room = resolve;
        });
      }
      if (failed) throw failed;
    },
    /** All pages are worked on. Answers why there are not more of them. */
    async done(): Promise<DeviceError | undefined> {
      await tail;
      return failed;
    },
  };
}

async function put(
  held: readonly Held[],
  broken: DeviceError | undefined,
  bay: Bay<"documentScanner">,
  { format, maxBytes, resolutionDpi }: ScanParams,
  call: Call,
  documents: Documents,
  signal: AbortSignal,
): Promise<Result<"documentScanner.scan">> {
  const kept = held.filter(({ dropped }) => !dropped).map(({ page }) => page);
  const whole =
    kept.length === 0 ? undefined : await documents.assemble(kept, { format, ...(maxBytes === undefined ? {} : { maxBytes }) }, signal);
  const pages: ScannedPage[] = [];
  let image = 0;
  for (const [index, { page, dropped }] of held.entries()) {
    const made = dropped ? undefined : whole?.images[image++];
    const { widthPx, heightPx } = made ?? page;
    pages.push({
      page: index + 1,
      widthPx,
      heightPx,
      resolutionDpi: whole?.resolutionDpi ?? page.resolutionDpi,
      skewDegrees: page.skewDegrees,
      blank: page.blank,
      dropped,
      ...(made ? { image: await call.blob(format === "png" ? "image/png" : "image/jpeg", made.bytes) } : {}),
    });
  }
  return {
    ...marked(bay),
    pages,
    ...(whole?.document ? { document: await call.blob("application/pdf", whole.document) } : {}),
    ...(whole?.jpegQuality === undefined ? {} : { jpegQuality: whole.jpegQuality }),
    resolutionDpi: whole?.resolutionDpi ?? resolutionDpi,
    ...(broken ? { brokenOff: errorObject(broken) as NonNullable<Result<"documentScanner.scan">["brokenOff"]> } : {}),
  } as Result<"documentScanner.scan">;
}
