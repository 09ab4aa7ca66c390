import type { Bench } from "./bench.js";
import type { Station } from "./station.js";
import { must, pullAndPush, pulled, pushed, trial } from "./trial.js";

const DEVICE = "reader";

export async function cardReader(station: Station, { card: plug }: Bench, pcscd: { freeze(): void }): Promise<void> {
  const { page } = station;
  const { simulator: card } = plug;
  const act = async (name: string, params: Record<string, unknown> = {}): Promise<void> => {
    const action = card.actions[name];
    await action?.act(action.params.parse(params));
  };
  // As each citizen lays a card there. QEMU's reader does not reset a card that stays.
  const read = async (): Promise<string> => {
    await act("lift");
    await act("insert", { person: "A" });
    const { details, verdicts } = await page.call("chipReader.readCard", {
      device: DEVICE,
      access: { can: card.holder().idNumber.slice(-6) },
      parts: ["dg1", "dg13"],
      timeoutMs: 40_000,
    });
    must(details?.idNumber === card.holder().idNumber, "another number");
    return `${verdicts.chip}, ${verdicts.issuer}`;
  };
  await trial(DEVICE, "reads a card", async () => {
    return { outcome: await read() };
  });
  await trial(DEVICE, "pulled idle", async () => {
    const times = await pullAndPush(station, DEVICE, plug);
    return { ...times, outcome: `reads again: ${await read()}` };
  });
  await trial(DEVICE, "pulled in mid-read", async () => {
    const reading = read().then(
      () => "it was read all the same",
      (thrown: { kind?: string }) => String(thrown.kind),
    );
    // The channel is protected by now, and files are read.
    while (Number(card.state().apdus) < 8) await new Promise((resolve) => setTimeout(resolve, 5));
    const goneMs = await pulled(station, DEVICE, plug);
    const kind = await reading;
    // The reader's driver may tell of the card first, and of the reader a moment later.
    must(kind === "device_absent" || kind === "card_removed", `ended ${kind}`);
    const backMs = await pushed(station, DEVICE, plug.push);
    return { goneMs, backMs, outcome: `${kind}; then ${await read()}` };
  });
  await trial(DEVICE, "in another socket", async () => {
    const times = await pullAndPush(station, DEVICE, plug, plug.move);
    return { ...times, outcome: `the same reader: ${await read()}` };
  });
  // As pcscd is when it hangs over a reader that goes: the kernel knows, and the service tells nothing, until another one is started.
  await trial(DEVICE, "pulled, pcscd stuck", async () => {
    pcscd.freeze();
    const goneMs = await pulled(station, DEVICE, plug);
    await plug.push();
    await station.until(DEVICE, (state) => state === "ready", 60_000);
    return { goneMs, outcome: `another pcscd was asked for; reads again: ${await read()}` };
  });
}
