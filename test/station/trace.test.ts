import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { SECRETS } from "../../simulators/zvt-terminal/indiscreet.js";
import type { StationClient } from "../../src/client/node.js";
import { describe as describePages } from "../../src/drivers/document-scanner/sane/describe.js";
import { drivers } from "../../src/drivers/index.js";
import { describe as describeSealed } from "../../src/drivers/payment-terminal/nexo/describe.js";
import { seededRandom } from "../../src/kernel/random.js";
import type { Passed } from "../../src/kernel/tap.js";
import { startStation, type TestStation } from "../../src/testing.js";
import { leaks } from "../support/canary.js";

/** Nobody's: invented for this test. */
const planted = {
  idNumber: "001190412345",
  name: "Nguyễn Thị Thuỳ Dương",
  receiptText: "Kết quả xét nghiệm: dương tính",
  plainCode: "HS-CANARY-4711",
  can: "412345",
  pan: SECRETS.pan.slice(0, 12),
  panInGroups: SECRETS.spacedPan.slice(0, 14),
  track1: SECRETS.track1.slice(SECRETS.track1.indexOf("^")),
  track2: SECRETS.track2.slice(-19),
  pin: SECRETS.pin,
  password: "739184",
};
const CODE = `${planted.idNumber}|234567890|${planted.name}|01022003|Nữ|${planted.plainCode}|03042021`;
const SHORT = { presentMs: 20, hostMs: 20, removeMs: 20 };
const simulator = (name: string, more: object = {}) => ({ kind: "simulator", simulator: name, ...more });

let station: TestStation;
let technician: StationClient;
let page: StationClient;
beforeAll(async () => {
  const { password } = planted;
  const zvt = (framing: "tcp" | "serial") => ({
    driver: "zvt",
    password,
    framing,
    printReceipts: true,
    link: simulator("zvt-terminal", { ...SHORT, password, framing, faults: [{ fault: "indiscreet", times: 1_000 }] }),
  });
  station = await startStation({
    seed: 21,
    scenario: {
      devices: {
        receipt: { driver: "escpos", link: simulator("receipt-printer") },
        scanner: { driver: "serial-scanner", link: simulator("barcode-scanner") },
        wand: { driver: "hid-pos", link: simulator("hid-scanner", { model: "newland" }) },
        "id-reader": { driver: "pcsc", link: simulator("chip-card") },
        terminal: zvt("tcp"),
        serial: zvt("serial"),
        papers: { driver: "escl", link: simulator("document-scanner", { pageMs: 0 }) },
        face: { driver: "ffmpeg", lingerMs: 10, link: simulator("camera", { widthPx: 64, heightPx: 64, framesPerSecond: 20 }) },
      },
    },
  });
  technician = await station.connect("technician");
  page = await station.connect();
});
afterAll(() => station?.stop());

interface Line {
  readonly stage: string;
  readonly message?: string | undefined;
}

/** What a technician sees while `work` goes on. */
async function traced(device: string, work: () => Promise<unknown>): Promise<{ lines: Line[]; text: string }> {
  const lines: Line[] = [];
  // The words are loaded by now: what comes first is told, too.
  await technician.call("devices.trace", { device, forMs: 1 });
  const ended = new AbortController();
  const tracing = technician
    .call("devices.trace", { device }, { signal: ended.signal, onProgress: ({ stage, message }) => void lines.push({ stage, message }) })
    .catch(({ kind }) => kind as string);
  // Calls of one client are taken in order.
  await technician.call("devices.get", { device });
  await work();
  // Whatever was told is here before the answer to this.
  await technician.call("devices.get", { device });
  ended.abort();
  expect(await tracing).toBe("canceled");
  const text = lines.map(({ stage, message }) => `${stage} ${message}`).join("\n");
  expect(leaks(Buffer.from(text), planted)).toEqual([]);
  return { lines, text };
}

const pay = (device: string) =>
  page.call("paymentTerminal.pay", {
    device,
    amountVnd: 77_000,
    reference: "VP-1",
    description: planted.name,
    idempotencyKey: `trace-${device}-000001`,
  });

describe("a technician sees what passes, and nothing of a person", () => {
  test("printer: commands and status, no text and no picture", async () => {
    const document = {
      title: planted.name,
      blocks: [
        { type: "text" as const, text: planted.receiptText },
        { type: "qr" as const, data: CODE },
      ],
    };
    const { text } = await traced("receipt", () =>
      page.call("printer.print", { device: "receipt", document, idempotencyKey: "trace-00000001" }),
    );
    expect(text).toMatch(/^agent GS v 0: raster, \d+ bytes$/m);
    expect(text).toMatch(/^agent GS V: cut$/m);
    expect(text).toMatch(/^device (status byte|tells|answers|printed)/m);
  });

  test.each(["scanner", "wand"])("barcode scanner %s: lengths, no letter", async (device) => {
    const { text } = await traced(device, async () => {
      const scanned = page.call("barcodeScanner.scan", { device }, { onProgress: () => void station.act(device, "scan", { text: CODE }) });
      expect((await scanned).text).toBe(CODE);
    });
    expect(text).toMatch(/^device .*\d+ bytes$/m);
  });

  test("chip reader: commands and status words, no data", async () => {
    await station.act("id-reader", "insert", { person: "A" });
    const { lines, text } = await traced("id-reader", async () => {
      const read = await page.call("chipReader.readCard", { access: { idNumber: planted.idNumber } });
      expect(leaks(Buffer.from(JSON.stringify(read)), planted)).not.toEqual([]);
    });
    expect(text).toMatch(/^agent GENERAL AUTHENTICATE, \d+ bytes$/m);
    expect(text).toMatch(/^agent READ BINARY, protected, \d+ bytes$/m);
    expect(text).toMatch(/^device 9000, \d+ bytes$/m);
    expect(lines.length).toBeGreaterThan(10);
  });

  test.each(["terminal", "serial"])("payment terminal %s: messages and fields, masked", async (device) => {
    const { text } = await traced(device, async () => expect(await pay(device)).toMatchObject({ kind: "payment" }));
    expect(text).toMatch(/^agent 06 01 authorisation: amount 000000077000, currency 0704$/m);
    expect(text).toMatch(/^device 04 0F status information: .*PAN e+[0-9]{4}/m);
    expect(text).not.toContain("noise");
  });

  test("document scanner: requests and states, no page", async () => {
    await station.act("papers", "loadFeeder", { sheets: [{}] });
    const { text } = await traced("papers", () => page.call("documentScanner.scan", { device: "papers", resolutionDpi: 75 }));
    expect(text).toMatch(/^agent \d+: POST ScanJobs$/m);
    expect(text).toMatch(/^device \d+: 200, \d+ bytes$/m);
    expect(text).toMatch(/: Idle, ScannerAdf/m);
  });

  test("camera: how long the pictures are", async () => {
    const { text } = await traced("face", () => page.call("camera.snapshot", { device: "face" }));
    expect(text).toMatch(/^agent opens the device$/m);
    expect(text).toMatch(/^device a picture of \d+ bytes$/m);
  });

  test("what is worked by a program, and what is sealed", () => {
    const text = (words: string): Uint8Array => new TextEncoder().encode(words);
    const pages = describePages();
    const sealed = describeSealed();
    const header = { MessageCategory: "Payment", MessageType: "Request", SaleID: planted.name };
    const told = [
      ...pages({ from: "agent", what: '#1 run ["--mode=Gray"]', bytes: new Uint8Array() }),
      ...pages({ from: "device", what: "#1 stderr", bytes: text("Progress: 42.0%") }),
      ...pages({ from: "device", what: "#1 stderr", bytes: text(planted.name) }),
      ...pages({ from: "device", what: "file page1.pnm", bytes: text(CODE) }),
      ...sealed({ from: "agent", what: "#1 POST /nexo/", bytes: text(JSON.stringify({ SaleToPOIRequest: { MessageHeader: header } })) }),
      ...sealed({ from: "device", what: `#1 200 {"x":"${planted.name}"}`, bytes: text(CODE) }),
      ...sealed({
        from: "device",
        what: "notice /",
        bytes: text(JSON.stringify({ SaleToPOIRequest: { MessageHeader: { ...header, MessageCategory: planted.name } } })),
      }),
    ];
    expect(told).toEqual([
      "1: scanimage --mode=Gray",
      "1: 42 %",
      expect.stringMatching(/^1: says \d+ letters$/),
      expect.stringMatching(/^a page of \d+ bytes$/),
      expect.stringMatching(/^1: POST Payment Request, sealed, \d+ bytes$/),
      expect.stringMatching(/^1: 200 \d+ bytes$/),
      expect.stringMatching(/^notice: \d+ bytes$/),
    ]);
    expect(leaks(Buffer.from(told.join("\n")), planted)).toEqual([]);
  });
});

test("no driver's words repeat what is on the wire, whatever it is", async () => {
  const random = seededRandom(4);
  const settings: Readonly<Record<string, unknown>> = { framing: undefined, symbology: "aim", boundary: "stationd" };
  for (const driver of drivers) {
    if (!driver.describe) continue;
    const fresh = await driver.describe(settings as never);
    for (let round = 0; round < 40; round++) {
      const describe = fresh();
      for (const from of ["agent", "device"] as const) {
        const whats = [
          "",
          "apdu",
          "input",
          "#1 GET /eSCL/ScannerStatus",
          `#1 200 {"a":"${planted.plainCode}"}`,
          "#1 stderr",
          `notice /${planted.plainCode}`,
        ];
        const what = whats[Math.floor(random.fraction() * whats.length)] ?? "";
        const junk = random.bytes(Math.floor(random.fraction() * 40));
        const passed: Passed = { from, what, bytes: Buffer.concat([junk, Buffer.from(CODE), junk]) };
        const words = describe(passed);
        expect(leaks(Buffer.from(words.join("\n")), planted), driver.id).toEqual([]);
      }
    }
  }
});

test("only technicians trace, and an unknown device is named", async () => {
  await expect(page.call("devices.trace", { device: "receipt" })).rejects.toMatchObject({ kind: "forbidden" });
  await expect(technician.call("devices.trace", { device: "nobody" })).rejects.toMatchObject({ kind: "unknown_device" });
  expect(await technician.call("devices.trace", { device: "receipt", forMs: 1 })).toMatchObject({ device: "receipt", leftOut: 0 });
});
