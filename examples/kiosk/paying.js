/** One payment at a time, followed to its end, over lost connections and reloads, and its slip after it. */
import { payableOf } from "./bills.js";
import { rememberPayment, slipKeyOf } from "./payment-memory.js";
import { receiptSlipOf } from "./receipt-slip.js";

/** By card: whatever is no VietQR. */
export const terminalFor = (view, way) =>
  [...view.devices.values()].find(({ class: of, driver }) => of === "paymentTerminal" && (driver === "vietqr") === (way === "vietqr"));

export const wayOf = (view, device) => (view.devices.get(device)?.driver === "vietqr" ? "vietqr" : "card");

/** One key for each attempt: a new one is only ever made because somebody pressed a button. */
export const newPayment = (code, device) => ({ key: crypto.randomUUID(), code, device });

/** `memory`: what a reload must not lose. The rest is known anew. */
export const paymentOf = (memory) => ({
  memory,
  payable: payableOf(memory.code),
  cancel: new AbortController(),
  leave: new AbortController(),
  stage: memory.stage,
  job: undefined,
  error: undefined,
  slip: undefined,
});

const HAS_SLIP = new Set(["approved", "manual_review"]);
export const hasSlip = (payment) => payment.job?.final === true && HAS_SLIP.has(payment.job.state);

/**
 * Follows `payment` until it has ended and its slip is out. `resume`: this page did not ask for it.
 * @param told after each change
 */
export async function followPayment({ client }, payment, resume, told) {
  const { memory, payable, cancel, leave } = payment;
  const changed = (changes) => {
    if (leave.signal.aborted) return;
    Object.assign(payment, changes);
    told();
  };
  rememberPayment(memory);
  try {
    const job = await client.jobs.pay(
      {
        device: memory.device,
        amountVnd: payable.amountVnd,
        reference: payable.code,
        description: payable.description,
        idempotencyKey: memory.key,
      },
      {
        resume,
        cancel: cancel.signal,
        signal: leave.signal,
        onProgress({ stage }) {
          if (leave.signal.aborted) return;
          memory.stage = stage;
          rememberPayment(memory);
          changed({ stage });
        },
        onJob: (job) => changed({ job }),
      },
    );
    changed({ job });
  } catch (error) {
    changed({ error });
  }
  if (hasSlip(payment)) await printSlip({ client }, payment, told);
}

/** Money can come after the end: late, or twice. What it says then is another end, with a slip of its own. */
export function endedAnew(app, payment, job, told) {
  if (!payment.job?.final || !job.final || job.state === payment.job.state) return;
  payment.job = job;
  payment.slip = undefined;
  delete payment.memory.slip;
  told();
  if (hasSlip(payment)) void printSlip(app, payment, told);
}

/**
 * The slip of a payment: once by itself. `anew`: because somebody asked for it; where the former one may be on paper the
 * new one is marked as a reprint.
 */
export async function printSlip({ client }, payment, told, anew) {
  const { memory, job, leave } = payment;
  if (anew) memory.slip = { key: crypto.randomUUID(), again: anew.again };
  const { key, again } = memory.slip ?? { key: slipKeyOf(memory.key, job.state), again: false };
  if (leave.signal.aborted) return;
  rememberPayment(memory);
  const slip = { again, stage: "queued", job: undefined, error: undefined };
  payment.slip = slip;
  told();
  const changed = (changes) => {
    if (payment.slip !== slip || leave.signal.aborted) return;
    Object.assign(slip, changes);
    told();
  };
  try {
    const printed = await client.jobs.print(
      { idempotencyKey: key, document: receiptSlipOf(job), ...(again && { reprint: true }) },
      { onProgress: ({ stage }) => changed({ stage }), onJob: (job) => changed({ job }) },
    );
    changed({ job: printed });
  } catch (error) {
    changed({ error });
  }
}

/** What stands in the agent's journal of this bill since the demo began: paid, not known yet, or nothing. */
export async function standingOf({ client, since }, code) {
  const { jobs } = await client.call("jobs.list", { limit: 200 });
  const ofBill = jobs.filter(({ kind, reference, reverses }) => kind === "payment" && reference === code && !reverses);
  const inDoubt = ofBill.find(({ final, state }) => !final || state === "manual_review");
  const paid = ofBill.find(({ state, createdAt }) => state === "approved" && createdAt >= since);
  return paid ? { kind: "paid", job: paid } : inDoubt ? { kind: "inDoubt", job: inDoubt } : { kind: "open" };
}
