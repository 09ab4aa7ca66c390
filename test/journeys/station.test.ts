import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Browser, BrowserContext, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { type RunningDemo, startDemo } from "../../src/commands/demo.js";
import { chromiumHere, launch, picture } from "./browser.js";
import { nothingLeft, usableScreen, watch } from "./watched.js";

const here = chromiumHere();
const NAME = "Nguyễn Thị Thử Nghiệm";

describe.skipIf(!here)("the whole station, on a kiosk's screen, in a browser, against the demo", { timeout: 180_000 }, () => {
  let browser: Browser;
  let stateDir: string;
  let demo: RunningDemo;
  let context: BrowserContext;
  let page: Page;
  let complaints: string[];
  let sent: string[];

  const button = (name: string | RegExp) => page.getByRole("button", { name });
  const heading = (name: string | RegExp) => page.getByRole("heading", { name });
  const receipts = (): number => Number(demo.agent.simulation?.get("receipt")?.state().receipts);
  const stage = () => page.locator("#stage");

  const usable = (name: string): Promise<void> => usableScreen(page, name);
  const begin = async (title: string): Promise<void> => {
    await page.getByText("Camera sẵn sàng").waitFor();
    await page.getByText("Máy quét giấy tờ sẵn sàng").waitFor();
    await button(title).click();
  };
  const identify = async (person = "A"): Promise<void> => {
    await page.getByText("Máy quét đang chờ thẻ của bạn").waitFor();
    await button(`Quét mã ${person}`).click();
    await heading("Đặt thẻ căn cước lên đầu đọc").waitFor();
    await button(`Đặt thẻ ${person}`).click();
    await heading("Mọi kiểm tra đều đạt").waitFor();
    await button("Tiếp tục").click();
  };
  /** The same, with a look at each screen. */
  const identifyAndLook = async (): Promise<void> => {
    await page.getByText("Máy quét đang chờ thẻ của bạn").waitFor();
    await button("Quét mã A").click();
    await heading("Đặt thẻ căn cước lên đầu đọc").waitFor();
    await usable("station-1-lay");
    await button("Đặt thẻ A").click();
    await heading("Mọi kiểm tra đều đạt").waitFor();
    await usable("station-1-identity");
    await button("Tiếp tục").click();
  };
  const typePhone = async (): Promise<void> => {
    for (const digit of "0912345678") await page.locator(".keypad").getByRole("button", { name: digit, exact: true }).click();
  };
  const goOn = async (): Promise<void> => {
    await page.locator(".step-actions").getByRole("button", { name: "Tiếp tục" }).click();
  };
  const photograph = async (): Promise<void> => {
    await page.locator(".live[data-pictures]").waitFor();
    await button("Chụp ảnh").click();
    await page.getByRole("img", { name: "Ảnh vừa chụp" }).waitFor();
  };
  const payByCard = async (): Promise<void> => {
    await button(/Thẻ ngân hàng/).click();
    await heading("Mời bạn đưa thẻ").waitFor();
    await button("Đưa thẻ").click();
    await heading("Mời bạn nhập mã PIN").waitFor();
    await button("Đúng PIN, duyệt").click();
    await heading("Mời bạn rút thẻ").waitFor();
    await button("Rút thẻ").click();
    await heading("Đã thanh toán").waitFor();
    await page.getByText("Mời bạn nhận biên lai ở khe giấy").waitFor();
  };
  const file = async (): Promise<void> => {
    await heading("Xem lại lần cuối").waitFor();
    await button("Nộp và in phiếu").click();
    await heading("Đã in xong").waitFor();
  };
  const leave = async (): Promise<void> => {
    await button("Kết thúc").click();
    await heading(/Cảm ơn bạn!|Vui lòng lấy lại thẻ/).waitFor();
    await nothingLeft(page, NAME);
  };

  beforeAll(async () => {
    stateDir = await mkdtemp(join(tmpdir(), "stationd-station-"));
    demo = await startDemo({ port: 0, pagePort: 0, stateDir });
    browser = await launch();
  });
  afterAll(async () => {
    await browser?.close();
    await demo?.stop();
    await rm(stateDir, { recursive: true, force: true });
  });
  beforeEach(async () => {
    demo.agent.simulation?.reset();
    complaints = [];
    sent = [];
    context = await browser.newContext({ viewport: { width: 1080, height: 1920 } });
    await watch(context);
    page = await context.newPage();
    page.setDefaultTimeout(15_000);
    page.on("console", (message) => message.type() === "error" && complaints.push(message.text()));
    page.on("pageerror", (error) => complaints.push(error.message));
    page.on("websocket", (socket) => socket.on("framesent", ({ payload }) => sent.push(String(payload))));
    await page.goto(demo.pageUrl);
  });
  afterEach(async () => {
    await picture(page, "station-last");
    await context.close();
    expect(complaints).toEqual([]);
  });

  test("a dossier: card, details, papers that are scanned again and put in order, the face beside the chip's, fee, slip", async () => {
    const before = receipts();
    await page.getByText("Camera sẵn sàng").waitFor();
    await usable("station-0-start");
    await begin("Nộp hồ sơ hành chính");
    await usable("station-1-identify");
    await identifyAndLook();
    await heading("Kiểm tra thông tin của bạn").waitFor();
    await goOn();
    await page.getByText("Số điện thoại có 10 chữ số").waitFor();
    expect(await page.getByLabel("Số điện thoại").getAttribute("aria-invalid")).toBe("true");
    expect(await page.getByLabel("Nơi ở hiện nay").inputValue()).toContain("Hà Nội");
    await typePhone();
    await usable("station-2-form");
    await goOn();

    await heading("Quét giấy tờ của bạn").waitFor();
    await button("Nạp 2 tờ").click();
    await button("Quét giấy tờ").click();
    await page.getByText("Đã quét 2 trang").waitFor();
    const pictures = () =>
      stage()
        .locator(".papers img")
        .evaluateAll((images) => images.map((image) => (image as HTMLImageElement).src));
    const [first, second] = await pictures();
    await button("Đưa trang 2 lên trước").press("Enter");
    expect(await pictures()).toEqual([second, first]);
    await button("Đặt giấy lên kính").click();
    await button("Quét lại trang 2").click();
    await page.getByText("Đã quét 2 trang").waitFor();
    const now = await pictures();
    expect(now[0]).toBe(second);
    expect(now).not.toContain(first);
    await usable("station-3-papers");
    await goOn();

    await heading("Chụp ảnh khuôn mặt").waitFor();
    await page.locator(".live[data-pictures]").waitFor();
    await usable("station-4-photo");
    await photograph();
    const portrait = page.getByRole("img", { name: "Ảnh trong chip" });
    expect(await portrait.evaluate((image) => (image as HTMLImageElement).naturalWidth)).toBeGreaterThan(0);
    await usable("station-5-compare");
    await button("Dùng ảnh này").click();
    await button(/Thẻ ngân hàng/).waitFor();
    await usable("station-6-fee");
    await payByCard();
    await usable("station-7-paid");
    await button("Tiếp tục").click();
    await heading("Xem lại lần cuối").waitFor();
    await usable("station-8-review");
    await file();
    await usable("station-9-printed");
    expect(receipts() - before).toBe(2);
    const slip = sent.filter((frame) => frame.includes('"printer.print"')).at(-1) ?? "";
    for (const text of ["GIẤY TIẾP NHẬN HỒ SƠ", NAME, "•••••••••345", "2 trang đã quét", "Đã nộp 15.000 đ"]) expect(slip).toContain(text);
    expect(slip).not.toContain("0912345678");
    await leave();
    await heading("Vui lòng lấy lại thẻ").waitFor();
    await usable("station-farewell-card");
    await button("Nhấc thẻ ra").click();
    await page.getByText("Bạn nhớ lấy giấy tờ trong máy quét nhé").waitFor();
    await usable("station-farewell");
  });

  test("a bill", async () => {
    const before = receipts();
    await begin("Thanh toán hóa đơn");
    await page.getByText("Máy quét đang chờ mã của bạn").waitFor();
    await usable("station-bill-find");
    await page.locator('[data-code="Tiền nước"]').click();
    await payByCard();
    expect(receipts() - before).toBe(1);
    await leave();
  });

  test("health insurance: a blank sheet and a jam are told in plain words, and what is scanned is kept", async () => {
    await begin("Bảo hiểm y tế");
    await identify("B");
    await page.getByRole("radio", { name: "12 tháng" }).check();
    await typePhone();
    await usable("station-health-form");
    await goOn();
    await button("Nạp 1 tờ trắng").click();
    await button("Quét giấy tờ").click();
    await page.getByRole("alert").getByText("Không thấy chữ trên giấy").waitFor();
    await button("Nạp 2 tờ").click();
    await button("Kẹt ở tờ sau").click();
    await button("Quét giấy tờ").click();
    await page.getByRole("alert").getByText("Giấy bị kẹt").waitFor();
    await page.getByText("Các trang đã quét được giữ lại").waitFor();
    expect(await stage().locator(".papers img").count()).toBe(1);
    await usable("station-health-jam");
    await goOn();
    await payByCard();
    await button("Tiếp tục").click();
    await file();
    await leave();
  });

  test("a stack that is stopped in the middle keeps the pages that came", async () => {
    await begin("Bảo hiểm y tế");
    await identify("B");
    await page.getByRole("radio", { name: "6 tháng" }).check();
    await typePhone();
    await goOn();
    await demo.agent.simulation?.act("documents", "loadFeeder", { sheets: Array.from({ length: 15 }, () => ({})) });
    await button("Quét giấy tờ").click();
    await stage().locator(".papers img").nth(1).waitFor();
    await button("Dừng quét").click();
    await page
      .getByText("các trang đã quét được giữ lại")
      .or(page.getByText(/^Đã quét \d+ trang$/))
      .waitFor();
    await button("Quét thêm").waitFor();
    const kept = await stage().locator(".papers img").count();
    expect(kept).toBeGreaterThanOrEqual(2);
    expect(kept).toBeLessThan(15);
    await page.getByText(`Đã quét ${kept} trang`).waitFor();
    expect(await page.getByRole("alert").allTextContents()).not.toContainEqual(expect.stringMatching(/\S/));
    await usable("station-papers-stopped");
    await goOn();
    await button(/Thẻ ngân hàng/).waitFor();
    await leave();
  });

  test("a medical visit: the citizen sees the own camera live, and the doctor's place", async () => {
    await begin("Khám bệnh từ xa");
    await identify();
    await page.getByRole("radio", { name: "Huyết áp" }).check();
    await typePhone();
    await goOn();
    await heading("Bác sĩ đang nghe bạn").waitFor();
    const live = page.locator(".live[data-pictures]");
    await live.waitFor();
    const shown = Number(await live.getAttribute("data-pictures"));
    await page.waitForFunction((count) => Number(document.querySelector<HTMLElement>(".live")?.dataset.pictures) > count + 2, shown);
    await usable("station-doctor");
    await button("Tắt hình của tôi").click();
    await page.getByText("Hình của bạn đang tắt").waitFor();
    expect(await page.locator(".live").count()).toBe(0);
    await button("Khám xong").click();
    await file();
    await leave();
  });

  test("a SIM: a dark and a blurred picture are refused with what to do, the good one is taken", async () => {
    await begin("Xác thực thuê bao SIM");
    await identify();
    await typePhone();
    await goOn();
    await page.locator(".live[data-pictures]").waitFor();
    await button("Tắt đèn").click();
    await button("Chụp ảnh").click();
    await page.getByRole("alert").getByText("Ảnh tối quá").waitFor();
    await usable("station-sim-dark");
    await button("Bật đèn").click();
    await button("Mờ ống kính").click();
    await button("Chụp ảnh").click();
    await page.getByRole("alert").getByText("Ảnh bị nhòe").waitFor();
    await button("Lấy nét").click();
    await button("Rút dây camera").click();
    await button("Chụp ảnh").click();
    await page.getByRole("alert").getByText("Mất kết nối với camera").waitFor();
    await button("Cắm dây camera").click();
    await page.getByText("Camera sẵn sàng").waitFor();
    await photograph();
    await button("Dùng ảnh này").click();
    await file();
    await leave();
  });

  test("an incident with a picture; then a reload in mid-journey keeps nothing of the next one's", async () => {
    await begin("Phản ánh sự việc");
    await page.getByRole("radio", { name: "Rác, nước thải" }).check();
    await page.getByRole("radio", { name: "Phường Thử" }).check();
    const note = page.getByLabel("Bạn muốn nói thêm gì?");
    await note.click();
    const board = page.getByRole("group", { name: "Bàn phím chữ" });
    const key = (name: string) => board.getByRole("button", { name, exact: true });
    const type = async (...names: string[]): Promise<void> => {
      for (const name of names) await key(name).click();
    };
    // A tone goes where it is written, whichever letter was the last; pressed again, it goes away.
    await type("Viết hoa", "n", "ư", "ơ", "c", "Dấu sắc", "Dấu cách", "m", "u", "a", "Dấu hỏi", "Dấu sắc", "Dấu cách");
    await type("q", "u", "y", "Dấu sắc", "Dấu cách", "đ", "o", "n", "Dấu nặng", "Dấu nặng", "g", "x", "Xóa một chữ", "Dấu cách", "1", "2");
    expect(await note.inputValue()).toBe("Nước múa quý đong 12");
    await board.getByRole("status").getByText("12", { exact: true }).waitFor();
    // The caret is where the finger put it.
    await note.evaluate((field: HTMLTextAreaElement) => field.setSelectionRange(4, 8));
    await type("Dấu cách", "m", "ư", "a");
    expect(await note.inputValue()).toBe("Nước mưa quý đong 12");
    await usable("station-incident-form");
    await button("Đóng bàn phím").press("Enter");
    expect(await board.count()).toBe(0);
    await goOn();
    await photograph();
    await usable("station-incident-photo");
    await button("Dùng ảnh này").click();
    await page.getByText("Nước mưa quý đong 12").waitFor();
    await file();
    expect(sent.findLast((frame) => frame.includes('"printer.print"'))).toContain("Nước mưa quý đong 12");
    await leave();
    await button("Bắt đầu").click();
    await begin("Phản ánh sự việc");
    await page.getByRole("radio", { name: "Phường Mẫu" }).check();
    await page.reload();
    await heading("Xin chào!").waitFor();
    await begin("Phản ánh sự việc");
    await heading("Bạn muốn báo việc gì?").waitFor();
    expect(await page.getByRole("radio", { checked: true }).count()).toBe(0);
  });

  test("a copied chip opens no journey: a person looks at it", async () => {
    await button("Chip sao chép").click();
    await begin("Xác thực thuê bao SIM");
    await page.getByText("Máy quét đang chờ thẻ của bạn").waitFor();
    await button("Quét mã A").click();
    await heading("Đặt thẻ căn cước lên đầu đọc").waitFor();
    await button("Đặt thẻ A").click();
    await heading("Có điều không đúng").waitFor();
    await page.getByText("Mời bạn đến quầy số 1").waitFor();
    expect(await button("Tiếp tục").isDisabled()).toBe(true);
    await leave();
  });

  test("in English, and lying down: each step fits, and nothing of it is Vietnamese only by mistake", async () => {
    await page.setViewportSize({ width: 1920, height: 1080 });
    await page.getByText("Camera sẵn sàng").waitFor();
    await usable("station-wide-start");
    await button("English").click();
    await button("Register a SIM").click();
    await button("Quét mã A").click();
    await heading("Lay your ID card").or(heading(/card/i)).first().waitFor();
    await button("Đặt thẻ A").click();
    await button("Continue").click();
    await heading("Check your details").waitFor();
    await typePhone();
    await usable("station-wide-form");
    await page.locator(".step-actions").getByRole("button", { name: "Continue" }).click();
    await page.locator(".live[data-pictures]").waitFor();
    await usable("station-wide-photo");
    expect(await stage().textContent()).not.toMatch(/undefined|\[object/);
  });

  test("somebody walks away in mid-journey: the page asks, then ends it, and nothing is left", async () => {
    await page.clock.install();
    await page.reload();
    await begin("Phản ánh sự việc");
    await page.getByRole("radio", { name: "Đèn đường tắt" }).check();
    await page.getByRole("radio", { name: "Xã Ví Dụ" }).check();
    await goOn();
    await photograph();
    await page.clock.runFor(95_000);
    await page.getByRole("dialog").getByText("Bạn còn ở đó không?").waitFor();
    await page.clock.runFor(20_000);
    await heading(/Cảm ơn bạn!|Xin chào!/).waitFor();
    await nothingLeft(page, NAME);
  });
});
