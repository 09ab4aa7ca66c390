import { type ManualClock, manualClock } from "../../src/kernel/clock.js";
import { seededRandom } from "../../src/kernel/random.js";
import { createHost, type Host, settle } from "../testing.js";
import { type ChipCard, chipCard } from "./index.js";
import { createTerminal, type Terminal } from "./terminal.test.support.js";
import { createFrames, frame } from "./vpcd.js";

export interface Bench {
  readonly card: ChipCard;
  readonly clock: ManualClock;
  readonly host: Host;
  readonly terminal: Terminal;
  /** Sends one frame; the next frame that comes back. */
  ask(content: Uint8Array): Promise<Uint8Array>;
  act(action: string, params?: object): Promise<{ readonly png: Uint8Array } | undefined>;
  /** How often the card told that its state has changed. */
  readonly changes: number;
}

/** A card at a wire in memory. Its knobs are what is given; a card lies there. */
export function openBench(options: object = {}, extended = true): Bench {
  const clock = manualClock();
  let changes = 0;
  // RSA keys take long: those who want one say so.
  const cheap = { inserted: true, activeAuthentication: "ecdsa-sha256", signature: "ecdsa-sha256" };
  const card = chipCard.create(chipCard.options.parse({ ...cheap, ...options }), {
    clock,
    random: seededRandom(11),
    changed: () => {
      changes += 1;
    },
  });
  const host = createHost();
  card.attach(host.farEnd);
  const frames = createFrames();
  const arrived: Uint8Array[] = [];
  const ask = async (content: Uint8Array): Promise<Uint8Array> => {
    host.send(frame(content));
    for (;;) {
      arrived.push(...frames(host.take()));
      const answer = arrived.shift();
      if (answer) return answer;
      await settle();
    }
  };
  return {
    card,
    clock,
    host,
    ask,
    terminal: createTerminal(ask, seededRandom(12), extended),
    async act(action, params = {}) {
      const known = card.actions[action];
      return await known?.act(known.params.parse(params));
    },
    get changes() {
      return changes;
    },
  };
}
