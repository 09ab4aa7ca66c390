import type { Core, Procedure } from "./core.js";
import { deriveKey, open, parseJson, type SharedKey, seal } from "./envelope.js";
import type { Faults } from "./faults.js";
import { INDISCREET_DISPLAY, INDISCREET_TEXT, indiscreet } from "./indiscreet.js";
import type { Body, Header } from "./messages.js";
import type { NexoTerminalOptions } from "./options.js";

/** Puts messages into their envelope and takes them out of it. */
export interface Messenger {
  /** A request's content, or the HTTP answer to one that is none. */
  read(text: string): { readonly plain: unknown } | { readonly status: number; readonly told: unknown };
  /** A response as it goes out, with what is wrong with it on purpose. */
  response(header: Header, body: Body): string;
  /** Something that is no response: an EventNotification. */
  event(header: Header, details: string): string;
  /** A display notification: what it is about stands in a reference. */
  display(procedure: Procedure, reference: string): string;
}

interface Context {
  readonly options: NexoTerminalOptions;
  /** Of the options' passphrase. */
  readonly key: SharedKey;
  readonly random: Core["random"];
  readonly clock: Core["clock"];
  readonly faults: Faults;
}

export function createMessenger({ options, key: own, random, clock, faults }: Context): Messenger {
  let devices = 0;
  const deviceId = (): string => {
    devices += 1;
    return String(devices).padStart(10, "0");
  };

  const enveloped = (root: "SaleToPOIRequest" | "SaleToPOIResponse", header: object, content: object, category: string): string => {
    const told = (name: Parameters<Faults["take"]>[0]) => faults.take(name, { category });
    const plain = { [root]: { MessageHeader: header, ...content } };
    if (options.plain || told("no-envelope")) return JSON.stringify(plain);
    const key = told("wrong-key") ? deriveKey(options.keyIdentifier, options.keyVersion, `${options.passphrase}, but another`) : own;
    const sealed = seal(plain, key, random);
    const { SecurityTrailer: trailer } = sealed;
    if (told("bad-hmac")) trailer.Hmac = Buffer.from(random.bytes(32)).toString("base64");
    if (told("wrong-key-version")) trailer.KeyVersion += 1;
    if (told("bad-nonce")) trailer.Nonce = trailer.Nonce.slice(0, 8);
    if (told("bad-base64")) sealed.NexoBlob = `%${sealed.NexoBlob.slice(1)}`;
    return JSON.stringify({ [root]: { MessageHeader: header, ...sealed } });
  };

  return {
    read(text) {
      const request = parseJson(text);
      const message = (request as { SaleToPOIRequest?: Record<string, unknown> } | null | undefined)?.SaleToPOIRequest;
      if (options.plain) {
        if (request === undefined || message?.NexoBlob !== undefined || message === undefined) {
          // As terminals without a shared key answer a secured request (Adyen's .NET library, issue 257).
          return { status: 400, told: { errors: ["At SaleToPOIRequest, field PaymentRequest: Missing", "At SaleToPOIRequest: Missing"] } };
        }
        return { plain: request };
      }
      const opened = request === undefined ? { refused: 1 } : open(request, own);
      if ("plain" in opened) return opened;
      const header = message?.MessageHeader as { ServiceID?: unknown } | undefined;
      const serviceId = typeof header?.ServiceID === "string" ? header.ServiceID.slice(0, 10) : "-NULL-";
      const more = faults.peek("indiscreet") ? [INDISCREET_TEXT] : [];
      return { status: 401, told: { errors: [`Nexo Service: crypto error (${opened.refused})`, ...more], ServiceID: serviceId } };
    },
    response(header, body) {
      const category = header.MessageCategory;
      const other = (name: "wrong-sale-id" | "wrong-poi-id" | "wrong-service-id", right: string, wrong: string): string =>
        faults.take(name, { category }) ? wrong : right;
      const told = {
        ...header,
        MessageType: "Response",
        SaleID: other("wrong-sale-id", header.SaleID, "ANOTHER-SALE"),
        POIID: other("wrong-poi-id", header.POIID, "V400m-999999999"),
        ServiceID: other("wrong-service-id", header.ServiceID, header.ServiceID === "99" ? "98" : "99"),
      };
      const said = faults.take("indiscreet", { category }) ? indiscreet(body) : body;
      return enveloped("SaleToPOIResponse", told, { [`${category}Response`]: tampered(said, faults, category) }, category);
    },
    event(header, details) {
      const { SaleID, POIID, ProtocolVersion } = header;
      const told = { ProtocolVersion, MessageClass: "Event", MessageCategory: "Event", MessageType: "Notification", SaleID, POIID };
      const notification = {
        TimeStamp: new Date(clock.now()).toISOString(),
        EventToNotify: "Reject",
        EventDetails: `message=${encodeURIComponent(faults.peek("indiscreet") ? `${details} ${INDISCREET_TEXT}` : details)}`,
      };
      return enveloped("SaleToPOIRequest", { ...told, DeviceID: deviceId() }, { EventNotification: notification }, "Event");
    },
    display({ header, transactionId, timeStamp }, reference) {
      const { SaleID, POIID, ServiceID, ProtocolVersion } = header;
      const told = {
        ProtocolVersion,
        MessageClass: "Device",
        MessageCategory: "Display",
        MessageType: "Request",
        SaleID,
        ServiceID,
        POIID,
      };
      const talks = faults.peek("indiscreet") !== undefined;
      const ReferenceID = `TransactionID=${transactionId.split(".")[0]}&TimeStamp=${encodeURIComponent(timeStamp)}&${reference}${talks ? `&message=${encodeURIComponent(INDISCREET_TEXT)}` : ""}`;
      const output = {
        Device: "CashierDisplay",
        InfoQualify: "Status",
        OutputContent: { OutputFormat: "MessageRef", PredefinedContent: { ReferenceID }, ...(talks ? INDISCREET_DISPLAY : {}) },
        ResponseRequiredFlag: false,
      };
      return enveloped("SaleToPOIRequest", { ...told, DeviceID: deviceId() }, { DisplayRequest: { DisplayOutput: [output] } }, "Display");
    },
  };
}

interface Repeated {
  readonly RepeatedResponseMessageBody: { readonly [response: string]: Body | undefined };
}

/** Faults of what a payment's result says; in the answer to a status request they are in the repeated response. */
function tampered(body: Body, faults: Faults, category: string): Body {
  const repeated = body.RepeatedMessageResponse as Repeated | undefined;
  const inside = repeated?.RepeatedResponseMessageBody.PaymentResponse;
  if (repeated && inside) {
    const PaymentResponse = tampered(inside, faults, category);
    return { ...body, RepeatedMessageResponse: { ...repeated, RepeatedResponseMessageBody: { PaymentResponse } } };
  }
  const result = body.PaymentResult as { readonly AmountsResp?: { readonly AuthorizedAmount: number } } | undefined;
  let told = body;
  if (result?.AmountsResp && faults.take("wrong-amount", { category })) {
    const AmountsResp = { ...result.AmountsResp, AuthorizedAmount: result.AmountsResp.AuthorizedAmount + 1 };
    told = { ...told, PaymentResult: { ...result, AmountsResp } };
  }
  if (!faults.take("no-result", { category })) return told;
  const { Result: _, ...rest } = told.Response;
  return { ...told, Response: rest as Body["Response"] };
}
