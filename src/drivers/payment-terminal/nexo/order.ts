import type { PaymentFacts, PaymentOutcome, PaymentSteps } from "../../../contracts/payment-terminal.js";
import { asDeviceError, DeviceError } from "../../../kernel/errors.js";
import type { z } from "../../../kernel/schema.js";
import type { Judged } from "./facts.js";
import { messageReference, type OrderCategory, type PaymentResponse, Response } from "./messages.js";
import { createStages } from "./notices.js";
import { receiptLines } from "./receipt.js";
import type { Session } from "./session.js";

/** An order that moves money. */
export interface Order<T> {
  readonly category: OrderCategory;
  readonly serviceId: string;
  readonly body: unknown;
  readonly answer: z.ZodType<T>;
  readonly baseline: PaymentFacts;
  judge(response: T): Judged;
}

const STOP_EVERY_MS = 5_000;
const MOST_STOPS = 6;

/**
 * Carries an order out: mark `armed`, request, answer, marks `held` and `answering`. There is no commit: an approved payment stands with
 * the terminal's answer, and the marks only keep what it said. Rejects where the answer is missing or proves nothing;
 * `resolvePayment` then asks. Sends the request once.
 */
export async function carryOut<T extends Pick<PaymentResponse, "PaymentReceipt" | "POIData">>(
  session: Session,
  order: Order<T>,
  steps: PaymentSteps,
  stop: AbortSignal,
): Promise<PaymentOutcome> {
  const { device, config, clock } = session;
  const { category, serviceId, body, answer } = order;
  await steps.armed({ ...order.baseline, serviceId, saleId: config.saleId, poiId: config.poiId });
  // Nothing has left yet, so this is known.
  if (stop.aborted) return { state: "cancelled", reason: asDeviceError(stop.reason, "canceled", { device }) };

  session.orderedAtMs = clock.monotonicMs();
  const over = new AbortController();
  const onStop = (): void => void askToStop(session, order, over.signal).catch(() => {});
  stop.addEventListener("abort", onStop, { once: true });
  const stages = createStages();
  let taken = false;
  session.hear(serviceId, (event) => {
    // The first one proves that the terminal has the order.
    if (!taken) void steps.sent().catch(() => {});
    taken = true;
    const stage = stages(event);
    if (stage) steps.progress(stage);
  });
  let response: T;
  try {
    const asking = session.ask({ category, serviceId, body, answer, withinMs: config.orderMs }, session.signal);
    steps.progress(category === "Payment" ? "present_card" : "authorising");
    response = await asking;
  } catch (thrown) {
    // The only failure that is known to have charged nothing.
    if (neverLeft(thrown)) return { state: "not_charged", reason: thrown };
    throw thrown;
  } finally {
    over.abort();
    stop.removeEventListener("abort", onStop);
    session.hear(undefined, () => {});
    session.log.debug("order ended", { device, method: category });
  }
  const judged = order.judge(response);
  if (judged.kind === "doubt") throw judged.reason;
  const facts = judged.kind === "done" ? judged.facts : "facts" in judged.outcome ? judged.outcome.facts : undefined;
  if (facts) await steps.held(facts);
  if (judged.kind === "done") await steps.answering();
  for (const line of receiptLines(response.PaymentReceipt, response.POIData?.POITransactionID.TransactionID)) steps.receiptLine(line);
  return judged.kind === "done" ? { state: "approved", facts: judged.facts } : judged.outcome;
}

function neverLeft(thrown: unknown): thrown is DeviceError {
  if (!(thrown instanceof DeviceError)) return false;
  const { details } = thrown;
  return typeof details === "object" && details !== null && "sent" in details && details.sent === false;
}

/** Asks more than once: the wish may be there before the order that it is about. Whatever is answered proves nothing. */
async function askToStop(session: Session, order: Pick<Order<unknown>, "category" | "serviceId">, over: AbortSignal): Promise<void> {
  const { config, clock } = session;
  const body = { AbortReason: "MerchantAbort", MessageReference: messageReference(order.category, order.serviceId, config) };
  for (let count = 0; count < MOST_STOPS && !over.aborted; count++) {
    // Its answer may be empty.
    await session.ask({ category: "Abort", body, answer: Response.partial() }, over).catch(() => {});
    await clock.sleep(STOP_EVERY_MS, over);
  }
}
