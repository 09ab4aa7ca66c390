import { once } from "node:events";
import { createServer, type Socket } from "node:net";
import { expect, it } from "vitest";
import { openBench } from "./chip-card/bench.test.support.js";
import { connectTcp } from "./serve.js";

it("a card's connection to a virtual reader comes and goes with the card", async () => {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  const port = typeof address === "object" && address ? address.port : 0;
  const { card, act } = openBench({ inserted: false });
  const arrives = async (): Promise<Socket> => (await once(server, "connection"))[0] as Socket;
  const connected = connectTcp(card, { host: "127.0.0.1", port });
  for (const person of ["A", "B"]) {
    const arriving = arrives();
    await act("insert", { person });
    const reader = await arriving;
    reader.write(Uint8Array.of(0, 1, 4));
    expect(((await once(reader, "data"))[0] as Buffer).toString("hex")).toBe("00063b8180018080");
    const left = once(reader, "close");
    await act("lift");
    await left;
  }
  // A card that is swapped comes by a connection of its own.
  const first = arrives();
  await act("insert");
  const before = await first;
  const [second, left] = [arrives(), once(before, "close")];
  await act("swap", { person: "C" });
  await Promise.all([second, left]);
  const gone = once(await second, "close");
  await connected.close();
  await gone;
  expect(card.state()).toMatchObject({ cardPresent: true, attached: false });
  server.close();
  await once(server, "close");
});
