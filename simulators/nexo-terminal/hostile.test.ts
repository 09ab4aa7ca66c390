import { connect } from "node:net";
import { connect as connectTls } from "node:tls";
import fc from "fast-check";
import { expect, it } from "vitest";
import { at, openBench, payment } from "./client.test.support.js";

it("any bytes instead of TLS, and instead of HTTP: it is still there for the next one", async () => {
  const bench = await openBench();
  try {
    const told = async (bytes: Uint8Array, secure: boolean): Promise<void> => {
      const ended = new Promise<void>((resolve) => {
        const socket = secure
          ? connectTls({ host: "127.0.0.1", port: bench.port, rejectUnauthorized: false })
          : connect(bench.port, "127.0.0.1");
        socket.on("error", () => {}).on("close", () => resolve());
        socket.resume().end(bytes);
      });
      await bench.passing(ended);
    };
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 400 }), fc.boolean(), async (bytes, secure) => await told(bytes, secure)),
      { numRuns: 60 },
    );
    await told(Buffer.from(`POST /nexo/ HTTP/1.1\r\nhost: t\r\ncontent-length: 100\r\n\r\n{"SaleToPOIRequest":`), true);
    await told(Buffer.from("POST /nexo/ HTTP/1.1\r\nhost: t\r\ncontent-length: 3\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n"), true);
    expect(at(await bench.pay(), "Response.Result")).toBe("Success");
    await bench.until(() => bench.terminal.state().connections === 0);
    expect(bench.kinds()).toEqual(["sale 50000"]);
  } finally {
    await bench.close();
  }
});

it("any JSON as a request, sealed or not: an answer, and no booking that was not asked for", async () => {
  const bench = await openBench();
  try {
    const words = fc.constantFrom("Payment", "Reversal", "TransactionStatus", "Abort", "Diagnosis", "__proto__", "", "Login");
    await fc.assert(
      fc.asyncProperty(words, fc.jsonValue({ maxDepth: 4 }), fc.boolean(), async (category, body, plain) => {
        const answer = await bench.passing(bench.send(category, body, { plain }));
        expect([200, 400, 401]).toContain(answer.status);
      }),
      { numRuns: 150 },
    );
    const raw = fc.oneof(
      fc.jsonValue().map((value) => JSON.stringify(value)),
      fc.record({ SaleToPOIRequest: fc.jsonValue() }).map((value) => JSON.stringify(value)),
      fc.string(),
    );
    await fc.assert(
      fc.asyncProperty(raw, async (text) => {
        expect((await bench.passing(bench.post(text, {}))).status).toBe(401);
      }),
      { numRuns: 100 },
    );
    expect(bench.kinds()).toEqual([]);
    expect(bench.terminal.state().procedure).toBe(null);
  } finally {
    await bench.close();
  }
}, 60_000);

it("whatever the sale system and the cardholder do, the books stay sound", async () => {
  const acts = fc.constantFrom("present", "approve", "decline", "wrongPin", "cancelByCustomer", "removeCard");
  const piece = fc.oneof(
    { weight: 4, arbitrary: fc.record({ pay: fc.integer({ min: 1, max: 1_000_000 }), leave: fc.boolean() }) },
    { weight: 3, arbitrary: acts.map((act) => ({ act })) },
    { weight: 4, arbitrary: fc.constantFrom(50, 100, 70_000).map((ms) => ({ ms })) },
    { weight: 1, arbitrary: fc.constant({ reverse: true }) },
    { weight: 1, arbitrary: fc.constant({ abort: true }) },
  );
  let sales = 0;
  await fc.assert(
    fc.asyncProperty(fc.array(piece, { maxLength: 20, size: "max" }), fc.constantFrom("auto", "manual"), async (pieces, cardholder) => {
      const bench = await openBench({ cardholder });
      const pending: Promise<unknown>[] = [];
      let asked = 0;
      try {
        for (const one of pieces) {
          if ("act" in one) await bench.act(one.act);
          else if ("ms" in one) await bench.clock.advance(one.ms);
          else if ("pay" in one) {
            const leaving = new AbortController();
            const before = bench.terminal.state().procedure;
            let over = false;
            const paying = bench.send("Payment", payment(one.pay), { serviceId: `p${asked++}`, signal: leaving.signal });
            pending.push(paying.catch(() => {}).finally(() => (over = true)));
            // One that was cancelled before it began is over at once.
            if (before === null) await bench.until(() => over || bench.terminal.state().procedure !== null);
            if (one.leave) leaving.abort();
          } else if ("abort" in one) {
            const wish = { AbortReason: "MerchantAbort", MessageReference: { ServiceID: `p${asked - 1}` } };
            await bench.passing(bench.send("Abort", wish));
          } else {
            const TransactionID = bench.terminal.ledger().at(-1)?.transactionId ?? "X.Y";
            const POITransactionID = { TransactionID, TimeStamp: "2026-01-01T00:00:00Z" };
            pending.push(bench.send("Reversal", { OriginalPOITransaction: { POITransactionID }, ReversalReason: "MerchantCancel" }));
          }
        }
        await bench.act("cancelByCustomer");
        await bench.passing(Promise.allSettled(pending), 5_000);
        await bench.clock.advance(600_000);
        const net = bench.terminal.ledger().reduce((sum, entry) => sum + entry.net, 0);
        expect(net).toBeGreaterThanOrEqual(0);
        expect(bench.terminal.ledger().filter(({ kind }) => kind === "sale").length).toBeLessThanOrEqual(asked);
        expect(new Set(bench.terminal.ledger().map(({ serviceId }) => serviceId)).size).toBe(bench.terminal.ledger().length);
        expect(bench.terminal.state()).toMatchObject({ procedure: null, netVnd: net });
        sales += bench.terminal.state().sales as number;
      } finally {
        await bench.close();
        await Promise.allSettled(pending);
      }
    }),
    { numRuns: 30 },
  );
  // It was about something.
  expect(sales).toBeGreaterThan(0);
}, 60_000);
