import { type Core, keyOf, type Remembered } from "./core.js";
import { type AbortWish, type Body, failure, type Header, type StatusWish } from "./messages.js";

/** TransactionStatus: what became of a request. `Success` means that it is known; its own result is inside. */
export function statusOf({ memory, faults }: Core, header: Header, { MessageReference: asked }: StatusWish): Body {
  const found = find(memory.transactions, header, asked);
  const reference = found
    ? { MessageCategory: found.category, ServiceID: found.header.ServiceID, SaleID: found.header.SaleID, POIID: found.header.POIID }
    : asked;
  const told = reference ? { MessageReference: reference } : {};
  if (!found || faults.take("status-not-found")) return { ...failure("NotFound", { message: "Transaction not found" }), ...told };
  if (!found.body || faults.take("status-in-progress"))
    return { ...failure("InProgress", { message: "Transaction in progress" }), ...told };
  const ended = [...memory.transactions.values()].filter(({ body }) => body !== undefined);
  const other = ended[ended.indexOf(found) - 1];
  const shown = other && faults.take("status-other") ? other : found;
  return {
    Response: { Result: "Success" },
    ...told,
    RepeatedMessageResponse: {
      MessageHeader: { ...shown.header, MessageType: "Response" },
      RepeatedResponseMessageBody: { [`${shown.category}Response`]: shown.body },
    },
  };
}

function find(
  transactions: ReadonlyMap<string, Remembered>,
  header: Header,
  asked: StatusWish["MessageReference"],
): Remembered | undefined {
  // Without a reference it is the last one that is meant (nexo Sale to POI, TransactionStatusRequest).
  if (asked?.ServiceID === undefined) return [...transactions.values()].at(-1);
  const found = transactions.get(keyOf({ SaleID: asked.SaleID ?? header.SaleID, ServiceID: asked.ServiceID }));
  return asked.MessageCategory === undefined || found?.category === asked.MessageCategory ? found : undefined;
}

/** Abort: stops a payment whose host was not asked yet. Its answer says nothing, and is the same whatever it did. */
export function abort({ running, faults, cardholder }: Core, header: Header, { MessageReference: asked }: AbortWish): void {
  if (!running?.abortable || asked.ServiceID !== running.header.ServiceID) return;
  if ((asked.SaleID ?? header.SaleID) !== running.header.SaleID) return;
  if (faults.take("abort-ignored")) return;
  if (!faults.take("approve-races-abort")) return running.aborted.abort();
  cardholder.present("napas");
  cardholder.say({ kind: "approve" });
}

/** Diagnosis: whether it is there, and works. */
export function diagnosis({ options, running }: Core): Body {
  return {
    Response: { Result: "Success" },
    POIStatus: {
      GlobalStatus: running ? "Busy" : "OK",
      CommunicationOKFlag: true,
      CardReaderOKFlag: true,
      PrinterStatus: "OK",
    },
    HostStatus: [{ AcquirerID: options.merchant, IsReachableFlag: true }],
  };
}
