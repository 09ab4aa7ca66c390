import { connect, createServer, type Socket } from "node:net";

const POWER_OFF = Uint8Array.of(0);
const POWER_ON = Uint8Array.of(1);
const GET_ATR = 4;

/** Whole frames of the vpcd protocol out of a stream: 16-bit length, data. */
export function unframe(onFrame: (frame: Uint8Array) => void): (chunk: Buffer) => void {
  let held: Buffer = Buffer.alloc(0);
  return (chunk) => {
    held = Buffer.concat([held, chunk]);
    while (held.length >= 2 && held.length >= 2 + held.readUInt16BE()) {
      const end = 2 + held.readUInt16BE();
      onFrame(new Uint8Array(held.subarray(2, end)));
      held = held.subarray(end);
    }
  };
}

function send(socket: Socket, frame: Uint8Array): void {
  socket.write(Buffer.concat([Buffer.from([frame.length >> 8, frame.length & 0xff]), frame]));
}

const answers = (frame: Uint8Array): boolean => frame.length > 1 || frame[0] === GET_ATR;

/**
 * Between a reader and a card: passes frames on one by one and remembers the APDUs. In between it sends APDUs of its own, while the
 * reader's frames wait.
 */
export async function tapCard(cardPort: number): Promise<{
  port: number;
  /** The APDUs from now until the returned function is called. */
  record(): () => Uint8Array[];
  /** Powers the card and sends these, each after the answer to the former. @returns milliseconds */
  replay(commands: readonly Uint8Array[]): Promise<number>;
  close(): Promise<void>;
}> {
  const sockets = new Set<Socket>();
  let apdus: Uint8Array[] = [];
  let ask: (frame: Uint8Array) => Promise<Uint8Array | undefined> = () => Promise.reject(new Error("no reader is connected"));
  const server = createServer((near) => {
    const far = connect(cardPort, "127.0.0.1");
    for (const socket of [near, far]) {
      sockets.add(socket.setNoDelay());
      socket.on("error", () => {}).on("close", () => [near, far].forEach((end) => void end.destroy()));
    }
    let tail: Promise<unknown> = Promise.resolve();
    let answered = (_frame: Uint8Array): void => {};
    far.on(
      "data",
      unframe((frame) => answered(frame)),
    );
    ask = (frame) => {
      const asked = tail.then(
        () =>
          new Promise<Uint8Array | undefined>((resolve) => {
            if (answers(frame)) answered = resolve;
            else resolve(undefined);
            send(far, frame);
          }),
      );
      tail = asked;
      return asked;
    };
    near.on(
      "data",
      unframe((frame) => {
        if (frame.length > 1) apdus.push(frame);
        void ask(frame).then((answer) => answer && send(near, answer));
      }),
    );
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  return {
    port: typeof address === "object" && address ? address.port : 0,
    record: () => {
      apdus = [];
      return () => [...apdus];
    },
    async replay(commands) {
      await ask(POWER_OFF);
      await ask(POWER_ON);
      const started = performance.now();
      for (const command of commands) {
        const answer = await ask(command);
        // 62xx: the end of the file came before Le (ISO 7816-4 §5.6).
        if (answer?.at(-2) !== 0x90 && answer?.at(-2) !== 0x62) throw new Error("the replayed card answers otherwise");
      }
      const took = performance.now() - started;
      await ask(POWER_OFF);
      return took;
    },
    close: async () => {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
