import type WebSocket from "ws";
import { benchAgent, ended, firstLine, firstReply, helloText, node, printerAndScanner, residentKib } from "./process.js";
import { atMost, type BenchResult } from "./report.js";

const SAMPLES = 1_000;
const GAP_MS = 5;

/** What a second client feels, and what the agent's memory does, while a first one floods requests and never reads. The floor is the same without the flood. */
export async function flood(): Promise<BenchResult> {
  const agent = await benchAgent(printerAndScanner(9));
  const server = node("../bundle/stationd.js", agent.args, false);
  const pid = server.pid ?? 0;
  try {
    const { socket } = await firstReply(agent.url, helloText(agent.token));
    await latencies(socket); // warms up
    const calm = await latencies(socket);
    const before = residentKib(pid);
    const flooder = node("./flooder.js", [agent.url, agent.token], false);
    await firstLine(flooder);
    let peak = before;
    const watch = setInterval(() => {
      peak = Math.max(peak, residentKib(pid));
    }, 20);
    const flooded = await latencies(socket);
    clearInterval(watch);
    flooder.kill("SIGKILL");
    await ended(flooder);
    await new Promise((resolve) => setTimeout(resolve, 15_000));
    const after = residentKib(pid);
    socket.close();
    return {
      name: "flood",
      rows: [
        { what: "a second client's p50", unit: "ms", ours: at(flooded, 0.5), floor: { value: at(calm, 0.5), is: "without the flood" } },
        {
          what: "its p99, while a first one floods and never reads",
          unit: "ms",
          ours: at(flooded, 0.99),
          floor: { value: at(calm, 0.99), is: "without the flood" },
          target: atMost(50),
        },
        { what: "memory after it", unit: "MiB", ours: after / 1_024, floor: { value: before / 1_024, is: "before it" } },
      ],
      beside: { rssPeakMib: peak / 1_024 },
    };
  } finally {
    server.kill();
    await ended(server);
    agent.remove();
  }
}

async function latencies(socket: WebSocket): Promise<number[]> {
  const times: number[] = [];
  for (let sample = 0; sample < SAMPLES; sample++) {
    const sentAt = performance.now();
    await new Promise<void>((resolve) => {
      socket.once("message", () => resolve());
      socket.send(`{"jsonrpc":"2.0","id":${sample},"method":"devices.get","params":{"device":"receipt"}}`);
    });
    times.push(performance.now() - sentAt);
    await new Promise((resolve) => setTimeout(resolve, GAP_MS));
  }
  return times.sort((a, b) => a - b);
}

function at(sorted: readonly number[], share: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
}
