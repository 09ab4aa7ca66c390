import { verify } from "node:crypto";
import { once } from "node:events";
import { createServer, type IncomingHttpHeaders, request, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, beforeEach, expect, it } from "vitest";
import { createDemoBank, type DemoBank } from "./demo-bank.js";
import { demoPage } from "./demo-page.js";

const AGENT = "ws://127.0.0.1:7870/v1";
let server: Server;
let origin: string;
let port: number;
let minted: number;
let bank: DemoBank;

beforeEach(async () => {
  minted = 0;
  bank = createDemoBank(() => 1_700_000_000_000);
  const origins: string[] = [];
  server = createServer(
    demoPage({ origins, since: 5, bank, agent: () => ({ url: AGENT, mintSimulatorToken: () => `token-${++minted}` }) }),
  );
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  ({ port } = server.address() as AddressInfo);
  origin = `http://127.0.0.1:${port}`;
  origins.push(origin);
});
afterEach(async () => {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
});

/** By hand, because `fetch` tidies paths and sets some headers itself. */
function ask(
  path: string,
  { method = "GET", headers = {}, body: content }: { method?: string; headers?: Record<string, string>; body?: string } = {},
) {
  return new Promise<{ status: number; headers: IncomingHttpHeaders; body: string }>((resolve, reject) => {
    const sent = request({ host: "127.0.0.1", port, path, method, headers }, async (response) => {
      let body = "";
      for await (const chunk of response) body += String(chunk);
      resolve({ status: response.statusCode ?? 0, headers: response.headers, body });
    });
    sent.on("error", reject).end(content);
  });
}

it("serves the page, the compiled client and the fonts with their types, and lets the page reach its agent only", async () => {
  const index = await ask("/?from=test");
  expect(index).toMatchObject({ status: 200, headers: { "content-type": "text/html; charset=utf-8", "cache-control": "no-store" } });
  expect(index.headers["content-security-policy"]).toContain(`default-src 'self'; connect-src 'self' ${AGENT}; img-src 'self' blob:`);
  expect((await ask("/stationd/client/index.js")).headers["content-type"]).toBe("text/javascript; charset=utf-8");
  expect((await ask("/stationd/protocol/version.js")).status).toBe(200);
  expect((await ask("/fonts/be-vietnam-pro-vietnamese-400-normal.woff2")).headers["content-type"]).toBe("font/woff2");
  expect(JSON.parse((await ask("/station.json")).body)).toEqual({ url: AGENT, demo: true, since: 5 });
  expect(await ask("/", { method: "HEAD" })).toMatchObject({ status: 200, body: "" });
});

it.each([
  "/../../package.json",
  "/..%2f..%2fpackage.json",
  "/stationd/client/../server/server.js",
  "/stationd/client/%2e%2e/agent.js",
  "/stationd/client/index.js%00.css",
  "/fonts/../package.json",
  "//etc/passwd",
  "/%",
  "/nothing.html",
  "/screens/",
])("has nothing at %s", async (path) => {
  expect((await ask(path)).status).toBe(404);
});

it("answers under its own name only", async () => {
  expect((await ask("/", { headers: { host: "rebound.example" } })).status).toBe(421);
  expect((await ask("/", { method: "PUT" })).status).toBe(405);
});

it("hands simulator tokens to its own page only, each once", async () => {
  const token = (headers: Record<string, string>, method = "POST") => ask("/simulator-token", { method, headers });
  for (const headers of [
    {},
    { origin: "https://elsewhere.example" },
    { origin: "null" },
    { origin, "sec-fetch-site": "cross-site" },
    { origin, "sec-fetch-site": "same-site" },
  ] as Record<string, string>[]) {
    expect((await token(headers)).status).toBe(403);
  }
  expect((await token({ origin }, "GET")).status).toBe(405);
  expect((await token({ origin, host: "rebound.example" })).status).toBe(421);
  expect(minted).toBe(0);
  expect(JSON.parse((await token({ origin, "sec-fetch-site": "same-origin" })).body)).toEqual({ token: "token-1" });
  expect(JSON.parse((await token({ origin })).body)).toEqual({ token: "token-2" });
});

/** An invented account; the purpose is DCS0000TEST. */
const CODE = "00020101021238540010A00000072701240006999999011000000000000208QRIBFTTA530370454061234565802VN62150811DCS0000TEST6304ABCD";

it("plays the bank and the back-end: what is transferred is signed, in the bank's own words", async () => {
  const paid = await ask("/bank/transfers", { method: "POST", headers: { origin }, body: JSON.stringify({ payload: CODE }) });
  expect(JSON.parse(paid.body)).toMatchObject({ transfers: [{ amountVnd: 123_456 }] });
  await ask("/bank/transfers", { method: "POST", headers: { origin }, body: JSON.stringify({ payload: CODE, amountVnd: 5 }) });
  const { confirmations } = JSON.parse((await ask("/bank/confirmations?after=0")).body) as { confirmations: string[] };
  const claims = confirmations.map((jws) => {
    const [header = "", body = "", signature = ""] = jws.split(".");
    expect(verify(null, Buffer.from(`${header}.${body}`), bank.publicKey, Buffer.from(signature, "base64url"))).toBe(true);
    return JSON.parse(Buffer.from(body, "base64url").toString()) as { purpose: string; amountVnd: number; transactionId: string };
  });
  expect(claims.map(({ amountVnd }) => amountVnd)).toEqual([123_456, 5]);
  expect(new Set(claims.map(({ transactionId }) => transactionId)).size).toBe(2);
  expect(claims[0]?.purpose.toUpperCase()).toContain("DCS0000TEST");
  expect(JSON.parse((await ask("/bank/confirmations?after=1")).body)).toMatchObject({ confirmations: [expect.any(String)] });
});

it("takes transfers from its own page only, and only of a code", async () => {
  const transfer = (headers: Record<string, string>, body: string) => ask("/bank/transfers", { method: "POST", headers, body });
  const good = JSON.stringify({ payload: CODE });
  for (const headers of [{}, { origin: "https://elsewhere.example" }, { origin, "sec-fetch-site": "cross-site" }] as Record<
    string,
    string
  >[]) {
    expect((await transfer(headers, good)).status).toBe(403);
  }
  expect((await transfer({ origin, host: "rebound.example" }, good)).status).toBe(421);
  const bad = ["", "{", "[]", JSON.stringify({ payload: "HS-2026-000123" }), JSON.stringify({ payload: CODE, amountVnd: 0.5 })];
  for (const body of [...bad, JSON.stringify({ payload: CODE, more: 1 }), " ".repeat(5_000) + good]) {
    expect([body.slice(0, 40), (await transfer({ origin }, body)).status]).toEqual([body.slice(0, 40), 400]);
  }
  expect(bank.ledger()).toEqual([]);
  expect((await ask("/bank/confirmations?after=-1")).status).toBe(400);
  expect((await ask("/bank/confirmations?after=0", { headers: { "sec-fetch-site": "cross-site" } })).status).toBe(403);
  expect((await ask("/bank/transfers")).status).toBe(404);
});
