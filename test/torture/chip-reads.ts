/**
 * `npm run torture:chip -- --reads 500 [--seed N]`: cards laid, lifted and swapped at any APDU while they are read. Whatever is read must be
 * one card's, whole: its number, name, MRZ and portrait, as a quiet reading has them. At the end memory is what it was.
 */
import { isDeepStrictEqual } from "node:util";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { PEOPLE } from "../../simulators/chip-card/people.js";
import { systemClock } from "../../src/kernel/clock.js";
import { seededRandom } from "../../src/kernel/random.js";
import type { CardReading } from "../../src/protocol/chip-reader.js";
import { startStation } from "../../src/testing.js";

const argument = (name: string, fallback: number): number => {
  const at = process.argv.indexOf(`--${name}`);
  return at < 0 ? fallback : Number(process.argv[at + 1]);
};
const reads = argument("reads", 500);
const seed = argument("seed", Date.now() % 1_000_000);
const random = seededRandom(seed);
const pick = (below: number): number => Math.floor(random.fraction() * below);
const clock = systemClock();

await using station = await startStation({ seed });
const page = await station.connect();
const act = (action: string, params: Record<string, number | string> = {}): Promise<unknown> => station.act("id-reader", action, params);
const people = PEOPLE.slice(0, 3);

/** What identifies a holder, from every file that was read. */
const holderOf = ({ mrz, details, portrait }: CardReading): unknown => ({ mrz: mrz?.text, details, portrait: portrait?.image.sha256 });
const read = (idNumber: string): Promise<CardReading> => page.call("chipReader.readCard", { access: { idNumber }, timeoutMs: 10_000 });

const known = new Map<string, unknown>();
for (const [index, { id }] of people.entries()) {
  await act("insert", { person: index });
  known.set(id, holderOf(await read(id)));
}

const tally: Record<string, number> = {};
let wrongHolders = 0;
let stuck = 0;
setFlagsFromString("--expose-gc");
const collectGarbage = runInNewContext("gc") as () => void;
/** After each tenth of the reads, MiB: resident, and what is really in use. */
const resident: number[] = [];
const inUse: number[] = [];

for (let run = 0; run < reads; run++) {
  const index = pick(people.length);
  const wanted = people[index]?.id ?? "";
  const trouble = ["none", "lift", "swap", "swap now", "wrong card"][pick(5)] ?? "none";
  await act("insert", { person: trouble === "wrong card" ? (index + 1) % people.length : index });
  if (trouble === "lift") await act("liftAtApdu", { n: 1 + pick(16) });
  const reading = read(wanted).then(
    (card) => {
      if (!isDeepStrictEqual(holderOf(card), known.get(wanted)) || card.verdicts.chip !== "genuine") wrongHolders++;
      return "read";
    },
    (error: { kind: string }) => error.kind,
  );
  if (trouble.startsWith("swap")) {
    if (trouble === "swap") await clock.sleep(pick(60));
    await act("swap", { person: (index + 1 + pick(people.length - 1)) % people.length });
  }
  if (trouble === "lift") {
    // Lifted before anything was asked of it: the wait goes on, so the card is laid there again.
    await Promise.race([reading, clock.sleep(400)]);
    await act("insert", { person: index });
  }
  const outcome = await reading;
  if (outcome === "timeout") stuck++;
  tally[`${trouble}: ${outcome}`] = (tally[`${trouble}: ${outcome}`] ?? 0) + 1;
  if ((run + 1) % Math.max(1, Math.floor(reads / 10)) === 0) {
    collectGarbage();
    const { rss, heapUsed, arrayBuffers } = process.memoryUsage();
    resident.push(Math.round(rss / 1_048_576));
    inUse.push(Math.round((heapUsed + arrayBuffers) / 104_857.6) / 10);
  }
}
// The first reads fill caches of the engine; after them a kilobyte kept per read would show.
const grownMib = (inUse.at(-1) ?? 0) - (inUse[2] ?? 0);
process.stdout.write(`${JSON.stringify({ reads, seed, wrongHolders, stuck, residentMib: resident, inUseMib: inUse, tally })}\n`);
if (wrongHolders + stuck > 0 || grownMib > 2) process.exitCode = 1;
