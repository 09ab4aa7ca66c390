import { expect, test } from "vitest";
import type { Finding } from "../doctor/finding.js";
import { ERROR_KINDS } from "../kernel/errors.js";
import { translator } from "../languages/translate.js";
import { doctor } from "../languages/vi/doctor.js";
import { vietnamese } from "../languages/vi/index.js";
import { DEVICE_STATES, type DeviceSnapshot } from "../protocol/devices.js";
import { commandHint } from "./command-hint.js";
import { deviceTable } from "./device-table.js";
import { doctorText } from "./doctor-text.js";
import { describePayment } from "./payment-text.js";
import { said as stationd } from "./testing/said.js";
import { screenLines } from "./watch-screen.js";
import { createDashboard } from "./watch-state.js";

const t = translator(vietnamese);
const style = { columns: 80, colour: false, t };

function expectNarrow(text: string): void {
  for (const line of text.split("\n")) expect([...line].length, line).toBeLessThanOrEqual(80);
}

test("every help is in Vietnamese and fits in 80 columns", async () => {
  const { out } = await stationd({ LANG: "vi_VN.UTF-8" }, "--help");
  expect(out).toMatch(/^Cách dùng: stationd/);
  const names = [...out.matchAll(/^ {2}([a-z][a-z-]*)\b.* {2}/gm)].flatMap(([, name]) => name ?? []).filter((name) => name !== "help");
  expect(names.length).toBeGreaterThan(30);
  expectNarrow(out);
  for (const name of names) {
    const help = await stationd({ LANG: "vi_VN.UTF-8" }, name, "--help");
    expect(help.out, name).toMatch(/^Cách dùng: /);
    const nested = [...help.out.matchAll(/^ {2}([a-z][a-z-]*) (?:\[options\]|<).* {2}/gm)].flatMap(([, inner]) => inner ?? []);
    const pages = await Promise.all(nested.map((inner) => stationd({ STATIOND_LANG: "vi" }, name, inner, "--help")));
    for (const page of [help, ...pages]) {
      expectNarrow(page.out);
      expect(page.out).toContain("\nTùy chọn:\n");
      if (page !== help || nested.length === 0) expect(page.out).toContain("\nVí dụ:\n");
    }
  }
  const pay = await stationd({}, "--lang", "vi", "pay", "--help");
  const flat = pay.out.replaceAll(/\s+/g, " ");
  expect(flat).toContain('khi có nhiều cách (lựa chọn: "card", "vietqr")');
  expect(flat).toContain("chờ bao lâu (mặc định: 180)");
});

test("English stays English, and a language that is not spoken is said to be none", async () => {
  const english = await stationd({ LC_ALL: "C", LANG: "vi_VN" }, "pay", "--help");
  expect(english.out).toBe((await stationd({}, "pay", "--help")).out);
  expect(english.out).toMatch(/^Usage: /);
  const unknown = await stationd({}, "status", "--lang", "xx");
  expect(unknown).toMatchObject({ code: 2, out: "" });
  expect(unknown.note).toContain("argument 'xx' is invalid. Allowed choices are en, vi.");
});

test("a wrong command line is told in Vietnamese", async () => {
  const seen = async (...args: string[]): Promise<string> => (await stationd({ LANG: "vi" }, ...args)).note;
  expect(await seen("pay", "x")).toContain("lỗi: giá trị 'x' không hợp lệ cho đối số 'vnd'. cần số đồng nguyên, lớn hơn 0");
  expect(await seen("pay", "1", "--method", "cash")).toContain("Chỉ được chọn card, vietqr.");
  expect(await seen("devices", "--wach")).toContain("lỗi: không có tùy chọn '--wach'\n(Có phải là --watch?)");
  expect(await seen("devices", "receipt")).toContain("lỗi: quá nhiều đối số cho 'devices'. Cần 0 đối số nhưng có 1.");
  expect(await seen("pay")).toContain("lỗi: thiếu đối số bắt buộc 'vnd'\n(--help cho biết");
});

const now = 1_795_474_800_000;
const device = (id: string, more: Partial<DeviceSnapshot> = {}): DeviceSnapshot => ({
  ...{ id, class: "printer", driver: "escpos", state: "ready", since: now - 5_000, queue: { length: 0 } },
  ...more,
});
const reason = { kind: "paper_out", message: "paper out", retryable: true, hint: ERROR_KINDS.paper_out.hint } as const;

test("tables and the dashboard stay aligned and within 80 columns", () => {
  const devices = [
    ...DEVICE_STATES.map((state, index) => device(`device-${index}`, { state, since: now - 1_000_000_000 })),
    device("a-device-with-quite-a-long-name-of-it", { state: "attention", reason, queue: { length: 3, running: "printer.print" } }),
  ];
  const table = deviceTable(devices, now, style);
  expectNarrow(table);
  const [heading = "", first = ""] = table.split("\n");
  expect(first.indexOf("printer")).toBe(heading.indexOf("LOẠI"));
  expect(table).toMatch(/hết giấy\.\s+Lắp\s+giấy\s+và\s+đóng\s+nắp\./);
  const dashboard = createDashboard({ name: "desk", version: "0.1.0", mode: "production", maintenance: true, startedAt: now });
  dashboard.update({ kind: "state", topic: "devices", state: devices, resynced: false });
  const lines = screenLines(dashboard.now(), now, { columns: 80, rows: 30 }, false, t);
  expectNarrow(lines.join("\n"));
  expect(lines[0]).toContain("NGỪNG PHỤC VỤ (bảo trì), chế độ thật");
  const at = lines[3]?.indexOf("ĐANG LÀM") ?? -1;
  const busy = lines.find((line) => line.includes("printer.print")) ?? "";
  expect(busy.indexOf("printer.print")).toBe(at);
  // No state and no age is wider than its column.
  for (const line of lines.filter((text) => text.startsWith("device-"))) expect(line.slice(0, at).trimEnd().length).toBeLessThan(at - 1);
});

test("doctor's findings fit in 80 columns", () => {
  const filled = (text: string): string => text.replaceAll(/\{\d+\}/g, "/etc/stationd/stationd.toml");
  const findings = Object.keys(doctor).map((text): Finding => ({ id: "x", verdict: "failure", finding: filled(text), why: filled(text) }));
  const text = doctorText(findings, style);
  expectNarrow(text);
  expect(text).toContain(`${findings.length} lỗi, 0 cảnh báo, 0 tốt, 0 chưa xem`);
  expect(text).not.toMatch(/\b(the|agent does|is not|may not)\b/);
});

test("what a device says of itself stays what it is", () => {
  const evil = device("a", { identity: { model: "{0} {1!} Close the cover" }, claim: { client: "{0}", until: now } });
  expect(deviceTable([evil], now, style)).toMatch(/\{0\}\s+đang giữ\.\s+\{0\}\s+\{1!\}\s+Close\s+the\s+cover/);
});

test("a hint of the protocol is said in the command's words, in both languages", () => {
  const english = (text: string): string => text;
  for (const { hint } of Object.values(ERROR_KINDS)) {
    expect(commandHint(hint, english as typeof t)).not.toMatch(/session\.hello|devices\.\w+|timeoutMs|JSON-RPC/);
    expect(commandHint(hint, t)).toMatch(/[\u00c0-\u1ef9]/);
  }
  expect(commandHint(ERROR_KINDS.timeout.hint, t)).toContain("--timeout");
  expect(commandHint("Wait here", t)).toBe("Wait here");
});

test("a payment is told in Vietnamese, its own words untouched", () => {
  const job = {
    ...{ kind: "payment", job: "9a1f6b3c", idempotencyKey: "approved", device: "terminal", state: "approved", final: true },
    ...{ amountVnd: 1000, reference: "declined", createdAt: now, updatedAt: now, method: "card" },
  } as const;
  expect(describePayment(job as Parameters<typeof describePayment>[0], t)).toBe(
    "terminal: giao dịch 1000 VND (declined): đã chấp thuận\n  lệnh 9a1f6b3c, khóa approved\n",
  );
});
