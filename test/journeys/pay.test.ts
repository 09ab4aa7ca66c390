import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Browser, BrowserContext, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import type { ZvtTerminal } from "../../simulators/zvt-terminal/index.js";
import { type RunningDemo, startDemo } from "../../src/commands/demo.js";
import { chromiumHere, launch, picture } from "./browser.js";

const here = chromiumHere();

describe.skipIf(!here)("a citizen pays a bill, in a browser, against the demo", () => {
  let browser: Browser;
  let stateDir: string;
  let demo: RunningDemo;
  let context: BrowserContext;
  let page: Page;
  let sent: string[];
  let complaints: string[];
  let bills = 0;
  /** What terminal and printer had done before this test: they go on as they would for years. */
  let before: { readonly charges: number; readonly net: number; readonly receipts: number };

  const terminal = (): ZvtTerminal => demo.agent.simulation?.get("terminal") as ZvtTerminal;
  const counts = () => ({
    charges: terminal()
      .ledger()
      .filter(({ net }) => net > 0).length,
    net: Number(terminal().state().netVnd),
    receipts: Number(demo.agent.simulation?.get("receipt")?.state().receipts),
  });
  /** Since the test began. */
  const done = () => {
    const now = counts();
    return { charges: now.charges - before.charges, net: now.net - before.net, receipts: now.receipts - before.receipts };
  };

  const open = async (): Promise<void> => {
    context = await browser.newContext({ viewport: { width: 1920, height: 1080 } });
    page = await context.newPage();
    page.setDefaultTimeout(20_000);
    page.on("console", (message) => message.type() === "error" && complaints.push(message.text()));
    page.on("pageerror", (error) => complaints.push(error.message));
    page.on("websocket", (socket) => socket.on("framesent", ({ payload }) => sent.push(String(payload))));
    await page.goto(demo.pageUrl);
  };

  beforeAll(async () => {
    stateDir = await mkdtemp(join(tmpdir(), "stationd-pay-"));
    demo = await startDemo({ port: 0, pagePort: 0, stateDir });
    browser = await launch();
  });
  afterAll(async () => {
    await browser?.close();
    await demo?.stop();
    await rm(stateDir, { recursive: true, force: true });
  });
  beforeEach(async () => {
    sent = [];
    complaints = [];
    before = counts();
    await open();
    await page.getByText("Máy thẻ sẵn sàng").waitFor();
  });
  afterEach(async () => {
    await picture(page, "pay-last");
    await context.close();
    expect(complaints).toEqual([]);
  });

  const button = (name: string | RegExp) => page.getByRole("button", { name });
  const heading = (name: string | RegExp) => page.getByRole("heading", { name });
  const asks = (): unknown[] =>
    sent
      .map((frame) => JSON.parse(frame) as { method: string; params: { idempotencyKey: string } })
      .filter(({ method }) => method === "paymentTerminal.pay")
      .map(({ params }) => params.idempotencyKey);
  /** A bill that nobody has paid, typed as a citizen would who has no scanner at hand. */
  const typeBill = async (): Promise<void> => {
    await button(/Thanh toán hóa đơn/).click();
    await page.getByRole("radio", { name: "Tiền nước" }).check();
    await page.getByRole("textbox").fill(`HD-NUOC-2026-${String(++bills).padStart(6, "0")}`);
    await page.keyboard.press("Enter");
  };
  const byCard = async (): Promise<void> => {
    await button(/Thẻ ngân hàng/).click();
    await heading("Mời bạn đưa thẻ").waitFor();
  };
  const presentCard = async (): Promise<void> => {
    await button("Đưa thẻ").click();
    await heading("Mời bạn nhập mã PIN").waitFor();
  };
  const fitForFingers = async (): Promise<void> => {
    const bad = await page.evaluate(() =>
      [...document.querySelectorAll("#stage button")]
        .filter((element) => element.getBoundingClientRect().height < 64 || !element.textContent?.trim())
        .map((element) => element.outerHTML.slice(0, 80)),
    );
    expect(bad).toEqual([]);
  };
  const paid = async (): Promise<void> => {
    await heading("Đã thanh toán").waitFor();
    await page.getByText("Mời bạn nhận biên lai ở khe giấy").waitFor();
  };

  test("by card, the bill found by its barcode: each step is told, one charge, one receipt; a reload prints no second one", async () => {
    await button(/Thanh toán hóa đơn/).click();
    await page.getByText("Máy quét đang chờ mã của bạn").waitFor();
    await page.locator('[data-code="Tiền điện"]').click();
    await heading("Tiền điện").waitFor();
    await byCard();
    await page.getByText("379.000 đ").first().waitFor();
    await presentCard();
    await button("Sai PIN").click();
    await heading("Mã PIN chưa đúng").waitFor();
    await button("Đúng PIN, duyệt").click();
    await heading("Đang chờ ngân hàng").waitFor();
    await heading("Mời bạn rút thẻ").waitFor();
    await button("Rút thẻ").click();
    await paid();
    await page.getByText("NAPAS •••• 0018").waitFor();
    await page.getByRole("table", { name: "Sổ của ngân hàng" }).getByText("379.000 đ").first().waitFor();
    expect(done()).toEqual({ charges: 1, net: 379_000, receipts: 1 });
    const slip = sent.filter((frame) => frame.includes('"printer.print"')).join();
    for (const text of ["BIÊN LAI", "HD-DIEN-2026-000123", "379.000 đ", "NAPAS •••• 0018", "0118"]) expect(slip).toContain(text);

    await page.reload();
    await paid();
    expect(done()).toEqual({ charges: 1, net: 379_000, receipts: 1 });
    await button("Kết thúc").click();
    await heading("Cảm ơn bạn!").waitFor();
    expect(await page.evaluate(() => JSON.stringify([{ ...sessionStorage }, { ...localStorage }]))).not.toContain("HD-DIEN");
    expect(await page.locator("#stage").textContent()).not.toContain("379.000");

    // Nobody pays the same bill twice.
    await button("Bắt đầu").click();
    await button(/Thanh toán hóa đơn/).click();
    await page.getByText("Máy quét đang chờ mã của bạn").waitFor();
    await page.locator('[data-code="Tiền điện"]').click();
    await heading("Hóa đơn này đã được thanh toán").waitFor();
    expect(await button(/Thẻ ngân hàng/).count()).toBe(0);
  });

  test("declined, then paid by another card under a new key: one charge", async () => {
    await typeBill();
    await byCard();
    await presentCard();
    await button("Bị từ chối").click();
    await heading("Mời bạn rút thẻ").waitFor();
    await button("Rút thẻ").click();
    await heading("Ngân hàng từ chối thẻ này").waitFor();
    expect(done()).toMatchObject({ charges: 0, receipts: 0 });
    await button("Thanh toán lại").click();
    await byCard();
    await button("Thẻ Visa").click();
    await heading("Mời bạn nhập mã PIN").waitFor();
    await button("Đúng PIN, duyệt").click();
    await heading("Mời bạn rút thẻ").waitFor();
    await button("Rút thẻ").click();
    await paid();
    await page.getByText("VISA •••• 1234").waitFor();
    expect(done()).toMatchObject({ charges: 1, receipts: 1 });
    expect(new Set(asks()).size).toBe(2);
  });

  test("the page is reloaded in mid-payment and shows the step it was at; then it is killed, and a page that remembers nothing goes on", async () => {
    await typeBill();
    await byCard();
    await presentCard();
    await page.reload();
    await heading("Mời bạn nhập mã PIN").waitFor();
    await context.close();
    await open();
    await heading("Giao dịch đang được thực hiện").waitFor();
    await button("Đúng PIN, duyệt").click();
    await heading("Mời bạn rút thẻ").waitFor();
    await button("Rút thẻ").click();
    await paid();
    expect(done()).toMatchObject({ charges: 1, receipts: 1 });
    expect(new Set(asks()).size).toBe(1);
  });

  test("killed before the bank answers and opened when all is over: the receipt is there for who waits before the screen, once", async () => {
    await typeBill();
    await byCard();
    await presentCard();
    await context.close();
    await terminal().actions.approve?.act({});
    while (terminal().state().lastStatus !== "0B") await new Promise((resolve) => setTimeout(resolve, 20));
    await terminal().actions.removeCard?.act({});
    await open();
    await paid();
    await context.close();
    await open();
    await heading("Xin chào!").waitFor();
    expect(done()).toMatchObject({ charges: 1, receipts: 1 });
  });

  test("the terminal's cable is pulled in mid-payment: the page says not to pay again, and once it is plugged the end is definite", async () => {
    await typeBill();
    await byCard();
    await presentCard();
    await button("Đúng PIN, duyệt").click();
    await heading("Mời bạn rút thẻ").waitFor();
    await button("Rút cáp máy thẻ").click();
    await heading("Đang tìm hiểu kết quả").waitFor();
    await page.getByText("Vui lòng không thanh toán lại").waitFor();
    await button("Rút thẻ").click();
    await button("Cắm cáp máy thẻ").click();
    await paid();
    expect(done()).toMatchObject({ charges: 1, receipts: 1 });
  });

  test("cancel asks the terminal, whose word it is; a dossier's fee is paid from the dossier", async () => {
    await button(/Tra cứu hồ sơ/).click();
    await page.getByText("Máy quét đang chờ mã của bạn").waitFor();
    await page.locator('[data-code="HS-2026-000789"]').click();
    await button(/Nộp lệ phí/).click();
    await page.setViewportSize({ width: 1080, height: 1920 });
    await button(/Thẻ ngân hàng/).waitFor();
    await fitForFingers();
    await byCard();
    await fitForFingers();
    await button("Hủy thanh toán").click();
    await heading("Đã hủy thanh toán").waitFor();
    expect(done()).toEqual({ charges: 0, net: 0, receipts: 0 });
    await button("Kết thúc").click();
    await heading("Cảm ơn bạn!").waitFor();
  });

  test("by VietQR: the telephone scans the screen, the bank's word is relayed, one receipt; money that comes again goes to a person", async () => {
    await typeBill();
    await button(/Mã VietQR/).click();
    const code = page.getByRole("img", { name: "Mã VietQR để quét" });
    await code.waitFor();
    expect(await code.evaluate((image) => (image as HTMLImageElement).naturalWidth)).toBeGreaterThan(0);
    await picture(page, "pay-vietqr");
    await page.reload();
    await code.waitFor();
    await button("Quét và chuyển đủ").click();
    await paid();
    expect(done()).toEqual({ charges: 0, net: 0, receipts: 1 });
    await button("Chuyển lần nữa").click();
    await heading("Giao dịch cần nhân viên kiểm tra").waitFor();
    await page.getByText("Mời bạn nhận phiếu kiểm tra").waitFor();
    expect(done()).toMatchObject({ receipts: 2 });
    expect(sent.filter((frame) => frame.includes('"printer.print"')).join()).toContain("VUI LÒNG KHÔNG THANH TOÁN LẠI");
    expect(new Set(asks()).size).toBe(1);
  });

  test("a transfer of another amount is never taken for the payment, and never lost", async () => {
    await typeBill();
    await button(/Mã VietQR/).click();
    await page.getByRole("img", { name: "Mã VietQR để quét" }).waitFor();
    await button("Chuyển thiếu").click();
    await heading("Giao dịch cần nhân viên kiểm tra").waitFor();
    await page.getByText("Mã giao dịch tại trạm").waitFor();
    await page.getByText("Mời bạn nhận phiếu kiểm tra").waitFor();
    expect(done()).toMatchObject({ receipts: 1 });
    await picture(page, "pay-review");
  });

  test("an idle page throws no payment away", async () => {
    await page.clock.install();
    await page.reload();
    await typeBill();
    await byCard();
    await page.clock.runFor(180_000);
    expect(await page.getByRole("dialog").count()).toBe(0);
    await page.clock.resume();
    await button("Hủy thanh toán").click();
    await heading("Đã hủy thanh toán").waitFor();
  });

  // The last one: the terminal is not done with it when it ends.
  test("a terminal that still looks for the end of another's payment says so, and who comes next is charged nothing", async () => {
    await typeBill();
    await byCard();
    await button("Rút cáp máy thẻ").click();
    await heading("Đang tìm hiểu kết quả").waitFor();
    await button("Kết thúc").click();
    await button("Bắt đầu").click();
    await typeBill();
    await page
      .getByRole("button", { name: /Thẻ ngân hàng/, disabled: true })
      .getByText("Chưa kết nối")
      .waitFor();
    await button("Cắm cáp máy thẻ").click();
    await page.getByRole("button", { name: /Thẻ ngân hàng/, disabled: false }).click();
    await heading("Máy thanh toán đang chờ kết quả của một giao dịch khác").waitFor();
    expect(done()).toEqual({ charges: 0, net: 0, receipts: 0 });
  });
});
