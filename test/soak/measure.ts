import { systemClock } from "../../src/kernel/clock.js";
import { judgeMemory, type Sample, type Trend } from "./judge.js";
import { look } from "./processes.js";
import type { Scene } from "./scene.js";
import type { Station } from "./station.js";

/** Memory of the agent and of each of its children, life after life, and what the agent says of its loop. */
export interface Meters {
  readonly lives: readonly Life[];
  /** Looks until the signal ends it. */
  run(everyMs: number, stop: AbortSignal): Promise<void>;
  /** Now, at rest: files of the agent, and processes by name. */
  rest(): Rest;
  judge(): readonly { readonly life: Life; readonly trend: Trend | undefined; readonly wrong: string | undefined }[];
}

export interface Life {
  readonly pid: number;
  readonly name: string;
  readonly samples: Sample[];
}

export interface Rest {
  readonly files: number;
  readonly children: ReadonlyMap<string, number>;
}

/** The agent alone needs some 90 MiB; a device's process is ended by the agent at 192, one that draws at 1,024. */
const CAP_MIB: Readonly<Record<string, number>> = { agent: 320, imaging: 512, documents: 512, webcam: 256 };
const DEVICE_CAP_MIB = 200;
/** Of lives that were too short to have a slope only the cap counts: their samples are not kept. */
const WORTH_KEEPING = 64;
const LAG = /^nodejs_eventloop_lag_seconds\{percentile="99"\} ([\d.e+-]+)$/m;
/** The agent looks so often at its loop, and what it tells includes that. */
const RESOLUTION_MS = 50;
const capOf = ({ name }: Pick<Life, "name">): number => CAP_MIB[name] ?? DEVICE_CAP_MIB;
const clock = systemClock();

export function createMeters(scene: Scene, station: Station, heard: (loopDelayMs: number) => void): Meters {
  let lives: Life[] = [];
  const see = (): void => {
    if (station.agent.pid === undefined) return;
    const seen = look(station.agent.pid, scene.ports);
    const alive = new Set(seen.map(({ pid }) => pid));
    lives = lives.filter(
      (life) => alive.has(life.pid) || life.samples.length >= WORTH_KEEPING || life.samples.some(({ mib }) => mib > capOf(life)),
    );
    for (const { pid, name, mib } of seen) {
      const sample = { atMs: clock.monotonicMs(), mib };
      // A device's process has no name before it has its device open, and may be another device's later.
      const life = lives.find((one) => one.pid === pid && one.name === name);
      if (life) life.samples.push(sample);
      else lives.push({ pid, name, samples: [sample] });
    }
  };
  return {
    get lives() {
      return lives;
    },
    async run(everyMs, stop) {
      while (!stop.aborted) {
        see();
        const told = LAG.exec((await station.metrics()) ?? "")?.[1];
        if (told !== undefined) heard(Math.max(0, Number(told) * 1_000 - RESOLUTION_MS));
        await clock.sleep(everyMs, stop).catch(() => {});
      }
    },
    rest() {
      const seen = station.agent.pid === undefined ? [] : look(station.agent.pid, scene.ports);
      const children = new Map<string, number>();
      for (const { name } of seen) if (name !== "agent") children.set(name, (children.get(name) ?? 0) + 1);
      return { files: seen.find(({ name }) => name === "agent")?.files ?? 0, children };
    },
    judge: () => lives.map((life) => ({ life, ...judgeMemory(life.samples, capOf(life)) })),
  };
}
