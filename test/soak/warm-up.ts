import { randomUUID } from "node:crypto";
import { CITIZENS, holderOf } from "./journey-read.js";
import { BLACK, numberedReceipt, WHITE } from "./paper.js";
import { JOURNEY_KINDS, type JourneyKind, type JourneyPlan } from "./schedule.js";
import { type Visitor, visit, type World } from "./visit.js";

/** Learns what receipts and cards are like where nothing disturbs. */
export async function learn({ scene, station, known }: World): Promise<void> {
  for (const number of [WHITE, BLACK]) {
    const job = await station.desk.jobs.print({ device: "receipt", document: await numberedReceipt(number), idempotencyKey: randomUUID() });
    if (job.state !== "printed") throw new RangeError(`a receipt that nothing disturbed ended ${job.state}: ${job.reason?.message ?? ""}`);
  }
  scene.tray.learn();
  for (const [index, { id: idNumber }] of CITIZENS.entries()) {
    await scene.act("id-reader", "lift");
    await station.desk.call("chipReader.waitForRemoval", {});
    await scene.act("id-reader", "insert", { person: index });
    known.set(idNumber, holderOf(await station.desk.call("chipReader.readCard", { access: { idNumber } })));
  }
  await scene.act("id-reader", "lift");
  await station.desk.call("session.endCitizen", {});
}

/** Each kind of journey on each device that it may pick, in peace: everything has been started once, and works. @returns what is wrong */
export async function round(world: World, visitors: readonly Visitor[]): Promise<readonly string[]> {
  const wrong: string[] = [];
  const kinds = [...JOURNEY_KINDS];
  const walk = async (visitor: Visitor): Promise<void> => {
    for (let kind = kinds.shift(); kind !== undefined; kind = kinds.shift()) await both(visitor, kind);
  };
  const both = async (visitor: Visitor, kind: JourneyKind): Promise<void> => {
    // The first die picks the device; the others stay away from misfortune.
    for (const die of [0, 0.6]) {
      const plan: JourneyPlan = { kind, twist: "none", twistAfterMs: 0, thinkMs: 0, dice: [die, 0.9, die, 0, 0.9, 0.9, 0.9, 0.9] };
      const told = await visit(world, visitor, plan);
      const problems = [...told.wrong, ...(await told.settled)];
      if (told.end !== "done") problems.push(`ended with ${told.failedWith}`);
      wrong.push(...problems.map((problem) => `${kind}, where nothing disturbs: ${problem}`));
    }
  };
  await Promise.all(visitors.map(walk));
  return wrong;
}
