import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { realSerialStack } from "../../src/transports/testing/pty.js";
import { realPcscStack } from "../real-stack/pcscd.js";
import { faultRow } from "../support/fault.js";
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

  faultRow({
    device: "agent",
    fault: "The scanner's child crashes, stands still, spins or leaks in mid-scan",
    sees: "`device_absent`",
    does: "starts another child; every other device works on meanwhile",
    measured: [
      "isolation: scanner, segfault, scan",
      "isolation: scanner, stop, scan",
      "isolation: scanner, loop, scan",
      "isolation: scanner, leak, scan",
    ],
    case: ["scanner", "segfault", "scan"],
    also: "npm run torture:isolation",
  });
  faultRow({
    device: "agent",
    fault: "The printer's child crashes, stands still, spins or leaks in mid-print",
    sees: "`printed` or `failed`, as the paper has it",
    does: "ends it, starts another one, and asks the printer what came out",
    bounds: ["child"],
    measured: [
      "isolation: receipt, segfault, print",
      "isolation: receipt, stop, print",
      "isolation: receipt, loop, print",
      "isolation: receipt, leak, print",
    ],
    case: ["receipt", "stop", "print"],
    also: "npm run torture:isolation",
  });
  faultRow({
    device: "agent",
    fault: "The terminal's child crashes, stands still, spins or leaks in mid-payment",
    sees: "`approved`, `reversed` or `not_charged`, as the bank has it",
    does: "ends it, starts another one, and asks the terminal",
    bounds: ["child"],
    measured: [
      "isolation: terminal, segfault, payment",
      "isolation: terminal, stop, payment",
      "isolation: terminal, loop, payment",
      "isolation: terminal, leak, payment",
    ],
    case: ["terminal", "loop", "payment"],
    also: "npm run torture:isolation",
  });
  faultRow({
    device: "agent",
    fault: "A child leaks memory beside a payment",
    sees: "nothing of it: `approved`",
    does: "ends the child at its limit, long before the agent suffers",
    back: "nothing stands still",
    case: ["scanner", "leak", "payment"],
    also: "npm run torture:isolation",
  });
  faultRow({
    device: "agent",
    fault: "The drawing child crashes, stands still, spins or leaks",
    sees: "`printed`, `failed` or `not_started`",
    does: "ends it and starts another one",
    bounds: ["drawing"],
    measured: [
      "isolation: imaging, segfault, print",
      "isolation: imaging, stop, print",
      "isolation: imaging, loop, print",
      "isolation: imaging, leak, print",
    ],
    case: ["imaging", "stop", "print"],
    also: "npm run torture:isolation",
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

  faultRow({
    device: "agent",
    fault: "The card readers' child crashes, stands still, spins or leaks in mid-read",
    sees: "`device_absent`, or the read card: `read`",
    does: "starts another child",
    measured: [
      "isolation: id-reader, segfault, card read",
      "isolation: id-reader, stop, card read",
      "isolation: id-reader, loop, card read",
      "isolation: id-reader, leak, card read",
    ],
    case: ["id-reader", "leak", "card read"],
    also: "npm run torture:isolation",
  });
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
