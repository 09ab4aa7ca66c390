import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { afterEach, beforeEach, describe, expect, expectTypeOf, it } from "vitest";
import { type WebSocket, WebSocketServer } from "ws";
import { nodePlatform } from "./node.js";
import type { Payment, PayOptions } from "./pay.js";
import { createConnect, type StationClient } from "./station.js";

interface Request {
  readonly id: number;
  readonly method: string;
  readonly params: Record<string, unknown>;
}

const bill = { amountVnd: 482_000, reference: "PE05-7", idempotencyKey: "bill-00000001" };
const job = (fields: object) => ({
  kind: "payment",
  job: "j",
  ...bill,
  device: "terminal",
  createdAt: 1,
  updatedAt: 1,
  ...fields,
});
const approved = job({ state: "approved", final: true });
const waiting = job({ state: "in_progress", final: false });

/** An agent by hand: what it answers is the test's. */
async function scriptedAgent() {
  const server = new WebSocketServer({ port: 0, host: "127.0.0.1", handleProtocols: () => "station.v1" });
  await once(server, "listening");
  const seen: Request[] = [];
  let last: WebSocket | undefined;
  const send = (message: object): void => last?.send(JSON.stringify({ jsonrpc: "2.0", ...message }));
  const agent = {
    url: `ws://127.0.0.1:${(server.address() as AddressInfo).port}/v1`,
    seen,
    of: (method: string) => seen.filter((request) => request.method === method),
    script: (_request: Request): void => {},
    result: ({ id }: { id: number }, result: unknown) => send({ id, result }),
    error: ({ id }: { id: number }, kind: string) =>
      send({ id, error: { code: -32000, message: kind, data: { kind, retryable: false, hint: "" } } }),
    notify: (method: string, params: unknown) => send({ method, params }),
    drop: () => last?.terminate(),
    async stop() {
      for (const socket of server.clients) socket.terminate();
      await new Promise((resolve) => server.close(resolve));
    },
  };
  server.on("connection", (socket) => {
    last = socket;
    socket.on("message", (data) => {
      const request = JSON.parse(String(data)) as Request;
      seen.push(request);
      if (request.method === "session.hello") {
        return agent.result(request, { mode: "production", session: "s", role: "kiosk", devices: [], limits: {} });
      }
      if (request.method === "events.subscribe") return agent.result(request, { state: { jobs: [] } });
      if (request.method.startsWith("events.")) return agent.result(request, {});
      agent.script(request);
    });
  });
  return agent;
}

const real = nodePlatform();
const connectStation = createConnect({ ...real, after: (ms, callback) => real.after(ms < 5_000 ? 1 : ms, callback) });

let agent: Awaited<ReturnType<typeof scriptedAgent>>;
let client: StationClient;
beforeEach(async () => {
  agent = await scriptedAgent();
  client = await connectStation({ url: agent.url, client: { name: "test", version: "1" } });
});
afterEach(async () => {
  client.close();
  await agent.stop();
});

const asksToStop = (): Request | undefined => agent.of("rpc.cancel")[0];

describe("a payment that is followed", () => {
  it("answers how it ended, with its stages and its changes on the way, and listens no more afterwards", async () => {
    const [stages, states]: [string[], string[]] = [[], []];
    agent.script = (request) => {
      agent.notify("rpc.progress", { id: request.id, stage: "present_card" });
      agent.notify("event", { topic: "jobs", data: job({ state: "unknown", final: false }), seq: 1, time: 1 });
      agent.notify("event", { topic: "jobs", data: { ...waiting, idempotencyKey: "of-another-bill" }, seq: 2, time: 1 });
      agent.notify("event", { topic: "jobs", data: { ...approved, kind: "print" }, seq: 3, time: 1 });
      agent.result(request, { ...approved, receiptLines: ["APPROVED"] });
    };
    const options: PayOptions = { onProgress: ({ stage }) => stages.push(stage), onJob: ({ state }) => states.push(state) };
    const payment = await client.jobs.pay(bill, options);
    expect(payment).toMatchObject({ state: "approved", receiptLines: ["APPROVED"] });
    expectTypeOf(payment).toEqualTypeOf<Payment>();
    expect([stages, states]).toEqual([["present_card"], ["unknown"]]);
    expect(agent.of("paymentTerminal.pay").map(({ params }) => params)).toEqual([bill]);
    while (agent.of("events.unsubscribe").length === 0) await new Promise((resolve) => setImmediate(resolve));
  });

  it("looks first, after a lost connection, whether the agent has it, and goes on with the same key", async () => {
    let pays = 0;
    agent.script = (request) => {
      if (request.method === "jobs.get") return agent.result(request, waiting);
      pays += 1;
      if (pays < 3) return agent.drop();
      agent.result(request, approved);
    };
    const states: string[] = [];
    expect(await client.jobs.pay(bill, { onJob: ({ state }) => states.push(state) })).toMatchObject({ state: "approved" });
    expect(agent.of("paymentTerminal.pay").map(({ params }) => params)).toEqual([bill, bill, bill]);
    expect(agent.of("jobs.get")).toHaveLength(2);
    expect(new Set(states)).toEqual(new Set(["in_progress"]));
  });

  it("keeps nothing of each time it asked: the platform warns of no listeners", async () => {
    const warnings: string[] = [];
    const onWarning = ({ name }: Error): void => void warnings.push(name);
    process.on("warning", onWarning);
    let pays = 0;
    agent.script = (request) => agent.result(request, request.method === "jobs.get" || ++pays < 20 ? waiting : approved);
    expect(await client.jobs.pay(bill)).toMatchObject({ state: "approved" });
    await new Promise((resolve) => setImmediate(resolve));
    process.off("warning", onWarning);
    expect(warnings).toEqual([]);
  });

  it("begins what never arrived, under the same key", async () => {
    let pays = 0;
    agent.script = (request) => {
      if (request.method === "jobs.get") return agent.error(request, "job_not_found");
      if (pays++ === 0) return agent.drop();
      agent.result(request, approved);
    };
    expect(await client.jobs.pay(bill)).toMatchObject({ state: "approved" });
    expect(agent.of("paymentTerminal.pay").map(({ params }) => params)).toEqual([bill, bill]);
  });

  it("is asked for until it has ended, also where it may not be joined: nothing but its own record says how it ended", async () => {
    let looks = 0;
    agent.script = (request) => {
      if (request.method === "paymentTerminal.pay") return agent.error(request, "maintenance");
      looks += 1;
      agent.result(request, looks < 4 ? job({ state: "resolving", final: false }) : job({ state: "not_charged", final: true }));
    };
    expect(await client.jobs.pay(bill)).toMatchObject({ state: "not_charged" });
  });

  it("takes no trouble of the agent's for a no: it asks again until the agent can say", async () => {
    let looks = 0;
    agent.script = (request) => {
      if (request.method === "paymentTerminal.pay") return agent.drop();
      looks += 1;
      if (looks < 3) return agent.error(request, "journal_unavailable");
      agent.result(request, approved);
    };
    expect(await client.jobs.pay(bill)).toMatchObject({ state: "approved" });
    expect(agent.of("paymentTerminal.pay")).toHaveLength(1);
  });

  it("never takes a refusal for the end of a payment that it has seen", async () => {
    let looks = 0;
    agent.script = (request) => {
      if (request.method === "paymentTerminal.pay") return looks === 0 ? agent.drop() : agent.error(request, "rate_limited");
      looks += 1;
      if (looks === 1) return agent.result(request, waiting);
      if (looks < 5) return agent.error(request, "rate_limited");
      agent.result(request, approved);
    };
    expect(await client.jobs.pay(bill)).toMatchObject({ state: "approved" });
  });

  it("does not say that there is none where the agent has lost one that was seen", async () => {
    let looks = 0;
    agent.script = (request) => {
      if (request.method === "paymentTerminal.pay") return agent.drop();
      looks += 1;
      if (looks === 1) return agent.result(request, waiting);
      agent.error(request, "job_not_found");
    };
    await expect(client.jobs.pay(bill)).rejects.toMatchObject({ kind: "internal" });
    expect(agent.of("paymentTerminal.pay")).toHaveLength(2);
  });

  it("hands a refusal on where the agent has no such payment", async () => {
    agent.script = (request) => agent.error(request, request.method === "jobs.get" ? "job_not_found" : "payment_unresolved");
    await expect(client.jobs.pay(bill)).rejects.toMatchObject({ kind: "payment_unresolved" });
    agent.script = (request) => agent.error(request, "idempotency_conflict");
    await expect(client.jobs.pay(bill)).rejects.toMatchObject({ kind: "idempotency_conflict" });
    expect(agent.of("paymentTerminal.pay")).toHaveLength(2);
  });
});

describe("a page that was loaded again", () => {
  it("follows what the agent has", async () => {
    agent.script = (request) => agent.result(request, request.method === "jobs.get" ? waiting : approved);
    expect(await client.jobs.pay(bill, { resume: true })).toMatchObject({ state: "approved" });
    agent.script = (request) => agent.result(request, approved);
    expect(await client.jobs.pay(bill, { resume: true })).toMatchObject({ state: "approved" });
    expect(agent.of("paymentTerminal.pay")).toHaveLength(1);
  });

  it("begins nothing by itself", async () => {
    agent.script = (request) => agent.error(request, "job_not_found");
    await expect(client.jobs.pay(bill, { resume: true })).rejects.toMatchObject({ kind: "job_not_found" });
    expect(agent.of("paymentTerminal.pay")).toEqual([]);
  });

  it("takes no print job for a payment", async () => {
    agent.script = (request) => agent.result(request, { ...approved, kind: "print" });
    await expect(client.jobs.pay(bill, { resume: true })).rejects.toMatchObject({ kind: "idempotency_conflict" });
  });
});

describe("cancel", () => {
  it("asks the terminal once, and stays until the terminal has said how it ended", async () => {
    const cancel = new AbortController();
    let first: Request | undefined;
    agent.script = (request) => {
      if (request.method === "rpc.cancel") return agent.result(request.params as { id: number }, waiting);
      if (request.method === "jobs.get") return agent.result(request, waiting);
      if (first) return agent.result(request, approved);
      first = request;
      cancel.abort();
    };
    expect(await client.jobs.pay(bill, { cancel: cancel.signal })).toMatchObject({ state: "approved" });
    expect(agent.of("rpc.cancel")).toHaveLength(1);
    expect(agent.of("paymentTerminal.pay")).toHaveLength(2);
  });

  it("reaches the terminal although the connection was lost in between", async () => {
    const cancel = new AbortController();
    let pays = 0;
    agent.script = (request) => {
      if (request.method === "jobs.get") return agent.result(request, waiting);
      if (request.method === "rpc.cancel") return agent.result(request.params as { id: number }, job({ state: "cancelled", final: true }));
      pays += 1;
      if (pays > 1) return;
      cancel.abort();
      agent.drop();
    };
    expect(await client.jobs.pay(bill, { cancel: cancel.signal })).toMatchObject({ state: "cancelled" });
    expect(asksToStop()).toBeDefined();
  });

  it("begins nothing that was cancelled before the agent had it", async () => {
    await expect(client.jobs.pay(bill, { cancel: AbortSignal.abort() })).rejects.toMatchObject({ kind: "canceled" });
    const cancel = new AbortController();
    agent.script = (request) => {
      if (request.method === "jobs.get") return agent.error(request, "job_not_found");
      cancel.abort();
      agent.drop();
    };
    await expect(client.jobs.pay(bill, { cancel: cancel.signal })).rejects.toMatchObject({ kind: "canceled" });
    expect(agent.of("paymentTerminal.pay").length).toBeLessThan(2);
  });
});

describe("the signal", () => {
  it("ends the following and stops nothing", async () => {
    const leave = new AbortController();
    agent.script = () => agent.notify("event", { topic: "jobs", data: waiting, seq: 1, time: 1 });
    const payment = await client.jobs.pay(bill, { signal: leave.signal, onJob: () => leave.abort() });
    expect(payment).toMatchObject({ state: "in_progress", final: false });
    expect(asksToStop()).toBeUndefined();
    await expect(client.jobs.pay(bill, { signal: leave.signal })).rejects.toMatchObject({ kind: "canceled" });
    expect(agent.of("paymentTerminal.pay")).toHaveLength(1);
  });

  it("is not needed where the client is closed", async () => {
    agent.script = () => client.close();
    await expect(client.jobs.pay(bill)).rejects.toMatchObject({ kind: "connection_lost" });
  });
});
