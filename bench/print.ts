import { randomUUID } from "node:crypto";
import { connect, createServer, type Socket } from "node:net";
import { receiptPrinter } from "../simulators/receipt-printer/index.js";
import { serveTcp } from "../simulators/serve.js";
import { connectStation, type StationClient } from "../src/client/node.js";
import { systemClock } from "../src/kernel/clock.js";
import { seededRandom } from "../src/kernel/random.js";
import type { PrintDocument } from "../src/protocol/printer.js";
import { benchAgent, ended, median, node, printerAndScanner } from "./process.js";
import type { BenchResult } from "./report.js";

const RUNS = 15;
/** About 200 mm/s at 8 dots to the millimetre: a usual receipt printer. */
const ROWS_PER_SECOND = 1_600;

/** 40 lines of text. */
const receipt: PrintDocument = {
  blocks: Array.from({ length: 40 }, (_, line) => ({
    type: "text" as const,
    text: `Dòng ${line + 1}: lệ phí chứng thực bản sao, 2.000 đ một trang`,
  })),
};

/**
 * A 40-line receipt over TCP, from the call to `printed`, against the same bytes written to the same printer on a bare
 * socket until its confirmation comes. On a printer of real speed, and on one that prints at once.
 */
export async function print(): Promise<BenchResult> {
  const real = await compare(ROWS_PER_SECOND, 3);
  const instant = await compare(0, RUNS);
  return {
    name: "print",
    rows: [
      {
        what: "40 lines to a printer of 200 mm/s, call to “printed”",
        unit: "ms",
        ours: real.ours,
        floor: { value: real.floor, is: "the same bytes on a bare socket until the printer confirms" },
      },
      { what: "to a printer that prints at once", unit: "ms", ours: instant.ours, floor: { value: instant.floor, is: "the same bytes" } },
      { what: "paper out until the page has the event", unit: "ms", ours: instant.noticed },
    ],
    beside: { bytes: instant.bytes },
  };
}

async function compare(rowsPerSecond: number, runs: number): Promise<{ ours: number; floor: number; noticed: number; bytes: number }> {
  const context = { clock: systemClock(), random: seededRandom(1), changed: () => {} };
  const options = receiptPrinter.options.parse({ rowsPerSecond });
  const [ourPrinter, floorPrinter] = [receiptPrinter.create(options, context), receiptPrinter.create(options, context)];
  const [ourWire, floorWire] = [
    await serveTcp(ourPrinter, { host: "127.0.0.1", port: 0 }),
    await serveTcp(floorPrinter, { host: "127.0.0.1", port: 0 }),
  ];
  const tap = await tapped(ourWire.port);
  const agent = await benchAgent(printerAndScanner(tap.port));
  const server = node("../bundle/stationd.js", agent.args, false);
  try {
    const client = await connectStation({ url: agent.url, client: { name: "bench", version: "1" }, token: agent.token });
    for (;;) {
      if ((await client.call("devices.get", { device: "receipt" })).state === "ready") break;
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    const ours: number[] = [];
    const floor: number[] = [];
    let bytes: Uint8Array = new Uint8Array();
    for (let run = -1; run < runs; run++) {
      const recorded = tap.mark();
      const started = performance.now();
      const job = await client.call("printer.print", { document: receipt, idempotencyKey: randomUUID() });
      const took = performance.now() - started;
      if (job.state !== "printed") throw new Error(`printing ended ${job.state}`);
      bytes = recorded();
      const bare = await replay(floorWire.port, bytes);
      if (run < 0) continue; // fonts and journal are opened by the first
      ours.push(took);
      floor.push(bare);
    }
    const noticed: number[] = [];
    for (let run = 0; run < 5; run++) {
      noticed.push(await timeToNotice(client, () => void ourPrinter.actions.paperOut?.act({})));
      await ourPrinter.actions.refill?.act({});
      while ((await client.call("devices.get", { device: "receipt" })).state !== "ready")
        await new Promise((resolve) => setTimeout(resolve, 5));
    }
    client.close();
    return { ours: median(ours), floor: median(floor), noticed: median(noticed), bytes: bytes.length };
  } finally {
    server.kill();
    await ended(server);
    await tap.close();
    await Promise.all([ourWire.close(), floorWire.close(), ourPrinter.close(), floorPrinter.close()]);
    agent.remove();
  }
}

async function timeToNotice(client: StationClient, happen: () => void): Promise<number> {
  const leave = new AbortController();
  let happenedAt = 0;
  const seen = new Promise<number>((resolve) => {
    void client
      .subscribe(
        ["devices"],
        (update) => {
          if (update.kind === "event" && update.data.state === "attention") resolve(performance.now());
        },
        {
          signal: leave.signal,
        },
      )
      .then(() => {
        happenedAt = performance.now();
        happen();
      });
  });
  const seenAt = await seen;
  leave.abort();
  return seenAt - happenedAt;
}

/** The same bytes on a bare socket, until the printer confirms (a process id block ends with NUL). */
function replay(port: number, bytes: Uint8Array): Promise<number> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, "127.0.0.1");
    socket.setNoDelay().on("error", reject);
    let started = 0;
    let seen = "";
    socket.on("connect", () => {
      started = performance.now();
      socket.write(bytes);
    });
    socket.on("data", (reply) => {
      seen += reply.toString("latin1");
      if (!/7"[ -~]{4}\0/.test(seen)) return;
      resolve(performance.now() - started);
      socket.destroy();
    });
  });
}

/** Passes bytes on and remembers those towards the device. */
async function tapped(devicePort: number): Promise<{ port: number; mark(): () => Uint8Array; close(): Promise<void> }> {
  const sockets = new Set<Socket>();
  let chunks: Uint8Array[] = [];
  const server = createServer((near) => {
    const far = connect(devicePort, "127.0.0.1");
    for (const socket of [near, far]) sockets.add(socket.setNoDelay().on("error", () => {}));
    near.on("data", (chunk) => void chunks.push(chunk));
    near.pipe(far).pipe(near);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  return {
    port: typeof address === "object" && address ? address.port : 0,
    mark: () => {
      chunks = [];
      return () => Buffer.concat(chunks);
    },
    close: async () => {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
