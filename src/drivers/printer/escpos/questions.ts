import type { Clock } from "../../../kernel/clock.js";
import type { Random } from "../../../kernel/random.js";
import { ASK_IN_TURN, AUTO_STATUS_ON, askCounter, askIdentity, askProcessId, INITIALISE } from "./codec.js";
import type { EscposConfig } from "./config.js";
import { CUT_COUNTERS, type CutCounter, type Features, profileOf } from "./profiles.js";
import type { Reply } from "./replies.js";
import { type Talk, withinMs } from "./talk.js";

/** Letters that no real-time answer looks like: they are found even where one cuts in. */
const ID_LETTERS = "ACDEGHIKLMNOPQSTUWXY";

export function newProcessId(random: Random): string {
  return Array.from(random.bytes(4), (byte) => ID_LETTERS[byte % ID_LETTERS.length]).join("");
}

export function processIdIs(id: string): (reply: Reply) => true | undefined {
  return (reply) => (reply.type === "process_id" && reply.id === id ? true : undefined);
}

export function inTurnByte(reply: Reply): true | undefined {
  return reply.type === "byte" ? true : undefined;
}

function counterText(reply: Reply): number | undefined {
  return reply.type === "text" && /^\d{1,10}$/.test(reply.text) ? Number(reply.text) : undefined;
}

const COUNTER_TRIES = 3;

/**
 * The cutter's counter. The caller has made sure that the printer is idle and that no earlier answer is under way.
 * Undefined: no answer.
 */
export async function readCounter(talk: Talk, counter: CutCounter, replyMs: number): Promise<number | undefined> {
  for (let tries = 0; tries < COUNTER_TRIES; tries++) {
    const value = await talk.ask(askCounter(counter), counterText, replyMs);
    if (value !== undefined) return value;
  }
  return undefined;
}

/**
 * Finds out what an idle, unobstructed printer can tell. A printer that was left inside a raster swallows the questions,
 * so where nothing is heard they are asked again behind zeros enough to end any raster of ours. A printer that does not know
 * a question prints its letters: the caller clears the line (ESC @).
 */
export async function learn(talk: Talk, config: EscposConfig, random: Random, clock: Clock, padBytes: number): Promise<Features> {
  const first = await askOnce(talk, config, random, clock);
  if (first.inTurn || first.processId) return await withCounter(talk, config, first);
  await talk.send(new Uint8Array(padBytes));
  await talk.send(INITIALISE);
  return await withCounter(talk, config, await askOnce(talk, config, random, clock));
}

async function askOnce(talk: Talk, config: EscposConfig, random: Random, clock: Clock): Promise<Omit<Features, "counter">> {
  const { asksMore } = profileOf(config);
  const id = newProcessId(random);
  let processId = false;
  let autoStatus = false;
  using told = talk.expect(processIdIs(id));
  using pushed = talk.expect((reply) => (reply.type === "auto_status" ? (true as const) : undefined));
  using inTurn = talk.expect(inTurnByte);
  told.reply.then(
    () => (processId = true),
    () => {},
  );
  pushed.reply.then(
    () => (autoStatus = true),
    () => {},
  );
  if (asksMore) {
    await talk.send(AUTO_STATUS_ON);
    await talk.send(askProcessId(id));
  }
  await talk.send(ASK_IN_TURN);
  // Answers come in the order of the questions: after the last one there will be no other.
  const answered = (await withinMs(inTurn.reply, clock, config.replyMs)) ?? false;
  return { autoStatus, processId, inTurn: answered };
}

async function withCounter(talk: Talk, config: EscposConfig, features: Omit<Features, "counter">): Promise<Features> {
  if (!profileOf(config).asksMore || !(features.processId || features.autoStatus)) return { ...features, counter: undefined };
  for (const counter of CUT_COUNTERS) {
    if ((await readCounter(talk, counter, config.replyMs)) !== undefined) return { ...features, counter };
  }
  return { ...features, counter: undefined };
}

export interface PrinterNames {
  readonly firmware?: string;
  readonly vendor?: string;
  readonly model?: string;
  readonly serial?: string;
}

/** GS I 68: tells one printer from another in its place. */
export function askSerial(talk: Talk, replyMs: number): Promise<string | undefined> {
  return talk.ask(askIdentity(68), (reply) => (reply.type === "text" ? reply.text : undefined), replyMs);
}

/** GS I: who the printer says it is. */
export async function askNames(talk: Talk, replyMs: number): Promise<PrinterNames> {
  const names: Record<string, string> = {};
  for (const [name, n] of [
    ["firmware", 65],
    ["vendor", 66],
    ["model", 67],
    ["serial", 68],
  ] as const) {
    const text = await talk.ask(askIdentity(n), (reply) => (reply.type === "text" ? reply.text : undefined), replyMs);
    if (text === undefined) break; // it knows no names; asking on would only take time
    names[name] = text;
  }
  return names;
}
