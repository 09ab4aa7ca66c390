import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it } from "vitest";
import { startDemo } from "../../src/commands/demo.js";
import { chromiumHere, launch } from "../journeys/browser.js";

const here = chromiumHere();

it.skipIf(!here)("permission pop-ups appear on a kiosk (qzind/tray#1315)", { timeout: 120_000 }, async () => {
  const stateDir = await mkdtemp(join(tmpdir(), "stationd-pop-ups-"));
  const demo = await startDemo({ port: 0, pagePort: 0, stateDir });
  const browser = await launch();
  try {
    const page = await browser.newPage({ viewport: { width: 1366, height: 900 } });
    page.setDefaultTimeout(20_000);
    const asked: string[] = [];
    page.on("dialog", (dialog) => {
      asked.push(dialog.type());
      void dialog.dismiss();
    });
    page.on("popup", () => asked.push("window"));
    await page.exposeFunction("asks", (what: string) => void asked.push(what));
    // Whatever makes a browser ask the person before it: each of these is a pop-up that nobody at a kiosk can answer.
    await page.addInitScript(() => {
      const told = window as unknown as { asks(what: string): void };
      const watch = (owner: object | undefined, name: string): void => {
        const refuse = (): Promise<never> => {
          told.asks(name);
          return Promise.reject(new TypeError(name));
        };
        if (owner && name in owner) Object.defineProperty(owner, name, { value: refuse });
      };
      const { mediaDevices, clipboard, geolocation } = navigator;
      const { usb, serial, hid, bluetooth } = navigator as unknown as Record<string, object | undefined>;
      watch(mediaDevices, "getUserMedia");
      watch(mediaDevices, "getDisplayMedia");
      watch(usb, "requestDevice");
      watch(serial, "requestPort");
      watch(hid, "requestDevice");
      watch(bluetooth, "requestDevice");
      watch(clipboard, "readText");
      watch(geolocation, "getCurrentPosition");
      watch(Notification, "requestPermission");
      watch(window, "print");
      watch(window, "showOpenFilePicker");
    });
    await page.goto(demo.pageUrl);
    await page.getByText("Máy in sẵn sàng").waitFor();
    await page.getByRole("button", { name: /Tra cứu hồ sơ/ }).click();
    await page.getByText("Máy quét đang chờ mã của bạn").waitFor();
    await page.locator('[data-code="HS-2026-000123"]').click();
    await page.getByRole("button", { name: "In phiếu hẹn" }).click();
    await page.getByRole("heading", { name: "Đã in xong" }).waitFor();
    expect(Number(demo.agent.simulation?.get("receipt")?.state().receipts)).toBe(1);
    expect(asked).toEqual([]);
    // The watch itself sees something.
    await page.evaluate(() => Promise.resolve(window.print()).catch(() => {}));
    await expect.poll(() => asked).toEqual(["print"]);
  } finally {
    await browser.close();
    await demo.stop();
    await rm(stateDir, { recursive: true, force: true });
  }
});
