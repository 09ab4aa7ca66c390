import { spawnSync } from "node:child_process";
import { setMaxListeners } from "node:events";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { childrenOf } from "../../bench/process.js";
import { systemClock } from "../../src/kernel/clock.js";
import { ERROR_KINDS } from "../../src/kernel/errors.js";
import { type Book, openBook } from "./book.js";
import { judgeFiles } from "./judge.js";
import { createMeters, type Meters, type Rest } from "./measure.js";
import { openScene } from "./scene.js";
import { journeyOf, killsOf } from "./schedule.js";
import { createSettler } from "./settle.js";
import { openStation, type Station } from "./station.js";
import { faultsIn, journeysOf, type Result } from "./table.js";
import { createTroubles } from "./troubles.js";
import { type Visitor, visit, type World } from "./visit.js";
import { openVisitor } from "./visitor.js";
import { learn, round } from "./warm-up.js";
import { blow } from "./weather.js";

export interface SoakOptions {
  readonly totalMs: number;
  readonly seed: number;
  readonly sessions: number;
  /** Ends it early: what was measured so far is told. */
  readonly stop: AbortSignal;
  progress(line: string): void;
  say(text: string): void;
}

const READY_WITHIN_MS = 60_000;
/** A camera that nobody looks at runs on for two seconds, a connection is kept for some more. */
const RESTS_AFTER_MS = 6_000;
/** Whoever is in the middle of something when it is stopped early. */
const LEAVES_WITHIN_MS = 5_000;
const ORPHANS_LIVE_MS = 5_000;
/** Kinds that the agent's own death excuses: all that say that something is not there now. */
const OF_DEATH = (Object.keys(ERROR_KINDS) as (keyof typeof ERROR_KINDS)[]).filter(
  (kind) => ERROR_KINDS[kind].retryable || ["payment_unresolved", "job_not_found"].includes(kind),
);
const clock = systemClock();

export async function soak(options: SoakOptions): Promise<Result> {
  const { totalMs, seed, say } = options;
  const ffmpeg = spawnSync("ffmpeg", ["-version"]).status === 0;
  if (!ffmpeg) say("SKIPPED the webcam: ffmpeg is not installed\n");
  const scene = await openScene({ seed, ffmpeg });
  let station: Station | undefined;
  const book = openBook((fromMs, toMs) => station?.agent.logged(fromMs, toMs) ?? [], say);
  try {
    station = await openStation(scene, options.sessions, {
      overheard: () => book.wrong("a technician who did not ask for it got a code", clock.monotonicMs()),
      device({ id, reason }) {
        if (reason && (reason.kind === "internal" || reason.hint === ""))
          book.wrong(`${id} is not ready because of ${reason.kind}: ${reason.message}`);
      },
    });
    return await run({ ...options, scene, station, book });
  } finally {
    if (station) await close(station, book, totalMs);
    await scene.close();
  }
}

interface Running extends SoakOptions {
  readonly scene: Awaited<ReturnType<typeof openScene>>;
  readonly station: Station;
  readonly book: Book;
}

async function run({ scene, station, book, totalMs, seed, stop, progress }: Running): Promise<Result> {
  const world = createWorld(scene, station);
  const { troubles } = world;
  const meters = createMeters(scene, station, (ms) => void book.loopDelayMs.push(ms));
  const visitors = await Promise.all(station.tunnels.map((tunnel) => openVisitor(station, tunnel)));
  const inPeace = async (when: string): Promise<Rest> => {
    const missing = await station.allReady(READY_WITHIN_MS);
    if (missing.length > 0) book.wrong(`${when} these are not ready: ${missing.join(", ")}`, clock.monotonicMs() - READY_WITHIN_MS);
    for (const problem of await round(world, visitors)) book.wrong(`${when}: ${problem}`, clock.monotonicMs() - 5_000);
    await clock.sleep(RESTS_AFTER_MS);
    return meters.rest();
  };
  await station.allReady(READY_WITHIN_MS);
  await learn(world);
  const start = await inPeace("at the start");
  const kept = filesIn(join(scene.folder, "state"));

  const startedMs = clock.monotonicMs();
  const ending = new AbortController();
  setMaxListeners(0, ending.signal, stop);
  const early = (): void => ending.abort();
  stop.addEventListener("abort", early, { once: true });
  if (stop.aborted) early();
  using over = clock.timer(totalMs, () => ending.abort());
  void over;
  let kills = 0;
  let calm: Promise<void> = Promise.resolve();
  station.agent.onEnded((how) => {
    book.wrong(`the agent ended by itself: ${how}`, clock.monotonicMs() - 5_000);
    calm = station.agent.start();
  });
  const killing = (async () => {
    for (const atMs of killsOf(seed, totalMs)) {
      await clock.sleep(Math.max(0, startedMs + atMs - clock.monotonicMs()), ending.signal).catch(() => {});
      if (ending.signal.aborted) return;
      kills += 1;
      calm = killAgent({ station, book, troubles });
      await calm;
    }
  })();
  const settling = new Set<Promise<void>>();
  const people = visitors.map((visitor, session) => come({ world, book, visitor, session, seed, settling, stop: ending.signal }));
  const weather = blow({ field: { scene, station }, seed, troubles, book, calm: () => calm, stop: ending.signal });
  const measuring = meters.run(totalMs < 600_000 ? 2_000 : 5_000, ending.signal);
  const told = setInterval(() => progress(lineOf(book, meters, clock.monotonicMs() - startedMs, totalMs)), 1_000);
  const all = Promise.all([killing, weather, measuring, ...people]);
  await (stop.aborted ? Promise.race([all, clock.sleep(LEAVES_WITHIN_MS)]) : Promise.race([all, stopped(stop)]));
  clearInterval(told);

  let end: Rest | undefined;
  if (!stop.aborted) {
    await Promise.all(settling);
    end = await inPeace("at the end");
    compare(book, start, end);
    for (const problem of world.settler.audit()) book.wrong(problem);
    await leftovers(station, book);
    const more = filesIn(join(scene.folder, "state")).filter((name) => !kept.includes(name));
    const temporary = filesIn(join(scene.folder, "tmp"));
    if (more.length + temporary.length > 0) book.wrong(`files are left behind: ${[...more, ...temporary].join(", ")}`);
  }
  const memory = meters.judge();
  for (const { life, wrong } of memory) if (wrong) book.wrong(`${life.name} (pid ${life.pid}) ${wrong}`);
  if (stop.aborted) book.shut();
  for (const { client } of visitors) client.close();
  const asked = `${Math.round(totalMs / 1_000)} s${stop.aborted ? ", stopped early" : ""}`;
  const settled = { ...world.settler.counts, scraps: scene.tray.scraps };
  return { book, seed, spentMs: clock.monotonicMs() - startedMs, asked, kills, memory, start, end, settled };
}

/** Early: whoever is in the middle of something gets a moment. */
async function stopped(stop: AbortSignal): Promise<void> {
  await new Promise<void>((resolve) => stop.addEventListener("abort", () => resolve(), { once: true }));
  await clock.sleep(LEAVES_WITHIN_MS);
}

function createWorld(scene: World["scene"], station: Station): World {
  let last = 0;
  const turns = new Map<string, Promise<void>>();
  return {
    scene,
    station,
    troubles: createTroubles(() => clock.monotonicMs()),
    settler: createSettler(scene, station),
    known: new Map(),
    number: () => ++last,
    async lock(device) {
      const before = turns.get(device);
      let release = (): void => {};
      turns.set(
        device,
        new Promise<void>((resolve) => {
          release = resolve;
        }),
      );
      await before;
      return { [Symbol.dispose]: release };
    },
  };
}

interface Coming {
  readonly world: World;
  readonly book: Book;
  readonly visitor: Visitor;
  readonly session: number;
  readonly seed: number;
  readonly settling: Set<Promise<void>>;
  readonly stop: AbortSignal;
}

/** One journey after the other at one page. */
async function come({ world, book, visitor, session, seed, settling, stop }: Coming): Promise<void> {
  for (let number = 0; !stop.aborted; number++) {
    const plan = journeyOf(seed, session, number);
    await clock.sleep(plan.thinkMs, stop).catch(() => {});
    if (stop.aborted) return;
    const sinceMs = clock.monotonicMs();
    const told = await visit(world, visitor, plan);
    const tally = book.journeys[plan.kind];
    if (told.failedWith) book.failed(told.failedWith);
    const wrongly = (problems: readonly string[]): void => {
      for (const problem of problems)
        book.wrong(`session ${session}, journey ${number} (${plan.kind}, ${plan.twist}), seed ${seed}: ${problem}`, sinceMs);
    };
    wrongly(told.wrong);
    const judged = told.settled.then((problems) => {
      wrongly(problems);
      if (told.wrong.length + problems.length > 0) tally.wrong += 1;
      else tally[told.end] += 1;
      if (told.end === "done" && told.undisturbed) tally.ms.push(told.ms);
      settling.delete(judged);
    });
    settling.add(judged);
  }
}

/** As a power cut does. What it began is known to its next life, and no child outlives it. */
async function killAgent({ station, book, troubles }: Pick<World, "station" | "troubles"> & { readonly book: Book }): Promise<void> {
  const { agent } = station;
  const orphans = childrenOf(agent.pid ?? 0);
  const trouble = troubles.begin("agent", "killed", [...OF_DEATH, "connection_lost"]);
  book.fault("agent", "killed");
  await agent.kill();
  const diedMs = clock.monotonicMs();
  // As systemd does to what is left of a unit: one that a fault has stopped hears of nothing.
  for (const pid of orphans) signal(pid, "SIGCONT");
  await agent.start();
  const missing = await station.allReady(READY_WITHIN_MS);
  if (missing.length > 0) book.wrong(`not ready after the agent was killed: ${missing.join(", ")}`, diedMs);
  else book.recovered("agent", clock.monotonicMs() - diedMs);
  trouble.end();
  await clock.sleep(Math.max(0, diedMs + ORPHANS_LIVE_MS - clock.monotonicMs()));
  endOrphans(orphans, book);
}

/** None may outlive its agent; and none outlives this program. */
function endOrphans(children: readonly number[], book: Book): void {
  const alive = children.filter((pid) => signal(pid, 0));
  if (alive.length > 0) book.wrong(`children outlive their agent: ${alive.join(", ")}`, clock.monotonicMs() - ORPHANS_LIVE_MS);
  for (const pid of alive) signal(pid, "SIGKILL");
}

function compare(book: Book, start: Rest, end: Rest): void {
  const files = judgeFiles(start.files, end.files);
  if (files) book.wrong(`the agent has ${files}`);
  for (const [name, count] of end.children) {
    const before = start.children.get(name) ?? 0;
    // A spare process waits a minute for its device.
    if (name !== "spare" && count > before) book.wrong(`${count} processes of ${name} at rest, and ${before} at the beginning`);
  }
}

/** Nothing is open or unknown any more. */
async function leftovers({ technician }: Station, book: Book): Promise<void> {
  const { jobs } = await technician.call("jobs.list", { open: true, limit: 200 });
  for (const { job, kind, device, state } of jobs) book.wrong(`${kind} ${job} of ${device} is still ${state}`);
}

async function close(station: Station, book: Book, totalMs: number): Promise<void> {
  const children = childrenOf(station.agent.pid ?? 0);
  station.agent.onEnded(() => {});
  const code = await station.close();
  if (code !== 0 && totalMs > 0) book.wrong(`the agent ended with ${code ?? "nothing, and was killed"}`);
  const giveUpAt = clock.monotonicMs() + ORPHANS_LIVE_MS;
  while (children.some((pid) => signal(pid, 0)) && clock.monotonicMs() < giveUpAt) await clock.sleep(50);
  endOrphans(children, book);
}

/** False: there is no such process any more. */
function signal(pid: number, name: NodeJS.Signals | 0): boolean {
  try {
    return process.kill(pid, name);
  } catch {
    return false;
  }
}

/** The journal's own files, and the audit's of a day, come and go. */
function filesIn(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: "utf8" }).filter((name) => !/^(journal\.sqlite|audit-)/.test(name));
}

function lineOf(book: Book, meters: Meters, spentMs: number, totalMs: number): string {
  const minutes = (ms: number): string => `${Math.floor(ms / 60_000)}:${String(Math.floor(ms / 1_000) % 60).padStart(2, "0")}`;
  const mib =
    meters.lives
      .findLast(({ name }) => name === "agent")
      ?.samples.at(-1)
      ?.mib.toFixed(0) ?? "-";
  return `${minutes(spentMs)} of ${minutes(totalMs)} · ${journeysOf(book)} journeys · ${faultsIn(book)} faults · ${book.wrongs.length} wrong · ${mib} MiB`;
}
