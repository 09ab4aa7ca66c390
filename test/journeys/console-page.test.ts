import { once } from "node:events";
import { mkdtemp } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { startAgent } from "../../src/agent.js";
import { demoConfig } from "../../src/commands/demo.js";
import { createDemoBank } from "../../src/commands/demo-bank.js";
import { chromiumHere } from "./browser.js";
import { consoleRig, wholePage } from "./console-rig.js";
import { usableScreen } from "./watched.js";

const here = chromiumHere();

describe.skipIf(!here)("the technicians' console as a page", { timeout: 120_000 }, () => {
  const rig = consoleRig();
  const { button, heading, dialog, device, token, act, enter } = rig;

  test("the charts draw what the agent measures, in light and in dark, from 360 to 1920 pixels", async () => {
    await rig.page.clock.install();
    await rig.page.reload();
    await enter();
    for (let look = 0; look < 4; look++) {
      const before = Number(await rig.page.locator(".chart svg").last().getAttribute("data-points"));
      await rig.page.clock.runFor(6_000);
      await expect
        .poll(async () => Number(await rig.page.locator(".chart svg").last().getAttribute("data-points")))
        .toBeGreaterThan(before);
    }
    const drawn = await rig.page
      .locator(".chart")
      .evaluateAll((charts) =>
        charts.map((chart) => [chart.querySelector("h3")?.textContent, chart.querySelector(".line")?.getAttribute("d")?.includes("L")]),
      );
    expect(Object.fromEntries(drawn)).toMatchObject({ Requests: true, Memory: true, Sessions: true, "Event loop, slowest 1 %": true });
    await rig.page.getByRole("link", { name: "Metrics" }).click();
    for (const colorScheme of ["light", "dark"] as const) {
      await rig.page.emulateMedia({ colorScheme });
      for (const width of [360, 390, 1280, 1920]) {
        await rig.page.setViewportSize({ width, height: 900 });
        await usableScreen(rig.page, `console-7-${colorScheme}-${width}`);
        await wholePage(rig.page, `console-8-${colorScheme}-${width}`);
      }
    }
  });

  test("a page that nobody touches signs out by itself", async () => {
    await rig.page.clock.install();
    await rig.page.reload();
    await enter();
    await rig.page.clock.fastForward("29:00");
    await rig.page.getByText("demo is in service").waitFor();
    await rig.page.clock.fastForward("01:30");
    await rig.page.getByRole("alert").getByText("nobody touched the page for half an hour").waitFor();
    expect(await token().inputValue()).toBe("");
  });

  test("an agent that goes away is told, and the page is back when it is; with another token it asks again", async () => {
    const folder = await mkdtemp(join(rig.stateDir, "lonely-"));
    const config = (port: number, technicianToken: string) => {
      const { publicKey: confirmationKey } = createDemoBank(() => 0);
      return demoConfig({ port, stateDir: folder, origins: [], confirmationKey, technicianToken });
    };
    const first = await startAgent({ config: config(0, "the-first-token") });
    await rig.page.goto(`${first.httpUrl}/console/`);
    await token().fill("the-first-token");
    await button("Sign in").click();
    await device("receipt")
      .getByText(/^ready$/)
      .waitFor();
    await first.stop();
    await rig.page.getByText("The connection to the agent is lost").waitFor();
    expect(await device("receipt").getByRole("button", { name: "Test" }).isDisabled()).toBe(true);
    await usableScreen(rig.page, "console-9-lost");
    const second = await startAgent({ config: config(first.port, "the-first-token") });
    await rig.page.getByText("The connection to the agent is lost").waitFor({ state: "hidden" });
    await device("receipt")
      .getByText(/^ready$/)
      .waitFor();
    await second.stop();
    const third = await startAgent({ config: config(first.port, "another-token") });
    await rig.page.getByRole("alert").getByText("Your token is not valid any more").waitFor();
    await third.stop();
    // What the browser says of addresses where nobody listened for a moment.
    rig.complaints = rig.complaints.filter((text) => !/ERR_CONNECTION_REFUSED|WebSocket connection to .* failed/.test(text));
  });

  test("a page of another origin can neither frame the console, nor read it, nor open its socket", async () => {
    const hostile = createServer((_request, response) => {
      response.setHeader("content-type", "text/html");
      response.end(`<!doctype html><title>hostile</title><iframe src="${rig.demo.consoleUrl}"></iframe>`);
    });
    await once(hostile.listen(0, "127.0.0.1"), "listening");
    const { port } = hostile.address() as AddressInfo;
    try {
      await rig.page.goto(`http://127.0.0.1:${port}/`);
      const found = await rig.page.evaluate(
        async ({ url, consoleUrl }) => ({
          read: await fetch(consoleUrl).then(
            () => true,
            () => false,
          ),
          socket: await new Promise((resolve) => {
            const socket = new WebSocket(url, "station.v1");
            socket.onopen = () => resolve(true);
            socket.onerror = () => resolve(false);
          }),
        }),
        { url: rig.demo.agent.url, consoleUrl: rig.demo.consoleUrl },
      );
      expect(found).toEqual({ read: false, socket: false });
      expect(await rig.page.frames()[1]?.getByLabel("Your token").count()).toBe(0);
      expect(rig.complaints.join("\n")).toMatch(/frame-ancestors/);
      rig.complaints = [];
    } finally {
      hostile.close();
    }
  });

  test("in Vietnamese: the page, what the agent says, and the agent's hints, from the entrance on", async () => {
    await rig.anew({ locale: "vi-VN" });
    await heading("Trang kỹ thuật viên").waitFor();
    await usableScreen(rig.page, "console-vi-entrance");
    await button("English").click();
    await token().waitFor();
    await button("Tiếng Việt").click();
    await heading("Trang kỹ thuật viên").waitFor();
    await enter();
    await rig.page.getByText("demo đang phục vụ").waitFor();
    await act("receipt", "paperOut");
    await device("receipt").getByText("Lắp giấy và đóng nắp").waitFor();
    await device("receipt").getByRole("button", { name: "Thử" }).click();
    await dialog().getByRole("button", { name: "Cho trạm ngừng phục vụ" }).click();
    await rig.page.getByText("demo đang ngừng phục vụ").waitFor();
    await act("receipt", "refill");
    await dialog().getByRole("button", { name: "Trông đúng" }).click();
    await dialog().getByRole("heading", { name: "Hoạt động tốt (mô phỏng)" }).waitFor();
    await usableScreen(rig.page, "console-vi-test");
    await dialog().getByRole("button", { name: "Đóng" }).click();
    await button("Kiểm tra mọi thiết bị").click();
    await rig.page.getByText(/Cả \d+ mục đều tốt/).waitFor();
    for (const width of [360, 1280]) {
      await rig.page.setViewportSize({ width, height: 900 });
      await usableScreen(rig.page, `console-vi-${width}`);
      await wholePage(rig.page, `console-vi-whole-${width}`);
    }
    const shown = await rig.page.locator("main").textContent();
    expect(shown).not.toMatch(/undefined|\[object|\{\d/);
  });
});
