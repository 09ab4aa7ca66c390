import { connect, createServer, type Socket } from "node:net";

/** A wire that can be cut at a byte: everything before it passes, nothing after, until it is joined again. */
export interface CuttableWire {
  readonly port: number;
  /** Cuts when so many more bytes have gone towards the device; calls back then. */
  cutAfter(bytes: number, then: () => void): void;
  join(): void;
  close(): Promise<void>;
}

export async function cuttableWire(devicePort: number): Promise<CuttableWire> {
  const sockets = new Set<Socket>();
  let left = Number.POSITIVE_INFINITY;
  let onCut: () => void = () => {};
  const cut = (): void => {
    for (const socket of sockets) socket.destroy();
    onCut();
  };
  const server = createServer((near) => {
    if (left <= 0) return void near.destroy();
    const far = connect(devicePort, "127.0.0.1");
    for (const socket of [near, far]) {
      sockets.add(socket.setNoDelay());
      socket.on("error", () => {});
    }
    near.on("close", () => far.end() && sockets.delete(near));
    far.on("close", () => near.destroy() && sockets.delete(far));
    near.on("data", (bytes) => {
      if (left <= 0) return;
      const passed = bytes.subarray(0, left);
      left -= passed.length;
      if (!far.write(passed, () => left <= 0 && cut())) {
        near.pause();
        far.once("drain", () => near.resume());
      }
    });
    far.on("data", (bytes) => left > 0 && near.write(bytes));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  return {
    port: typeof address === "object" && address ? address.port : 0,
    cutAfter(bytes, then) {
      left = bytes;
      onCut = then;
    },
    join() {
      left = Number.POSITIVE_INFINITY;
      onCut = () => {};
    },
    close: async () => {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
