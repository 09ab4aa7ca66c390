import type { PaymentStage } from "../../../protocol/payment-terminal.js";
import { DisplayNotice } from "./messages.js";

/** Adyen's tender states that a page has a picture for. "Final" is no result: the answer to the order is. */
const STAGES: ReadonlyMap<string, PaymentStage> = new Map([
  ["TENDER_CREATED", "present_card"],
  ["CARD_INSERTED", "authorising"],
  ["CARD_PRESENTED", "authorising"],
  ["CARD_SWIPED", "authorising"],
  ["WAIT_FOR_PIN", "enter_pin"],
  ["PIN_ENTERED", "authorising"],
]);

/** The service and the event that a notice tells of; undefined where it tells none. */
export function readNotice(message: unknown, parties: { readonly poiId: string }): { serviceId: string; events: string[] } | undefined {
  const parsed = DisplayNotice.safeParse(message);
  if (!parsed.success) return undefined;
  const { MessageHeader: header, DisplayRequest } = parsed.data;
  const fits = header.MessageType === "Request" && header.MessageCategory === "Display" && header.POIID === parties.poiId;
  if (!fits || header.ServiceID === undefined) return undefined;
  const events = DisplayRequest.DisplayOutput.flatMap(
    ({ OutputContent }) => new URLSearchParams(OutputContent.PredefinedContent?.ReferenceID ?? "").get("event") ?? [],
  );
  return { serviceId: header.ServiceID, events };
}

/** What to show as one tender goes on. A notice that comes twice changes nothing. */
export function createStages(): (event: string) => PaymentStage | undefined {
  let pinEntered = false;
  let inserted = false;
  let shown: PaymentStage | undefined;
  return (event) => {
    // Adyen has no state for a wrong PIN: it asks once more.
    const again = event === "WAIT_FOR_PIN" && pinEntered;
    if (event === "PIN_ENTERED") pinEntered = true;
    if (again) pinEntered = false;
    if (event === "CARD_INSERTED") inserted = true;
    if (event === "CARD_REMOVED") inserted = false;
    const stage = again ? "wrong_pin" : event === "TENDER_FINAL" && inserted ? "remove_card" : STAGES.get(event);
    if (stage === undefined || stage === shown) return undefined;
    shown = stage;
    return stage;
  };
}
