import type { ScanSteps } from "../../../contracts/document-scanner.js";
import { asDeviceError, DeviceError } from "../../../kernel/errors.js";
import { PAGE_FILE, type ScanArguments } from "./arguments.js";
import { isWholePnm } from "./pnm.js";
import { keepLines, type Session } from "./session.js";
import { endOf, type Failure, failureOf } from "./status.js";

/** A sheet of legal size in colour at 600 dpi has 129 MB. */
const MOST_PAGE_BYTES = 256 * 1024 * 1024;
/**
 * From its last word to its end. Backends hang in sane_cancel() after their work is done (SANE's own test backend does, one time in
 * twenty); others drive the lamp back there, which takes its time and is waited for unless the outcome is known.
 */
const ENDS_WITHIN_MS = { failed: 3_000, done: 20_000 } as const;

export interface Run {
  readonly pages: number;
  /** Why it ended before the feeder was empty or all pages were there. */
  readonly failure: Failure | undefined;
}

/**
 * One run of scanimage. It asks before each page, and is answered when the page before is out of our hands.
 * @throws the signal's reason
 */
export async function runScan(
  session: Session,
  { args, resolutionDpi }: ScanArguments,
  steps: ScanSteps,
  signal: AbortSignal,
): Promise<Run> {
  const { link, clock, config } = session;
  const quit = new AbortController();
  const said: string[] = [];
  const told = new Set<string>();
  let tail: Promise<void> = Promise.resolve();
  let pages = 0;
  let failed: unknown;
  let say: (text: string) => void = () => {};
  let asked = 0;
  let shown = "";

  const fail = (reason: unknown): void => {
    failed ??= reason;
    quit.abort(failed);
  };
  let watch: Disposable | undefined;
  let ending = false;
  const alive = (): void => {
    if (ending) return;
    watch?.[Symbol.dispose]();
    watch = clock.timer(config.silenceMs, () => fail(new DeviceError("device_fault", { message: "the scanner says nothing any more" })));
  };
  const mustEnd = (how: "failed" | "done"): void => {
    if (ending) return;
    ending = true;
    watch?.[Symbol.dispose]();
    const hung = (): DeviceError => new DeviceError("device_fault", { message: "scanimage does not end" });
    watch = clock.timer(ENDS_WITHIN_MS[how], () => fail(how === "failed" ? failureOf(undefined, said).error : hung()));
  };
  /** Page 1 is asked for at once; the next one when the one before was taken. */
  const answer = (): void => {
    if (asked === 0 || asked > pages + 1 || failed !== undefined) return;
    asked = 0;
    alive();
    say("\n");
  };
  const take = async (name: string): Promise<void> => {
    const bytes = await link.take(name, MOST_PAGE_BYTES);
    told.delete(name);
    if (!isWholePnm(bytes)) throw new DeviceError("device_fault", { message: "the scanner gave a damaged page" });
    await steps.page({ mediaType: "image/x-portable-anymap", bytes, resolutionDpi });
    pages += 1;
    answer();
  };
  const keep = keepLines(said);
  const ended = (reason: unknown): Run => ({ pages, failure: { error: asDeviceError(reason, "internal"), notOpened: false } });

  try {
    const end = await session.run(
      args,
      {
        // A former run may have to end first.
        begun: (write) => {
          say = write;
          alive();
        },
        stdout(line) {
          if (!PAGE_FILE.test(line) || told.has(line)) return;
          told.add(line);
          tail = tail.then(async () => {
            if (failed === undefined) await take(line).catch(fail);
          });
        },
        stderr(line) {
          keep(line);
          const how = endOf(line, pages);
          if (how) return mustEnd(how);
          const [, percent] = /^Progress: (\d{1,3})(?:\.\d+)?%$/.exec(line) ?? [];
          const [, page] = /^Place document no\. (\d{1,4}) on the scanner/.exec(line) ?? [];
          if (page !== undefined) {
            asked = Number(page);
            // Whoever has no room for a page may take their time.
            watch?.[Symbol.dispose]();
            return answer();
          }
          if (asked !== 0) return;
          alive();
          // It tells each buffer of 32 kB.
          if (percent === undefined || percent === shown) return;
          shown = percent;
          steps.progress(Math.min(1, Number(percent) / 100));
        },
      },
      AbortSignal.any([signal, quit.signal]),
    );
    watch?.[Symbol.dispose]();
    await tail;
    signal.throwIfAborted();
    if (failed !== undefined) return ended(failed);
    // A dry feeder after at least one page is the end of the stack; so says scanimage, too.
    if (pages > 0 && (end.code === 0 || end.code === 7)) return { pages, failure: undefined };
    return { pages, failure: failureOf(end.code === 0 ? 5 : end.code, said) };
  } catch (thrown) {
    signal.throwIfAborted();
    await tail;
    return ended(failed ?? thrown);
  } finally {
    watch?.[Symbol.dispose]();
    // Nothing that a citizen scanned stays.
    for (const name of told) await link.take(name, 0).catch(() => {});
  }
}
