import { type ChildProcess, execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface, type Interface } from "node:readline";
import { connectStation } from "../src/client/node.js";
import { benchAgent, cpuTicks, ended, node, residentKib } from "./process.js";
import { atMost, type BenchResult } from "./report.js";

const FPS = 30;
const SECONDS = 12;
const TICKS_PER_SECOND = 100;

type Seen = readonly (readonly [key: string, atMs: number])[];
interface Talker {
  readonly child: ChildProcess;
  ask(): Promise<Seen>;
  first: Record<string, unknown>;
  end(): Promise<void>;
}

/**
 * 1280×720 at 30 a second from ffmpeg to 1 and 4 clients, each in its own process, and to 4 beside one that stops reading. The
 * floor is the bare pipe in the same run: ffmpeg → splitter → nobody. `addedMs`: from a picture whole in the splitter to the
 * same picture whole in the client, so the hop between the two processes counts as ours.
 */
export async function camera(): Promise<BenchResult> {
  const folder = mkdtempSync(join(tmpdir(), "stationd-camera-"));
  const file = join(folder, "loop.mkv");
  // 300 pictures that are all different, encoded before anything is measured.
  const pattern = `testsrc2=size=1280x720:rate=${FPS}:duration=10`;
  execFileSync("ffmpeg", ["-nostdin", "-loglevel", "error", "-f", "lavfi", "-i", pattern, "-c:v", "mjpeg", "-q:v", "4", file]);
  const source = await talker(node("./camera-source.js", [file], false));
  const agent = await benchAgent(
    `[devices.face]
driver = "ffmpeg"
link = { kind = "tcp", host = "127.0.0.1", port = ${source.first.port} }`,
    "",
    "technician",
  );
  const server = node("../bundle/stationd.js", agent.args, false);
  try {
    const client = await connectStation({ url: agent.url, client: { name: "bench", version: "1" }, token: agent.token });
    while ((await client.call("devices.get", { device: "face" })).state !== "ready") await pause(20);
    await pause(2_000);
    const sourcePid = source.child.pid ?? 0;
    const bareCpu = await cpuShare(sourcePid, 5);
    const measured = { 1: await run(1, false), 4: await run(4, false), "4 beside a stuck one": await run(4, true) };
    const { broken, restarts } = await client.call("camera.stats", { device: "face" });
    client.close();
    const { addedMs, fps, sourceFps, dropped, agentCpuPercent } = measured[4];
    return {
      name: "camera",
      rows: [
        {
          what: "1280×720 at 30 a second to 4 clients, the slowest one's rate",
          unit: "pictures/s",
          ours: fps,
          floor: { value: sourceFps, is: "as the splitter saw them" },
        },
        { what: "pictures dropped", unit: "", ours: dropped, target: atMost(0) },
        { what: "added latency, p50", unit: "ms", ours: addedMs.p50 },
        { what: "added latency, p99", unit: "ms", ours: addedMs.p99, target: atMost(10) },
        { what: "the same beside a client that stops reading", unit: "ms", ours: measured["4 beside a stuck one"].addedMs.p99 },
        {
          what: "processor of the agent",
          unit: "%",
          ours: agentCpuPercent,
          floor: { value: bareCpu, is: "ffmpeg through a bare splitter" },
          target: atMost(5),
        },
      ],
      beside: { clients: measured, broken, restarts },
    };

    async function run(count: number, stuck: boolean) {
      const viewers = await Promise.all(
        Array.from({ length: count }, () => talker(node("./camera-viewer.js", [agent.url, agent.token], false))),
      );
      const stuckOne = stuck ? await talker(node("./camera-viewer.js", [agent.url, agent.token, "stuck"], false)) : undefined;
      await pause(1_000);
      for (const one of [source, ...viewers]) await one.ask();
      const agentCpuPercent = await cpuShare(server.pid ?? 0, SECONDS);
      const [sent = [], ...received] = await Promise.all([source, ...viewers].map((one) => one.ask()));
      const results = received.map((seen) => compare(sent, seen));
      const rssMib = residentKib(server.pid ?? 0) / 1_024;
      await Promise.all([...viewers, ...(stuckOne ? [stuckOne] : [])].map((one) => one.end()));
      const added = results.flatMap(({ added: each }) => each).sort((a, b) => a - b);
      return {
        fps: Math.min(...results.map(({ fps: each }) => each)),
        sourceFps: compare(sent, sent).fps,
        dropped: results.reduce((sum, { dropped }) => sum + dropped, 0),
        addedMs: { p50: at(added, 0.5), p99: at(added, 0.99) },
        agentCpuPercent,
        rssMib,
      };
    }
  } finally {
    server.kill();
    await ended(server);
    await source.end();
    agent.remove();
    rmSync(folder, { recursive: true, force: true });
  }
}

/** What of the pictures sent while this client looked it got, and how much later. */
function compare(sent: Seen, seen: Seen): { fps: number; dropped: number; added: number[] } {
  const matched = seen.flatMap(([key, atMs]) => {
    // The pictures come again in every loop: longer ago is another one.
    const match = sent.findLast((one) => one[0] === key && one[1] <= atMs && atMs - one[1] < 5_000);
    return match ? [{ sentMs: match[1], atMs }] : [];
  });
  const [first, last] = [matched[0], matched.at(-1)];
  if (!first || !last) return { fps: 0, dropped: sent.length, added: [] };
  const due = sent.filter(([, atMs]) => atMs >= first.sentMs && atMs <= last.sentMs);
  return {
    fps: ((matched.length - 1) * 1_000) / (last.atMs - first.atMs),
    dropped: due.length - matched.length,
    added: matched.map(({ sentMs, atMs }) => atMs - sentMs),
  };
}

/** Percent of one core over so many seconds. */
async function cpuShare(pid: number, seconds: number): Promise<number> {
  const [ticks, started] = [cpuTicks(pid), performance.now()];
  await pause(seconds * 1_000);
  return ((cpuTicks(pid) - ticks) * 100 * 1_000) / TICKS_PER_SECOND / (performance.now() - started);
}

async function talker(child: ChildProcess): Promise<Talker> {
  const lines: Interface = createInterface({ input: child.stdout ?? process.stdin });
  const reading = lines[Symbol.asyncIterator]();
  const next = async (): Promise<Record<string, unknown>> => JSON.parse((await reading.next()).value as string) as Record<string, unknown>;
  return {
    child,
    first: await next(),
    async ask() {
      child.stdin?.write("\n");
      return (await next()).frames as Seen;
    },
    async end() {
      child.stdin?.end();
      await ended(child);
    },
  };
}

function at(sorted: readonly number[], share: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
