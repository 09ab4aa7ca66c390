import { createServer, type Server } from "node:http";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { asciiBytes } from "../kernel/bytes.js";
import { DeviceError } from "../kernel/errors.js";
import { httpSender } from "./http.js";

const never = new AbortController().signal;
const send = httpSender({ maxBodyBytes: 1_000 });
let server: Server;
let base: string;

beforeEach(async () => {
  server = createServer((request, response) => {
    if (request.url === "/long") return response.end("x".repeat(2_000));
    if (request.url === "/moved") return response.writeHead(302, { location: "/long" }).end();
    if (request.url === "/silent") return;
    if (request.url === "/cut") {
      response.writeHead(200, { "content-length": "10" }).write("x");
      return setImmediate(() => response.destroy());
    }
    request.pipe(response.writeHead(201, { location: "/jobs/1" }));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  base = `http://127.0.0.1:${address && typeof address === "object" ? address.port : 0}`;
});
afterEach(() => {
  server.closeAllConnections();
  return new Promise((resolve) => server.close(resolve));
});

describe("httpSender", () => {
  it("sends a body and gives the whole answer", async () => {
    const answer = await send({ method: "POST", url: new URL("/jobs", base), body: asciiBytes("scan") }, never);
    expect(answer.status).toBe(201);
    expect(answer.headers.location).toBe("/jobs/1");
    expect(answer.body).toEqual(asciiBytes("scan"));
  });

  it("follows no redirect", async () => {
    expect((await send({ method: "GET", url: new URL("/moved", base) }, never)).status).toBe(302);
  });

  it("takes no more than its limit, and no half answer", async () => {
    await expect(send({ method: "GET", url: new URL("/long", base) }, never)).rejects.toMatchObject({ kind: "too_large" });
    await expect(send({ method: "GET", url: new URL("/cut", base) }, never)).rejects.toMatchObject({ kind: "device_absent" });
  });

  it("stops on abort", async () => {
    const controller = new AbortController();
    const reason = new DeviceError("timeout");
    const waiting = expect(send({ method: "GET", url: new URL("/silent", base) }, controller.signal)).rejects.toBe(reason);
    setImmediate(() => controller.abort(reason));
    await waiting;
    await expect(send({ method: "GET", url: new URL("/", base) }, AbortSignal.abort(reason))).rejects.toBe(reason);
  });

  it("says device_absent where nobody listens", async () => {
    await expect(send({ method: "GET", url: new URL("http://127.0.0.1:1/") }, never)).rejects.toMatchObject({ kind: "device_absent" });
  });
});
