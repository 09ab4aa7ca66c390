import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Browser, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { type RunningDemo, startDemo } from "../../src/commands/demo.js";
import { chromiumHere, launch, picture } from "./browser.js";

const here = chromiumHere();

/** The invented person of card A. The last six digits open the chip. */
const ID_NUMBER = "001190412345";
const NAME = "Nguyễn Thị Thử Nghiệm";
const VERDICTS = ["chip", "data", "issuer", "certificate", "code", "printed", "expiry"];

describe.skipIf(!here)("a citizen has an ID card verified, in a browser, against the demo", () => {
  let browser: Browser;
  let stateDir: string;
  let demo: RunningDemo;
  let page: Page;
  let sent: string[];
  let complaints: string[];

  beforeAll(async () => {
    stateDir = await mkdtemp(join(tmpdir(), "stationd-identify-"));
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
    sent = [];
    complaints = [];
    page = await browser.newPage({ viewport: { width: 1920, height: 1080 } });
    page.setDefaultTimeout(12_000);
    page.on("console", (message) => message.type() === "error" && complaints.push(message.text()));
    page.on("pageerror", (error) => complaints.push(error.message));
    page.on("websocket", (socket) => socket.on("framesent", ({ payload }) => sent.push(String(payload))));
  });
  afterEach(async () => {
    await picture(page, "identify-last");
    await page.close();
    expect(complaints).toEqual([]);
  });

  const button = (name: string | RegExp) => page.getByRole("button", { name });
  const heading = (name: string | RegExp) => page.getByRole("heading", { name });
  const receipts = (): number => Number(demo.agent.simulation?.get("receipt")?.state().receipts);
  const stage = async (): Promise<string> => (await page.locator("#stage").innerHTML()).normalize("NFC");
  const digits = async (): Promise<string> => ((await page.locator("#stage").textContent()) ?? "").replaceAll(/\D/g, "");
  const verdict = (name: string): Promise<string | null> => page.locator(`[data-verdict="${name}"]`).getAttribute("data-state");
  const begin = async (): Promise<void> => {
    await page.goto(demo.pageUrl);
    await page.getByText("Đầu đọc thẻ sẵn sàng").waitFor();
    await button(/Xác minh căn cước/).click();
    await page.getByText("Máy quét đang chờ thẻ của bạn").waitFor();
  };
  const scan = async (card: string): Promise<void> => {
    await button(`Quét mã ${card}`).click();
    await heading("Đặt thẻ căn cước lên đầu đọc").waitFor();
  };
  const lay = (card: string): Promise<void> => button(`Đặt thẻ ${card}`).click();

  test("card laid, identity shown, slip printed with a masked number, card taken: then nothing of the person is left", async () => {
    await begin();
    await scan("A");
    await picture(page, "identify-1-lay");
    await lay("A");
    await heading("Đang đọc thẻ").waitFor();
    await page.locator('[role="progressbar"][aria-valuenow]').waitFor();
    await picture(page, "identify-2-reading");
    await heading("Mọi kiểm tra đều đạt").waitFor();
    for (const name of VERDICTS) expect([name, await verdict(name)]).toEqual([name, "good"]);
    await picture(page, "identify-3-result");
    const portrait = page.getByRole("img", { name: "Ảnh chân dung lưu trong chip" });
    expect(await portrait.evaluate((image) => (image as HTMLImageElement).naturalWidth)).toBeGreaterThan(0);

    expect(await stage()).toContain(NAME);
    expect(await digits()).not.toContain("412345");
    await button("Hiện số").click();
    expect(await digits()).toContain(ID_NUMBER);
    await button("Che số").click();
    expect(await digits()).not.toContain("412345");

    await button("In phiếu xác minh").click();
    await heading("Đã in xong").waitFor();
    expect(receipts()).toBe(1);
    const prints = sent.filter((frame) => frame.includes('"printer.print"'));
    expect(prints).toHaveLength(1);
    const slip = JSON.stringify((JSON.parse(prints[0] ?? "") as { params: { document: unknown } }).params.document);
    for (const text of ["PHIẾU XÁC MINH", NAME, "•••••••••345", "Thẻ thật: chip đã được xác thực"]) expect(slip).toContain(text);
    expect(slip).not.toContain("2345");
    // The panel shows the paper as it is now.
    const paper = page.locator("img.panel-paper[data-revision]");
    await paper.waitFor();
    expect(await paper.evaluate((image) => (image as HTMLImageElement).naturalWidth)).toBe(576);
    await picture(page, "identify-4-printed");

    const image = await page.evaluate(() => document.querySelector("#stage img")?.getAttribute("src"));
    expect(image).toBeUndefined();
    await button("Kết thúc").click();
    await heading("Vui lòng lấy lại thẻ").waitFor();
    expect(await stage()).not.toContain(NAME);
    await picture(page, "identify-5-take-card");
    await button("Nhấc thẻ ra").click();
    await page.getByText("Bạn đã lấy lại thẻ").waitFor();
    expect(await page.evaluate(() => JSON.stringify([{ ...sessionStorage }, { ...localStorage }]))).toBe("[{},{}]");
  });

  test("lifted while it is read: the page says so, and reads the card when it lies there again", async () => {
    await begin();
    await scan("A");
    await button("Nhấc giữa chừng").click();
    await lay("A");
    await page.getByRole("alert").getByText("Thẻ đã được nhấc ra, vui lòng đặt lại").waitFor();
    await picture(page, "identify-6-lifted");
    await lay("A");
    await heading("Mọi kiểm tra đều đạt").waitFor();
    expect(await stage()).toContain(NAME);
  });

  test("a copied chip: the data is in order, the chip is not, and an officer is asked for", async () => {
    await begin();
    await scan("A");
    await button("Chip sao chép").click();
    await lay("A");
    await heading("Có điều không đúng").waitFor();
    for (const name of VERDICTS) expect([name, await verdict(name)]).toEqual([name, name === "chip" ? "wrong" : "good"]);
    await page.getByText("có thể là bản sao").waitFor();
    await page.getByText("gặp cán bộ").waitFor();
    await picture(page, "identify-7-cloned");
  });

  test("a page that is reloaded while the slip comes out follows it by its key: the person is forgotten already", async () => {
    await begin();
    await scan("A");
    await lay("A");
    await button("In phiếu xác minh").click();
    await page.getByText("Đang in, xin chờ trong giây lát").waitFor();
    await page.reload();
    await heading("Đã in xong").waitFor();
    expect(receipts()).toBe(1);
    expect(await button("In lại phiếu").count()).toBe(0);
    expect(await stage()).not.toContain(NAME);
  });

  test("a changed file and a foreign signer show as what they are: one wrong, one not known", async () => {
    await begin();
    await scan("A");
    await button("Dữ liệu bị sửa").click();
    await lay("A");
    await heading("Có điều không đúng").waitFor();
    expect(await verdict("data")).toBe("wrong");
    expect(await verdict("issuer")).toBe("good");
    await button("Kết thúc").click();
    await button("Bỏ mọi lỗi").click();
    await button("Bắt đầu").click();

    await button(/Xác minh căn cước/).click();
    await page.getByText("Máy quét đang chờ thẻ của bạn").waitFor();
    await scan("A");
    await button("Người ký lạ").click();
    await lay("A");
    await heading("Có điều chưa chứng minh được").waitFor();
    expect(await verdict("issuer")).toBe("unknown");
    expect(await verdict("data")).toBe("good");
    await picture(page, "identify-8-foreign");
  });

  test("another card than the one whose code was scanned is refused; its own code opens it", async () => {
    await begin();
    await button("Mã lạ").click();
    await page.getByRole("alert").getByText("không phải mã trên thẻ căn cước").waitFor();
    await scan("A");
    await lay("B");
    await heading("Mã không khớp với thẻ này").waitFor();
    await picture(page, "identify-9-other-card");
    await button("Quét lại mã").click();
    await page.getByText("Máy quét đang chờ thẻ của bạn").waitFor();
    await button("Quét mã B").click();
    await heading("Mọi kiểm tra đều đạt").waitFor();
    expect(await stage()).toContain("Đặng Quốc Mẫu");
  });

  test("the number is typed, by keyboard and by finger; a card that wants more is given its dates", async () => {
    await begin();
    await page.getByLabel("Số căn cước (12 chữ số)").fill("04804800032");
    await page.keyboard.press("Enter");
    await page.getByRole("alert").getByText("đúng 12 chữ số").waitFor();
    await page.getByRole("button", { name: "1", exact: true }).click();
    await button("Tiếp tục").click();
    await heading("Đặt thẻ căn cước lên đầu đọc").waitFor();
    await button("Cần thêm MRZ").click();
    await lay("C");
    await heading("Thẻ này cần thêm hai ngày").waitFor();
    await page.getByLabel("Ngày sinh").fill("03021948");
    await page.getByLabel("Thẻ ghi “Không thời hạn”").check();
    await picture(page, "identify-10-dates");
    await button("Tiếp tục").click();
    await heading("Mọi kiểm tra đều đạt").waitFor();
    await page.getByText("Không thời hạn").waitFor();
    expect(await verdict("number")).toBe("good");
  });

  test("canceled, or left alone: the reading ends, and nobody's data stays on the screen", async () => {
    await page.clock.install();
    await begin();
    await scan("A");
    await button("Hủy").click();
    await heading("Cảm ơn bạn!").waitFor();
    await button("Bắt đầu").click();
    await button(/Xác minh căn cước/).click();
    await page.getByText("Máy quét đang chờ thẻ của bạn").waitFor();
    await scan("A");
    await lay("A");
    await heading("Mọi kiểm tra đều đạt").waitFor();
    await page.clock.runFor(95_000);
    await heading("Bạn còn ở đó không?").waitFor();
    await page.clock.runFor(20_000);
    await heading("Vui lòng lấy lại thẻ").waitFor();
    expect(await stage()).not.toContain(NAME);
  });

  test("everything has a name and a size for fingers, on the portrait screen and in English too", async () => {
    await page.setViewportSize({ width: 1080, height: 1920 });
    await begin();
    const faults = (): Promise<string[]> =>
      page.evaluate(() =>
        [...document.querySelectorAll("#stage :is(button, input, img)")]
          .filter((element) => {
            const name = element.getAttribute("aria-label") ?? element.getAttribute("alt") ?? element.textContent?.trim();
            const labelled = name || (element as HTMLInputElement).labels?.length;
            return !labelled || (element.tagName === "BUTTON" && element.getBoundingClientRect().height < 64);
          })
          .map((element) => element.outerHTML.slice(0, 80)),
      );
    expect(await faults()).toEqual([]);
    await scan("A");
    await button("English").click();
    await heading("Lay the ID card on the reader").waitFor();
    await lay("A");
    await heading("Every check has passed").waitFor();
    expect(await faults()).toEqual([]);
    await picture(page, "identify-11-portrait");
  });
});
