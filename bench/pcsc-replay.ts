import { CardDisposition, CardMode, Client, type Reader, ReaderStatus } from "pcsc-mini";

/** Sends these APDUs to the card on this reader with nothing but the library. @returns milliseconds, without connecting */
export async function replayRaw(readerName: string, commands: readonly Uint8Array[]): Promise<number> {
  const client = new Client();
  try {
    const reader = await new Promise<Reader>((resolve) => {
      client.on("reader", (found) => {
        if (found.name() !== readerName) return;
        found.on("change", (status) => {
          if (status.has(ReaderStatus.PRESENT)) resolve(found);
        });
      });
      client.start();
    });
    const card = await reader.connect(CardMode.EXCLUSIVE);
    const room = new ArrayBuffer(65_548);
    const started = performance.now();
    for (const command of commands) {
      const answer = await card.transmit(command, room);
      if (answer.at(-2) !== 0x90 && answer.at(-2) !== 0x62)
        throw new Error(`the replayed card answers otherwise to ${Buffer.from(command.subarray(0, 4)).toString("hex")}`);
    }
    const took = performance.now() - started;
    await card.disconnect(CardDisposition.UNPOWER);
    return took;
  } finally {
    client.stop();
  }
}
