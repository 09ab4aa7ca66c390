import { execFileSync } from "node:child_process";
import { randomInt } from "node:crypto";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type RequestListener, request, type Server } from "node:http";
import { createServer as createSecureServer } from "node:https";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { asciiBytes } from "../kernel/bytes.js";
import { DeviceError } from "../kernel/errors.js";
import type { HttpLink, HttpNotice } from "../kernel/http.js";
import { http } from "./http.js";
import { LinkSettings } from "./settings.js";

const never = new AbortController().signal;
const NAME = "V400m-1.test.terminal";
const folder = mkdtempSync(join(tmpdir(), "stationd-http-"));
const pem = (name: string): string => join(folder, `${name}.pem`);
const openssl = (...args: string[]): void => void execFileSync("openssl", args, { stdio: "ignore", cwd: folder });

/** An authority `NAME`, and below it a certificate that names a terminal. */
function makeAuthority(name: string, ...subjects: readonly (readonly [file: string, subject: string, extension?: string])[]): void {
  const ec = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"];
  openssl("req", "-x509", ...ec, "-keyout", `${name}.key`, "-out", `${name}.pem`, "-subj", `/CN=${name}`, "-days", "2");
  for (const [file, subject, extension] of subjects) {
    writeFileSync(join(folder, "extension"), extension ?? "basicConstraints=CA:FALSE");
    openssl("req", ...ec, "-keyout", `${file}.key`, "-out", `${file}.csr`, "-subj", `/CN=${subject}`);
    const signing = ["-CA", `${name}.pem`, "-CAkey", `${name}.key`, "-CAcreateserial", "-extfile", "extension", "-days", "2"];
    openssl("x509", "-req", "-in", `${file}.csr`, "-out", `${file}.pem`, ...signing);
  }
}

const answering: RequestListener = (request, response) => {
  if (request.url === "/long") return response.end("x".repeat(5 * 1024 * 1024));
  if (request.url === "/moved") return response.writeHead(302, { location: "/" }).end();
  if (request.url === "/silent") return;
  if (request.url === "/cut") {
    response.writeHead(200, { "content-length": "10" }).write("x");
    return setImmediate(() => response.destroy());
  }
  request.pipe(response.writeHead(201, { location: "/jobs/1" }));
};

const servers: Server[] = [];
const links: HttpLink[] = [];
async function serve(certificate?: string): Promise<number> {
  const server = certificate
    ? createSecureServer({ cert: readFileSync(pem(certificate)), key: readFileSync(join(folder, `${certificate}.key`)) }, answering)
    : createServer(answering);
  servers.push(server);
  await once(server.listen(0, "127.0.0.1"), "listening");
  return (server.address() as AddressInfo).port;
}
async function open(settings: object, authority?: string): Promise<HttpLink> {
  const link = await http(LinkSettings.parse({ host: "127.0.0.1", ...settings }) as Parameters<typeof http>[0], authority)(never);
  links.push(link);
  return link;
}
const get = (path: string) => ({ method: "GET", path }) as const;
/** Of the 16 million addresses of this machine one where nobody else listens. */
const freeAddress = () => ({ host: `127.${randomInt(1, 255)}.${randomInt(256)}.${randomInt(1, 255)}`, port: 8_080 });

beforeAll(() => {
  makeAuthority(
    "ours",
    ["good", NAME],
    ["alternative", "other", `subjectAltName=DNS:${NAME}`],
    ["address", "x", "subjectAltName=IP:127.0.0.1"],
  );
  makeAuthority("theirs", ["foreign", NAME]);
});
afterAll(() => rmSync(folder, { recursive: true }));
afterEach(async () => {
  for (const link of links.splice(0)) await link.close();
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    await once(server.close(), "close");
  }
});

describe.each(["http", "https"])("over %s", (kind) => {
  const connected = async (): Promise<HttpLink> =>
    kind === "http"
      ? await open({ kind, port: await serve() })
      : await open({ kind, port: await serve("good"), caFile: pem("ours"), serverName: NAME });

  it("sends a body and gives the whole answer", async () => {
    const link = await connected();
    expect(link.description).toMatch(new RegExp(`^${kind} 127.0.0.1:\\d+$`));
    const answer = await link.send({ method: "POST", path: "/jobs", body: asciiBytes("scan") }, never);
    expect(answer).toMatchObject({ status: 201, headers: { location: "/jobs/1" } });
    expect(answer.body).toEqual(new Uint8Array(asciiBytes("scan")));
    // Each has a connection of its own, so they do not wait for each other.
    const silent = link.send(get("/silent"), never).catch((thrown: DeviceError) => thrown.kind);
    expect((await link.send(get("/"), never)).status).toBe(201);
    await link.close();
    expect(await silent).toBe("device_absent");
  });

  it("follows no redirect, and takes no more than its limit and no half answer", async () => {
    const link = await connected();
    expect((await link.send(get("/moved"), never)).status).toBe(302);
    await expect(link.send(get("/long"), never)).rejects.toMatchObject({ kind: "too_large" });
    await expect(link.send(get("/cut"), never)).rejects.toMatchObject({ kind: "device_absent", details: { sent: true } });
  });

  it("takes more where the request says so, and tells how much of a good answer has come", async () => {
    const link = await connected();
    const told: (readonly [bytes: number, ofBytes: number | undefined])[] = [];
    const heard = (bytes: number, ofBytes: number | undefined): void => void told.push([bytes, ofBytes]);
    const whole = 5 * 1024 * 1024;
    expect((await link.send({ ...get("/long"), mostBytes: whole, heard }, never)).body).toHaveLength(whole);
    expect(told.at(-1)).toEqual([whole, whole]);
    expect(told.length).toBeGreaterThan(1);
    told.length = 0;
    await expect(link.send({ ...get("/long"), mostBytes: whole - 1 }, never)).rejects.toMatchObject({ kind: "too_large" });
    const other = await link.send({ method: "POST", path: "/", body: asciiBytes("scan"), heard }, never);
    expect([other.status, other.body.length, told]).toEqual([201, 4, []]);
  });

  it("stops on abort, and after its end", async () => {
    const link = await connected();
    const controller = new AbortController();
    const reason = new DeviceError("timeout");
    const waiting = expect(link.send(get("/silent"), controller.signal)).rejects.toBe(reason);
    setImmediate(() => controller.abort(reason));
    await waiting;
    await expect(link.send(get("/"), AbortSignal.abort(reason))).rejects.toBe(reason);
    await link.close();
    await link.close();
    await expect(link.send(get("/"), never)).rejects.toMatchObject({ kind: "device_absent" });
  });

  it("knows that nothing left where nobody listens", async () => {
    const link = await open({ kind, ...freeAddress(), ...(kind === "http" ? {} : { caFile: pem("ours") }) });
    await expect(link.send(get("/"), never)).rejects.toMatchObject({ kind: "device_absent", details: { sent: false } });
  });
});

describe("certificates", () => {
  const send = async (certificate: string, settings: object, authority?: string) => {
    const link = await open({ kind: "https", port: await serve(certificate), caFile: pem("ours"), ...settings }, authority);
    return await link.send(get("/"), never);
  };
  const refusal = { kind: "device_fault", details: { sent: false } };

  it("are believed by name, as common or alternative name, whatever the address is", async () => {
    expect((await send("good", { serverName: NAME.toUpperCase() })).status).toBe(201);
    expect((await send("alternative", { serverName: NAME })).status).toBe(201);
  });

  it("are believed by address where no name is given", async () => {
    expect((await send("address", {})).status).toBe(201);
    await expect(send("good", {})).rejects.toMatchObject(refusal);
  });

  it("of another authority, or of another device, are refused before anything leaves", async () => {
    await expect(send("foreign", { serverName: NAME })).rejects.toMatchObject(refusal);
    await expect(send("good", { serverName: "V400m-2.test.terminal" })).rejects.toMatchObject({
      ...refusal,
      message: expect.stringMatching(/not that of/),
    });
    await expect(send("theirs", { serverName: "theirs" })).rejects.toMatchObject(refusal);
  });

  it("are believed by an authority that is handed over instead of the file", async () => {
    const theirs = readFileSync(pem("theirs"), "utf8");
    expect((await send("foreign", { serverName: NAME, caFile: "/nowhere" }, theirs)).status).toBe(201);
    await expect(send("good", { serverName: NAME }, theirs)).rejects.toMatchObject(refusal);
  });

  it("need an authority that can be read", async () => {
    await expect(open({ kind: "https", port: 1, caFile: join(folder, "missing.pem") })).rejects.toMatchObject({
      kind: "device_fault",
      message: expect.stringMatching(/missing\.pem cannot be read \(ENOENT\)/),
    });
    writeFileSync(pem("nonsense"), "no certificate");
    await expect(send("good", { serverName: NAME, caFile: pem("nonsense") })).rejects.toMatchObject(refusal);
  });

  it("of a far end that speaks no TLS are missed", async () => {
    const link = await open({ kind: "https", port: await serve(), caFile: pem("ours") });
    await expect(link.send(get("/"), never)).rejects.toMatchObject({ details: { sent: false } });
  });
});

describe("notices", () => {
  /** The status of the answer, or undefined where the connection ends without one. */
  const tell = (at: { host: string; port: number }, body: string): Promise<number | undefined> =>
    new Promise((resolve) => {
      const sending = request({ ...at, path: "/display", method: "POST", agent: false }, (answer) => {
        answer.resume();
        resolve(answer.statusCode);
      });
      sending.on("error", () => resolve(undefined));
      sending.end(body);
    });

  it("reach the listener, are bounded, and end with the link", async () => {
    const listen = freeAddress();
    const link = await open({ kind: "http", port: 1, listen });
    expect(await tell(listen, "early")).toBe(404);
    const heard: HttpNotice[] = [];
    link.onNotice((notice) => {
      heard.push(notice);
      if (notice.body.length === 1) throw new RangeError("a fault of the driver's");
      return 200;
    });
    expect(await tell(listen, "hello")).toBe(200);
    expect(heard).toEqual([{ path: "/display", body: new Uint8Array(asciiBytes("hello")) }]);
    expect(await tell(listen, "x".repeat(300 * 1024))).toBe(undefined);
    expect(await tell(listen, "x")).toBe(undefined);
    expect(heard).toHaveLength(2);
    await expect(open({ kind: "http", port: 1, listen })).rejects.toMatchObject({ kind: "busy" });
    await link.close();
    expect(await tell(listen, "late")).toBe(undefined);
  });
});
