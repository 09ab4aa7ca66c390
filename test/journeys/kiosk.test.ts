import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Browser, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { type RunningDemo, startDemo } from "../../src/commands/demo.js";
import { faultRow } from "../support/fault.js";
import { chromiumHere, launch, picture } from "./browser.js";

const here = chromiumHere();

describe.skipIf(!here)("the kiosk page in a browser, against the demo", () => {
  let browser: Browser;
  let stateDir: string;
  let demo: RunningDemo;
  let page: Page;
  const complaints: string[] = [];

  beforeAll(async () => {
    stateDir = await mkdtemp(join(tmpdir(), "stationd-journey-"));
    demo = await startDemo({ port: 0, pagePort: 0, stateDir });
    browser = await launch();
  });
  afterAll(async () => {
    await browser?.close();
    await demo?.stop();
    await rm(stateDir, { recursive: true, force: true });
  });
  beforeEach(async () => {
    complaints.length = 0;
    demo.agent.simulation?.reset();
    page = await browser.newPage({ viewport: { width: 1366, height: 900 } });
    page.setDefaultTimeout(12_000);
    page.on("console", (message) => message.type() === "error" && complaints.push(message.text()));
    page.on("pageerror", (error) => complaints.push(error.message));
    await page.goto(demo.pageUrl);
    await page.getByText("Máy in sẵn sàng").waitFor();
  });
  afterEach(async () => {
    await page
      .getByRole("button", { name: "Kết thúc" })
      .click({ timeout: 500 })
      .catch(() => {});
    await picture(page, "last");
    await page.close();
    expect(complaints).toEqual([]);
  });

  const button = (name: string | RegExp) => page.getByRole("button", { name });
  const receipts = (): number => Number(demo.agent.simulation?.get("receipt")?.state().receipts);
  const lookUp = async (): Promise<void> => {
    await button(/Tra cứu hồ sơ/).click();
    await page.getByText("Máy quét đang chờ mã của bạn").waitFor();
    await page.locator('[data-code="HS-2026-000123"]').click();
    await button("In phiếu hẹn").waitFor();
  };

  test("a citizen looks a dossier up by its code, sees its progress and takes the slip", async () => {
    await picture(page, "1-start");
    await lookUp();
    await picture(page, "2-dossier");
    await button("In phiếu hẹn").click();
    await page.getByRole("heading", { name: "Đã in xong" }).waitFor();
    expect(receipts()).toBe(1);
    // The panel shows the paper as it is now.
    const paper = page.locator("img.panel-paper");
    await paper.waitFor();
    expect(await paper.evaluate((image) => (image as HTMLImageElement).naturalWidth)).toBe(576);
    await picture(page, "3-printed");
    await button("Tôi đã có phiếu").or(button("Kết thúc")).first().click();
  });

  test("paper runs out in the middle: the page says so, and after a refill the same slip goes on, once", async () => {
    await lookUp();
    await button("Hết giấy giữa chừng").click();
    await button("In phiếu hẹn").click();
    await page.getByRole("heading", { name: /Máy in đã hết giấy/ }).waitFor();
    await page.getByText("Phiếu sẽ được in tiếp").waitFor();
    await picture(page, "4-paper-out");
    await button("Lắp giấy mới").click();
    await page.getByRole("heading", { name: "Đã in xong" }).waitFor();
    expect(receipts()).toBe(1);
  });

  test("whoever cannot wait for paper may leave: the next person sees nothing of it, and the slip comes out all the same", async () => {
    await lookUp();
    await button("Hết giấy giữa chừng").click();
    await button("In phiếu hẹn").click();
    await page.getByRole("heading", { name: /Máy in đã hết giấy/ }).waitFor();
    await button("Kết thúc").click();
    await page.getByRole("heading", { name: "Cảm ơn bạn!" }).waitFor();
    await page.reload();
    await page.getByRole("heading", { name: "Xin chào!" }).waitFor();
    await button("Lắp giấy mới").click();
    await page.getByText("1 phiếu đã cắt").waitFor();
    expect(receipts()).toBe(1);
    expect(await page.locator("#stage").textContent()).not.toContain("HS-2026-000123");
  });

  test("a page that is reloaded in mid-print picks its slip up, and prints no second one", async () => {
    await lookUp();
    await button("In phiếu hẹn").click();
    await page.getByText("Đang in, xin chờ trong giây lát").waitFor();
    await page.reload();
    await page.getByRole("heading", { name: "Đã in xong" }).waitFor();
    expect(receipts()).toBe(1);
  });

  test("the cover is open before the print: nothing starts, the reason is told, and trying again works", async () => {
    await lookUp();
    await button("Mở nắp").click();
    await page.getByText("Máy in cần hỗ trợ").waitFor();
    await button("In phiếu hẹn").click();
    await page.getByRole("heading", { name: "Phiếu chưa được in" }).waitFor();
    await page.getByText("Nắp máy in đang mở").first().waitFor();
    await picture(page, "5-cover-open");
    await button("Đóng nắp").click();
    await button("Thử in lần nữa").click();
    await page.getByRole("heading", { name: "Đã in xong" }).waitFor();
    expect(receipts()).toBe(1);
  });

  test("a wrong kind of code is explained, not obeyed", async () => {
    await button(/Tra cứu hồ sơ/).click();
    await page.getByText("Máy quét đang chờ mã của bạn").waitFor();
    await button(/Thẻ căn cước/).click();
    await page.getByRole("alert").getByText("Đây là mã trên thẻ căn cước").waitFor();
    await button(/VietQR/).click();
    await page.getByRole("alert").getByText("Đây là mã thanh toán VietQR").waitFor();
  });

  test("everything can be reached and done with the keyboard, in English too", async () => {
    await page.getByRole("button", { name: "English" }).focus();
    await page.keyboard.press("Enter");
    await page.getByRole("heading", { name: /Welcome|Hello/ }).waitFor();
    const seen = new Set<string>();
    for (let press = 0; press < 60; press++) {
      await page.keyboard.press("Tab");
      const name = await page.evaluate(() => document.activeElement?.textContent?.trim() ?? "");
      if (/look up|Find/i.test(name)) break;
      seen.add(name);
    }
    await page.keyboard.press("Enter");
    await page.getByRole("textbox").waitFor();
    await page.getByRole("textbox").fill("HS-2026-000457");
    await page.keyboard.press("Enter");
    await page.getByText("HS-2026-000457").first().waitFor();
    // Each control has a name, and each picture a text or none at all.
    const unnamed = await page.evaluate(() =>
      [...document.querySelectorAll("button, input, a, img")]
        .filter((element) => {
          const label = element.getAttribute("aria-label") ?? element.textContent?.trim();
          const input = element as HTMLInputElement;
          return !label && !input.labels?.length && element.getAttribute("alt") === null;
        })
        .map((element) => element.outerHTML.slice(0, 80)),
    );
    expect(unnamed).toEqual([]);
  });

  test("touch targets of the citizen's page are at least 64 pixels high, on the kiosk's portrait screen too", async () => {
    await lookUp();
    await page.setViewportSize({ width: 1080, height: 1920 });
    await picture(page, "6-portrait");
    const small = await page.evaluate(() =>
      [...document.querySelectorAll("#stage button")]
        .map((element) => ({ text: element.textContent, height: element.getBoundingClientRect().height }))
        .filter(({ height }) => height < 64),
    );
    expect(small).toEqual([]);
  });

  test("the demo cannot be mistaken for the real thing", async () => {
    await page.getByText("BẢN THỬ · DEMO").waitFor();
    await page.getByText("mọi dữ liệu và giấy in đều không có giá trị sử dụng").waitFor();
  });

  faultRow({
    device: "agent",
    fault: "The agent is away: restart, upgrade",
    sees: "the demo's page says that it connects",
    does: "the client connects again by itself, and asks for its jobs by their keys",
    back: "the agent is up",
    bounds: ["restart"],
  });
  test("an agent that goes away is told, and the page is back when it is", async () => {
    const lonely = await startDemo({ port: 0, pagePort: 0, stateDir: await mkdtemp(join(stateDir, "lonely-")) });
    const other = await browser.newPage();
    await other.goto(lonely.pageUrl);
    await other.getByText("Máy in sẵn sàng").waitFor();
    await lonely.agent.stop();
    await other.getByText("Đang kết nối với thiết bị của trạm").first().waitFor();
    await other.close();
    await lonely.stop();
  });
});
