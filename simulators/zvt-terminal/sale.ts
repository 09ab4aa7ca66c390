import {
  type Answer,
  acknowledge,
  type Core,
  exchange,
  forcedVerdict,
  localTime,
  NONE,
  type Procedure,
  passStep,
  RESULT,
  STATUS,
  show,
  statusBody,
  takeNumber,
  type Verdict,
} from "./core.js";
import type { AutoReversal } from "./faults.js";
import type { StatusInformation } from "./fields.js";
import type { LedgerEntry } from "./ledger.js";
import { CARDS, type CardName } from "./options.js";
import { print, receiptLines } from "./receipt.js";

export interface SaleWish {
  readonly amountVnd: number;
  readonly paymentType: number;
}

const PIN_TRIES = 3;
/** So often 84 9C is believed. */
const PATIENCE = 60;

/** 06 01, from its 80 00 00 to its 06 0F or 06 1E. */
export async function authorise(core: Core, procedure: Procedure, wish: SaleWish): Promise<void> {
  const { session } = procedure;
  const step = (name: Parameters<typeof passStep>[2]) => passStep(core, procedure, name);
  await step("command-received");
  await acknowledge(core, session, 0x0601);
  await step("command-answered");
  await show(core, session, STATUS.insertCard);
  await step("insert-card-shown");

  const card = await cardOf(core, procedure);
  if (!card) return await finish(core, procedure, RESULT.abort);
  procedure.abortable = false;
  await step("card-presented");
  // By hand the PIN takes its time, and the cardholder is asked for it.
  if (core.options.cardholder === "manual" && !procedure.forced) await show(core, session, STATUS.enterPin);
  const verdict = await verdictOf(core, procedure);
  if (!verdict) return await finish(core, procedure, RESULT.abort);

  // From here on the host knows: whatever happens to the wire, what it says is booked.
  await show(core, session, STATUS.hostAsked);
  await step("host-asked");
  await core.clock.sleep(core.options.hostMs, core.life);
  const decided = forcedVerdict(core, procedure) ?? verdict;
  const { entry, told } = book(core, wish, card, decided);
  await step("host-answered");
  await show(core, session, decided.approved ? STATUS.approved : STATUS.declined);
  await step("result-shown");

  const instead = decided.approved ? core.faults.take("abort-instead") : undefined;
  const committed = instead === undefined && (await deliver(core, procedure, told));
  if (!decided.approved) {
    if (core.options.keepDeclined && !procedure.forgotten) core.memory.last = told;
    await takeCard(core, procedure);
    return await finish(core, procedure, decided.code);
  }
  if (!committed) {
    await takeBack(core, procedure, entry, told);
    return await finish(core, procedure, instead?.code ?? RESULT.abort);
  }
  if (!procedure.forgotten) core.memory.last = told;
  if (core.faults.take("duplicate-status-information")) await exchange(core, session, 0x040f, statusBody(core, told));
  await print(core, procedure, 2, receiptLines("** CUSTOMER RECEIPT **", told));
  await takeCard(core, procedure);
  const afterAll = core.faults.take("abort-after-status");
  await finish(core, procedure, afterAll ? (afterAll.code ?? RESULT.abort) : RESULT.ok);
  if (core.faults.take("stray-status-information")) await exchange(core, session, 0x040f, statusBody(core, told));
}

/** A card; undefined when nobody comes, they cancel, the ECR aborts, or its wire ends. */
async function cardOf({ cardholder, clock, options, life }: Core, procedure: Procedure): Promise<CardName | undefined> {
  if (procedure.forced) return "napas";
  const enough = new AbortController();
  using timer = clock.timer(options.cardTimeoutMs, () => enough.abort());
  void timer;
  try {
    return await cardholder.card(AbortSignal.any([enough.signal, procedure.aborted.signal, procedure.session.gone, life]));
  } catch {
    return procedure.forced && "napas";
  }
}

/** What will come of it once the host is asked; undefined when it never is. */
async function verdictOf(core: Core, procedure: Procedure): Promise<Verdict | undefined> {
  const { cardholder, life } = core;
  const { session } = procedure;
  const signal = AbortSignal.any([session.gone, life]);
  for (let tries = 0; tries < PIN_TRIES && !procedure.forced; ) {
    const word = await cardholder.word(signal).catch(() => undefined);
    if (!word || word.kind === "cancel") return undefined;
    if (word.kind !== "wrong-pin") return word.kind === "approve" ? { approved: true } : { approved: false, code: word.code };
    tries += 1;
    await show(core, session, STATUS.wrongPin);
  }
  return forcedVerdict(core, procedure) ?? { approved: false, code: RESULT.pinTries };
}

function book(
  core: Core,
  { amountVnd, paymentType }: SaleWish,
  cardName: CardName,
  verdict: Verdict,
): { entry: LedgerEntry; told: StatusInformation } {
  const { memory, ledger, options, clock } = core;
  const card = CARDS[cardName];
  const receipt = takeNumber(memory, "nextReceipt");
  const trace = takeNumber(memory, "nextTrace");
  memory.firstReceiptOfDay ??= receipt;
  const entry = ledger.sale({ receipt, trace, amountVnd, hostApproved: verdict.approved, card: card.totals });
  core.changed();
  const told: StatusInformation = {
    result: verdict.approved ? RESULT.ok : verdict.code,
    amount: amountVnd,
    currency: options.currency,
    ...localTime(clock),
    maskedPan: card.maskedPan,
    receipt,
    ...(verdict.approved ? { authorisation: String(700_000 + (trace % 100_000)), turnover: takeNumber(memory, "nextTurnover") } : {}),
    trace,
    paymentType,
    terminalId: options.terminalId,
    cardSequence: 0,
    cardType: card.type,
    ...(card.network === undefined ? {} : { networkCard: card.network }),
    cardName: card.name,
    contract: options.contract,
  };
  return { entry, told };
}

/** 04 0F until it is answered for good. True only for an answer that confirms it (PA00P015: two phases). */
async function deliver(core: Core, procedure: Procedure, told: StatusInformation): Promise<boolean> {
  const { faults, clock, options, life, memory } = core;
  const { session } = procedure;
  const late = faults.take("late-status-information");
  if (late) await clock.sleep(late.ms ?? 200_000, life);
  for (let time = 0; time < PATIENCE; time++) {
    const stale = faults.peek("stale-status-information") && memory.last;
    if (stale) faults.take("stale-status-information");
    const sent = (): Promise<boolean> => passStep(core, procedure, "status-information-sent");
    const came = await exchange(core, session, 0x040f, statusBody(core, stale || told), { begun: "status-information-begun", sent });
    const answer: Answer = came.kind !== "none" && (await passStep(core, procedure, "answer-lost")) ? NONE : came;
    const repeat = answer.kind === "no" && (answer.code === RESULT.wait || (answer.code === 0x9d && options.partialGoods === "repeat"));
    if (!repeat) {
      const committed = answer.kind === "yes" || (answer.kind === "no" && answer.code === 0x9d && options.partialGoods === "commit");
      // Confirmed: a wire that ends from here on changes nothing.
      if (answer.kind !== "none") await passStep(core, procedure, "answer-taken");
      return committed;
    }
    await clock.sleep(options.statusRepeatMs, life);
  }
  return false;
}

/** Without the ECR's word the terminal takes the sale back by itself. */
async function takeBack(core: Core, procedure: Procedure, sale: LedgerEntry, told: StatusInformation): Promise<void> {
  const { clock, options, life, ledger, memory } = core;
  if (procedure.forgotten) return;
  const policy: AutoReversal = procedure.autoReversal ?? options.autoReversal;
  const reverse = (): void => {
    const trace = takeNumber(memory, "nextTrace");
    if (!ledger.reverse(sale, { kind: "auto-reversal", receipt: sale.receipt, trace })) return;
    if (options.lastAfterAutoReversal === "reversal") memory.last = { ...told, ...localTime(clock), trace, originalTrace: sale.trace };
    core.changed();
  };
  if (policy === "hidden") {
    clock.sleep(options.lateReversalMs, life).then(reverse, () => {});
    return;
  }
  core.reversing += 1;
  core.changed();
  await show(core, procedure.session, STATUS.autoReversal);
  await clock.sleep(policy === "late" ? options.lateReversalMs : options.autoReversalMs, life);
  if (policy === "stuck") return;
  // It cannot be taken back: the bank has the money, and the terminal stands by its receipt.
  if (policy === "fails") memory.last = told;
  else reverse();
  core.reversing -= 1;
  core.changed();
}

async function takeCard(core: Core, procedure: Procedure): Promise<void> {
  const { cardholder, clock, options, life } = core;
  await show(core, procedure.session, STATUS.removeCard);
  await passStep(core, procedure, "remove-card-shown");
  const enough = new AbortController();
  using timer = clock.timer(options.removeTimeoutMs, () => enough.abort());
  void timer;
  if (cardholder.cardInside) await cardholder.removed(AbortSignal.any([enough.signal, procedure.session.gone, life])).catch(() => {});
}

/** 06 0F, or 06 1E with the reason. Its answer changes nothing. */
async function finish(core: Core, procedure: Procedure, code: number): Promise<void> {
  core.cardholder.over();
  const completion = code === RESULT.ok;
  if (completion && core.faults.take("completion-dropped")) return;
  const sent = (): Promise<boolean> => passStep(core, procedure, "completion-sent");
  const body = completion ? undefined : Uint8Array.of(code);
  await exchange(core, procedure.session, completion ? 0x060f : 0x061e, body, { begun: "completion-begun", sent });
}
