import { spawn } from "node:child_process";
import { generateKeyPairSync, pbkdf2Sync, randomInt, sign } from "node:crypto";
import { once } from "node:events";
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Writable } from "node:stream";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type NexoTerminal, nexoTerminal } from "../../simulators/nexo-terminal/index.js";
import { SECRETS as NEXO_SECRETS } from "../../simulators/nexo-terminal/indiscreet.js";
import { serveTcp } from "../../simulators/serve.js";
import { SECRETS } from "../../simulators/zvt-terminal/indiscreet.js";
import type { StationClient } from "../../src/client/node.js";
import { readVietQr } from "../../src/formats/vietqr.js";
import { systemClock } from "../../src/kernel/clock.js";
import { seededRandom } from "../../src/kernel/random.js";
import { createLogger } from "../../src/observability/log.js";
import type { PaymentJob } from "../../src/protocol/payment-terminal.js";
import { startStation, type TestStation } from "../../src/testing.js";
import { leaks } from "../support/canary.js";
import { faultRow } from "../support/fault.js";

const COMMAND = fileURLToPath(new URL("../../bundle/stationd.js", import.meta.url));
/** Not faster: the agent's pings hurry, too, and a command needs a moment to start. */
const clock = systemClock(5);
const TIMES = { presentMs: 200, hostMs: 200, removeMs: 100 };
/** For as long as the test lasts. */
const INDISCREET = { fault: "indiscreet", times: 1_000_000 };

/** Nobody's. Of a card number all but its last four digits, of a stripe what comes after the number. */
const card = {
  pan: SECRETS.pan.slice(0, 12),
  panInGroups: SECRETS.spacedPan.slice(0, 14),
  panWithHyphens: SECRETS.spacedPan.slice(0, 14).replaceAll(" ", "-"),
  track1: SECRETS.track1.slice(SECRETS.track1.indexOf("^")),
  track2: SECRETS.track2.slice(-19),
  track3: SECRETS.track3.slice(-19),
  pin: SECRETS.pin,
  pinWithColon: SECRETS.pin.replace(" ", ": "),
};
const settings = { password: "739184", serialPassword: "518273", passphrase: "correct canary battery staple", wrong: "a canary's mistake" };
const people = { patient: "Lê Thị Bí Mật", payer: "NGUYEN VAN CHIM YEN", payerAsCompared: "NGUYENVANCHIMYEN" };
const derived = pbkdf2Sync(settings.passphrase, "AdyenNexoV1Salt", 4_000, 80, "sha1");
const keys = { hmac: derived.subarray(0, 32), cipher: derived.subarray(32, 64), iv: derived.subarray(64) };

const backEnd = generateKeyPairSync("ed25519");
const confirmations: string[] = [];
const logged: Buffer[] = [];
const log = createLogger({
  level: "debug",
  destination: new Writable({
    write(chunk: Buffer, _encoding, done) {
      logged.push(Buffer.from(chunk));
      done();
    },
  }),
});

let listen: { host: string; port: number };
let folder: string;
let stateDir: string;
let station: TestStation;
let nexo: NexoTerminal;
let served: Awaited<ReturnType<typeof serveTcp>>;
let page: StationClient;
let technician: StationClient;
/** What the page that asked was told; what others could see; what a caller was refused with. */
const answered: unknown[] = [];
const overheard: unknown[] = [];
const refused: unknown[] = [];
const files: Buffer[] = [];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "stationd-canary-pay-"));
  stateDir = join(folder, "state");
  // Of the 16 million addresses of this machine one that no other test has.
  listen = { host: `127.${randomInt(1, 255)}.${randomInt(256)}.${randomInt(1, 255)}`, port: 8_080 };
  const options = nexoTerminal.options.parse({
    ...TIMES,
    passphrase: settings.passphrase,
    notifyUrl: `http://${listen.host}:${listen.port}/display`,
    faults: [INDISCREET],
  });
  nexo = nexoTerminal.create(options, { clock, random: seededRandom(5), changed() {} });
  served = await serveTcp(nexo, { host: "127.0.0.1", port: 0 });
  const caFile = join(folder, "authority.pem");
  await writeFile(caFile, nexo.authority);

  const zvt = { driver: "zvt", printReceipts: true, t2Ms: 20_000, t3Ms: 20_000, t4Ms: 15_000, autoReversalMs: 4_000 };
  const simulated = {
    ...TIMES,
    kind: "simulator",
    simulator: "zvt-terminal",
    t2Ms: 20_000,
    t3Ms: 20_000,
    autoReversalMs: 500,
    faults: [INDISCREET],
  };
  const { password, serialPassword, passphrase } = settings;
  const { poiId, keyIdentifier, keyVersion } = options;
  const shared = { driver: "nexo", poiId, saleId: "canary", keyIdentifier, keyVersion, orderMs: 10_000, settleMs: 5_000 };
  const link = { kind: "https", host: "127.0.0.1", port: served.port, caFile, serverName: nexo.tlsName };
  const confirmationKeys = [backEnd.publicKey.export({ type: "spki", format: "pem" }) as string];
  const devices = {
    zvt: { ...zvt, password, link: { ...simulated, password } },
    serial: {
      ...zvt,
      framing: "serial",
      password: serialPassword,
      link: { ...simulated, password: serialPassword, framing: "serial", printWith: "block" },
    },
    nexo: { ...shared, passphrase, link: { ...link, listen } },
    vietqr: { driver: "vietqr", bankBin: "970416", account: "257678859", confirmationKeys },
  };
  station = await startStation({ seed: 8, scenario: { devices }, stateDir, log, clock });
  page = await station.connect();
  technician = await station.connect("technician");
  await writeFile(join(folder, "token"), station.tokens.technician);
  const bystander = await station.connect("technician");
  await bystander.subscribe(["devices", "barcodeScanner", "chipReader", "jobs", "agent"], (update) => void overheard.push(update));
});
afterAll(async () => {
  await station.stop();
  await nexo.close();
  await served.close();
  await rm(folder, { recursive: true, force: true });
});

const order = (device: string, idempotencyKey: string) => ({
  device,
  amountVnd: 77_000,
  reference: "VP-1",
  description: `Viện phí của bà ${people.patient}`,
  idempotencyKey: `canary-${device}-${idempotencyKey}`,
});
const act = async (device: string, name: string, params: Record<string, string | number> = {}): Promise<void> => {
  if (device !== "nexo") return void (await station.act(device, name, params));
  const action = nexo.actions[name];
  await action?.act(action.params.parse(params));
};
/** A payment to its end, however long that takes; all that is told on the way goes to the page's answers. */
async function pay(device: string, key: string): Promise<PaymentJob> {
  const asked = order(device, key);
  const onProgress = (update: unknown): void => void overheard.push(update);
  answered.push(await page.call("paymentTerminal.pay", asked, { onProgress }));
  for (;;) {
    const job = await page.call("jobs.get", { idempotencyKey: asked.idempotencyKey });
    if (job.kind === "payment" && job.final) {
      answered.push(job);
      return job;
    }
    await systemClock().sleep(10);
  }
}
const told = (thrown: unknown): void => {
  const { name, message, kind, hint, details, stack } = thrown as Record<string, unknown>;
  refused.push({ name, message, kind, hint, details, stack });
};
async function keepFiles(): Promise<void> {
  const found = (await readdir(stateDir, { recursive: true, withFileTypes: true })).filter((entry) => entry.isFile());
  for (const file of found) files.push(await readFile(join(file.parentPath, file.name)).catch(() => Buffer.alloc(0)));
}
async function stationd(...args: string[]): Promise<Buffer> {
  const child = spawn(process.execPath, [COMMAND, ...args], { stdio: ["ignore", "pipe", "pipe"] });
  const parts: Buffer[] = [];
  child.stdout.on("data", (part: Buffer) => void parts.push(part));
  child.stderr.on("data", (part: Buffer) => void parts.push(part));
  await once(child, "close");
  return Buffer.concat(parts);
}

/** Approved, declined, cut in the middle and resolved, taken back, reconciled. */
async function liveThrough(device: string, decline: Record<string, string | number>, cutAt: string): Promise<string[]> {
  const first = await pay(device, "approved-1");
  await act(device, "decline", decline);
  const second = await pay(device, "declined-1");
  await act(device, "disconnectAt", { step: cutAt });
  const third = await pay(device, "cut-00001");
  await keepFiles();
  const back = await technician.call("paymentTerminal.reverse", { job: first.job, idempotencyKey: `canary-${device}-back-1` });
  answered.push(back);
  await technician.call("paymentTerminal.reconcile", { device, close: true }).then((found) => overheard.push(found), told);
  return [first, second, third, back].map(({ state }) => state);
}

function signed(claims: Record<string, unknown>): string {
  const part = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString("base64url");
  const text = `${part({ alg: "EdDSA" })}.${part({ exp: Date.now() / 1_000 + 3_600, ...claims })}`;
  const confirmation = `${text}.${sign(null, Buffer.from(text), backEnd.privateKey).toString("base64url")}`;
  confirmations.push(confirmation);
  return confirmation;
}
const confirm = (confirmation: string) => page.call("paymentTerminal.confirm", { device: "vietqr", confirmation });

async function transferred(key: string, amountVnd: number): Promise<PaymentJob> {
  const paid = page.call("paymentTerminal.pay", order("vietqr", key)).then((answer) => answered.push(answer));
  let payload: string | undefined;
  while (payload === undefined) {
    await systemClock().sleep(10);
    const job = await page.call("jobs.get", { idempotencyKey: order("vietqr", key).idempotencyKey }).catch(() => undefined);
    payload = job?.kind === "payment" ? job.code?.payload : undefined;
  }
  const purpose = `${people.payer} chuyen khoan ${readVietQr(payload)?.purpose?.toLowerCase()}`;
  const confirmation = signed({ purpose, amountVnd, transactionId: `FT-${key}` });
  // Of a stranger first: it is refused, and told nowhere.
  await confirm(confirmation.replace(/.{8}$/, "AAAAAAAA")).catch(told);
  const job = await confirm(confirmation);
  await paid;
  answered.push(job);
  return job;
}

/** Asked wrongly, with secrets where none belong. */
async function askWrongly(): Promise<void> {
  const asked = order("zvt", "wrong-0001");
  // The name of a field that nobody knows goes back to who sent it, and nowhere else.
  await page.call("paymentTerminal.pay", { ...asked, [SECRETS.pan]: 1 } as never).catch(() => {});
  for (const more of [{ currency: SECRETS.track2 }, { device: SECRETS.pin }, { amountVnd: people.payer }]) {
    await page.call("paymentTerminal.pay", { ...asked, ...(more as object) }).catch(told);
  }
  const unexpected = signed({ purpose: people.payer, amountVnd: 1, transactionId: "FT-nobody" });
  for (const confirmation of [unexpected, signed({ purpose: people.payer, amountVnd: people.payer }), `${unexpected} ${people.payer}`]) {
    await confirm(confirmation).catch(told);
  }
  await page.call("paymentTerminal.confirm", { device: "zvt", confirmation: unexpected }).catch(told);
}

/** Those of the planted values that are in there, in any shape. */
function found(haystack: Buffer, values: Readonly<Record<string, string>>): string[] {
  const shapes = Object.entries(keys).flatMap(([name, key]) =>
    [key, Buffer.from(key.toString("hex")), Buffer.from(key.toString("base64").slice(0, 20))].map((shape) => ({ name, shape })),
  );
  // As they stand on a ZVT wire: two digits a byte, and shifted by half a byte.
  const nibbles = [SECRETS.pan.slice(0, 12), SECRETS.pan.slice(1, 11)].map((digits) => ({
    name: "BCD",
    shape: Buffer.from(digits, "hex"),
  }));
  const raw = [...shapes, ...nibbles].filter(({ shape }) => haystack.includes(shape)).map(({ name }) => name);
  // Of milliseconds since the epoch, six digits may be a password by chance.
  const withoutTimes = Buffer.from(haystack.toString("latin1").replaceAll(/1[78]\d{11}/g, ""), "latin1");
  return [...leaks(withoutTimes, values), ...raw];
}

faultRow({
  device: "zvt",
  fault: "The terminal sends whole card numbers, tracks and PINs",
  knobs: ["zvt-terminal.indiscreet"],
  sees: "nothing of them; `approved`",
  does: "masks them before anything else sees them: log, journal, trace, page",
  back: "–",
});
faultRow({
  device: "nexo",
  fault: "The terminal sends whole card numbers, tracks and PINs",
  knobs: ["nexo-terminal.indiscreet"],
  sees: "nothing of them; `approved`",
  does: "masks them before anything else sees them: log, journal, trace, page",
  back: "–",
});
test("no log, journal, metric, event, command or refusal tells of a card, a PIN, a password, a key or a person; nor does any answer of a card", {
  timeout: 120_000,
}, async () => {
  expect(NEXO_SECRETS).toEqual(SECRETS);
  const [zvt, serial, nexoEnds, transfer, less] = await Promise.all([
    liveThrough("zvt", { code: 51 }, "status-information-sent"),
    liveThrough("serial", { code: 5 }, "answer-lost"),
    act("nexo", "inject", { fault: "http-error", category: "Abort" }).then(() =>
      liveThrough("nexo", { condition: "Refusal", reason: `${SECRETS.pan} ${SECRETS.pin}` }, "result-ready"),
    ),
    transferred("paid-00001", 77_000),
    transferred("less-00001", 1_000),
  ]);
  expect(zvt).toEqual(["approved", "declined", "not_charged", "reversed"]);
  expect(serial.toSpliced(2, 1)).toEqual(["approved", "declined", "reversed"]);
  expect(nexoEnds).toEqual(["approved", "declined", "approved", "reversed"]);
  expect([transfer.state, less.state]).toEqual(["approved", "manual_review"]);
  answered.push(await technician.call("paymentTerminal.resolve", { job: less.job, outcome: "not_charged", evidence: "statement-1" }));
  // A terminal that seals with another key, and one that answers with an error's text.
  await act("nexo", "inject", { fault: "wrong-key", category: "TransactionStatus" });
  expect(await pay("nexo", "sealed-001")).toMatchObject({ state: "not_started" });
  await act("nexo", "inject", { fault: "http-error", category: "Payment" });
  expect(await pay("nexo", "error-0001")).toMatchObject({ state: "approved" });
  await askWrongly();
  // What anyone may send to where the terminal tells how it goes.
  const notice = { method: "POST", body: JSON.stringify({ SaleToPOIRequest: { pan: SECRETS.pan, pin: SECRETS.pin } }) };
  expect((await fetch(`http://${listen.host}:${listen.port}/display`, notice)).status).toBe(200);
  expect(refused.length).toBeGreaterThan(8);
  overheard.push(await technician.call("jobs.list", {}), await technician.call("devices.list", {}));
  overheard.push(await technician.call("diagnostics.run", {}));
  await keepFiles();

  const at = ["--url", station.url, "--token-file", join(folder, "token")];
  const commands = await Promise.all([
    stationd("payments", "list", ...at),
    stationd("payments", "list", "--json", ...at),
    stationd("payments", "show", "canary-nexo-cut-00001", "--json", ...at),
    stationd("payments", "export", "--state-dir", stateDir),
    stationd("payments", "export", "--json", "--state-dir", stateDir),
    stationd("devices", "--json", ...at),
  ]);
  for (const said of commands) expect(said.toString()).toMatch(/approved|zvt/);
  const metrics = await fetch(`${station.httpUrl}/metrics`, { headers: { authorization: `Bearer ${station.tokens.technician}` } });

  const jws = confirmations.flatMap((confirmation, index) =>
    confirmation.split(".").flatMap((part, at) => (at === 0 ? [] : [[`confirmation ${index}.${at}`, part.slice(0, 60)] as const])),
  );
  const everything = { ...card, ...settings, ...people, ...Object.fromEntries(jws) };
  const log_ = Buffer.concat(logged);
  for (const audit of ["audit: reversal asked for", "audit: end of day", "audit: payment settled by hand"]) {
    expect(log_.toString()).toContain(audit);
  }
  const haystacks = {
    log: log_,
    files: Buffer.concat(files),
    events: Buffer.from(JSON.stringify(overheard)),
    metrics: Buffer.from(await metrics.text()),
    commands: Buffer.concat(commands),
    refusals: Buffer.from(JSON.stringify(refused)),
    answers: Buffer.from(JSON.stringify(answered)),
  };
  const places = Object.entries(haystacks);
  for (const [where, haystack] of places) expect(haystack.length, where).toBeGreaterThan(100);
  expect(places.flatMap(([where, haystack]) => found(haystack, everything).map((what) => `${where}: ${what}`))).toEqual([]);
  // The terminals did tell all of it: what the driver heard is in the log, masked, and so are the receipts on the page.
  expect(log_.toString()).toContain("22f0f8eeeeeeeeeeee0018");
  expect(JSON.stringify(overheard)).toContain('"stage":"enter_pin"');
  const lines = answered.flatMap((answer) => (answer as { receiptLines?: string[] }).receiptLines ?? []);
  expect(lines.filter((line) => /\*{4}.*0018/.test(line)).length).toBeGreaterThan(12);
  expect(JSON.stringify(overheard)).not.toContain("receiptLines");

  // The search would have found them, each where it was looked for.
  log.info("planted", { step: Buffer.from(SECRETS.pan, "hex").toString("hex"), reason: people.payer });
  expect(found(Buffer.concat(logged), everything)).toEqual(expect.arrayContaining(["pan (NFC UTF-8)", "payer (NFC UTF-8)"]));
  await writeFile(join(stateDir, "planted"), Buffer.concat([Buffer.from(SECRETS.pan, "hex"), keys.hmac]));
  await keepFiles();
  expect(found(Buffer.concat(files), everything)).toEqual(["hmac", "BCD"]);
  expect(found(Buffer.from(JSON.stringify([SECRETS.spacedPan, confirmations])), everything).length).toBeGreaterThan(confirmations.length);
});
