import { createHash, randomUUID } from "node:crypto";
import { once } from "node:events";
import { createInterface } from "node:readline";
import type { Readable } from "node:stream";
import { node } from "../../bench/process.js";
import { connectStation, type StationClient } from "../../src/client/node.js";
import { systemClock } from "../../src/kernel/clock.js";

/** One agent process, and the clients of a page and of a technician. */
export interface Station {
  /** The page that is there now. */
  page: StationClient;
  readonly technician: StationClient;
  readonly gone: Promise<void>;
  /** Resolves when the point is in force. */
  plant(point: string): Promise<void>;
  kill(): void;
  /** A page that left comes back. */
  newPage(): Promise<void>;
  /** Kills it, and resolves when nothing of it is left. */
  end(): Promise<void>;
}

export interface StationPlan {
  readonly stateDir: string;
  readonly devices: string;
  readonly factor: number;
  readonly startedAt: number;
}

const PAGE = randomUUID();
const TECHNICIAN = randomUUID();
const sha256 = (text: string): string => createHash("sha256").update(text).digest("hex");
/** A machine that is busy with other lanes may be too slow for the agent's patience with a newcomer. */
const CONNECT_TRIES = 5;
const clock = systemClock();

/** Undefined: it died as it was planned to, before anyone could speak to it. */
export async function startStation({ stateDir, devices, factor, startedAt }: StationPlan, point: string): Promise<Station | undefined> {
  const child = node(
    "../test/torture/agent.js",
    [stateDir, devices, sha256(PAGE), point, String(factor), String(startedAt), sha256(TECHNICIAN)],
    false,
  );
  let ended = false;
  const gone = once(child, "exit").then(() => {
    ended = true;
  });
  child.stdin?.on("error", () => {});
  const lines = createInterface({ input: child.stdout as Readable })[Symbol.asyncIterator]();
  const { value: url } = await lines.next();
  if (!url) return undefined;
  const connect = async (token: string): Promise<StationClient | undefined> => {
    for (let tries = 1; ; tries++) {
      try {
        return await connectStation({ url, client: { name: "torture", version: "1" }, token, reconnect: false });
      } catch (thrown) {
        // The end of a killed process may be known a moment later than that of its port.
        await Promise.race([gone, clock.sleep(100)]);
        if (ended) return undefined;
        if (tries === CONNECT_TRIES) throw thrown;
      }
    }
  };
  const [page, technician] = [await connect(PAGE), await connect(TECHNICIAN)];
  if (!page || !technician) return undefined;
  const station: Station = {
    page,
    technician,
    gone,
    async plant(line) {
      child.stdin?.write(`${line}\n`);
      await lines.next();
    },
    kill: () => void child.kill("SIGKILL"),
    async newPage() {
      station.page.close();
      station.page = (await connect(PAGE)) ?? station.page;
    },
    async end() {
      station.kill();
      await gone;
      station.page.close();
      station.technician.close();
    },
  };
  return station;
}
