import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { STEP_NAMES } from "../../simulators/nexo-terminal/faults.js";
import { nexoTerminal } from "../../simulators/nexo-terminal/index.js";
import { serveTcp } from "../../simulators/serve.js";
import type { Clock } from "../../src/kernel/clock.js";
import { seededRandom } from "../../src/kernel/random.js";
import type { Bank, Draw, End, Kind, Misfortune } from "./bank.js";
import { NEXO_RECOVERY_FAULTS, nexoReversalFaults, nexoSaleFaults, ORDER_MS } from "./nexo-faults.js";
import { watched } from "./watched.js";

/** The terminal does not know of the order then. */
const UNKNOWN = new Set(["connection-accepted", "request-begun"]);
/** Steps that show while it works. */
const SALE_STEPS = STEP_NAMES.filter((step) => !UNKNOWN.has(step) && !step.startsWith("response"));
const REVERSAL_STEPS = SALE_STEPS.filter((step) => !/card/.test(step));

/** A nexo terminal: nothing is ever taken back by itself, it goes on whatever becomes of the connection, and tells of each order by its name. */
export async function nexoBank(clock: Clock, seed: number): Promise<Bank> {
  const options = nexoTerminal.options.parse({ presentMs: 1_000, hostMs: 800, removeMs: 200, rebootMs: 2_000 });
  const {
    simulator: terminal,
    act,
    at,
    forget,
  } = watched((changed) => nexoTerminal.create(options, { clock, random: seededRandom(seed), changed }));
  const served = await serveTcp(terminal, { host: "127.0.0.1", port: 0 });
  const folder = mkdtempSync(join(tmpdir(), "stationd-torture-nexo-"));
  writeFileSync(join(folder, "authority.pem"), terminal.authority);

  const done = (kind: Kind): readonly End[] => (kind === "sale" ? ["approved"] : ["reversed"]);
  const cutAt = (draw: Draw, kind: Kind) => {
    const step = draw.one(STEP_NAMES.filter((name) => kind === "sale" || !/card/.test(name)));
    const host = draw.one(["approved", "declined"] as const);
    const known: readonly End[] = host === "approved" ? done(kind) : ["declined"];
    // The first connection is that of a question.
    const ends: readonly End[] = step === "connection-accepted" ? ["not_started"] : step === "request-begun" ? ["not_charged"] : known;
    return { step, host, ends };
  };

  return {
    name: "nexo",
    port: served.port,
    devices: (port) => `[devices.terminal]
driver = "nexo"
poiId = "${options.poiId}"
saleId = "torture"
keyIdentifier = "${options.keyIdentifier}"
keyVersion = ${options.keyVersion}
passphrase = "${options.passphrase}"
orderMs = ${ORDER_MS}
settleMs = 10000
answerMs = 30000
link = { kind = "https", host = "127.0.0.1", port = ${port}, caFile = "${join(folder, "authority.pem")}", serverName = "${terminal.tlsName}" }`,
    ledger: () => terminal.ledger(),
    steps: (kind) => (kind === "sale" ? SALE_STEPS : REVERSAL_STEPS),
    at,
    orderBytes: 5_000,
    definite: (kind) => ["none", "not_started", "declined", "cancelled", "not_charged", ...done(kind)],
    endsAtMark(kind, what, mark) {
      if (what === "slow") return done(kind);
      if (mark === "created") return [what === "before" || what === "refuse" ? "none" : "not_started"];
      if (mark === "reversing" || (mark === "armed" && what !== "after")) return ["not_started"];
      // Whoever holds the mark has the terminal's answer, and nobody listens for notices here.
      return mark === "armed" ? ["not_charged"] : done(kind);
    },
    endsAtStep: done,
    wireEnds(draw, kind) {
      const { ends, ...cut } = cutAt(draw, kind);
      const how = draw.one(["close", "close", "rst", "half-open"] as const);
      return {
        group: `wire ends, ${cut.host}`,
        detail: JSON.stringify({ ...cut, how }),
        ends,
        strike: () => act("disconnectAt", { ...cut, how }),
      };
    },
    restarts(draw, kind): Misfortune {
      const { ends, ...cut } = cutAt(draw, kind);
      const history = draw.chance(0.75) ? ("kept" as const) : ("lost" as const);
      return {
        group: `terminal restarts, history ${history}`,
        detail: JSON.stringify(cut),
        ends,
        ...(history === "lost" ? { blind: "the terminal forgot its history" } : {}),
        strike: () => act("inject", { fault: "reboot", ...cut, history }),
      };
    },
    fault: (draw, kind) => draw.one(kind === "sale" ? nexoSaleFaults(act) : nexoReversalFaults(act))(draw),
    duringRecovery(draw) {
      const fault = draw.one(NEXO_RECOVERY_FAULTS);
      return { detail: JSON.stringify(fault), strike: () => act(...fault) };
    },
    async recover() {
      forget();
      await act("clearFaults");
      await act("slow", { ms: 0 });
      await act("plug");
    },
    async close() {
      await served.close();
      await terminal.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
