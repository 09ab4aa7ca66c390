import { randomUUID } from "node:crypto";
import type { Payment } from "../../src/client/node.js";
import { systemClock } from "../../src/kernel/clock.js";
import { numberedReceipt } from "./paper.js";
import type { Journey, Visit } from "./visit.js";

const clock = systemClock();
const LEAST_VND = 10_000;
/** A code is confirmed again until the agent has heard it. */
const CONFIRM_TRIES = 60;
const CONFIRM_PAUSE_MS = 500;

/** Moods of a cardholder; most are in none. */
const MOODS: readonly (readonly [action: string, params?: Record<string, unknown>])[] = [
  ["decline"],
  ["cancelByCustomer"],
  ["slow", { ms: 600 }],
];

/** A payment by card at either terminal, and its slip. */
export const payByCard: Journey = async (visit) => {
  const { world, client } = visit;
  const device = visit.pick(0, ["terminal", "terminal-lan"] as const);
  visit.uses(device);
  if (visit.chance(1, 0.2)) {
    const [action, params] = visit.pick(2, MOODS);
    await world.scene.act(device, action, params);
  }
  const amountVnd = LEAST_VND + world.number();
  const request = { device, amountVnd, reference: "SOAK", idempotencyKey: randomUUID(), timeoutMs: 60_000 };
  visit.begun({ kind: "card", key: request.idempotencyKey, device, amountVnd });
  try {
    const paid = await client.jobs.pay(request, { cancel: visit.cancel });
    await afterwards(visit, paid, () => client.jobs.pay(request));
  } finally {
    await world.scene.act(device, "slow", { ms: 0 });
  }
};

/** A transfer that somebody makes with a telephone, and its slip. */
export const payByQr: Journey = async (visit) => {
  const { world, client, plan } = visit;
  visit.uses("vietqr");
  const amountVnd = LEAST_VND + world.number();
  const request = { device: "vietqr", amountVnd, reference: "SOAK", idempotencyKey: randomUUID(), timeoutMs: 60_000 };
  visit.begun({ kind: "transfer", key: request.idempotencyKey, amountVnd });
  let scanned = false;
  const paid = await client.jobs.pay(request, {
    cancel: visit.cancel,
    onJob({ code }) {
      // Who wants to stop has not paid yet.
      if (!code || scanned || plan.twist === "cancel") return;
      scanned = true;
      void confirm(visit, code.payload);
    },
  });
  await afterwards(visit, paid, () => client.jobs.pay(request));
};

/** The back-end tells it until the agent has it, whoever's page is there to relay it. */
async function confirm({ world, pick }: Visit, payload: string): Promise<void> {
  await clock.sleep(pick(3, [0, 100, 400]));
  const confirmation = world.scene.bank.transfer(payload);
  if (confirmation === undefined) return;
  for (let tries = 0; tries < CONFIRM_TRIES; tries++) {
    const heard = await world.station.desk.call("paymentTerminal.confirm", { device: "vietqr", confirmation }).catch(() => undefined);
    if (heard) return;
    await clock.sleep(CONFIRM_PAUSE_MS);
  }
}

async function afterwards(visit: Visit, paid: Payment, again: () => Promise<Payment>): Promise<void> {
  // Where the page was left, it is told how the payment stood then.
  visit.must(paid.final || visit.client.state === "closed", `the payment is answered as ${paid.state}`);
  if (paid.final && visit.chance(4, 0.2)) {
    const { state } = await again();
    visit.must(state === paid.state || paid.state === "manual_review", `asked again, the payment is ${state} and not ${paid.state}`);
  }
  if (paid.state === "approved") await printSlip(visit);
}

async function printSlip(visit: Visit): Promise<void> {
  const { world, client } = visit;
  visit.uses("receipt", "imaging");
  const number = world.number();
  const request = { device: "receipt", document: await numberedReceipt(number), idempotencyKey: randomUUID(), timeoutMs: 60_000 };
  visit.begun({ kind: "print", key: request.idempotencyKey, number });
  const job = await client.jobs.print(request, { signal: visit.cancel });
  visit.must(job.final || visit.cancel.aborted || visit.client.state === "closed", `the slip is answered as ${job.state}`);
  if (!job.final || !visit.chance(5, 0.2)) return;
  const { state } = await client.jobs.print(request);
  visit.must(state === job.state, `asked again, the slip is ${state} and not ${job.state}`);
}
