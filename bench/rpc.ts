import { createServer } from "node:net";
import type { BenchResult } from "./index.js";
import { benchAgent, ended, firstLine, firstReply, helloText, node, pinned, printerAndScanner } from "./process.js";

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
        ours,
        floor,
        ratio: { p50: ours.p50Us / floor.p50Us, throughput: ours.perSecond / floor.perSecond },
        beside: {
          withDeadline: deadline,
          withDeadlineRatio: { p50: deadline.p50Us / floor.p50Us, throughput: deadline.perSecond / floor.perSecond },
          pinned,
        },
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
