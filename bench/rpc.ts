import { createServer } from "node:net";
import { benchAgent, ended, firstLine, firstReply, helloText, node, pinned, printerAndScanner } from "./process.js";
import { type BenchResult, ratioAtLeast, ratioAtMost } from "./report.js";

interface Medians extends Readonly<Record<string, number>> {
  readonly p50Us: number;
  readonly perSecond: number;
}

/** `devices.get` through the whole path against a raw `ws` JSON echo of the same payload, both and the client on one core. */
export async function rpc(): Promise<BenchResult> {
  const printer = createServer((socket) => socket.on("data", (bytes) => answerStatus(socket, bytes)).on("error", () => {}));
  await new Promise<void>((resolve) => printer.listen(0, "127.0.0.1", resolve));
  const address = printer.address();
  const agent = await benchAgent(printerAndScanner(typeof address === "object" && address ? address.port : 0));
  const server = node("../bundle/stationd.js", agent.args, true);
  try {
    const { socket, reply } = await firstReply(agent.url, helloText(agent.token));
    const hello = JSON.parse(reply) as { result: { devices: readonly { id: string }[] } };
    socket.close();
    const payload = hello.result.devices.find((device) => device.id === "receipt");
    const echo = node("./floor-echo.js", [JSON.stringify(payload)], true);
    try {
      const port = await firstLine(echo);
      const client = node("./rpc-client.js", [agent.url, agent.token, `ws://127.0.0.1:${port}`, "9"], true);
      const medians = JSON.parse(await firstLine(client)) as Record<"ours" | "floor" | "deadline", Medians>;
      await ended(client);
      const { ours, floor, deadline } = medians;
      return {
        name: "rpc",
        rows: [
          {
            what: "devices.get through the whole path, p50",
            unit: "µs",
            ours: ours.p50Us,
            floor: { value: floor.p50Us, is: "a raw ws JSON echo of the same payload" },
            target: ratioAtMost(1.15),
          },
          {
            what: "the same, 32 in flight",
            unit: "/s",
            ours: ours.perSecond,
            floor: { value: floor.perSecond, is: "the echo" },
            target: ratioAtLeast(0.75),
          },
          { what: "with a deadline in each request, p50", unit: "µs", ours: deadline.p50Us, floor: { value: floor.p50Us, is: "the echo" } },
          {
            what: "with a deadline, 32 in flight",
            unit: "/s",
            ours: deadline.perSecond,
            floor: { value: floor.perSecond, is: "the echo" },
          },
        ],
        beside: { pinned },
      };
    } finally {
      echo.kill();
      await ended(echo);
    }
  } finally {
    server.kill();
    await ended(server);
    await new Promise((resolve) => printer.close(resolve));
    agent.remove();
  }
}

/** Enough of a printer to be found ready: a clean DLE EOT byte for each that asks. */
function answerStatus(socket: { write(bytes: Uint8Array): unknown }, bytes: Uint8Array): void {
  for (let index = 0; index + 2 < bytes.length; index++) {
    if (bytes[index] === 0x10 && bytes[index + 1] === 0x04) socket.write(Uint8Array.of(0x12));
  }
}
