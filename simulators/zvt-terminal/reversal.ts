import {
  acknowledge,
  type Core,
  exchange,
  forcedVerdict,
  localTime,
  type Procedure,
  passStep,
  RESULT,
  STATUS,
  show,
  statusBody,
  takeNumber,
} from "./core.js";
import type { StepName } from "./faults.js";
import { fromBcd, readFields, type StatusInformation } from "./fields.js";
import { PASSWORD_BYTES, type Planned, wrongPassword } from "./procedures.js";
import { print, receiptLines } from "./receipt.js";

const RECEIPT = 0x87;
const AMOUNT = 0x04;

/** 06 30: password, receipt number (87), perhaps the amount. */
export function planReversal(core: Core, body: Uint8Array): Planned {
  const fields = readFields(body.subarray(PASSWORD_BYTES));
  const number = fields?.get(RECEIPT);
  const receipt = number && fromBcd(number);
  if (receipt === undefined) return { refuse: RESULT.protocol };
  if (wrongPassword(core, body)) return { refuse: RESULT.notPossible };
  const told = fields?.get(AMOUNT);
  return { go: (core, procedure) => reverse(core, procedure, receipt, told && fromBcd(told)) };
}

/** The steps are those of a sale, without a card. What the host took back stays so, answered or not. */
async function reverse(core: Core, procedure: Procedure, receipt: number, amount: number | undefined): Promise<void> {
  const { ledger, memory, options, clock, life } = core;
  const { session } = procedure;
  const step = (name: StepName) => passStep(core, procedure, name);
  await step("command-received");
  await acknowledge(core, session, 0x0630);
  await step("command-answered");
  // An ECR that has left before the host is asked gets nothing done.
  if (session.gone.aborted && !procedure.forced) return;
  const sale = ledger.findSale(receipt);
  const inBatch = sale && ledger.entries.indexOf(sale) >= memory.closedEntries;
  if (!inBatch || (amount !== undefined && amount !== sale.amountVnd)) return await finish(core, procedure, RESULT.notReversible);
  if (ledger.isReversed(sale)) return await finish(core, procedure, RESULT.reversed);
  await show(core, session, STATUS.hostAsked);
  await step("host-asked");
  await clock.sleep(options.hostMs, life);
  const verdict = forcedVerdict(core, procedure) ?? { approved: true };
  if (!verdict.approved) return await finish(core, procedure, verdict.code);
  const by = { kind: "reversal", receipt: takeNumber(memory, "nextReceipt"), trace: takeNumber(memory, "nextTrace") } as const;
  if (!ledger.reverse(sale, by)) return await finish(core, procedure, RESULT.reversed);
  const information: StatusInformation = {
    result: RESULT.ok,
    amount: sale.amountVnd,
    currency: options.currency,
    ...localTime(clock),
    receipt: by.receipt,
    trace: by.trace,
    originalTrace: sale.trace,
    turnover: takeNumber(memory, "nextTurnover"),
    terminalId: options.terminalId,
    contract: options.contract,
  };
  if (!procedure.forgotten) memory.last = information;
  core.changed();
  await step("host-answered");
  const sent = (): Promise<boolean> => step("status-information-sent");
  const answer = await exchange(core, session, 0x040f, statusBody(core, information), { begun: "status-information-begun", sent });
  if (answer.kind !== "none") await step("answer-taken");
  await print(core, procedure, 2, receiptLines("** REVERSAL **", information));
  await finish(core, procedure, RESULT.ok);
}

async function finish(core: Core, procedure: Procedure, code: number): Promise<void> {
  const completion = code === RESULT.ok;
  const body = completion ? undefined : Uint8Array.of(code);
  await exchange(core, procedure.session, completion ? 0x060f : 0x061e, body, {
    begun: "completion-begun",
    sent: () => passStep(core, procedure, "completion-sent"),
  });
}
