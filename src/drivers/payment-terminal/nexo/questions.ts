import { DeviceError } from "../../../kernel/errors.js";
import { DiagnosisResponse, type Header, messageReference, type OrderCategory, type Response, StatusResponse } from "./messages.js";
import { reasonOf } from "./reasons.js";
import type { Session } from "./session.js";

/** What may be asked at any time: none of it moves money. */

/** What the terminal knows of an order. */
export type Known =
  | { readonly kind: "found"; readonly header: Header; readonly payment: unknown; readonly reversal: unknown }
  | { readonly kind: "not_found" }
  | { readonly kind: "in_progress" }
  /** It does not say, now or ever. */
  | { readonly kind: "unsaid"; readonly response: Response };

/** TransactionStatusRequest: Success means found, and nothing about how the order ended. */
export async function askKnown(
  session: Session,
  order: { readonly category: OrderCategory; readonly serviceId: string; readonly saleId: string },
  signal: AbortSignal,
): Promise<Known> {
  const parties = { saleId: order.saleId, poiId: session.config.poiId };
  const body = { MessageReference: messageReference(order.category, order.serviceId, parties) };
  const answer = await session.ask({ category: "TransactionStatus", body, answer: StatusResponse }, signal);
  const { Response: response, RepeatedMessageResponse: repeated } = answer;
  if (response.Result === "Success" && repeated) {
    const { PaymentResponse: payment, ReversalResponse: reversal } = repeated.RepeatedResponseMessageBody;
    return { kind: "found", header: repeated.MessageHeader, payment, reversal };
  }
  if (response.Result === "Failure" && response.ErrorCondition === "NotFound") return { kind: "not_found" };
  if (response.Result === "Failure" && response.ErrorCondition === "InProgress") return { kind: "in_progress" };
  return { kind: "unsaid", response };
}

/** DiagnosisRequest. `undefined`: ready for payments; else why not. */
export async function diagnose(session: Session, signal: AbortSignal): Promise<DeviceError | undefined> {
  const { device } = session;
  const body = { HostDiagnosisFlag: false };
  const { Response: response, POIStatus: status } = await session.ask({ category: "Diagnosis", body, answer: DiagnosisResponse }, signal);
  if (response.Result !== "Success") return reasonOf(response, device);
  const condition = status?.GlobalStatus ?? "OK";
  if (/^busy$/i.test(condition)) return new DeviceError("terminal_busy", { device });
  if (/^maintenance$/i.test(condition)) {
    return new DeviceError("terminal_busy", {
      device,
      message: "the terminal is under maintenance",
      hint: "Wait: it comes back by itself",
    });
  }
  if (!/^ok$/i.test(condition) || status?.CommunicationOKFlag === false) {
    return new DeviceError("device_fault", {
      device,
      message: "the terminal cannot reach its bank",
      hint: "Check the terminal's own network connection",
    });
  }
  return undefined;
}

/** The same, told to whom it concerns. */
export async function reportStatus(session: Session): Promise<void> {
  const reason = await diagnose(session, session.signal);
  session.report(reason ? { state: "attention", reason } : { state: "ready" });
}
