import { type Clock, systemClock } from "../../src/kernel/clock.js";
import { arm, type Fault } from "./isolation-faults.js";
import type { ChildName, Scene } from "./isolation-scene.js";
import { WORKS, type WorkName } from "./isolation-work.js";
import { tortureReceipt } from "./receipt.js";

export interface Trial {
  readonly child: ChildName;
  readonly fault: Fault;
  readonly during: WorkName;
}

export interface Row extends Trial {
  /** From the blow until the child's process was gone. */
  readonly seenMs: number;
  /** From the blow until another child had the device open and it was ready; a terminal is that only when it has settled what was begun. */
  readonly backMs: number;
  /** From the blow until the end of the work was known. */
  readonly knownMs: number;
  readonly outcome: string;
  /** Of the neighbour's codes: while the same work was done without a fault, and from the blow until all was well. */
  readonly beforeMs: readonly number[];
  readonly duringMs: readonly number[];
  readonly wrong: readonly string[];
}

/** Codes held before a scanner that has nothing to do with it, one after the other, and how long each takes to the page. */
export interface Neighbour {
  /** What was measured since the last call, and what went wrong. */
  take(): { readonly ms: readonly number[]; readonly wrong: readonly string[] };
  stop(): Promise<void>;
}

/** Faster than any hand, slower than what the driver takes for a flood. */
const NEIGHBOUR_PAUSE_MS = 25;
/** Codes enough to compare with. */
const LEAST_WINDOW_MS = 1_000;
const LOST_AFTER_MS = 10_000;
const clock: Clock = systemClock();

export async function startNeighbour({ neighbour, station }: Scene): Promise<Neighbour> {
  const page = station.technician;
  let arrived: (text: string) => void = () => {};
  let ms: number[] = [];
  let going = true;
  let wrong: string[] = [];
  await page.subscribe(["barcodeScanner"], (update) => update.kind === "event" && arrived(update.data.scanned.text));
  await page.call("barcodeScanner.enable", { device: "neighbour" });
  const action = neighbour.actions.scan;
  const run = async (): Promise<void> => {
    for (let code = 0; going; code++) {
      const text = `N-${code}`;
      const started = performance.now();
      const told = new Promise<string>((resolve) => {
        arrived = resolve;
      });
      await action?.act(action.params.parse({ text }));
      const got = await Promise.race([told, clock.sleep(LOST_AFTER_MS).then(() => "nothing")]);
      ms.push(performance.now() - started);
      arrived = (more) => wrong.push(`the neighbour's ${more} came twice`);
      if (got !== text) wrong.push(`the neighbour showed ${text}, and ${got} came`);
      await clock.sleep(NEIGHBOUR_PAUSE_MS);
    }
  };
  const running = run();
  return {
    take() {
      const taken = { ms, wrong };
      [ms, wrong] = [[], []];
      return taken;
    },
    async stop() {
      going = false;
      await running;
    },
  };
}

/** The same work three times: without a fault, with one in its middle, and once more on what was put right by itself. */
export async function tryFault(scene: Scene, neighbour: Neighbour, trial: Trial): Promise<Row> {
  const { child, fault, during } = trial;
  const work = WORKS[during];
  const hit = child === work.own || (child === "imaging" && during === "print");
  const wrong: string[] = [];
  const clean = async (when: string): Promise<void> => {
    const done = await work.run(scene, () => {}, false);
    wrong.push(...done.wrong.map((problem) => `${when}: ${problem}`));
  };
  await ready(scene);
  neighbour.take();
  await clean("before");
  await preview(scene);
  await clock.sleep(LEAST_WINDOW_MS);
  const { ms: beforeMs } = neighbour.take();

  const pid = scene.pidOf(child);
  if (pid === undefined) throw new Error(`no child of ${child}`);
  const armed = await arm(pid, fault);
  neighbour.take();
  let watching: Promise<Pick<Row, "seenMs" | "backMs">> | undefined;
  let struck = 0;
  const strike = (): void => {
    if (watching) return;
    struck = performance.now();
    armed.strike();
    watching = watch(scene, child, pid);
  };
  try {
    // A drawing takes no time worth striking at: its child is struck before it is asked.
    if (child === "imaging" && during === "print") strike();
    const { outcome, wrong: told } = await work.run(scene, strike, hit);
    const knownMs = performance.now() - struck;
    if (!watching) throw new Error(`${during} ended ${outcome} before the blow`);
    const times = await watching;
    await ready(scene);
    const { ms: duringMs, wrong: missed } = neighbour.take();
    wrong.push(...told, ...missed);
    await clean("afterwards");
    return { ...trial, ...times, knownMs, outcome, beforeMs, duringMs, wrong };
  } finally {
    armed.close();
  }
}

async function watch(scene: Scene, child: ChildName, pid: number): Promise<Pick<Row, "seenMs" | "backMs">> {
  const struck = performance.now();
  while (alive(pid)) await clock.sleep(2);
  const seenMs = performance.now() - struck;
  if (child === "imaging") await preview(scene);
  else if (child === "terminal") while (scene.pidOf(child) === undefined) await clock.sleep(5);
  else await ready(scene, child);
  return { seenMs, backMs: performance.now() - struck };
}

async function ready({ station }: Scene, only?: ChildName): Promise<void> {
  for (;;) {
    const { devices } = await station.technician.call("devices.list", {});
    if (devices.every(({ id, state }) => state === "ready" || (only !== undefined && id !== only))) return;
    await clock.sleep(5);
  }
}

/** Draws: starts the imaging child where there is none. */
async function preview({ station }: Scene): Promise<void> {
  for (;;) {
    const drawn = await station.page.call("printer.preview", { device: "receipt", document: tortureReceipt }).catch(() => undefined);
    if (drawn) return;
    await clock.sleep(5);
  }
}

function alive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}
