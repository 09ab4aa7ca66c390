import { concatBytes } from "../../src/kernel/bytes.js";
import { manualClock } from "../../src/kernel/clock.js";
import type { Random } from "../../src/kernel/random.js";
import { createHost, settle } from "../testing.js";
import { COMMANDS } from "./commands.js";
import { receiptPrinter } from "./index.js";

const OPCODES = [...COMMANDS.keys()].map((opcode) => Uint8Array.from(Buffer.from(opcode, "hex")));
/** Every so many commands the printer is looked after: paper, cover, power. */
const CARE_EVERY = 250;

export interface FuzzResult {
  readonly commands: number;
  readonly bytes: number;
  readonly rowsPrinted: number;
  readonly receipts: number;
  readonly unknownCommands: number;
}

/**
 * Sends so many random commands (known opcodes with random parameters, text and pure noise in random chunks) to an
 * instant printer, while its paper, cover, cutter and power misbehave. Rejects if the printer throws or stops reading for good.
 */
export async function fuzzPrinter(random: Random, commands: number): Promise<FuzzResult> {
  const below = (limit: number): number => Math.floor(random.fraction() * limit);
  const printer = receiptPrinter.create(receiptPrinter.options.parse({ keepReceipts: 2, bufferBytes: 1024 }), {
    clock: manualClock(),
    random,
    changed() {},
  });
  const act = async (name: string, params: unknown = {}): Promise<void> => {
    const action = printer.actions[name];
    if (action) await action.act(action.params.parse(params));
  };
  const troubles: readonly (readonly [string, unknown?])[] = [
    ["paperOut"],
    ["paperLeft", { rows: below(500) }],
    ["openCover"],
    ["jamCutter"],
    ["offline", { on: true }],
    ["paperNearEnd", { on: true }],
    ["powerCycle"],
    ["unplug"],
    ["loseReplies", { count: 3 }],
  ];
  const sound = async (): Promise<void> => {
    for (const [name, params] of [["refill"], ["closeCover"], ["clearJam"], ["offline", { on: false }], ["plug"]] as const) {
      await act(name, params);
    }
  };

  const command = (): Uint8Array => {
    const kind = below(10);
    if (kind === 0) return random.bytes(1 + below(40));
    if (kind === 1) return Uint8Array.from({ length: 1 + below(60) }, () => 0x20 + below(0xe0));
    const opcode = OPCODES[below(OPCODES.length)] ?? new Uint8Array();
    // Small parameters most of the time, so that lengths announced by them are often met by what follows.
    const parameters = Uint8Array.from({ length: below(9) }, () => (below(4) === 0 ? below(256) : below(4)));
    return concatBytes([opcode, parameters]);
  };

  let bytes = 0;
  let host = createHost();
  printer.attach(host.farEnd);
  for (let done = 0; done < commands; done += CARE_EVERY) {
    const [name, params] = troubles[below(troubles.length)] ?? ["refill"];
    if (below(3) === 0) await act(name, params);
    const block = concatBytes(Array.from({ length: Math.min(CARE_EVERY, commands - done) }, command));
    bytes += block.length;
    for (let start = 0; start < block.length; ) {
      const size = 1 + below(512);
      host.send(block.slice(start, start + size));
      start += size;
    }
    await settle();
    await sound();
    // What a technician does when a person's hand was not enough.
    host.send(Uint8Array.of(0x10, 0x05, 0x01));
    await settle();
    if (printer.state().online !== true) await act("powerCycle");
    if (host.ended) {
      host = createHost();
      printer.attach(host.farEnd);
    }
  }
  // However it was treated, it must answer again after a power cycle.
  await act("powerCycle");
  host = createHost();
  printer.attach(host.farEnd);
  host.send(Uint8Array.of(0x10, 0x04, 0x01));
  await settle();
  const answered = host.take();
  const { rowsPrinted, receipts, unknownCommands } = printer.state();
  await printer.close();
  if (answered.length === 0) throw new Error("the printer no longer answers");
  return { commands, bytes, rowsPrinted: Number(rowsPrinted), receipts: Number(receipts), unknownCommands: Number(unknownCommands) };
}
