import { expect, it } from "vitest";
import { at, KEY, openDisplay, payment, SALE_ID, withBench } from "./client.test.support.js";

const OK = "Response.Result";
const WHY = "Response.ErrorCondition";
const TRANSACTION = "POIData.POITransactionID";

it("a payment: what the terminal answers, and what the bank has booked", async () => {
  await withBench({}, [], async (bench) => {
    const told = await bench.pay(50_000);
    expect(at(told, OK)).toBe("Success");
    expect(at(told, "PaymentResult.AmountsResp")).toEqual({ AuthorizedAmount: 50_000, Currency: "VND" });
    expect(at(told, "PaymentResult.PaymentInstrumentData.CardData.MaskedPan")).toBe("970436 **** 0018");
    expect(at(told, "SaleData.SaleTransactionID.TransactionID")).toBe("BILL-1");
    expect(at(told, `${TRANSACTION}.TransactionID`)).toMatch(/^[A-Z0-9]{4}\d{15}\.[A-Z0-9]{16}$/);
    expect(new URLSearchParams(String(at(told, "Response.AdditionalResponse"))).get("pspReference")).toBe(
      String(at(told, `${TRANSACTION}.TransactionID`)).split(".")[1],
    );
    expect(at(told, "PaymentReceipt.1.OutputContent.OutputText.2.Text")).toBe("name=Card%20No&value=970436%20****%200018&key=pan");
    expect(bench.terminal.ledger()).toMatchObject([
      { kind: "sale", amountVnd: 50_000, net: 50_000, hostApproved: true, serviceId: "1", saleId: SALE_ID, card: "napas" },
    ]);
    expect(bench.terminal.state()).toMatchObject({
      procedure: null,
      sales: 1,
      netVnd: 50_000,
      cardInside: false,
      lastStatus: "TENDER_FINAL",
    });
    expect(JSON.stringify(bench.terminal.state())).not.toMatch(/0018|970436|BILL|napas/);
    // No card number, however masked its field is.
    expect(bench.heard).not.toMatch(/\b\d{13,19}\b/);
  });
});

it("what the cardholder and the host can do", async () => {
  await withBench({ cardholder: "manual" }, [], async (bench) => {
    const paying = async (acts: readonly [string, unknown?][]): Promise<unknown> => {
      const told = bench.pay();
      for (const [name, params] of acts) {
        await bench.until(
          () => bench.terminal.state().step === (name === "present" ? "accepted" : "card-presented") || name === "cancelByCustomer",
        );
        await bench.act(name, params);
      }
      return await told;
    };
    expect(at(await paying([["present", { card: "visa" }], ["approve"]]), OK)).toBe("Success");
    expect(bench.kinds()).toEqual(["sale 50000"]);
    await bench.act("removeCard");
    const poor = await paying([["present"], ["decline", { reason: "210 Not enough balance" }]]);
    expect([at(poor, OK), at(poor, WHY)]).toEqual(["Failure", "Refusal"]);
    expect(at(poor, "Response.AdditionalResponse")).toContain("refusalReason=210%20Not%20enough%20balance");
    expect(at(poor, TRANSACTION)).toBeDefined();
    await bench.act("removeCard");
    expect(at(await paying([["present"], ["wrongPin"], ["wrongPin"], ["wrongPin"]]), WHY)).toBe("WrongPIN");
    await bench.act("removeCard");
    expect(at(await paying([["present"], ["wrongPin"], ["approve"]]), OK)).toBe("Success");
    await bench.act("removeCard");
    expect(at(await paying([["cancelByCustomer"]]), WHY)).toBe("Cancel");
    // Nobody comes, or nobody types.
    expect(at(await bench.passing(bench.pay(), 1_000), WHY)).toBe("Cancel");
    await bench.act("present");
    expect(at(await bench.passing(bench.pay(), 1_000), WHY)).toBe("Cancel");
    expect(bench.kinds()).toEqual(["sale 50000", "sale 0", "sale 0", "sale 50000"]);
  });
});

it("a status request: in progress, ended, unknown, the last one, and with its own number", async () => {
  await withBench({ cardholder: "manual" }, [], async (bench) => {
    const paying = bench.send("Payment", payment(70_000), { serviceId: "pay-1" });
    await bench.until(() => bench.terminal.state().step === "accepted");
    const early = await bench.status("pay-1");
    expect([at(early, OK), at(early, WHY), at(early, "MessageReference.ServiceID")]).toEqual(["Failure", "InProgress", "pay-1"]);
    await bench.act("present");
    await bench.act("approve");
    const told = at((await bench.passing(paying)).open(), "PaymentResponse");
    const late = await bench.status("pay-1");
    expect([at(late, OK), at(late, WHY)]).toEqual(["Success", undefined]);
    expect(at(late, "RepeatedMessageResponse.RepeatedResponseMessageBody.PaymentResponse")).toEqual(told);
    expect(at(late, "RepeatedMessageResponse.MessageHeader")).toMatchObject({
      ServiceID: "pay-1",
      MessageType: "Response",
      SaleID: SALE_ID,
    });
    expect(at(await bench.status("pay-2"), WHY)).toBe("NotFound");
    const reference = { ServiceID: "pay-1", SaleID: SALE_ID, MessageCategory: "Reversal" };
    expect(at(await bench.ask("TransactionStatus", { MessageReference: reference }), WHY)).toBe("NotFound");
    expect(at(await bench.ask("TransactionStatus", {}), "MessageReference.ServiceID")).toBe("pay-1");
    // Somebody else's payment of the same number is another one.
    expect(at(await bench.status("pay-1", { saleId: "STATION-2" }), OK)).toBe("Success");
    const other = { MessageReference: { ServiceID: "pay-1" } };
    expect(at(await bench.ask("TransactionStatus", other, { saleId: "STATION-2" }), WHY)).toBe("NotFound");
  });
});

it("an abort has an empty answer, stops a payment whose host was not asked, and does nothing later", async () => {
  await withBench({ cardholder: "manual" }, [], async (bench) => {
    const abort = (serviceId: string) =>
      bench.send("Abort", { AbortReason: "MerchantAbort", MessageReference: { ServiceID: serviceId, MessageCategory: "Payment" } });
    const paying = bench.send("Payment", payment(50_000), { serviceId: "a" });
    await bench.until(() => bench.terminal.state().step === "accepted");
    expect([(await abort("b")).text, bench.terminal.state().procedure]).toEqual(["", "Payment"]);
    const answer = await abort("a");
    expect([answer.status, answer.text]).toEqual([200, ""]);
    const told = at((await bench.passing(paying)).open(), "PaymentResponse");
    expect([at(told, OK), at(told, WHY)]).toEqual(["Failure", "Aborted"]);

    const late = bench.send("Payment", payment(50_000), { serviceId: "c" });
    await bench.until(() => bench.terminal.state().step === "accepted");
    await bench.act("present");
    await bench.act("approve");
    await bench.until(() => bench.terminal.state().step === "host-asked");
    await abort("c");
    expect(at((await bench.passing(late)).open(), "PaymentResponse.Response.Result")).toBe("Success");
    expect(bench.kinds()).toEqual(["sale 50000"]);
  });
});

it("a reversal takes a payment back once, and finds only what there is", async () => {
  await withBench({}, [], async (bench) => {
    const paid = at(await bench.pay(), TRANSACTION);
    const reversal = (of: unknown, more = {}) =>
      bench.ask("Reversal", { OriginalPOITransaction: { POITransactionID: of }, ReversalReason: "MerchantCancel", ...more });
    expect(at(await reversal({ TransactionID: "XXXX.YYYY", TimeStamp: "2026-01-01T00:00:00Z" }), WHY)).toBe("NotFound");
    expect(at(await reversal(paid, { ReversedAmount: 1 }), WHY)).toBe("NotAllowed");
    const told = await reversal(paid);
    expect([at(told, OK), at(told, "ReversedAmount")]).toEqual(["Success", 50_000]);
    expect(at(await reversal(paid), WHY)).toBe("NotAllowed");
    expect(bench.kinds()).toEqual(["sale 50000", "reversal -50000"]);
    expect(bench.terminal.state()).toMatchObject({ netVnd: 0, reversals: 1 });
  });
});

it("a second payment while one runs is Busy, and the first does not notice", async () => {
  await withBench({ cardholder: "manual" }, [], async (bench) => {
    const first = bench.send("Payment", payment(50_000));
    await bench.until(() => bench.terminal.state().step === "accepted");
    expect(at(await bench.ask("Diagnosis", {}), "POIStatus.GlobalStatus")).toBe("Busy");
    expect(at(await bench.pay(60_000), WHY)).toBe("Busy");
    await bench.act("present");
    await bench.act("approve");
    expect(at((await bench.passing(first)).open(), "PaymentResponse.Response.Result")).toBe("Success");
    expect(bench.kinds()).toEqual(["sale 50000"]);
    expect(at(await bench.ask("Diagnosis", {}), "POIStatus.GlobalStatus")).toBe("OK");
  });
});

it("a connection that ends does not stop the payment: only a status request tells", async () => {
  await withBench({}, [], async (bench) => {
    const leaving = new AbortController();
    const paying = bench.send("Payment", payment(50_000), { serviceId: "gone", signal: leaving.signal });
    await bench.until(() => bench.terminal.state().step === "accepted");
    leaving.abort();
    await expect(paying).rejects.toThrow();
    await bench.until(() => bench.terminal.state().connections === 0);
    await bench.clock.advance(1_000);
    expect(bench.kinds()).toEqual(["sale 50000"]);
    expect(at(await bench.status("gone"), "RepeatedMessageResponse.RepeatedResponseMessageBody.PaymentResponse.Response.Result")).toBe(
      "Success",
    );
  });
});

it("a ServiceID is good for one request in 48 hours, whatever it was for", async () => {
  for (const duplicateServiceId of ["reject", "message-format"] as const) {
    await withBench({ duplicateServiceId }, [], async (bench) => {
      const first = await bench.pay(50_000, { serviceId: "same" });
      const again = (await bench.passing(bench.send("Payment", payment(50_000), { serviceId: "same" }))).open();
      if (duplicateServiceId === "reject") expect(at(again, "EventNotification.EventToNotify")).toBe("Reject");
      else expect(at(again, "PaymentResponse.Response.ErrorCondition")).toBe("MessageFormat");
      expect(bench.kinds()).toEqual(["sale 50000"]);
      // The first one's end is still known.
      const told = await bench.status("same");
      expect(at(told, "RepeatedMessageResponse.RepeatedResponseMessageBody.PaymentResponse")).toEqual(first);
      await bench.clock.advance(49 * 3_600_000);
      expect(at(await bench.pay(50_000, { serviceId: "same" }), OK)).toBe("Success");
    });
  }
});

it("what it does not understand or does not like", async () => {
  await withBench({}, [], async (bench) => {
    const bad = await bench.ask("Payment", { SaleData: {} });
    expect([at(bad, WHY), String(at(bad, "Response.AdditionalResponse"))]).toEqual([
      "MessageFormat",
      expect.stringContaining("errors=At%20"),
    ]);
    for (const amount of [0, -1, 0.5, 1e300, "50000"]) {
      expect(at(await bench.ask("Payment", payment(amount as number)), WHY)).toBe("MessageFormat");
    }
    expect(at(await bench.ask("Payment", payment(50_000, {}, "USD")), WHY)).toBe("NotAllowed");
    for (const category of ["Login", "Logout", "GetTotals", "Reconciliation", "constructor"]) {
      expect(at(await bench.ask(category, {}), WHY)).toBe("NotAllowed");
    }
    const foreign = await bench.passing(bench.send("Payment", payment(50_000), { poiId: "V400m-1" }));
    expect(at(foreign.open(), "EventNotification.EventDetails")).toBe("message=Unknown%20POIID");
    const long = await bench.passing(bench.send("Payment", payment(50_000), { serviceId: "12345678901" }));
    expect([long.status, long.text]).toEqual([400, expect.stringContaining("ServiceID")]);
    const statusOf = async (asked: Parameters<typeof bench.send>[2]): Promise<number> =>
      (await bench.passing(bench.send("Diagnosis", {}, asked))).status;
    expect(await statusOf({ path: "/" })).toBe(404);
    expect(await statusOf({ method: "PUT" })).toBe(405);
    expect(await statusOf({ text: (sealed) => sealed + " ".repeat(300 * 1024) })).toBe(413);
    expect(bench.kinds()).toEqual([]);
    expect(bench.terminal.state().unknownCommands).toBe(6);
  });
});

it("what is not sealed with the shared key gets an HTTP 401 with the number of a crypto error", async () => {
  await withBench({}, [], async (bench) => {
    const told = async (asked: Parameters<typeof bench.send>[2]): Promise<unknown[]> => {
      const { status, outside } = await bench.passing(bench.send("Payment", payment(50_000), { serviceId: "k", ...asked }));
      return [status, at(outside, "errors.0"), at(outside, "ServiceID")];
    };
    const error = (code: number, serviceId = "k") => [401, `Nexo Service: crypto error (${code})`, serviceId];
    expect(await told({ text: () => "{" })).toEqual(error(1, "-NULL-"));
    expect(await told({ key: { ...KEY, KeyVersion: 2 } })).toEqual(error(2));
    expect(await told({ plain: true })).toEqual(error(3));
    expect(await told({ text: (sealed) => sealed.replace(/"SaleID":"[^"]*"/, '"SaleID":"ANOTHER"') })).toEqual(error(3));
    expect(await told({ key: { ...KEY, Passphrase: "wrong" } })).toEqual(error(9));
    expect(await told({ key: { ...KEY, KeyIdentifier: "other" } })).toEqual(error(9));
    expect(await told({ text: (sealed) => sealed.replace(/"Hmac":"[^"]*"/, `"Hmac":"${"A".repeat(43)}="`) })).toEqual(error(9));
    expect(await told({ text: (sealed) => sealed.replace(/"Nonce":"[^"]*"/, '"Nonce":"AAAA"') })).toEqual(error(9));
    expect(bench.terminal.ledger()).toEqual([]);
  });
  await withBench({ plain: true }, [], async (bench) => {
    const told = await bench.passing(bench.send("Payment", payment(50_000), { plain: true }));
    expect(at(told.outside, "SaleToPOIResponse.PaymentResponse.Response.Result")).toBe("Success");
    expect((await bench.passing(bench.send("Payment", payment(50_000)))).status).toBe(400);
    expect(bench.kinds()).toEqual(["sale 50000"]);
  });
});

it("display notifications, in order and sealed, for payments that ask for them", async () => {
  const display = await openDisplay();
  try {
    await withBench({ notifyUrl: display.url }, [], async (bench) => {
      await bench.pay();
      const json = Buffer.from(JSON.stringify({ tenderOption: "AskGratuity,ReceiveDisplayNotifications" })).toString("base64");
      for (const wish of ["tenderOption=ReceiveDisplayNotifications", json]) {
        display.bodies.length = 0;
        const told = await bench.ask("Payment", payment(50_000, { SaleToAcquirerData: wish }));
        await bench.until(() => display.bodies.length >= 6);
        const references = display.references();
        expect(references.map((text) => new URLSearchParams(text).get("event"))).toEqual([
          "TENDER_CREATED",
          "CARD_INSERTED",
          "WAIT_FOR_PIN",
          "PIN_ENTERED",
          "CARD_REMOVED",
          "TENDER_FINAL",
        ]);
        expect(references.at(-1)).toContain("&result=APPROVED");
        const tender = String(at(told, `${TRANSACTION}.TransactionID`)).split(".")[0];
        expect(references.every((text) => new URLSearchParams(text).get("TransactionID") === tender)).toBe(true);
        expect(display.bodies.join("")).not.toMatch(/CARD_INSERTED|DisplayOutput/);
      }
    });
  } finally {
    await display.close();
  }
});

it("a display that does not answer, or is not there, holds up nothing", async () => {
  const mute = await openDisplay(() => false);
  try {
    await withBench({ notifyUrl: mute.url }, [], async (bench) => {
      const told = await bench.ask("Payment", payment(50_000, { SaleToAcquirerData: "tenderOption=ReceiveDisplayNotifications" }));
      expect(at(told, OK)).toBe("Success");
    });
  } finally {
    await mute.close();
  }
  await withBench({ notifyUrl: mute.url }, [], async (bench) => {
    const told = await bench.ask("Payment", payment(50_000, { SaleToAcquirerData: "tenderOption=ReceiveDisplayNotifications" }));
    expect(at(told, OK)).toBe("Success");
  });
});

it("unplugged it lets nobody in, reset it is as new, and a slow cardholder is slow", async () => {
  await withBench({}, [], async (bench) => {
    await bench.pay();
    await bench.act("unplug");
    await expect(bench.passing(bench.send("Diagnosis", {}))).rejects.toThrow();
    await bench.act("plug");
    await bench.act("slow", { ms: 20_000 });
    const slow = bench.send("Payment", payment(60_000));
    await bench.until(() => bench.terminal.state().step === "accepted");
    await bench.clock.advance(15_000);
    expect(bench.terminal.state().step).toBe("accepted");
    await bench.act("reset");
    await expect(bench.passing(slow)).rejects.toThrow();
    expect(bench.terminal.state()).toMatchObject({ sales: 0, netVnd: 0, procedure: null });
    expect(at(await bench.status("1"), WHY)).toBe("NotFound");
    expect(at(await bench.pay(), OK)).toBe("Success");
    expect(bench.kinds()).toEqual(["sale 50000"]);
  });
});
