/** A citizen's papers, page by page as they come. They live in `journey.papers`, in the order that the citizen wants. */
import { forgetPicture } from "./journey.js";

/** Good enough to be read and small enough to be sent; `auto` is the feeder where it has paper, else the glass. */
const ORDER = { source: "auto", mode: "color", resolutionDpi: 200, format: "jpeg", dropBlankPages: true };
const MOST_PAGES = 20;
const MOST_BYTES = 15_000_000;

/**
 * Scans what lies in the scanner. Resolves when that is over: `journey.scan` is then undefined, and the answer says what went
 * wrong, `{ kind }` of an error or `nothing_seen`, and whether the pages are kept; undefined where all is well.
 * @param replace the page that the first one that comes stands in for
 * @param told after each change
 */
export async function scanPapers(client, journey, told, replace) {
  const { papers } = journey;
  const stop = new AbortController();
  const scan = {
    stop,
    replace,
    stage: "scanning",
    fraction: undefined,
    /** Ends it early, and keeps the pages that came. */
    enough() {
      if (scan.stage === "stopping") return;
      scan.stage = "stopping";
      told();
      client.call("documentScanner.stop", {}).catch(() => stop.abort());
    },
  };
  /** By their number in this stack. */
  const come = new Map();
  journey.scan = scan;
  told();

  const take = ({ page, dropped, thumbnail }) => {
    if (dropped || come.has(page)) return;
    const picture = { url: URL.createObjectURL(client.blob(thumbnail)), image: undefined };
    come.set(page, picture);
    const at = replace && come.size === 1 ? papers.indexOf(replace) : -1;
    if (at >= 0) forgetPicture(papers.splice(at, 1, picture)[0]);
    else papers.push(picture);
  };
  const keep = (pages) => {
    for (const { page, image } of pages) if (image && come.has(page)) come.get(page).image = client.blob(image);
  };
  /** A page whose picture never came is none. */
  const dropUnkept = () => {
    for (const picture of come.values()) {
      if (picture.image || !papers.includes(picture)) continue;
      papers.splice(papers.indexOf(picture), 1);
      forgetPicture(picture);
    }
  };

  try {
    const maxPages = replace ? 1 : Math.max(1, MOST_PAGES - papers.length);
    const result = await client.call(
      "documentScanner.scan",
      { ...ORDER, maxPages, maxBytes: MOST_BYTES },
      {
        signal: stop.signal,
        onProgress({ stage, fraction, page }) {
          if (stop.signal.aborted) return;
          if (page) take(page);
          if (scan.stage !== "stopping") Object.assign(scan, { stage, fraction });
          told();
        },
      },
    );
    if (stop.signal.aborted) return undefined;
    keep(result.pages);
    if (result.brokenOff?.kind === "canceled") return undefined;
    if (result.brokenOff) return { kind: result.brokenOff.kind, kept: true };
    return come.size === 0 ? { kind: "nothing_seen", kept: true } : undefined;
  } catch (error) {
    return stop.signal.aborted || error.kind === "canceled" ? undefined : { kind: error.kind, error, kept: come.size === 0 };
  } finally {
    dropUnkept();
    if (journey.scan === scan) journey.scan = undefined;
    told();
  }
}

/** @returns the page's new place, from 0; undefined where it cannot go further */
export function movePaper(papers, from, by) {
  const to = from + by;
  if (to < 0 || to >= papers.length) return undefined;
  papers.splice(to, 0, ...papers.splice(from, 1));
  return to;
}

export function removePaper(papers, index) {
  forgetPicture(papers.splice(index, 1)[0]);
}
