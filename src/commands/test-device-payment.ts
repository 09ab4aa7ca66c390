import { randomUUID } from "node:crypto";
import { DeviceError } from "../kernel/errors.js";
import type { PaymentJob } from "../protocol/payment-terminal.js";
import { EXIT_CODES, exitCodeOfJob } from "./exit-codes.js";
import { describePayment } from "./payment-text.js";
import { progressLine } from "./progress-line.js";
import type { Finding, Trial } from "./test-device-run.js";

const TEST_AMOUNT_VND = 1_000;

/** Looked at before anybody is asked for money: what cannot be given back is not taken. @throws DeviceError `unsupported`, `forbidden` */
export async function mayBeReversed({ client, device, signal, named }: Trial): Promise<void> {
  const { capabilities } = await client.call("devices.capabilities", { device: device.id }, { signal });
  if (capabilities.reverse !== true) {
    throw new DeviceError("unsupported", {
      device: device.id,
      message: "this one cannot give money back, so none is taken to try it",
      hint: `Its own check takes no money: stationd doctor, or stationd devices. With real money: stationd pay ${TEST_AMOUNT_VND} --device ${device.id}`,
    });
  }
  if (named) return;
  throw new DeviceError("forbidden", {
    device: device.id,
    message: "the reversal needs a technician's own token, so nothing was charged",
    hint: `stationd test ${device.id} --url ws://127.0.0.1:7870/v1 --token-file FILE`,
  });
}

/** Takes 1,000 đồng and gives them back. Whatever is interrupted: what was approved is reversed. */
export async function testPaymentTerminal({ client, device, terminal, signal, timeoutMs }: Trial): Promise<Finding> {
  const { t } = terminal;
  const line = progressLine(terminal);
  const key = `test-${randomUUID()}`;
  const request = { device: device.id, amountVnd: TEST_AMOUNT_VND, reference: "TEST", idempotencyKey: key, timeoutMs };
  let paid: PaymentJob;
  try {
    paid = await client.call("paymentTerminal.pay", request, { signal, onProgress: line.show }).finally(line.clear);
  } catch (error) {
    terminal.note(t`stationd: ask how the payment ended with: stationd jobs get ${key}\n`);
    throw error;
  }
  const facts = { amountVnd: TEST_AMOUNT_VND, payment: { job: paid.job, state: paid.state } };
  const notes = describePayment(paid, t).trimEnd().split("\n");
  if (paid.state !== "approved") return { result: "failed", notes, facts, code: exitCodeOfJob(paid) || EXIT_CODES.failed.code };
  // Not with the signal: who presses Ctrl-C now wants the money back all the more.
  const back = await client
    .call("paymentTerminal.reverse", { job: paid.job, idempotencyKey: `${key}-back` }, { onProgress: line.show })
    .finally(line.clear)
    .catch((error: unknown) => {
      terminal.note(t`stationd: ${TEST_AMOUNT_VND} VND are NOT known to be back: stationd payments reverse ${paid.job.slice(0, 8)}\n`);
      throw error;
    });
  const allNotes = [...notes, ...describePayment(back, t).trimEnd().split("\n")];
  const allFacts = { ...facts, reversal: { job: back.job, state: back.state } };
  if (back.state === "reversed") return { result: "passed", notes: allNotes, facts: allFacts };
  const next = t`${TEST_AMOUNT_VND} VND are NOT known to be back: stationd payments show ${paid.job.slice(0, 8)}`;
  return { result: "failed", notes: [...allNotes, next], facts: allFacts, code: exitCodeOfJob(back) || EXIT_CODES.failed.code };
}
