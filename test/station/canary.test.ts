import { createHash } from "node:crypto";
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Writable } from "node:stream";
import { gzipSync } from "node:zlib";
import { expect, test } from "vitest";
import { createLogger } from "../../src/observability/log.js";
import { startStation } from "../../src/testing.js";
import { leaks } from "../support/canary.js";

/** Nobody's: invented for this test. */
const planted = {
  idNumber: "079203004567",
  name: "Nguyễn Thị Thuỳ Dương",
  address: "Số 7 hẻm Cầu Đá, phường Bến Nghé",
  receiptText: "Kết quả xét nghiệm: dương tính",
  plainCode: "HS-CANARY-4711",
};
const card = `${planted.idNumber}|234567890|${planted.name}|01022003|Nữ|${planted.address}|03042021`;

test("the search finds each shape in which a value could leak, so that finding none means something", () => {
  const shapes: Record<string, Buffer> = {
    plain: Buffer.from(`{"name":"${planted.name}"}`),
    nfd: Buffer.from(planted.name.normalize("NFD")),
    utf16: Buffer.from(planted.name, "utf16le"),
    hex: Buffer.from(Buffer.from(planted.idNumber).toString("hex")),
    base64: Buffer.from(Buffer.from(`xx${planted.idNumber}yy`).toString("base64")),
    unaccented: Buffer.from("Nguyen Thi Thuy Duong"),
    gzip: Buffer.concat([Buffer.from("before"), gzipSync(Buffer.from(card))]),
    escaped: Buffer.from(
      JSON.stringify(planted.name).replaceAll(/[\u0080-\uffff]/g, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, "0")}`),
    ),
  };
  for (const [shape, bytes] of Object.entries(shapes)) expect(leaks(bytes, planted), shape).not.toEqual([]);
  expect(leaks(Buffer.from("nothing of anybody"), planted)).toEqual([]);
});

test("what a citizen scans and prints is in no log, journal, metric or event of another session", async () => {
  const logged: Buffer[] = [];
  const destination = new Writable({
    write(chunk: Buffer, _encoding, done) {
      logged.push(Buffer.from(chunk));
      done();
    },
  });
  const stateDir = await mkdtemp(join(tmpdir(), "stationd-canary-"));
  await using station = await startStation({ seed: 3, stateDir, log: createLogger({ level: "debug", destination }) });
  const [citizen, bystander] = [await station.connect(), await station.connect("technician")];
  const overheard: unknown[] = [];
  await bystander.subscribe(["devices", "jobs", "agent", "barcodeScanner"], (update) => void overheard.push(update));

  for (const text of [card, planted.plainCode]) {
    const waiting = citizen.call("barcodeScanner.scan", {});
    await station.act("scanner", "scan", { text });
    expect((await waiting).text).toBe(text);
  }
  // Nobody waits for these: they must vanish.
  await station.act("scanner", "scan", { text: card });
  const document = {
    title: planted.name,
    blocks: [
      { type: "text" as const, text: planted.receiptText },
      { type: "qr" as const, data: card },
    ],
  };
  expect(await citizen.call("printer.print", { document, idempotencyKey: "canary-00000001" })).toMatchObject({ state: "printed" });
  // And failures with the citizen's data in them.
  await citizen
    .call("printer.print", {
      document: { blocks: [{ type: "barcode", symbology: "ean13", data: planted.idNumber.slice(0, 11) }] },
      idempotencyKey: "canary-00000002",
    })
    .catch(() => {});
  await citizen
    .call("printer.print", {
      document: { blocks: [{ type: "text", text: planted.name, [planted.name]: 1 } as never] },
      idempotencyKey: "canary-00000003",
    })
    .catch(() => {});
  await station.act("receipt", "paperOut");
  await citizen.call("printer.print", { document, idempotencyKey: "canary-00000004" });
  await bystander.call("jobs.list", {}).then((jobs) => overheard.push(jobs));
  const metrics = await fetch(`${station.httpUrl}/metrics`, { headers: { authorization: `Bearer ${station.tokens.technician}` } });
  const text = await metrics.text();
  expect(text).toContain("stationd_");

  expect(await readdir(stateDir)).toContain("journal.sqlite");
  expect(leaks(Buffer.concat(await contentsOf(stateDir)), planted)).toEqual([]);
  expect(logged.length).toBeGreaterThan(0);
  expect(leaks(Buffer.concat(logged), planted)).toEqual([]);
  expect(overheard.length).toBeGreaterThan(3);
  expect(leaks(Buffer.from(JSON.stringify(overheard)), planted)).toEqual([]);
  expect(leaks(Buffer.from(text), planted)).toEqual([]);
  await rm(stateDir, { recursive: true, force: true });
});

test("what is read from a citizen's chip is nowhere but with the page that asked", async () => {
  const logged: Buffer[] = [];
  const destination = new Writable({
    write(chunk: Buffer, _encoding, done) {
      logged.push(Buffer.from(chunk));
      done();
    },
  });
  const stateDir = await mkdtemp(join(tmpdir(), "stationd-canary-chip-"));
  await using station = await startStation({ seed: 4, stateDir, log: createLogger({ level: "debug", destination }) });
  const [citizen, bystander] = [await station.connect(), await station.connect("technician")];
  const overheard: unknown[] = [];
  await bystander.subscribe(["devices", "jobs", "agent", "barcodeScanner", "chipReader"], (update) => void overheard.push(update));

  await station.act("id-reader", "insert", { person: "A" });
  const idNumber = "001190412345";
  const asked = { sensitive: ["parents" as const], consentRef: "consent-1", includeRaw: true, portraitOriginal: true };
  const reading = await citizen.call("chipReader.readCard", { access: { idNumber }, challenge: "0123456789abcdef", ...asked });
  const { details, mrz, portrait } = reading;
  const face = Buffer.from(await citizen.blob((portrait as NonNullable<typeof portrait>).original as never).arrayBuffer());
  // And failures: a wrong number, a card lifted in mid-read, a damaged file, a request that does not fit.
  await citizen.call("chipReader.readCard", { access: { idNumber: "001190999999" } }).catch(() => {});
  await station.act("id-reader", "liftAtApdu", { n: 9 });
  await citizen.call("chipReader.readCard", { access: { idNumber } }).catch(() => {});
  await station.act("id-reader", "card", { malformed: { file: "dg13", how: "truncated" } });
  await station.act("id-reader", "insert", { person: "A" });
  await citizen.call("chipReader.readCard", { access: { idNumber } }).catch(() => {});
  await citizen.call("chipReader.readCard", { access: { qr: `${idNumber}|${details?.name}` } }).catch(() => {});
  await citizen.call("chipReader.readCard", { access: { idNumber, [idNumber]: 1 } as never }).catch(() => {});
  await station.act("id-reader", "reset");
  await station.act("id-reader", "insert", { person: "A" });
  await bystander.call("chipReader.readCard", { access: { idNumber }, trace: true }).then(({ trace }) => overheard.push(trace));
  await bystander.call("diagnostics.run", {}).then((checks) => overheard.push(checks));
  const metrics = await fetch(`${station.httpUrl}/metrics`, { headers: { authorization: `Bearer ${station.tokens.technician}` } });

  const values = {
    idNumber,
    wrongNumber: "001190999999",
    name: details?.name ?? "",
    residence: details?.residence ?? "",
    father: details?.parents?.[0] ?? "",
    mrzName: mrz?.text.split("\n")[2] ?? "",
    mrzNumbers: mrz?.text.split("\n")[1] ?? "",
  };
  expect(Object.values(values)).not.toContain("");
  // The portrait's bytes, and the key that the CAN makes (ICAO 9303-11 §9.7.3).
  const kPi = createHash("sha1")
    .update(`${idNumber.slice(-6)}\0\0\0\u0003`, "latin1")
    .digest()
    .subarray(0, 16);
  const bytes = { face: face.subarray(200, 232), kPi };
  const everything = {
    log: Buffer.concat(logged),
    events: Buffer.from(JSON.stringify(overheard)),
    metrics: Buffer.from(await metrics.text()),
    files: Buffer.concat(await contentsOf(stateDir)),
  };
  for (const [where, haystack] of Object.entries(everything)) {
    expect(haystack.length, where).toBeGreaterThan(100);
    expect(leaks(haystack, values), where).toEqual([]);
    for (const [what, needle] of Object.entries(bytes)) {
      const shapes = [needle, Buffer.from(needle.toString("hex")), Buffer.from(needle.toString("base64").slice(0, 20))];
      for (const shape of shapes) expect(haystack.includes(shape), `${what} in ${where}`).toBe(false);
    }
  }
  // The search would have found them: they are in what the page got.
  expect(leaks(Buffer.from(JSON.stringify(reading)), values)).not.toEqual([]);
  await rm(stateDir, { recursive: true, force: true });
});

async function contentsOf(folder: string): Promise<Buffer[]> {
  const files = (await readdir(folder, { recursive: true, withFileTypes: true })).filter((entry) => entry.isFile());
  return await Promise.all(files.map((file) => readFile(join(file.parentPath, file.name))));
}
