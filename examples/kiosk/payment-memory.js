/**
 * What must outlive a reload: the key under which a payment was asked for, and what for. With the key the new page finds
 * the same payment again, and nothing is charged twice. It goes when the citizen does. No name and no card is in it.
 */
const PLACE = "stationd.payment";
/** The key of a payment that its citizen has left: a page that starts anew must not show it to the next person. */
const LEFT = "stationd.payment.left";

/** So long after its end a payment may be picked up by a page that remembers nothing: its citizen waits before the screen. */
const PICK_UP_MS = 120_000;

export function rememberPayment(payment) {
  sessionStorage.setItem(PLACE, JSON.stringify(payment));
  return payment;
}

export function rememberedPayment() {
  try {
    return JSON.parse(sessionStorage.getItem(PLACE));
  } catch {
    return null;
  }
}

export function forgetPayment() {
  const memory = rememberedPayment();
  if (memory) localStorage.setItem(LEFT, memory.key);
  sessionStorage.removeItem(PLACE);
}

/** The slip of a payment that ended so has a key that follows from it: whoever asks again gets the same paper, and no second one. */
export const slipKeyOf = (key, state) => `${key}.${state}`;

/**
 * What a page that was killed left behind, by the agent's own journal: its newest payment, where that has not ended, or
 * has just ended and nobody has the slip.
 */
export async function orphanedPayment(client) {
  const { jobs } = await client.call("jobs.list", {});
  const job = jobs.find(({ kind, reverses }) => kind === "payment" && !reverses);
  if (!job || job.idempotencyKey === localStorage.getItem(LEFT)) return null;
  if (job.final) {
    const worthASlip = job.state === "approved" || job.state === "manual_review";
    if (!worthASlip || Date.now() - job.updatedAt > PICK_UP_MS) return null;
    if (jobs.some(({ idempotencyKey }) => idempotencyKey === slipKeyOf(job.idempotencyKey, job.state))) return null;
  }
  return { key: job.idempotencyKey, code: job.reference, device: job.device };
}
