import { asDeviceError, DeviceError } from "../../../kernel/errors.js";
import { decodeApdu } from "./apdu.js";
import { REGISTRATION, registration, repeatReceipt, statusEnquiry } from "./commands.js";
import { converse, type Ending } from "./conversation.js";
import { factsOf, isSameReceipt, type LastReceipt } from "./facts.js";
import { decodeStatusReport } from "./messages.js";
import { busyNow, isBusy, reasonOf } from "./reasons.js";
import { resultCode } from "./result-codes.js";
import type { Session } from "./session.js";
import { VND } from "./status-information.js";

/** What may be asked at any time: none of it moves money. */

/** What is only asked is answered from memory: nobody waits three minutes for it. */
const QUESTION_MS = 30_000;

/** 06 00. @throws DeviceError `terminal_busy`; `device_fault` where the terminal does not want us; the line's end */
export async function register(session: Session): Promise<void> {
  const { config, device } = session;
  const flags =
    // Without intermediate status nobody could tell a cancelled payment from one that the bank had in hand.
    REGISTRATION.intermediateStatus |
    (config.printReceipts ? REGISTRATION.ecrPrintsReceipts : 0) |
    (config.ecrControlsPayments ? REGISTRATION.ecrControlsPayments : 0);
  const ending = await converse(session, registration(config.password.reveal(), flags));
  if (ending.type !== "completion") throw refusal(session, ending);
  const { terminalId, currency } = ending.message.completion;
  if (currency !== undefined && currency !== VND) {
    throw new DeviceError("device_fault", {
      device,
      message: "the terminal does not take dong",
      retryable: false,
      hint: "Have the terminal set to VND",
    });
  }
  session.terminalId = terminalId;
}

/** Why it did not want to. */
function refusal({ device }: Session, { code }: Ending & { type: "refused" | "aborted" }): DeviceError {
  if (isBusy(code)) return busyNow(device, "the terminal is busy");
  const reason = reasonOf(code, device);
  const hint = "Check the password, the terminal's ECR interface and its currency";
  return new DeviceError("device_fault", {
    device,
    message: `registration refused, ${reason.message}`,
    hint,
    details: reason.details ?? null,
  });
}

/** 05 01. `reason`: why it cannot take payments now; undefined where it can, or does not know this question. */
export async function askStatus(session: Session): Promise<{ readonly busy: boolean; readonly reason: DeviceError | undefined }> {
  const { device } = session;
  let reversing = false;
  const ending = await converse(session, statusEnquiry(), {
    endMs: QUESTION_MS,
    async onMessage(message) {
      reversing ||= message.type === "intermediateStatus" && message.status.stage === "reversing_itself";
      return undefined;
    },
  });
  if (ending.type !== "completion")
    return { busy: isBusy(ending.code), reason: isBusy(ending.code) ? busyNow(device, "the terminal is busy") : undefined };
  const report = decodeStatusReport(decodeApdu(ending.apdu)?.data ?? new Uint8Array());
  session.softwareVersion ??= report?.softwareVersion;
  const code = report?.statusCode ?? 0;
  const busy = reversing || isBusy(code);
  if (busy) return { busy, reason: busyNow(device, reversing ? "the terminal takes a payment back" : "the terminal is busy") };
  return { busy, reason: code === 0 ? undefined : reasonOf(code, device) };
}

/** The same, but one that is busy for a moment only, as after a registration, is asked again. */
export async function askPatiently(session: Session): ReturnType<typeof askStatus> {
  for (let again = 0; ; again++) {
    const status = await askStatus(session);
    if (!status.busy || again === BUSY_TRIES) return status;
    await session.clock.sleep(BUSY_MS, session.line.signal);
  }
}
const BUSY_TRIES = 2;
const BUSY_MS = 1_000;

/** The same, told to whom it concerns. */
export async function reportStatus(session: Session): Promise<void> {
  const { reason } = await askPatiently(session);
  session.report(reason ? { state: "attention", reason } : { state: "ready" });
}

/**
 * 06 20: what the terminal did last, without paper. Our answer to this 04 0F commits nothing.
 * @throws DeviceError `terminal_busy`; the line's end
 */
export async function lastReceipt(session: Session): Promise<LastReceipt | { readonly kind: "refused"; readonly reason: DeviceError }> {
  const { device, config } = session;
  const told: LastReceipt[] = [];
  const ending = await converse(session, repeatReceipt(config.password.reveal()), {
    endMs: QUESTION_MS,
    async onMessage(message) {
      if (message.type === "statusInformation") told.push({ kind: "receipt", facts: factsOf(message.status) });
      return undefined;
    },
  });
  if (ending.type !== "completion" && isBusy(ending.code)) throw busyNow(device, "the terminal is busy");
  if (ending.type === "refused") return { kind: "refused", reason: reasonOf(ending.code, device) };
  if (ending.type === "aborted")
    return { kind: told.length === 0 && resultCode(ending.code).meaning === "not_possible" ? "none" : "unknown" };
  const [first, ...others] = told;
  if (first?.kind !== "receipt") return { kind: "unknown" };
  // Of two different ones nobody knows which is the last.
  const same = others.every((other) => other.kind === "receipt" && isSameReceipt(first.facts, other.facts));
  return same ? first : { kind: "unknown" };
}

/** The same before an order; a terminal that restarted meanwhile is registered again. */
export async function lastBefore(session: Session): Promise<LastReceipt> {
  const first = await lastReceipt(session);
  if (first.kind !== "refused") return first;
  await register(session);
  const second = await lastReceipt(session);
  // One that never repeats receipts takes payments all the same; in doubt a person will have to look.
  return second.kind === "refused" ? { kind: "unknown" } : second;
}

/** Runs a question of a caller's, whatever fails in it being a DeviceError. */
export async function asked<T>(session: Session, work: () => Promise<T>): Promise<T> {
  try {
    return await session.inTurn(work);
  } catch (thrown) {
    throw asDeviceError(thrown, "internal", { device: session.device });
  }
}
