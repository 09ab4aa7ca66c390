import { describe, expect, test } from "vitest";
import type { PaymentJob } from "../../src/protocol/payment-terminal.js";
import { TEST_CODE } from "../../src/technician/test-page.js";
import { leaks } from "../support/canary.js";
import { chromiumHere, picture } from "./browser.js";
import { consoleRig, DESK, inked, TELEPHONE } from "./console-rig.js";
import { usableScreen } from "./watched.js";

const here = chromiumHere();

describe.skipIf(!here)("the technicians' console in a browser, against the demo", { timeout: 120_000 }, () => {
  const rig = consoleRig();
  const { button, heading, dialog, device, token, act, technician, kiosk, enter, outOfService, tested, stored } = rig;

  test("a wrong token is told and opens nothing; the right one does, by keyboard; a reload and signing out forget it", async () => {
    await heading("Technicians’ console").waitFor();
    await usableScreen(rig.page, "console-0-entrance");
    await token().fill("0123456789abcdef0123456789abcdef");
    await rig.page.keyboard.press("Enter");
    await rig.page.getByRole("alert").getByText("This is not a valid token of a technician").waitFor();
    await picture(rig.page, "console-0-wrong-token");
    expect(await heading("Devices").count()).toBe(0);

    await enter();
    await rig.page.getByText("demo is in service").waitFor();
    await rig.page.getByText("BẢN THỬ · DEMO").waitFor();
    await rig.page.getByText("7 of 7 can work").waitFor();
    expect(await stored()).not.toContain(rig.demo.technicianToken);
    expect(await rig.page.content()).not.toContain(rig.demo.technicianToken);
    await usableScreen(rig.page, "console-1-all");

    await rig.page.reload();
    await token().waitFor();
    expect(await token().inputValue()).toBe("");
    await enter();
    await button("Sign out").click();
    await token().waitFor();
    expect(await token().inputValue()).toBe("");
    expect(await rig.page.content()).not.toContain(rig.demo.technicianToken);
    expect(JSON.parse(await stored())).toEqual([{}, {}, "", [], [], null, rig.demo.consoleUrl]);
  });

  test("devices are live: one that is pulled out says so with what to do, and comes back; its error stays told", async () => {
    await enter();
    await act("receipt", "unplug");
    await device("receipt")
      .getByText(/^absent$/)
      .waitFor();
    await device("receipt").getByText("Check the cable").waitFor();
    await act("documents", "jam");
    await device("documents")
      .getByText(/^attention$/)
      .waitFor();
    await rig.page.getByRole("link", { name: "Devices 2" }).waitFor();
    await usableScreen(rig.page, "console-2-trouble");
    await rig.page.setViewportSize(TELEPHONE);
    await usableScreen(rig.page, "console-2-trouble-narrow");
    await rig.page.setViewportSize(DESK);
    await button("Check all devices").click();
    await rig.page.getByText(/\d+ of \d+ checks are not good/).waitFor();
    await usableScreen(rig.page, "console-2-checks");
    await act("documents", "clearJam");
    await act("receipt", "plug");
    await device("receipt")
      .getByText(/^ready$/)
      .waitFor();
    await device("receipt")
      .getByText(/ago: .*Check the cable/)
      .waitFor();
    await device("documents")
      .getByText(/^ready$/)
      .waitFor();
  });

  test("out of service not while a citizen is there; then the test page comes out and its picture is shown; back in service nothing is", async () => {
    await enter();
    const paper = rig.page.locator("#paper canvas");
    const seen = rig.page.locator("#camera canvas");
    for (const name of ["Show the test page", "Print it …", "Take a picture", "Live picture"]) {
      expect([name, await button(name).isDisabled()]).toEqual([name, true]);
    }
    {
      await using citizen = await kiosk();
      await citizen.client.call("devices.claim", { device: "camera", ttlMs: 60_000 });
      await device("receipt").getByRole("button", { name: "Test" }).click();
      await dialog().getByRole("button", { name: "Take the station out of service" }).click();
      await dialog().getByText("A citizen is at the station").waitFor();
      await picture(rig.page, "console-3-citizen");
      await rig.page.keyboard.press("Escape");
      // Whoever works with the keyboard is where they were.
      expect(await rig.page.evaluate(() => document.activeElement?.getAttribute("aria-label"))).toBe("Test receipt");
      await button("Take out of service …").click();
      await dialog().getByRole("button", { name: "Take it out of service" }).click();
      await rig.page.getByRole("alert").getByText("A citizen is at the station").waitFor();
      await rig.page.getByText("demo is in service").waitFor();
      await citizen.client.call("session.endCitizen", {});
    }

    await device("receipt").getByRole("button", { name: "Test" }).click();
    await dialog().getByRole("button", { name: "Take the station out of service" }).click();
    await dialog().getByRole("button", { name: "It looks right" }).waitFor();
    const shown = dialog().getByRole("img", { name: "The test page as it should come out" });
    expect(await shown.evaluate((canvas) => (canvas as HTMLCanvasElement).width)).toBe(576);
    expect(rig.demo.agent.simulation?.get("receipt")?.state().receipts).toBe(1);
    await usableScreen(rig.page, "console-3-test-page");
    await dialog().getByRole("button", { name: "It looks right" }).click();
    await tested("receipt", "It works (simulated)");
    await rig.page.getByText("demo is out of service").waitFor();

    await button("Show the test page").click();
    await rig.page.getByText(/576 × \d+ dots/).waitFor();
    expect(await inked(paper)).toBe(true);
    await button("Take a picture").click();
    await rig.page.getByText(/1280 × 720 pixels/).waitFor();
    expect(await inked(seen)).toBe(true);
    await button("Live picture").click();
    await expect.poll(async () => Number(await seen.getAttribute("data-pictures"))).toBeGreaterThan(3);
    await usableScreen(rig.page, "console-4-pictures");
    await rig.page.setViewportSize(TELEPHONE);
    await usableScreen(rig.page, "console-4-pictures-narrow");
    await rig.page.setViewportSize(DESK);

    // By another way than this rig.page.
    await using other = await technician();
    await other.client.call("agent.maintenance", { on: false });
    await rig.page.getByText("Out of service only: no citizen is seen from here.").waitFor();
    for (const canvas of [paper, seen]) expect(await canvas.evaluate((element) => (element as HTMLCanvasElement).width)).toBe(0);
    const { previews } = await other.client.call("camera.stats", {});
    expect(previews).toEqual([]);
    expect(JSON.parse(await stored())).toEqual([{}, {}, "", [], [], null, rig.demo.consoleUrl]);
  });

  test("each device is tried as stationd test does it, and what a citizen's code says is nowhere", async () => {
    await enter();
    await outOfService();
    const test = async (id: string): Promise<void> => {
      await device(id).getByRole("button", { name: "Test" }).click();
      await heading(`Test ${id}`).waitFor();
    };
    await test("scanner");
    await dialog()
      .getByRole("img", { name: `QR code: ${TEST_CODE}` })
      .waitFor();
    await rig.page.getByText("Show this code to the scanner").waitFor();
    await picture(rig.page, "console-test-scanner-waiting");
    await act("scanner", "scan", { text: TEST_CODE });
    await tested("scanner", "It works (simulated)");

    const planted = { name: "Trần Thị Bí Mật", number: "001190012345", street: "Ngõ 7 Phố Kín" };
    await test("scanner");
    await rig.page.getByText("Show this code to the scanner").waitFor();
    await act("scanner", "scan", { text: `${planted.number}|190012345|${planted.name}|15081990|Nữ|${planted.street}, Hà Nội|01052021` });
    await dialog().getByText("It works, but read an ID card of").waitFor();
    await tested("scanner-card", "It does not work as it should");

    await test("id-reader");
    await dialog().getByText("Lay any card on the reader").waitFor();
    await act("id-reader", "insert", { person: "A" });
    await dialog().getByText("A contactless chip with a number of the moment").waitFor();
    await tested("id-reader", "It works (simulated)");

    await act("documents", "loadFeeder", { sheets: [{}] });
    await test("documents");
    await dialog().getByRole("button", { name: "Scan it" }).click();
    await dialog().getByText("There is something on it.").waitFor();
    await tested("documents", "It works (simulated)");

    await act("camera", "dark", { on: true });
    await test("camera");
    await dialog().getByText("It is dark").waitFor();
    await tested("camera", "It does not work as it should");

    await test("terminal");
    await dialog().getByRole("button", { name: "Charge 1.000 đ" }).click();
    await dialog().getByText("Reversal of 1.000 đ: taken back.").waitFor();
    await tested("terminal", "It works (simulated)");
    await test("vietqr");
    await dialog().getByText("cannot give money back").waitFor();
    await tested("vietqr", "It cannot be tried");

    const everything = Buffer.from((await rig.page.content()) + (await stored()));
    expect(leaks(everything, planted)).toEqual([]);
    expect(leaks(Buffer.from(`x${planted.name}`), planted).length).toBeGreaterThan(0);
    await button("Sign out").click();
    await dialog().getByRole("heading", { name: "The station is still out of service" }).waitFor();
    await dialog().getByRole("button", { name: "Back in service, and sign out" }).click();
    await token().waitFor();
    await using other = await technician();
    expect((await other.client.call("agent.describe", {})).maintenance).toBe(false);
  });

  test("a trace is live, and names what passes without what is in it", async () => {
    await enter();
    await rig.page.getByRole("combobox", { name: "Device" }).selectOption("receipt");
    await button("Start").click();
    await rig.page.getByText("Showing receipt …").waitFor();
    await using citizen = await kiosk();
    const document = { blocks: [{ type: "text" as const, text: "Bí mật 4711" }] };
    await citizen.client.call("printer.print", { device: "receipt", document, idempotencyKey: `console-${Date.now()}` });
    const lines = rig.page.getByRole("log", { name: "What passes" });
    await lines.locator('[data-from="agent"]').first().waitFor();
    await lines.locator('[data-from="device"]').first().waitFor();
    expect(await lines.textContent()).not.toContain("4711");
    await usableScreen(rig.page, "console-5-trace");
    await button("Stop").click();
    await rig.page.getByText("Stopped.").waitFor();
    await button("Clear").click();
    expect(await lines.locator("[data-from]").count()).toBe(0);
    await citizen.client.call("session.endCitizen", {});
  });

  test("a payment under review is settled with a reason, after asking", async () => {
    await enter();
    await rig.page.getByText("Nothing to settle").waitFor();
    const { job, settled } = await underReview();
    const card = rig.page.locator(`[data-job="${job}"]`);
    await card.getByText("For a person to review").waitFor();
    await card.getByText("Transfer ").waitFor();
    await card.scrollIntoViewIfNeeded();
    await rig.page.getByRole("link", { name: "Payments to settle 1" }).waitFor();
    await usableScreen(rig.page, "console-6-payment");
    await card.getByRole("button", { name: "Settle …" }).click();
    // Nothing was chosen: the browser itself asks for it.
    expect(await dialog().count()).toBe(0);
    await card.getByRole("radio", { name: "It was not charged" }).check();
    await card.getByRole("textbox").fill("statement 17");
    await card.getByRole("button", { name: "Settle …" }).click();
    expect(await dialog().count()).toBe(0);
    await card.getByRole("textbox").fill("statement-17");
    await card.getByRole("button", { name: "Settle …" }).click();
    await dialog().getByText("by statement-17").waitFor();
    await picture(rig.page, "console-6-settle");
    await rig.page.keyboard.press("Escape");
    expect(await settled()).toBe("manual_review");
    await card.getByRole("button", { name: "Settle …" }).click();
    await dialog().getByRole("button", { name: "Settle it" }).click();
    await rig.page.getByText("is settled: it was not charged.").waitFor();
    await card.waitFor({ state: "detached" });
    expect(await settled()).toBe("not_charged");
  });

  /** A transfer of less than was asked for. */
  const underReview = async (): Promise<{ job: string; settled(): Promise<string> }> => {
    await using citizen = await kiosk();
    const { client } = citizen;
    const idempotencyKey = `console-${Date.now()}-review`;
    const shown = new Promise<PaymentJob>((resolve) => {
      void client.subscribe(["jobs"], (update) => {
        if (update.kind === "event" && update.data.kind === "payment" && update.data.code) resolve(update.data);
      });
    });
    const paid = client.call("paymentTerminal.pay", { method: "vietqr", amountVnd: 250_000, reference: "HD-2026-17", idempotencyKey });
    const { code, job } = await shown;
    const body = JSON.stringify({ payload: code?.payload, amountVnd: 25_000 });
    await fetch(`${rig.demo.pageUrl}bank/transfers`, { method: "POST", headers: { origin: new URL(rig.demo.pageUrl).origin }, body });
    const answer = await fetch(`${rig.demo.pageUrl}bank/confirmations?after=0`);
    const { confirmations } = (await answer.json()) as { confirmations: string[] };
    for (const confirmation of confirmations) await client.call("paymentTerminal.confirm", { device: "vietqr", confirmation });
    expect((await paid).state).toBe("manual_review");
    await client.call("session.endCitizen", {});
    const settled = async (): Promise<string> => {
      await using again = await kiosk();
      return (await again.client.call("jobs.get", { idempotencyKey })).state;
    };
    return { job, settled };
  };
});
