import type { FarEnd, Simulator } from "../../simulators/simulator.js";
import { createWire } from "../../simulators/wire.js";
import { frameCutter, framed, TinyCard } from "./tiny-card.js";

const NOTHING = new Uint8Array();

/** A card at the end of a wire, where it lies for good; null: no card ever. */
export function tinyCardOnWire(card: TinyCard | null = new TinyCard()): Simulator {
  let cut = frameCutter();
  const wire = createWire(async (bytes) => {
    for (const frame of cut(bytes)) {
      const answer = card ? card.answer(frame) : frame.length > 1 || frame[0] === 4 ? NOTHING : undefined;
      if (answer === "lift") wire.send(framed(NOTHING));
      else if (answer) wire.send(framed(answer));
    }
  });
  return {
    kind: "tiny-card",
    attach(farEnd: FarEnd) {
      cut = frameCutter();
      wire.attach(farEnd);
    },
    detach: () => wire.detach(),
    actions: {},
    state: () => ({ attached: wire.attached }),
    reset() {},
    async close() {
      wire.detach();
    },
  };
}
