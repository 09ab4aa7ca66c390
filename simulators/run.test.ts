import { once } from "node:events";
import { existsSync } from "node:fs";
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { connect, createServer, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it } from "vitest";
import { runSimulator } from "./run.js";

it("a printer by itself answers over TCP, keeps a picture of its paper, refuses a second wire, and ends when told", async () => {
  const folder = await mkdtemp(join(tmpdir(), "stationd-run-"));
  const paperFile = join(folder, "paper.png");
  const ending = new AbortController();
  let address = "";
  const running = runSimulator({
    kind: "receipt-printer",
    wire: "tcp:127.0.0.1:0",
    options: { widthDots: 384 },
    paperFile,
    signal: ending.signal,
    onListening(told) {
      address = told;
    },
  });
  while (address === "") await new Promise((resolve) => setImmediate(resolve));
  const port = Number(address.split(":").at(-1));
  const socket = connect(port, "127.0.0.1");
  socket.write(Uint8Array.of(0x10, 0x04, 0x01, 0x41, 0x0a, 0x1d, 0x56, 0x00, 0x1d, 0x72, 0x01));
  let answered = Buffer.alloc(0);
  while (answered.length < 2) answered = Buffer.concat([answered, (await once(socket, "data"))[0] as Buffer]);
  expect(answered[0]).toBe(0x12);
  const second = connect(port, "127.0.0.1");
  await new Promise((resolve) => second.on("error", () => {}).on("close", resolve));
  socket.destroy();
  ending.abort();
  await running;
  expect((await readFile(paperFile)).subarray(1, 4).toString()).toBe("PNG");
  await rm(folder, { recursive: true });
});

it("a card by itself goes to a reader that listens, and leaves its authority's files", async () => {
  const folder = await mkdtemp(join(tmpdir(), "stationd-run-"));
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  const port = typeof address === "object" && address ? address.port : 0;
  const ending = new AbortController();
  const options = { inserted: true, activeAuthentication: "none", issuerDir: folder };
  const arriving = once(server, "connection");
  const running = runSimulator({ kind: "chip-card", wire: `tcp:127.0.0.1:${port}`, connect: true, options, signal: ending.signal });
  const [reader] = (await arriving) as [Socket];
  reader.write(Uint8Array.of(0, 1, 4));
  expect(((await once(reader, "data"))[0] as Buffer).toString("hex")).toBe("00063b8180018080");
  ending.abort();
  await running;
  expect((await readdir(folder)).sort()).toEqual(["crl.der", "csca.der"]);
  server.close();
  await rm(folder, { recursive: true });
});

it("says what a machine lacks that shall play a device to a kernel", async () => {
  const play = (kind: string, wire: string): Promise<void> =>
    runSimulator({ kind, wire, options: {}, signal: new AbortController().signal });
  await expect(play("chip-card", "gadget:S1")).rejects.toMatchObject({
    kind: "unsupported",
    hint: expect.stringContaining("zvt-terminal"),
  });
  await expect(play("receipt-printer", "uhid:S1")).rejects.toMatchObject({
    kind: "unsupported",
    hint: expect.stringContaining("hid-scanner"),
  });
  await expect(play("receipt-printer", "gadget:no/such")).rejects.toMatchObject({ kind: "invalid_params" });
  if (existsSync("/sys/class/udc") || existsSync("/dev/uhid")) return;
  await expect(play("receipt-printer", "gadget:S1")).rejects.toMatchObject({
    kind: "unsupported",
    hint: expect.stringContaining("dummy_hcd"),
  });
  await expect(play("hid-scanner", "uhid:S1")).rejects.toMatchObject({
    kind: "unsupported",
    hint: expect.stringContaining("modprobe uhid"),
  });
});

it("names what is wrong with a wish", async () => {
  const { signal } = new AbortController();
  const wish = { wire: "tcp:127.0.0.1:0", options: {}, signal };
  await expect(runSimulator({ ...wish, kind: "toaster" })).rejects.toMatchObject({
    kind: "invalid_params",
    hint: expect.stringContaining("receipt-printer"),
  });
  await expect(runSimulator({ ...wish, kind: "receipt-printer", options: { widthDots: "wide" } })).rejects.toMatchObject({
    kind: "invalid_params",
  });
  await expect(runSimulator({ ...wish, kind: "barcode-scanner", paperFile: "x.png" })).rejects.toMatchObject({ kind: "unsupported" });
});
