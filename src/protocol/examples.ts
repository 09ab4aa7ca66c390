import type { MethodName, ParamsInput, Result } from "./methods.js";
import { LIMITS } from "./version.js";

export interface MethodExample<M extends MethodName> {
  readonly params: ParamsInput<M>;
  readonly result: Result<M>;
}

const AT = 1_767_225_600_000;
const BLOB = (mediaType: string, byteLength: number) =>
  ({ channel: 12, mediaType, byteLength, sha256: "3a7bd3e2360a3d29eea436fcfb7e44c735d117c42d1c1835420b6b9942dd4f1b" }) as const;
const DOCUMENT: ParamsInput<"printer.preview">["document"] = {
  title: "Phiếu hẹn",
  blocks: [
    { type: "text", text: "PHIẾU HẸN TRẢ KẾT QUẢ", align: "center", bold: true },
    { type: "qr", data: "HS-2026-000123", align: "center" },
  ],
};
const RECEIPT = {
  id: "receipt",
  class: "printer",
  driver: "escpos",
  state: "ready",
  since: AT,
  identity: { vendor: "EPSON", model: "TM-T88VI" },
  queue: { length: 0 },
} as const;
const OUT_OF_PAPER = {
  ...RECEIPT,
  state: "attention",
  reason: { kind: "paper_out", message: "paper out", retryable: true, hint: "Load paper and close the cover", device: "receipt" },
} as const;
const PRINTED = {
  kind: "print",
  job: "4f9d1c0be2a84d7e9a1f6b3c5d2e7f80",
  idempotencyKey: "slip-HS-2026-000123",
  device: "receipt",
  state: "printed",
  final: true,
  confirmation: "confirmed",
  createdAt: AT,
  updatedAt: AT + 1_840,
} as const;
const IMAGE = {
  channel: 7,
  mediaType: "image/png",
  byteLength: 5_312,
  sha256: "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
};

const PAID = {
  kind: "payment",
  job: "9a1f6b3c5d2e7f804f9d1c0be2a84d7e",
  idempotencyKey: "bill-PE05-2026-11-0007",
  device: "terminal",
  amountVnd: 482_000,
  reference: "PE05-2026-11-0007",
  state: "approved",
  final: true,
  receipt: { receiptNumber: "0042", traceNumber: "000117", terminalId: "29001234", cardName: "NAPAS", cardLastFour: "4711" },
  createdAt: AT,
  updatedAt: AT + 21_300,
} as const;

/** One call of each method with its answer, for the documents. People and numbers are invented; a test parses all of it. */
export const examples: { readonly [M in MethodName]: MethodExample<M> } = {
  "session.hello": {
    params: { protocol: { major: 1, minor: 0 }, client: { name: "kiosk", version: "2.4.0" } },
    result: {
      agent: { name: "station-042", version: "0.1.0" },
      mode: "production",
      protocol: { major: 1, minor: 0 },
      role: "kiosk",
      session: "c0a8f3d29b6e4417a5c2e8d1f7b90364",
      resumed: false,
      devices: [RECEIPT],
      limits: LIMITS,
    },
  },
  "session.endCitizen": { params: {}, result: { leftBehind: [{ device: "id-reader", what: "card" }], openJobs: 0 } },
  "events.subscribe": {
    params: { topics: ["devices", "agent"] },
    result: { seq: 0, state: { devices: [RECEIPT], agent: { maintenance: false } } },
  },
  "events.unsubscribe": { params: { topics: ["agent"] }, result: { topics: ["devices"] } },
  "devices.list": { params: { class: "printer" }, result: { devices: [OUT_OF_PAPER] } },
  "devices.get": { params: { device: "receipt" }, result: RECEIPT },
  "devices.capabilities": {
    params: { device: "scanner" },
    result: { device: "scanner", version: 1, capabilities: { version: 1, trigger: true, symbology: false, maxCodeBytes: 8_192 } },
  },
  "devices.claim": { params: { device: "receipt", ttlMs: 60_000 }, result: { device: "receipt", until: AT + 60_000 } },
  "devices.release": { params: { device: "receipt" }, result: { device: "receipt", released: true } },
  "devices.reset": { params: { device: "receipt" }, result: { ...RECEIPT, state: "opening" } },
  "devices.trace": { params: { device: "receipt", forMs: 60_000 }, result: { device: "receipt", exchanges: 214, leftOut: 0 } },
  "devices.startRecording": { params: { device: "receipt" }, result: { device: "receipt" } },
  "devices.stopRecording": {
    params: { device: "receipt" },
    result: { device: "receipt", exchanges: 96, truncated: false, recording: BLOB("application/x-ndjson", 20_418) },
  },
  "jobs.get": { params: { idempotencyKey: "slip-HS-2026-000123" }, result: PRINTED },
  "jobs.list": {
    params: { open: true, limit: 10 },
    result: { jobs: [{ ...PRINTED, state: "in_progress", final: false, confirmation: undefined }] },
  },
  "printer.print": { params: { document: DOCUMENT, idempotencyKey: "slip-HS-2026-000123", timeoutMs: 30_000 }, result: PRINTED },
  "printer.preview": { params: { document: DOCUMENT }, result: { device: "receipt", image: IMAGE, widthDots: 576, heightDots: 412 } },
  "printer.status": {
    params: {},
    result: { device: "receipt", online: true, cover: "closed", paper: "near_end", cutter: "ok", drawer: "low", error: "none" },
  },
  "printer.cut": { params: { device: "receipt" }, result: { device: "receipt" } },
  "paymentTerminal.pay": {
    params: {
      amountVnd: 482_000,
      reference: "PE05-2026-11-0007",
      description: "Tiền điện tháng 11",
      idempotencyKey: "bill-PE05-2026-11-0007",
    },
    result: PAID,
  },
  "paymentTerminal.confirm": {
    params: {
      confirmation:
        "eyJhbGciOiJFZERTQSJ9.eyJwdXJwb3NlIjoiTUJWQ0IuRENTN0sxUTlYVzAzSEVSLkNUIiwiYW1vdW50Vm5kIjo0ODIwMDB9.c2lnbmF0dXJlLW9mLTY0LWJ5dGVz",
    },
    result: {
      ...PAID,
      device: "vietqr",
      receipt: { approvedAt: "2026-11-23T08:15:30.000Z" },
      transfers: [{ transactionId: "FT26327000017", amountVnd: 482_000 }],
    },
  },
  "documentScanner.scan": {
    params: { source: "feeder", mode: "gray", dropBlankPages: true, maxBytes: 2_000_000 },
    result: {
      device: "scanner",
      pages: [
        { page: 1, widthPx: 2480, heightPx: 3508, resolutionDpi: 300, skewDegrees: -1.5, blank: false, dropped: false },
        { page: 2, widthPx: 2480, heightPx: 3508, resolutionDpi: 300, skewDegrees: 0, blank: true, dropped: true },
      ],
      document: BLOB("application/pdf", 412_733),
      jpegQuality: 75,
      resolutionDpi: 300,
    },
  },
  "camera.snapshot": {
    params: { maxWidthPx: 1280, quality: { minSharpness: 150, minBrightness: 60 } },
    result: {
      device: "camera",
      image: BLOB("image/jpeg", 118_402),
      widthPx: 1280,
      heightPx: 720,
      capturedAt: AT,
      quality: { sharpness: 412.5, brightness: 121.8, darkShare: 0.02, brightShare: 0.01 },
    },
  },
  "camera.startPreview": { params: { maxFps: 15, maxWidthPx: 640 }, result: { device: "camera", channel: 41, mediaType: "image/jpeg" } },
  "documentScanner.stop": { params: {}, result: { stopped: true } },
  "camera.stopPreview": { params: { channel: 41 }, result: { stopped: true } },
  "camera.stats": {
    params: {},
    result: {
      device: "camera",
      frames: 54_012,
      broken: 2,
      restarts: 1,
      viewers: 1,
      framesPerSecond: 30,
      previews: [{ client: "kiosk 2.4.0", sent: 53_990, dropped: 22 }],
    },
  },
  "paymentTerminal.reverse": {
    params: { job: PAID.job, idempotencyKey: "reversal-of-0042" },
    result: { ...PAID, job: "c0be2a84d7e9a1f6b3c5d2e7f804f9d1", idempotencyKey: "reversal-of-0042", reverses: PAID.job, state: "reversed" },
  },
  "paymentTerminal.resolve": {
    params: { job: PAID.job, outcome: "approved", evidence: "receipt-0042" },
    result: PAID,
  },
  "paymentTerminal.reconcile": {
    params: { close: true },
    result: {
      device: "terminal",
      journal: { count: 12, sumVnd: 5_310_000 },
      terminal: { count: 12, sumVnd: 5_310_000 },
      agree: true,
      open: [],
    },
  },
  "chipReader.readCard": {
    params: { access: { idNumber: "079085004321" }, parts: ["dg1", "dg2", "dg13"] },
    result: {
      device: "id-reader",
      at: AT,
      access: { protocol: "pace", password: "can", cipher: "aes-128", mapping: "gm" },
      mrz: {
        text: "IDVNM0850043215079085004321<<2\n8503150M4503158VNM<<<<<<<<<<<6\nTRAN<<VAN<MINH<<<<<<<<<<<<<<<<",
        documentNumber: "085004321",
        issuingState: "VNM",
        nationality: "VNM",
        name: "TRAN VAN MINH",
        birthDate: "1985-03-15",
        sex: "male",
        expiryDate: "2045-03-15",
        idNumber: "079085004321",
        checkDigits: true,
      },
      details: { idNumber: "079085004321", name: "Trần Văn Minh", birthDate: "1985-03-15", sex: "male", expiryDate: "2045-03-15" },
      portrait: { image: { ...IMAGE, mediaType: "image/jpeg" }, widthPx: 480, heightPx: 640 },
      missing: [],
      unreadable: [],
      verdicts: {
        signature: "valid",
        hashes: "match",
        mismatched: [],
        issuer: "trusted",
        revoked: "no",
        certificateExpired: "no",
        documentExpired: "no",
        cardAccess: "confirmed",
        chip: "genuine",
        activeAuthentication: "not_asked",
        qr: "same",
        printed: "same",
      },
      apdus: 14,
      durationMs: 1_180,
    },
  },
  "chipReader.waitForCard": { params: { timeoutMs: 30_000 }, result: { device: "id-reader", present: true } },
  "chipReader.waitForRemoval": { params: { timeoutMs: 30_000 }, result: { device: "id-reader", present: false } },
  "chipReader.readUid": { params: {}, result: { device: "id-reader", uid: "04a2243a915a80", random: false } },
  "chipReader.transmit": {
    params: { apdus: ["00a4040c07a0000002471001"] },
    result: { device: "id-reader", responses: ["9000"] },
  },
  "barcodeScanner.scan": {
    params: { timeoutMs: 20_000 },
    result: {
      device: "scanner",
      at: AT,
      text: "001190000001||Nguyễn Thị Mẫu|01021990|Nữ|Số 1 Đường Mẫu, Hà Nội|03042021",
      base64:
        "MDAxMTkwMDAwMDAxfHxOZ3V54buFbiBUaOG7iyBN4bqrdXwwMTAyMTk5MHxO4buvfFPhu5EgMSDEkMaw4budbmcgTeG6q3UsIEjDoCBO4buZaXwwMzA0MjAyMQ==",
      encoding: "utf-8",
      parsed: {
        kind: "citizenCard",
        idNumber: "001190000001",
        name: "Nguyễn Thị Mẫu",
        birthDate: "1990-02-01",
        sex: "female",
        address: "Số 1 Đường Mẫu, Hà Nội",
        issueDate: "2021-04-03",
        idNumberFits: true,
        extra: [],
      },
    },
  },
  "barcodeScanner.enable": { params: {}, result: { device: "scanner" } },
  "barcodeScanner.disable": { params: {}, result: { device: "scanner" } },
  "agent.describe": {
    params: {},
    result: {
      name: "station-042",
      version: "0.1.0",
      node: "24.4.0",
      mode: "production",
      maintenance: false,
      uptimeMs: 86_400_000,
      drivers: [{ class: "printer", id: "escpos", summary: "ESC/POS receipt printers" }],
    },
  },
  "agent.maintenance": { params: { on: true }, result: { maintenance: true } },
  "diagnostics.run": {
    params: { device: "scanner" },
    result: {
      checks: [{ device: "scanner", check: "answers", ok: false, note: "the scanner did not answer a command", hint: "Check baudRate" }],
    },
  },
  "simulators.list": {
    params: {},
    result: {
      simulators: [
        {
          simulator: "scanner",
          kind: "barcode-scanner",
          actions: [
            {
              name: "scan",
              summary: "Shows the scanner a code",
              params: { type: "object", properties: { text: { type: "string" } }, required: ["text"] },
            },
          ],
          state: { scans: 0 },
        },
      ],
    },
  },
  "simulators.act": {
    params: { simulator: "scanner", action: "scan", params: { text: "HS-2026-000123" } },
    result: { state: { scans: 1 } },
  },
};
