import { generateKeyPairSync, type KeyObject, sign } from "node:crypto";
import { createCanvas, loadImage } from "@napi-rs/canvas";
import fc from "fast-check";
import jsQR from "jsqr";
import { beforeEach, describe, expect, it } from "vitest";
import { faultRow } from "../../../../test/support/fault.js";
import type { DriverContext } from "../../../contracts/driver.js";
import type {
  PaymentCode,
  PaymentFacts,
  PaymentOutcome,
  PaymentSteps,
  PaymentTerminal,
  Transfer,
} from "../../../contracts/payment-terminal.js";
import { readVietQr } from "../../../formats/vietqr.js";
import { type ManualClock, manualClock } from "../../../kernel/clock.js";
import { DeviceError } from "../../../kernel/errors.js";
import { silentLog } from "../../../kernel/log.js";
import { seededRandom } from "../../../kernel/random.js";
import { VietQrConfig } from "./config.js";
import { vietqr } from "./driver.js";
import { hasPurpose, newPurpose } from "./purpose.js";

const ours = generateKeyPairSync("ed25519");
const others = generateKeyPairSync("ed25519");
const pem = (key: KeyObject): string => key.export({ type: "spki", format: "pem" }) as string;
const CONFIG = { bankBin: "970416", account: "257678859", confirmationKeys: [pem(others.publicKey), pem(ours.publicKey)] };
const AMOUNT = 482_000;
const never = new AbortController().signal;

const part = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString("base64url");
function confirmation(
  claims: Record<string, unknown>,
  key: KeyObject = ours.privateKey,
  header: unknown = { alg: "EdDSA", typ: "JWT" },
): string {
  const signed = `${part(header)}.${part(claims)}`;
  return `${signed}.${sign(null, Buffer.from(signed), key).toString("base64url")}`;
}

let clock: ManualClock;
let terminal: PaymentTerminal;
let marks: string[];
let baseline: PaymentFacts;
let held: PaymentFacts | undefined;
let code: PaymentCode;
let ending: AbortController;

const steps = (given: Partial<PaymentSteps> = {}): PaymentSteps => ({
  armed: async (facts) => {
    baseline = facts;
    marks.push("armed");
  },
  sent: async () => {},
  held: async (facts) => {
    held = facts;
    marks.push("held");
  },
  answering: async () => void marks.push("answering"),
  progress: (stage) => void marks.push(stage),
  showCode: (shown) => {
    code = shown;
    marks.push("shown");
  },
  receiptLine() {},
  ...given,
});
const pay = (signal = never, given?: Partial<PaymentSteps>, amountVnd = AMOUNT): Promise<PaymentOutcome> =>
  terminal.pay({ amountVnd, reference: "HS-1", description: "lệ phí" }, steps(given), signal);
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
const claims = (more: Record<string, unknown> = {}): Record<string, unknown> => ({
  purpose: `MBVCB.4711.${String(baseline.purpose).toLowerCase()}.CT tu 0011 toi 0022`,
  amountVnd: AMOUNT,
  transactionId: "FT26327000017",
  exp: clock.now() / 1_000 + 60,
  ...more,
});
const read = (compact: string): Transfer => terminal.transfers?.read(compact) as Transfer;
const deliver = (more: Record<string, unknown> = {}): boolean | undefined =>
  terminal.transfers?.deliver(read(confirmation(claims(more))), { baseline });

beforeEach(async () => {
  clock = manualClock();
  marks = [];
  held = undefined;
  ending = new AbortController();
  const context = { device: "vietqr", clock, random: seededRandom(7), log: silentLog, signal: ending.signal, report() {} };
  terminal = await vietqr.open(VietQrConfig.parse(CONFIG), context as unknown as DriverContext);
});

describe("a payment", () => {
  it("is noted before its code is shown, and its money before it counts", async () => {
    const paid = pay();
    await turn();
    expect(marks).toEqual(["armed", "scan_code", "shown"]);
    expect(readVietQr(code.payload)).toEqual({
      bankBin: "970416",
      account: "257678859",
      service: "QRIBFTTA",
      amountVnd: AMOUNT,
      purpose: baseline.purpose,
      dynamic: true,
    });
    expect(deliver()).toBe(true);
    expect(await paid).toMatchObject({ state: "approved", facts: { bankTransactionId: "FT26327000017", paidVnd: AMOUNT } });
    expect(marks.slice(3)).toEqual(["held", "answering"]);
    expect(deliver()).toBe(false);
  });

  it("shows a code that another program reads", async () => {
    void pay();
    await turn();
    const picture = await loadImage(Buffer.from(code.svg));
    const [width, height] = [480, 480];
    const canvas = createCanvas(width, height).getContext("2d");
    canvas.drawImage(picture, 0, 0, width, height);
    const readQr = jsQR as unknown as typeof jsQR.default;
    const seen = readQr(new Uint8ClampedArray(canvas.getImageData(0, 0, width, height).data), width, height);
    expect(seen?.data).toBe(code.payload);
  });

  it.each([AMOUNT - 1, AMOUNT + 1])("of another amount (%i) is for a person to look at, with its transfer", async (amountVnd) => {
    const paid = pay();
    await turn();
    deliver({ amountVnd });
    const outcome = await paid;
    expect(outcome).toMatchObject({ state: "manual_review", facts: { paidVnd: amountVnd } });
    expect(marks).not.toContain("answering");
    expect(held).toMatchObject({ bankTransactionId: "FT26327000017" });
  });

  faultRow({
    device: "vietqr",
    fault: "Nobody pays, or the payer gives up",
    sees: "`expired` or `cancelled`",
    does: "withdraws the code; money that comes all the same is put before a person",
    bounds: ["vietqr"],
  });
  it("expires, and is withdrawn by its payer; from then on it waits for nothing", async () => {
    const late = pay();
    await turn();
    await clock.advance(300_000);
    expect(await late).toMatchObject({ state: "expired", reason: { kind: "timeout" } });
    expect(deliver()).toBe(false);
    for (const [kind, state] of [
      ["canceled", "cancelled"],
      ["timeout", "expired"],
    ] as const) {
      const stop = new AbortController();
      const withdrawn = pay(stop.signal);
      await turn();
      stop.abort(new DeviceError(kind));
      expect(await withdrawn).toMatchObject({ state });
      expect(deliver()).toBe(false);
    }
  });

  it("stays open where the agent or the device ends: the code is out", async () => {
    const stop = new AbortController();
    const stopped = pay(stop.signal);
    const refused = expect(stopped).rejects.toMatchObject({ kind: "shutting_down" });
    await turn();
    stop.abort(new DeviceError("shutting_down"));
    await refused;
    const left = expect(pay()).rejects.toMatchObject({ kind: "device_absent" });
    await turn();
    ending.abort();
    await left;
    expect(await terminal.lost).toMatchObject({ kind: "device_absent" });
  });

  it("shows nothing before it is noted, and is not approved where its money cannot be noted", async () => {
    const full = async (): Promise<never> => Promise.reject(new DeviceError("journal_unavailable"));
    await expect(pay(never, { armed: full })).rejects.toMatchObject({ kind: "journal_unavailable" });
    expect(marks).toEqual([]);
    const lost = expect(pay(never, { held: full })).rejects.toMatchObject({ kind: "journal_unavailable" });
    await turn();
    deliver();
    await lost;
    expect(marks).not.toContain("answering");
  });

  it.each([0, -1, 1.5, 100_000_001])("of %d is refused before anything is shown", async (amountVnd) => {
    expect(await pay(never, {}, amountVnd)).toMatchObject({ state: "not_started", reason: { kind: "invalid_params" } });
    expect(marks).toEqual([]);
  });

  it("waits side by side with others: each transfer finds its own", async () => {
    const purposes: unknown[] = [];
    const armed = async (facts: PaymentFacts): Promise<void> => void purposes.push(facts.purpose);
    const all = [pay(never, { armed }), pay(never, { armed }), pay(never, { armed })];
    await turn();
    for (const index of [2, 0, 1]) {
      const transfer = { purpose: purposes.join(), amountVnd: AMOUNT, transactionId: `FT${index}` };
      expect(terminal.transfers?.deliver(transfer, { baseline: { purpose: purposes[index] as string } })).toBe(true);
    }
    const ids = (await Promise.all(all)).map((outcome) => "facts" in outcome && outcome.facts?.bankTransactionId);
    expect(ids).toEqual(["FT0", "FT1", "FT2"]);
  });
});

describe("an interrupted payment", () => {
  const interrupted = { step: "sent", amountVnd: AMOUNT, markedAt: 0 } as const;

  it("shows its code again and takes its transfer", async () => {
    const expiresAt = clock.now() + 60_000;
    baseline = { purpose: "DCS0123456789AB", expiresAt };
    const resolved = terminal.resolve({ ...interrupted, baseline, facts: undefined }, never, steps());
    expect(code).toMatchObject({ expiresAt });
    expect(readVietQr(code.payload)).toMatchObject({ amountVnd: AMOUNT, purpose: "DCS0123456789AB" });
    expect(deliver()).toBe(true);
    expect(await resolved).toMatchObject({ state: "approved", facts: { paidVnd: AMOUNT } });
  });

  it("whose time is over has expired; whose money was noted is paid", async () => {
    const expired = { purpose: "DCS0123456789AB", expiresAt: clock.now() - 1 };
    const resolved = terminal.resolve({ ...interrupted, baseline: expired, facts: undefined }, never, steps());
    await clock.advance(0);
    expect(await resolved).toMatchObject({ state: "expired" });
    const facts = { bankTransactionId: "FT1", paidVnd: AMOUNT };
    expect(await terminal.resolve({ ...interrupted, baseline: expired, facts }, never, steps())).toMatchObject({
      state: "approved",
      facts,
    });
    const less = { ...facts, paidVnd: 1 };
    expect(await terminal.resolve({ ...interrupted, baseline: expired, facts: less }, never, steps())).toMatchObject({
      state: "manual_review",
      facts: less,
    });
    expect(await terminal.resolve({ ...interrupted, baseline: {}, facts: undefined }, never, steps())).toMatchObject({
      state: "manual_review",
    });
  });
});

describe("a confirmation", () => {
  beforeEach(() => {
    baseline = { purpose: "DCS0123456789AB" };
  });

  it("is believed where a configured key signed it", () => {
    const { purpose: _, exp: __, ...rest } = claims();
    expect(read(confirmation(claims({ iss: "portal" })))).toEqual({ purpose: "MBVCB4711DCS0123456789ABCTTU0011TOI0022", ...rest });
    expect(read(confirmation(claims(), others.privateKey, { alg: "EdDSA", kid: "2026" }))).toMatchObject(rest);
  });

  it.each<[string, () => string]>([
    ["by a stranger's key", () => confirmation(claims(), generateKeyPairSync("ed25519").privateKey)],
    ["with changed claims", () => confirmation(claims()).replace(/\.[^.]+\./, `.${part(claims({ amountVnd: 1 }))}.`)],
    ["with no signature", () => confirmation(claims()).replace(/[^.]+$/, "AA")],
    ["with alg none", () => confirmation(claims(), ours.privateKey, { alg: "none" })],
    ["with a critical header", () => confirmation(claims(), ours.privateKey, { alg: "EdDSA", crit: ["b64"], b64: false })],
    ["that has expired", () => confirmation(claims({ exp: clock.now() / 1_000 - 1 }))],
    ["that never expires", () => confirmation(claims({ exp: undefined }))],
    ["of half an amount", () => confirmation(claims({ amountVnd: 0.5 }))],
    ["of an amount in words", () => confirmation(claims({ amountVnd: "482000" }))],
    ["without a transaction", () => confirmation(claims({ transactionId: "" }))],
    ["with a name for a transaction", () => confirmation(claims({ transactionId: "Nguyễn Thị Thử" }))],
    ["of no JSON object", () => confirmation([] as unknown as Record<string, unknown>)],
  ])("%s is refused in plain words", (_name, make) => {
    expect(() => read(make())).toThrow(expect.objectContaining({ kind: "invalid_params" }));
  });

  it("of any text is refused, and never crashes", () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.stringMatching(/^[\w-]+\.[\w-]+\.[\w-]+$/)), (text) => {
        expect(() => read(text)).toThrow(DeviceError);
      }),
    );
  });
});

describe("a purpose", () => {
  it("has 25 characters at most, which every bank passes on, and is nobody else's", () => {
    const random = seededRandom(3);
    const made = new Set(Array.from({ length: 10_000 }, () => newPurpose("ABCDEFGHIJ", random)));
    expect(made.size).toBe(10_000);
    for (const purpose of made) expect(purpose).toMatch(/^[0-9A-Z]{22}$/);
  });

  it("is found whatever banks put around it, and only as a whole", () => {
    const purpose = newPurpose("DCS", seededRandom(1));
    const noise = fc.string({ maxLength: 40 });
    fc.assert(
      fc.property(noise, noise, fc.nat(purpose.length), fc.boolean(), (before, after, at, small) => {
        const broken = `${purpose.slice(0, at)} \n${purpose.slice(at)}`;
        expect(hasPurpose(`${before} ${small ? broken.toLowerCase() : broken} ${after}`, purpose)).toBe(true);
      }),
    );
    expect(hasPurpose(purpose.slice(1), purpose)).toBe(false);
    for (const nothing of [undefined, "", "DCS", 7]) expect(hasPurpose("anything", nothing)).toBe(false);
  });
});

it("a configuration needs an Ed25519 public key, and says so", () => {
  const rsa = generateKeyPairSync("rsa", { modulusLength: 2048 }).publicKey;
  for (const key of ["", "not a key", pem(rsa)]) expect(VietQrConfig.safeParse({ ...CONFIG, confirmationKeys: [key] }).success).toBe(false);
  const bare = ours.publicKey.export({ type: "spki", format: "der" }).toString("base64");
  expect(VietQrConfig.safeParse({ ...CONFIG, confirmationKeys: [bare] }).success).toBe(true);
});
