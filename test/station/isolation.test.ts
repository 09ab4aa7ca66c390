import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { realSerialStack } from "../../src/transports/testing/pty.js";
import { realPcscStack } from "../real-stack/pcscd.js";
import { openScene, type Scene } from "../torture/isolation-scene.js";
import { type Neighbour, startNeighbour, type Trial, tryFault } from "../torture/isolation-trial.js";

const serial = await realSerialStack();
const cards = serial && (await realPcscStack());

/** The whole table is `npm run torture:isolation`; these are each child and each fault, and a fault beside the work. */
describe.skipIf(!serial)("a fault in a transport's child, in the middle of a citizen's business", () => {
  let scene: Scene;
  let neighbour: Neighbour;

  beforeAll(async () => {
    scene = await openScene({ cards, seed: 8 });
    neighbour = await startNeighbour(scene);
  });
  afterAll(async () => {
    await neighbour?.stop();
    await scene?.close();
  });

  test.each<Trial & { ends: readonly string[] }>([
    { child: "scanner", fault: "segfault", during: "scan", ends: ["device_absent"] },
    { child: "receipt", fault: "stop", during: "print", ends: ["printed", "failed"] },
    { child: "terminal", fault: "loop", during: "payment", ends: ["approved", "reversed", "not_charged"] },
    { child: "scanner", fault: "leak", during: "payment", ends: ["approved"] },
    { child: "imaging", fault: "stop", during: "print", ends: ["printed", "failed", "not_started"] },
  ])(
    "$child: $fault during a $during",
    async ({ ends, ...trial }) => {
      const { outcome, wrong, duringMs } = await tryFault(scene, neighbour, trial);
      expect(wrong).toEqual([]);
      expect(ends).toContain(outcome);
      // Another scanner, in a child of its own, went on meanwhile: each code came, and came once.
      expect(duringMs.length).toBeGreaterThan(0);
    },
    120_000,
  );

  test.skipIf(!cards).each<Trial & { ends: readonly string[] }>([
    { child: "id-reader", fault: "leak", during: "card read", ends: ["device_absent", "read"] },
    { child: "id-reader", fault: "segfault", during: "print", ends: ["printed"] },
  ])(
    "$child: $fault during a $during",
    async ({ ends, ...trial }) => {
      const { outcome, wrong } = await tryFault(scene, neighbour, trial);
      expect(wrong).toEqual([]);
      expect(ends).toContain(outcome);
    },
    120_000,
  );
});
