import { isDeepStrictEqual } from "node:util";
import { PEOPLE } from "../../simulators/chip-card/people.js";
import { systemClock } from "../../src/kernel/clock.js";
import type { CardReading } from "../../src/protocol/chip-reader.js";
import type { Journey, Visit } from "./visit.js";

export const CITIZENS = PEOPLE.slice(0, 3);
const clock = systemClock();
const CODES = 3;
const CODE_WITHIN_MS = 3_000;
/** A code that nobody waits for is through by then. */
const STALE_MS = 400;
/** A card that was lifted before anything was asked of it is laid there again. */
const RELAID_MS = 1_500;

/** What identifies a holder, from every file that was read. */
export const holderOf = ({ mrz, details, portrait }: CardReading): unknown => ({
  mrz: mrz?.text,
  details,
  portrait: portrait?.image.sha256,
});

/** A citizen's card, read: lifted too early by some, another one than was said laid there by others. */
export const identify: Journey = async (visit) => {
  const { world, client, cancel } = visit;
  visit.uses("id-reader", "imaging");
  using turn = await world.lock("id-reader");
  void turn;
  const { scene } = world;
  const index = visit.pick(0, [0, 1, 2]);
  const lifted = visit.chance(1, 0.15);
  const other = !lifted && visit.chance(1, 0.25);
  const idNumber = CITIZENS[index]?.id ?? "";
  await scene.act("id-reader", "lift");
  await client.call("chipReader.waitForRemoval", { timeoutMs: 10_000 }, { signal: cancel });
  try {
    await scene.act("id-reader", "insert", { person: other ? (index + 1) % CITIZENS.length : index });
    if (lifted) {
      visit.may("card_removed", "card_error", "card_absent");
      await scene.act("id-reader", "liftAtApdu", { n: 1 + visit.pick(2, [0, 2, 4, 6, 8, 10, 12]) });
      clock.timer(RELAID_MS, () => void (scene.state("id-reader").cardPresent || scene.act("id-reader", "insert", { person: index })));
    }
    if (other) visit.may("access_denied", "card_error");
    const reading = await client.call("chipReader.readCard", { access: { idNumber }, timeoutMs: 20_000 }, { signal: cancel });
    const same = isDeepStrictEqual(holderOf(reading), world.known.get(idNumber));
    visit.must(!other && same && reading.verdicts.chip === "genuine", "what was read is not this citizen's card");
  } finally {
    if (lifted) await clock.sleep(RELAID_MS);
    await scene.act("id-reader", "lift");
  }
};

/** Codes before one of the scanners: one that is waited for, or several while the page has the scanner. */
export const scan: Journey = async (visit) => {
  const device = visit.pick(0, ["scanner", "scanner-hid"]);
  visit.uses(device);
  using turn = await visit.world.lock(device);
  void turn;
  if (visit.chance(1, 0.2)) {
    await show(visit, device, `OLD-${visit.world.number()}`);
    await clock.sleep(STALE_MS);
  }
  await (visit.chance(2, 0.5) ? one(visit, device) : several(visit, device));
};

const show = (visit: Visit, device: string, text: string): Promise<void> => visit.world.scene.act(device, "scan", { text });

async function one(visit: Visit, device: string): Promise<void> {
  const text = `HS-${visit.world.number()}`;
  let shown = false;
  const { text: got } = await visit.client.call(
    "barcodeScanner.scan",
    { device, timeoutMs: 5_000 },
    {
      signal: visit.cancel,
      onProgress() {
        if (shown) return;
        shown = true;
        void show(visit, device, text);
      },
    },
  );
  visit.must(got === text, `${text} was shown, and ${got} came`);
}

async function several(visit: Visit, device: string): Promise<void> {
  const { world, client } = visit;
  const shown: string[] = [];
  const seen: string[] = [];
  const leave = new AbortController();
  await client.subscribe(["barcodeScanner"], (update) => update.kind === "event" && seen.push(update.data.scanned.text), {
    signal: leave.signal,
  });
  try {
    await client.call("barcodeScanner.enable", { device });
    const stranger = await world.station.technician.call("barcodeScanner.scan", { device, timeoutMs: 1_000 }).then(
      ({ text }) => `got ${text}`,
      ({ kind }: { kind: string }) => kind,
    );
    visit.must(stranger === "busy" || !visit.undisturbed(), `a stranger who wants the scanner is told ${stranger}`);
    for (let code = 0; code < CODES; code++) {
      const text = `DC-${world.number()}`;
      shown.push(text);
      await show(visit, device, text);
      const giveUpAt = clock.monotonicMs() + CODE_WITHIN_MS;
      while (!seen.includes(text) && clock.monotonicMs() < giveUpAt && visit.client.state !== "closed") await clock.sleep(10);
    }
    await client.call("barcodeScanner.disable", { device });
  } finally {
    leave.abort();
  }
  const told = `${shown.join(", ")} were shown, and ${seen.join(", ") || "nothing"} came`;
  // A code may be lost with its cable; none comes twice, out of turn or from elsewhere.
  visit.must(isDeepStrictEqual(visit.undisturbed() ? shown : shown.filter((text) => seen.includes(text)), seen), told);
}
