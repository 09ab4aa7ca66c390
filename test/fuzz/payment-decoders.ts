import { generateKeyPairSync, sign } from "node:crypto";
import {
  decodeMessage as decodeBankMessage,
  encodeMessage as encodeBankMessage,
  traceOf,
} from "../../src/drivers/payment-terminal/_template/codec.js";
import { createFramer, encodeFrame, frameOptions } from "../../src/drivers/payment-terminal/_template/framing.js";
import { maskCards } from "../../src/drivers/payment-terminal/nexo/card-filter.js";
import { unseal } from "../../src/drivers/payment-terminal/nexo/envelope.js";
import { judgePayment, judgeReversal } from "../../src/drivers/payment-terminal/nexo/facts.js";
import {
  DiagnosisResponse,
  PaymentResponse,
  ReversalResponse,
  StatusResponse,
  TotalsResponse,
} from "../../src/drivers/payment-terminal/nexo/messages.js";
import { createStages, readNotice } from "../../src/drivers/payment-terminal/nexo/notices.js";
import { receiptLines } from "../../src/drivers/payment-terminal/nexo/receipt.js";
import { approval, KEY, POI, sealed } from "../../src/drivers/payment-terminal/nexo/rig.test.support.js";
import { publicKeyOf } from "../../src/drivers/payment-terminal/vietqr/config.js";
import { readConfirmation } from "../../src/drivers/payment-terminal/vietqr/confirmation.js";
import { hasPurpose } from "../../src/drivers/payment-terminal/vietqr/purpose.js";
import { leadingLllVar, splitBmps, tlvLeaves } from "../../src/drivers/payment-terminal/zvt/bmp.js";
import { judge } from "../../src/drivers/payment-terminal/zvt/facts.js";
import { createSerialFramer, createTcpFramer, type Framer, serialFrame } from "../../src/drivers/payment-terminal/zvt/framing.js";
import { decodeIntermediateStatus, splitIntermediateStatus } from "../../src/drivers/payment-terminal/zvt/intermediate-status.js";
import { maskApdu } from "../../src/drivers/payment-terminal/zvt/masking.js";
import { decodeMessage, decodeStatusReport, splitAbort } from "../../src/drivers/payment-terminal/zvt/messages.js";
import { maskCardNumbers } from "../../src/drivers/payment-terminal/zvt/pan-filter.js";
import { CAPTURES } from "../../src/drivers/payment-terminal/zvt/testing/captures.js";
import { decodeDigits, decodeNumber, decodeText } from "../../src/drivers/payment-terminal/zvt/values.js";
import { fromHex } from "../../src/kernel/bytes.js";
import { type Decoder, insist, utf8 } from "./decoder.js";
import { chunks, type Dice, jsonOf, textOf } from "./inputs.js";

const zvt = (file: string): string => `drivers/payment-terminal/zvt/${file}.ts`;
const nexo = (file: string): string => `drivers/payment-terminal/nexo/${file}.ts`;
const apdus = Object.values(CAPTURES).map(fromHex);
const ORDER = { amountVnd: 50_000, baseline: { kind: "none" }, terminalId: undefined, originalTrace: undefined } as const;

function zvtMessage(apdu: Uint8Array): void {
  insist(maskApdu(apdu).length === apdu.length, "masking changes a length");
  const message = decodeMessage(apdu);
  if (message.type === "statusInformation") judge(message.status, ORDER);
}

const zvtStream = (create: () => Framer) => (input: Uint8Array, dice: Dice) => {
  const framer = create();
  for (const chunk of chunks(dice, input)) for (const framed of framer.push(chunk)) if (framed.type === "frame") zvtMessage(framed.apdu);
  framer.quiet();
};

const FRAMES = (["none", "bcd2", "binary2be", "ascii3"] as const).flatMap((length) =>
  (["lrc-xor", "crc16-ccitt", "none"] as const).map((check) => frameOptions({ length, check, maxBytes: 512 })),
);
const bankMessage = encodeBankMessage("11", {}, "00");

const HEADER = {
  MessageClass: "Service",
  MessageCategory: "Payment",
  MessageType: "Response",
  ServiceID: "1",
  SaleID: "kiosk-1",
  POIID: POI,
};
const NEXO_ORDER = { device: "terminal", amountVnd: 50_000, serviceId: "1", poiId: POI, repeated: false };
const bodies = [
  approval(),
  { Response: { Result: "Failure", ErrorCondition: "Refusal", AdditionalResponse: "refusalReason=x" } },
  { Response: { Result: "Success" }, TransactionTotals: [{ PaymentCurrency: "VND", PaymentTotals: [] }] },
  { MessageHeader: { ...HEADER, MessageCategory: "Display", MessageType: "Request" }, DisplayRequest: { DisplayOutput: [] } },
];

function nexoBody(input: Uint8Array): void {
  const body = jsonOf(input);
  for (const schema of [StatusResponse, DiagnosisResponse, TotalsResponse]) schema.safeParse(body);
  const payment = PaymentResponse.safeParse(body);
  if (payment.success) {
    judgePayment(payment.data, NEXO_ORDER as never);
    receiptLines(payment.data.PaymentReceipt);
  }
  const reversal = ReversalResponse.safeParse(body);
  if (reversal.success) judgeReversal(reversal.data, NEXO_ORDER as never, { transactionId: "a.b" });
  const stages = createStages();
  for (const event of readNotice(body, { poiId: POI })?.events ?? []) stages(event);
}

const backEnd = generateKeyPairSync("ed25519");
const encoded = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString("base64url");
const claims = { purpose: "MBVCB.DCS7K1Q9XW03HER.CT", amountVnd: 482_000, transactionId: "FT1", exp: 4e9 };
const signed = (payload: string): string => `${payload}.${sign(null, Buffer.from(payload), backEnd.privateKey).toString("base64url")}`;

export const paymentDecoders: readonly Decoder[] = [
  { name: "ZVT on a serial line", files: [zvt("framing")], weight: 6, samples: apdus.map(serialFrame), run: zvtStream(createSerialFramer) },
  { name: "ZVT over TCP", files: [zvt("framing"), zvt("apdu")], weight: 6, samples: apdus, run: zvtStream(createTcpFramer) },
  {
    name: "ZVT messages",
    files: [zvt("messages"), zvt("status-information"), zvt("facts"), zvt("masking")],
    weight: 8,
    samples: apdus,
    run: zvtMessage,
  },
  {
    name: "ZVT fields",
    files: [zvt("bmp"), zvt("intermediate-status"), zvt("values")],
    weight: 8,
    samples: apdus.map((apdu) => apdu.subarray(3)),
    run(input) {
      for (const field of splitBmps(input).fields) {
        decodeDigits(field.value);
        // Its callers give it fields of the lengths that the table has.
        if (field.value.length <= 7) decodeNumber(field.value);
        decodeText(field.value);
      }
      tlvLeaves(input);
      leadingLllVar(input);
      splitAbort(input);
      splitIntermediateStatus(input);
      decodeIntermediateStatus(input);
      decodeStatusReport(input);
    },
  },
  {
    name: "card numbers in a terminal's text",
    files: [zvt("pan-filter"), nexo("card-filter")],
    weight: 5,
    samples: [utf8("VISA 4111 1111 1111 1111 CT ***8074\nTID 52523535"), utf8(";4111111111111111=25121011234567890123?")],
    run(input, dice) {
      const text = textOf(dice, input);
      maskCardNumbers(text);
      maskCards(text);
    },
  },
  {
    name: "bank terminal's template",
    files: ["drivers/payment-terminal/_template/framing.ts", "drivers/payment-terminal/_template/codec.ts"],
    weight: 6,
    samples: [...FRAMES.map((options) => encodeFrame(options, bankMessage)), utf8("1100010648200002061234560304")],
    run(input, dice) {
      const framer = createFramer(dice.pick(FRAMES));
      const payloads = [input];
      for (const chunk of chunks(dice, input))
        for (const framed of framer.push(chunk)) if (framed.type === "frame") payloads.push(framed.payload);
      framer.quiet();
      for (const payload of payloads) {
        decodeBankMessage(payload);
        traceOf(payload);
      }
    },
  },
  {
    name: "nexo envelope",
    files: [nexo("envelope")],
    weight: 4,
    samples: bodies.map((body) =>
      utf8(JSON.stringify(JSON.parse(sealed("SaleToPOIResponse", HEADER, "PaymentResponse", body)).SaleToPOIResponse)),
    ),
    run: (input) => unseal(jsonOf(input), KEY),
  },
  {
    name: "nexo messages",
    files: [nexo("messages"), nexo("facts"), nexo("notices"), nexo("receipt")],
    weight: 4,
    samples: bodies.map((body) => utf8(JSON.stringify(body))),
    run: nexoBody,
  },
  {
    name: "transfer confirmation",
    files: [
      "drivers/payment-terminal/vietqr/confirmation.ts",
      "drivers/payment-terminal/vietqr/purpose.ts",
      "drivers/payment-terminal/vietqr/config.ts",
    ],
    weight: 2,
    samples: [utf8(signed(`${encoded({ alg: "EdDSA" })}.${encoded(claims)}`))],
    run(input, dice) {
      const text = textOf(dice, input);
      hasPurpose(text, "DCS7K1Q9XW03HER");
      publicKeyOf(text);
      // Half of them are signed: what nobody vouches for is not even parsed.
      const compact = dice.roll(2) ? text : signed(`${encoded({ alg: "EdDSA" })}.${Buffer.from(input).toString("base64url")}`);
      readConfirmation(compact, [backEnd.publicKey], 1_800_000_000_000);
    },
  },
];
