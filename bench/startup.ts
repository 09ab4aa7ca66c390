import {
  benchAgent,
  childrenOf,
  cpuTicks,
  ended,
  firstLine,
  firstReply,
  helloText,
  median,
  node,
  printerAndScanner,
  residentKib,
} from "./process.js";
import { atMost, type BenchResult, ratioAtMost } from "./report.js";

const RUNS = 9;
const IDLE_MS = 20_000;
/** Whatever start-up left to do is done by then. */
const SETTLED_MS = 10_000;

/** From spawn to the reply to hello, against an empty Node process with a listening `ws` and its first reply. Then at rest: memory and processor. */
export async function startup(): Promise<BenchResult> {
  const ours: number[] = [];
  const floor: number[] = [];
  const resident: number[] = [];
  const floorResident: number[] = [];
  const childrenKib: number[] = [];
  let idleCpu = Number.NaN;
  for (let run = 0; run < RUNS; run++) {
    const started = performance.now();
    const echo = node("./floor-echo.js", ["null"], false);
    const port = await firstLine(echo);
    const first = await firstReply(`ws://127.0.0.1:${port}`, '{"id":1}');
    floor.push(performance.now() - started);
    floorResident.push(residentKib(echo.pid ?? 0));
    first.socket.close();
    echo.kill();
    await ended(echo);

    const agent = await benchAgent(printerAndScanner(9)); // port 9: nobody there, so the printer is absent
    const spawned = performance.now();
    const server = node("../bundle/stationd.js", agent.args, false);
    const { socket } = await firstReply(agent.url, helloText(agent.token));
    ours.push(performance.now() - spawned);
    const pid = server.pid ?? 0;
    if (run === RUNS - 1) {
      await sleep(SETTLED_MS);
      const ticks = cpuTicks(pid);
      await sleep(IDLE_MS);
      idleCpu = ((cpuTicks(pid) - ticks) * 10) / IDLE_MS;
    } else await sleep(1_000);
    resident.push(residentKib(pid));
    childrenKib.push(childrenOf(pid).reduce((sum, child) => sum + residentKib(child), 0));
    socket.close();
    server.kill();
    await ended(server);
    agent.remove();
  }
  const mib = (values: readonly number[]): number => median(values) / 1_024;
  return {
    name: "startup",
    rows: [
      {
        what: "spawn to the reply to hello",
        unit: "ms",
        ours: median(ours),
        floor: { value: median(floor), is: "an empty Node process with a listening ws" },
        target: ratioAtMost(2),
      },
      {
        what: "memory at rest, the agent alone",
        unit: "MiB",
        ours: mib(resident),
        floor: { value: mib(floorResident), is: "the same process" },
        target: atMost(80),
      },
      { what: "processor at rest, two devices that are not there", unit: "%", ours: idleCpu * 100, target: atMost(0.5) },
    ],
    beside: { childrenRssMib: mib(childrenKib) },
  };
}

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
