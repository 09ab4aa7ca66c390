import { fromHex, toHex } from "../../src/kernel/bytes.js";
import { manualClock } from "../../src/kernel/clock.js";
import { seededRandom } from "../../src/kernel/random.js";
import { createHost, settle } from "../testing.js";
import { createApduSplitter, decodeApdu, encodeApdu } from "./apdu.js";
import type { Fault } from "./faults.js";
import { zvtTerminal } from "./index.js";
import { createBlockReader, encodeBlock } from "./serial-block.js";

export const REGISTER = "06 00 06 123456 08 0704";
/** The ECR prints the receipts. */
export const REGISTER_PRINTING = "06 00 06 123456 0a 0704";
export const SALE = "06 01 0a 04 000000050000 49 0704";
export const LAST = "06 20 05 123456 03 03";
export const YES = "80 00 00";

type Answer = string | undefined;
export interface Talk {
  /** What the ECR says to each message of the terminal; undefined: nothing. */
  readonly answer?: (apdu: string, count: number) => Answer;
  /** Called before the clock goes on, with what came so far. */
  readonly meanwhile?: (came: readonly string[]) => Promise<void> | void;
  readonly budgetMs?: number;
}

export const kindOf = (apdu: string): string => apdu.slice(0, 4);

/** A terminal and a tiny ECR at the other end of its wire; no time passes but what `talk` lets pass. */
export async function openBench(given: Record<string, unknown> = {}, faults: Partial<Fault>[] = []) {
  const clock = manualClock();
  const fast = { presentMs: 10, hostMs: 10, removeMs: 10 };
  const options = zvtTerminal.options.parse({ ...fast, ...given, faults });
  const terminal = zvtTerminal.create(options, { clock, random: seededRandom(1), changed() {} });
  const serial = options.framing === "serial";
  let host = createHost();
  let split = createApduSplitter();
  let blocks = createBlockReader();
  let raw = "";

  const connect = async (): Promise<void> => {
    host = createHost();
    split = createApduSplitter();
    blocks = createBlockReader();
    terminal.attach(host.farEnd);
    await settle();
  };
  const send = async (apdu: string): Promise<void> => {
    const bytes = fromHex(apdu);
    host.send(serial ? encodeBlock(bytes) : bytes);
    await settle();
  };
  /** What the terminal said; over a serial line each whole block is acknowledged. */
  const take = async (): Promise<string[]> => {
    const bytes = host.take();
    raw += toHex(bytes);
    if (!serial) return split(bytes).map(({ command, body }) => toHex(encodeApdu(command, body)));
    const came: string[] = [];
    for (const token of blocks.read(bytes)) {
      if (token.kind === "damaged") host.send(Uint8Array.of(0x15));
      if (token.kind !== "block") continue;
      host.send(Uint8Array.of(0x06));
      if (decodeApdu(token.apdu)) came.push(toHex(token.apdu));
    }
    await settle();
    return came;
  };
  /** Sends a command, and answers what comes until a completion was answered or the time is up. */
  const talk = async (command: string | undefined, { answer = () => YES, meanwhile, budgetMs = 20_000 }: Talk = {}): Promise<string[]> => {
    const all: string[] = [];
    if (command !== undefined) await send(command);
    for (let spent = 0; spent <= budgetMs; ) {
      await settle();
      const came = await take();
      for (const apdu of came) {
        all.push(apdu);
        if (apdu.startsWith("80") || apdu.startsWith("84")) continue;
        const said = answer(apdu, all.filter((one) => kindOf(one) === kindOf(apdu)).length);
        if (said !== undefined && !host.ended) await send(said);
      }
      if (came.some((apdu) => ["060f", "061e"].includes(kindOf(apdu)) || apdu.startsWith("84"))) break;
      if (host.ended) break;
      await meanwhile?.(all);
      if (came.length > 0) continue;
      await clock.advance(50);
      spent += 50;
    }
    await settle();
    all.push(...(await take()));
    return all;
  };
  const act = async (name: string, params: unknown = {}): Promise<void> => {
    const action = terminal.actions[name];
    if (!action) throw new RangeError(`no action ${name}`);
    await action.act(action.params.parse(params));
    await settle();
  };
  await connect();
  return {
    terminal,
    clock,
    act,
    connect,
    send,
    take,
    talk,
    get host() {
      return host;
    },
    /** Everything that came over the wire so far. */
    get raw() {
      return raw;
    },
    async registered() {
      await talk(REGISTER);
      raw = "";
    },
    kinds: (ledger = terminal.ledger()) => ledger.map(({ kind, net }) => `${kind} ${net}`),
  };
}

/** The value of a field of a 04 0F that is as long as told, found by what stands before it. */
export function fieldOf(statusInformation: string, tag: string, bytes: number): string | undefined {
  return new RegExp(`^(?:..)*?${tag}(.{${bytes * 2}})`).exec(statusInformation.slice(6))?.[1];
}
