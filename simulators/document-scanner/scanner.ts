import type { Clock } from "../../src/kernel/clock.js";
import { type Random, randomId } from "../../src/kernel/random.js";
import { createFaults, type Faults } from "./faults.js";
import { type JobStanding, type ScanSettings, status } from "./messages.js";
import { type DocumentScannerOptions, Page, type Sheet } from "./options.js";
import { createPages } from "./page.js";

/** Of jobs that have ended, so many are told of in the status. */
const MOST_REMEMBERED = 10;

type Side = Page & { readonly number: number };
interface Job {
  readonly id: string;
  readonly settings: ScanSettings;
  state: JobStanding["state"];
  pages: number;
  /** The other side of the sheet that was drawn in. */
  back: Side | undefined;
  /** Of the glass: it was scanned. */
  glassDone: boolean;
  scanning: boolean;
  idle: Disposable | undefined;
}
/** A page, or the HTTP status that is answered instead. */
export type NextPage = { readonly jpeg: Uint8Array; readonly page: number } | { readonly status: number };

export interface Scanner {
  readonly faults: Faults;
  readonly facts: { readonly sheets: number; readonly glass: boolean; readonly jammed: boolean; readonly coverOpen: boolean };
  readonly job: Readonly<Pick<Job, "id" | "pages" | "settings">> | undefined;
  readonly pagesScanned: number;
  load(sheets: readonly Sheet[]): void;
  lay(page: Page | undefined): void;
  jam(): void;
  clearJam(): void;
  cover(open: boolean): void;
  /** Id of the new job, or the HTTP status that refuses it. */
  start(settings: ScanSettings): string | number;
  next(id: string): Promise<NextPage>;
  /** False: there is no such job. */
  cancel(id: string): boolean;
  /** Page that a job is at: the one that comes next. */
  pageOf(id: string): number | undefined;
  statusXml(): string;
  /** Nothing of it goes on. */
  stop(): void;
}

interface Context {
  readonly clock: Clock;
  readonly random: Random;
  changed(): void;
}

/** Paper, glass and lamp: all that is not HTTP. */
export function createScanner(options: DocumentScannerOptions, { clock, random, changed }: Context): Scanner {
  const faults = createFaults(options.faults);
  const draw = createPages(options.lid);
  const over = new AbortController();
  const feeder: { readonly front: Side; readonly back: Side }[] = [];
  let glass: Side | undefined;
  let jammed = false;
  let coverOpen = false;
  let pagesScanned = 0;
  let jobs: Job[] = [];
  const active = (): Job | undefined => jobs.find(({ state }) => state === "Processing");

  const end = (job: Job, state: JobStanding["state"]): void => {
    if (job.state === "Processing") job.state = state;
    job.idle?.[Symbol.dispose]();
    changed();
  };
  const expire = (job: Job): void => {
    job.idle?.[Symbol.dispose]();
    job.idle = clock.timer(options.jobIdleMs, () => end(job, "Aborted"));
  };
  const blankBack = (front: Side): Side => ({
    ...Page.parse({ blank: "clean" }),
    ...size(front),
    skewDegrees: -front.skewDegrees,
    number: front.number,
  });
  const load = (sheets: readonly Sheet[]): void => {
    let number = feeder.length;
    for (const { back, ...front } of sheets) {
      number += 1;
      const side: Side = { ...front, number: front.number ?? number };
      if (back) number += 1;
      feeder.push({ front: side, back: back ? { ...back, number: back.number ?? number } : blankBack(side) });
    }
  };
  const lay = (page: Page | undefined): void => {
    glass = page && { ...page, number: page.number ?? 1 };
  };
  load(options.sheets);
  lay(options.glass || undefined);

  /** An empty glass shows the lid. */
  const lidOnly = (): Side => ({ ...Page.parse({ blank: "clean" }), number: 1 });
  /** The side that is under the lamp next; undefined: there is none. */
  const draws = (job: Job): Side | undefined => {
    if (job.settings.source === "platen") {
      if (job.glassDone) return undefined;
      job.glassDone = true;
      return glass ?? lidOnly();
    }
    if (job.back) {
      const { back } = job;
      job.back = undefined;
      return back;
    }
    const [sheet] = feeder;
    if (!sheet) return undefined;
    if (feeder.length > 1 || !faults.take("endless", "page", job.pages + 1)) feeder.shift();
    if (job.settings.duplex) job.back = sheet.back;
    return sheet.front;
  };
  const adfState = (): string =>
    coverOpen ? options.hatchWord : jammed ? "ScannerAdfJam" : feeder.length > 0 ? "ScannerAdfLoaded" : "ScannerAdfEmpty";
  const abortJob = (): void => {
    const job = active();
    if (job && job.settings.source === "feeder") end(job, "Aborted");
  };

  const next = async (job: Job): Promise<NextPage> => {
    const page = job.pages + 1;
    const stuck = faults.take("jam", "page", page);
    if (stuck) {
      feeder.shift();
      jammed = true;
      end(job, "Aborted");
      return { status: stuck.code ?? 409 };
    }
    const side = draws(job);
    if (!side) {
      end(job, "Completed");
      return { status: 404 };
    }
    const { resolutionDpi, leftMm, topMm, widthMm, heightMm, mode } = job.settings;
    const drawn = draw(side, { resolutionDpi, leftMm, topMm, widthMm, heightMm, mode });
    drawn.catch(() => {});
    if (options.pageMs > 0) await clock.sleep(options.pageMs, over.signal);
    const jpeg = await drawn;
    // Stopped meanwhile: by its client, a jam or a hand on the cover.
    if (job.state !== "Processing") return { status: job.state === "Aborted" ? 409 : 410 };
    job.pages = page;
    pagesScanned += 1;
    return { jpeg, page };
  };

  return {
    faults,
    get facts() {
      return { sheets: feeder.length, glass: glass !== undefined, jammed, coverOpen };
    },
    get job() {
      return active();
    },
    get pagesScanned() {
      return pagesScanned;
    },
    load,
    lay,
    jam() {
      jammed = true;
      abortJob();
    },
    clearJam() {
      jammed = false;
    },
    cover(open) {
      coverOpen = open;
      if (open) abortJob();
    },
    start(settings) {
      if (active()) return 503;
      if (settings.source === "feeder" && (feeder.length === 0 || jammed || coverOpen)) return 409;
      const job: Job = {
        ...{ id: randomId(random), settings, state: "Processing", pages: 0 },
        ...{ back: undefined, glassDone: false, scanning: false, idle: undefined },
      };
      jobs = [job, ...jobs].slice(0, MOST_REMEMBERED);
      expire(job);
      changed();
      return job.id;
    },
    async next(id) {
      const job = jobs.find((one) => one.id === id);
      if (!job || job.state === "Completed") return { status: 404 };
      if (job.state !== "Processing") return { status: job.state === "Aborted" && (jammed || coverOpen) ? 409 : 410 };
      if (job.scanning) return { status: 503 };
      job.scanning = true;
      job.idle?.[Symbol.dispose]();
      try {
        return await next(job);
      } finally {
        job.scanning = false;
        if (job.state === "Processing") expire(job);
        changed();
      }
    },
    cancel(id) {
      const job = jobs.find((one) => one.id === id);
      if (job) end(job, "Canceled");
      return job !== undefined;
    },
    pageOf: (id) => jobs.find((job) => job.id === id && job.state === "Processing" && !job.scanning)?.pages,
    statusXml() {
      const state = active() ? "Processing" : jammed || coverOpen ? "Stopped" : "Idle";
      return status(state, options.feeder ? adfState() : undefined, jobs);
    },
    stop() {
      over.abort();
      for (const job of jobs) job.idle?.[Symbol.dispose]();
    },
  };
}

const size = ({ widthMm, heightMm }: Side): Pick<Side, "widthMm" | "heightMm"> => ({ widthMm, heightMm });
