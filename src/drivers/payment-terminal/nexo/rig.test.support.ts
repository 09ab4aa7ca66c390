import type { Condition, DriverContext } from "../../../contracts/driver.js";
import type {
  InterruptedPayment,
  PaymentFacts,
  PaymentOutcome,
  PaymentSteps,
  PaymentTerminal,
} from "../../../contracts/payment-terminal.js";
import { type ManualClock, manualClock } from "../../../kernel/clock.js";
import { raceSignal } from "../../../kernel/deadline.js";
import { DeviceError } from "../../../kernel/errors.js";
import type { HttpLink, HttpNotice, HttpResponse } from "../../../kernel/http.js";
import type { LogFields, Logger } from "../../../kernel/log.js";
import { seededRandom } from "../../../kernel/random.js";
import { Secret } from "../../../kernel/secret.js";
import { nexo } from "./driver.js";
import { deriveKey, seal, unseal } from "./envelope.js";
// Loaded by now: a clock that is moved by hand waits for no file.
import "./device.js";

export const never = new AbortController().signal;
export const AMOUNT = 50_000;
export const POI = "V400m-324688179";
export const SETTINGS = { poiId: POI, saleId: "kiosk-1", keyIdentifier: "station", keyVersion: 2, passphrase: "correct horse battery" };
export const KEY = await deriveKey(new Secret(SETTINGS.passphrase), SETTINGS);

// biome-ignore lint/suspicious/noExplicitAny: a scripted far end reads what it likes of a request.
export type Body = any;
/** What the far end answers: the body of the response, or something less orderly. */
export type Answer = { readonly body: unknown; readonly header?: object } | { readonly raw: string; readonly status?: number } | "silence";
export type Script = (request: Body, header: Body) => Answer | Promise<Answer>;

export const failure = (condition: string): Answer => ({ body: { Response: { Result: "Failure", ErrorCondition: condition } } });
export const approval = (transactionId = "BV0q001765198054002.CWBC43ZX2VTFWR82", amount: unknown = AMOUNT): Body => ({
  Response: { Result: "Success", AdditionalResponse: "cardHolderName=NGUYEN%20VAN%20A" },
  SaleData: { SaleTransactionID: { TransactionID: "HS-1", TimeStamp: "2026-01-02T03:04:05.000Z" } },
  POIData: { POITransactionID: { TransactionID: transactionId, TimeStamp: "2026-01-02T03:04:06.000Z" } },
  PaymentResult: {
    PaymentType: "Normal",
    AmountsResp: { AuthorizedAmount: amount, Currency: "VND" },
    PaymentInstrumentData: {
      PaymentInstrumentType: "Card",
      CardData: { PaymentBrand: "visa credit", MaskedPan: "411111 **** 1111", EntryMode: ["ICC"] },
    },
  },
  PaymentReceipt: [
    {
      DocumentQualifier: "CustomerReceipt",
      OutputContent: {
        OutputFormat: "Text",
        OutputText: [{ Text: "key=pan&name=Card&value=4111%201111%201111%201111" }, { Text: "Thank you" }],
      },
    },
    { DocumentQualifier: "CashierReceipt", OutputContent: { OutputFormat: "Text", OutputText: [{ Text: "for the shop" }] } },
  ],
});

/** What a journal would hold of one payment. */
export interface Record {
  step: InterruptedPayment["step"] | "created";
  baseline: PaymentFacts;
  facts: PaymentFacts | undefined;
  markedAt: number;
  readonly stages: string[];
  readonly lines: string[];
}

export interface Rig {
  readonly clock: ManualClock;
  /** Marks as they resolve, and each request that reaches the terminal: "armed", "> Payment". */
  readonly events: string[];
  readonly requests: Body[];
  readonly logged: string[];
  readonly conditions: Condition[];
  /** How it answers, by category; left out: as a good terminal. */
  readonly script: { [category: string]: Script | undefined };
  /** What the terminal remembers, by ServiceID. */
  readonly memory: Map<string, { readonly category: string; readonly body: unknown }>;
  terminal: PaymentTerminal;
  closed: boolean;
  open(signal?: AbortSignal): Promise<PaymentTerminal>;
  run<T>(work: Promise<T>): Promise<T>;
  steps(given?: Partial<PaymentSteps>): PaymentSteps;
  pay(given?: {
    readonly steps?: Partial<PaymentSteps>;
    readonly signal?: AbortSignal;
    readonly previous?: PaymentFacts;
    amountVnd?: number;
  }): Promise<PaymentOutcome>;
  readonly record: Record;
  resolve(given?: Partial<InterruptedPayment>, signal?: AbortSignal): Promise<PaymentOutcome>;
  /** Asks as a service would, with time passing in between. */
  settle(given?: Partial<InterruptedPayment>): Promise<PaymentOutcome>;
  /** Makes the terminal know a payment, and gives its facts. */
  earlier(): Promise<PaymentFacts>;
  notice(event: string, given?: { readonly serviceId?: string; readonly key?: typeof KEY; readonly poiId?: string }): number;
  notify(body: Uint8Array): number;
}

export const sealed = (wrapper: string, header: object, name: string, body: unknown, key = KEY): string =>
  JSON.stringify({ [wrapper]: seal(JSON.stringify({ [wrapper]: { MessageHeader: header, [name]: body } }), header, key, seededRandom(3)) });

export async function createRig(settings: object = {}): Promise<Rig> {
  const clock = manualClock();
  const events: string[] = [];
  const requests: Body[] = [];
  const logged: string[] = [];
  const write = (event: string, fields?: LogFields): void => void logged.push(`${event} ${JSON.stringify(fields ?? {})}`);
  const log: Logger = { debug: write, info: write, warn: write, error: write, with: () => log };
  const memory: Rig["memory"] = new Map();
  const script: Rig["script"] = {};
  let record = emptyRecord();
  let hear: (notice: HttpNotice) => number = () => 404;

  const good: { readonly [category: string]: Script } = {
    Diagnosis: () => ({ body: { Response: { Result: "Success" }, POIStatus: { GlobalStatus: "OK", CommunicationOKFlag: true } } }),
    Payment: (request) => ({ body: approval(undefined, request.PaymentTransaction.AmountsReq.RequestedAmount) }),
    Reversal: (request) => ({
      body: {
        Response: { Result: "Success" },
        OriginalPOITransaction: request.OriginalPOITransaction,
        POIData: { POITransactionID: { TransactionID: "R1.CANCEL", TimeStamp: "2026-01-02T04:00:00Z" } },
      },
    }),
    Abort: () => ({ raw: "" }),
    TransactionStatus: ({ MessageReference: { ServiceID } }, header) => {
      const known = memory.get(ServiceID);
      if (!known) return failure("NotFound");
      const repeated = { ...header, MessageCategory: known.category, ServiceID, MessageType: "Response" };
      const body = { [`${known.category}Response`]: known.body };
      return {
        body: { Response: { Result: "Success" }, RepeatedMessageResponse: { MessageHeader: repeated, RepeatedResponseMessageBody: body } },
      };
    },
  };

  const link: HttpLink = {
    description: "https test",
    async send(request, signal): Promise<HttpResponse> {
      signal.throwIfAborted();
      if (rig.closed) throw new DeviceError("device_absent");
      const outer = JSON.parse(new TextDecoder().decode(request.body)).SaleToPOIRequest;
      const plain = JSON.parse(unseal(outer, KEY) ?? "null").SaleToPOIRequest;
      const header = plain.MessageHeader;
      const category: string = header.MessageCategory;
      const body = plain[`${category}Request`];
      events.push(`> ${category}`);
      requests.push({ header, body });
      const answer = await (script[category] ?? (good[category] as Script))(body, header);
      if (answer === "silence") return await raceSignal(new Promise<never>(() => {}), signal);
      if ("raw" in answer) return { status: answer.status ?? 200, headers: {}, body: new TextEncoder().encode(answer.raw) };
      if (category === "Payment" || category === "Reversal") memory.set(header.ServiceID, { category, body: answer.body });
      const back = { ...header, MessageType: "Response", ...answer.header };
      const text = sealed("SaleToPOIResponse", back, `${back.MessageCategory}Response`, answer.body);
      return { status: 200, headers: {}, body: new TextEncoder().encode(text) };
    },
    onNotice(listener) {
      hear = listener;
    },
    async close() {
      rig.closed = true;
    },
  };

  const rig: Rig = {
    clock,
    events,
    requests,
    logged,
    conditions: [],
    script,
    memory,
    terminal: undefined as unknown as PaymentTerminal,
    closed: false,
    get record() {
      return record;
    },
    async open(signal = never) {
      const context: DriverContext<HttpLink> = {
        device: "terminal",
        connect: async () => {
          rig.closed = false;
          return link;
        },
        clock,
        random: seededRandom(7 + events.length),
        log,
        signal,
        imaging: { draw: () => Promise.reject(new DeviceError("unsupported")), png: () => Promise.reject(new DeviceError("unsupported")) },
        simulated: false,
        report: (condition) => void rig.conditions.push(condition),
      };
      rig.terminal = await nexo.open(nexo.config.parse({ ...SETTINGS, ...settings }), context as never);
      return rig.terminal;
    },
    async run(work) {
      let done = false;
      const settled = work.finally(() => {
        done = true;
      });
      settled.catch(() => {});
      for (let turn = 0; turn < 2_000 && !done; turn++) await clock.advance(500);
      if (!done) throw new RangeError("it never ends");
      return await settled;
    },
    steps(given = {}) {
      const mark = (step: InterruptedPayment["step"]): void => {
        record.step = step;
        record.markedAt = clock.now();
        events.push(step);
      };
      return {
        async armed(baseline) {
          record.baseline = baseline;
          mark("armed");
        },
        async sent() {
          if (record.step === "armed") mark("sent");
        },
        async held(facts) {
          record.facts = facts;
          mark("held");
        },
        async answering() {
          mark("answering");
        },
        progress: (stage) => void record.stages.push(stage),
        receiptLine: (line) => void record.lines.push(line),
        showCode() {},
        ...given,
      };
    },
    async pay({ steps, signal = never, previous, amountVnd = AMOUNT } = {}) {
      record = emptyRecord();
      const request = { amountVnd, reference: "HS-1", description: "le phi", ...(previous ? { previous } : {}) };
      return await rig.run(rig.terminal.pay(request, rig.steps(steps), signal));
    },
    async resolve(given = {}, signal = never) {
      return await rig.run(rig.terminal.resolve({ ...interrupted(record), ...given }, signal, { showCode() {} }));
    },
    async settle(given = {}) {
      for (let tries = 0; tries < 60; tries++) {
        try {
          return await rig.resolve(given);
        } catch (thrown) {
          if (!(thrown instanceof DeviceError)) throw thrown;
          await clock.advance(10_000);
        }
      }
      throw new RangeError("never settled");
    },
    async earlier() {
      const paid = await rig.pay();
      if (paid.state !== "approved") throw new RangeError(paid.state);
      return paid.facts;
    },
    notice(event, { serviceId = record.baseline.serviceId, key = KEY, poiId = POI } = {}) {
      const header = { ProtocolVersion: "3.0", MessageClass: "Device", MessageCategory: "Display", MessageType: "Request" };
      const ids = { ServiceID: serviceId, DeviceID: "1517998562", SaleID: SETTINGS.saleId, POIID: poiId };
      const ReferenceID = `TransactionID=oLkO001517998574000&TimeStamp=2018-02-07T10%3a16%3a14.000Z&event=${event}`;
      const DisplayOutput = [{ Device: "CashierDisplay", InfoQualify: "Status", OutputContent: { PredefinedContent: { ReferenceID } } }];
      return rig.notify(
        new TextEncoder().encode(sealed("SaleToPOIRequest", { ...header, ...ids }, "DisplayRequest", { DisplayOutput }, key)),
      );
    },
    notify: (body) => hear({ path: "/", body }),
  };
  await rig.open();
  return rig;
}

function emptyRecord(): Record {
  return { step: "created", baseline: {}, facts: undefined, markedAt: 0, stages: [], lines: [] };
}

export function interrupted({ step, baseline, facts, markedAt }: Record): InterruptedPayment {
  if (step === "created") throw new RangeError("nothing left");
  return { step, amountVnd: AMOUNT, baseline, facts, markedAt };
}
