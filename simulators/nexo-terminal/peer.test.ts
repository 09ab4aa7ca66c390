import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type client from "@adyen/api-library/lib/src/client.js";
import type config from "@adyen/api-library/lib/src/config.js";
import type localApi from "@adyen/api-library/lib/src/services/terminalLocalAPI.js";
import { expect, it } from "vitest";
import { at, type Bench, KEY, POI_ID, payment, SALE_ID, withBench } from "./client.test.support.js";

// Only what is needed: the whole library takes seconds to load.
const require = createRequire(import.meta.url);
const { default: Client } = require("@adyen/api-library/lib/src/client.js") as typeof client;
const { EnvironmentEnum } = require("@adyen/api-library/lib/src/config.js") as typeof config & {
  EnvironmentEnum: { TEST: NonNullable<ConstructorParameters<typeof config.default>[0]>["environment"] };
};
const { default: TerminalLocalAPI } = require("@adyen/api-library/lib/src/services/terminalLocalAPI.js") as typeof localApi;
type Wish = Parameters<InstanceType<typeof TerminalLocalAPI>["request"]>[0];

/** Adyen's own client, believing this terminal's authority. */
async function withPeer(
  trial: (bench: Bench, ask: (category: string, serviceId: string, body: unknown) => Promise<unknown>) => Promise<void>,
) {
  const folder = await mkdtemp(join(tmpdir(), "stationd-nexo-"));
  const certificatePath = join(folder, "ca.pem");
  try {
    await withBench({ cardholder: "manual" }, [], async (bench) => {
      await writeFile(certificatePath, bench.terminal.authority);
      const made = new Client({
        apiKey: "none",
        environment: EnvironmentEnum.TEST,
        certificatePath,
        // The library appends ":8443/nexo/", which ends here as a query that it leaves out.
        terminalApiLocalEndpoint: `https://127.0.0.1:${bench.port}/nexo/?`,
      } as ConstructorParameters<typeof Client>[0]);
      const api = new TerminalLocalAPI(made);
      await trial(bench, (category, ServiceID, body) => {
        const MessageHeader = {
          ProtocolVersion: "3.0",
          MessageClass: "Service",
          MessageCategory: category,
          MessageType: "Request",
          ServiceID,
          SaleID: SALE_ID,
          POIID: POI_ID,
        };
        return api.request({ SaleToPOIRequest: { MessageHeader, [`${category}Request`]: body } } as unknown as Wish, KEY);
      });
    });
  } finally {
    await rm(folder, { recursive: true });
  }
}

it("Adyen's own client pays, asks, aborts and reverses here", async () => {
  await withPeer(async (bench, ask) => {
    const paying = ask("Payment", "1", payment(50_000));
    await bench.until(() => bench.terminal.state().step === "accepted");
    const status = { MessageReference: { ServiceID: "1", SaleID: SALE_ID, MessageCategory: "Payment" } };
    const early = await ask("TransactionStatus", "2", status);
    expect(at(early, "SaleToPOIResponse.TransactionStatusResponse.Response.ErrorCondition")).toBe("InProgress");
    await bench.act("present");
    await bench.act("approve");
    const paid = at(await bench.passing(paying), "SaleToPOIResponse.PaymentResponse");
    expect(at(paid, "Response.Result")).toBe("Success");
    expect(at(paid, "PaymentResult.AmountsResp.AuthorizedAmount")).toBe(50_000);
    expect(at(paid, "PaymentReceipt.0.OutputContent.OutputFormat")).toBe("Text");
    await bench.act("removeCard");

    const late = at(await ask("TransactionStatus", "3", status), "SaleToPOIResponse.TransactionStatusResponse");
    const body = "RepeatedMessageResponse.RepeatedResponseMessageBody.PaymentResponse";
    expect(at(late, `${body}.POIData.POITransactionID.TransactionID`)).toBe(at(paid, "POIData.POITransactionID.TransactionID"));

    const second = ask("Payment", "4", payment(60_000));
    await bench.until(() => bench.terminal.state().step === "accepted");
    const aborted = await ask("Abort", "5", {
      AbortReason: "MerchantAbort",
      MessageReference: { ServiceID: "4", SaleID: SALE_ID, MessageCategory: "Payment" },
    });
    expect(at(aborted, "SaleToPOIResponse")).toBeUndefined();
    expect(at(await bench.passing(second), "SaleToPOIResponse.PaymentResponse.Response.ErrorCondition")).toBe("Aborted");

    const { TransactionID } = at(paid, "POIData.POITransactionID") as { TransactionID: string };
    const reversal = {
      OriginalPOITransaction: { POITransactionID: { TransactionID, TimeStamp: "2026-01-01T00:00:00.000Z" } },
      ReversalReason: "MerchantCancel",
    };
    const reversed = await bench.passing(ask("Reversal", "6", reversal));
    expect(at(reversed, "SaleToPOIResponse.ReversalResponse.Response.Result")).toBe("Success");
    expect(bench.kinds()).toEqual(["sale 50000", "reversal -50000"]);
  });
});

it("Adyen's own client believes neither another authority, nor an expired certificate, nor a wrong Hmac", async () => {
  await withPeer(async (bench, ask) => {
    for (const fault of ["foreign-certificate", "expired-certificate"]) {
      await bench.act("inject", { fault });
      await expect(ask("Diagnosis", `a-${fault.length}`, {})).rejects.toThrow(/certificate/i);
    }
    await bench.act("inject", { fault: "bad-hmac" });
    await expect(ask("Diagnosis", "b", {})).rejects.toThrow(/Hmac/);
    expect(at(await ask("Diagnosis", "c", {}), "SaleToPOIResponse.DiagnosisResponse.Response.Result")).toBe("Success");
  });
});
