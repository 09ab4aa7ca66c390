import { existsSync, readFileSync } from "node:fs";
import { request } from "node:http";
import { renderSVG } from "uqr";
import { describe, expect, it } from "vitest";
import { TEST_CODE } from "../technician/test-page.js";
import { fakeStation, kindOf, ORIGIN, rawRequest, sha256, startFixture, TECHNICIAN_TOKEN } from "./fixture.js";

const KIOSK_TOKEN = "kiosk-token-0123456789abcdef";
const tokens = [
  { name: "anna", role: "technician" as const, sha256: sha256(TECHNICIAN_TOKEN) },
  { name: "tool", role: "kiosk" as const, sha256: sha256(KIOSK_TOKEN) },
];
const withConsole = { settings: { console: true, tokens } };

/** By hand, because `fetch` tidies paths. */
function ask(port: number, path: string, method = "GET") {
  return new Promise<{ status: number; headers: Record<string, unknown>; body: string }>((resolve, reject) => {
    request({ host: "127.0.0.1", port, path, method }, async (response) => {
      let body = "";
      for await (const chunk of response) body += String(chunk);
      resolve({ status: response.statusCode ?? 0, headers: response.headers, body });
    })
      .on("error", reject)
      .end();
  });
}

describe("the console's files", () => {
  it("are not there unless the configuration says so, and come and go with a reload", async () => {
    await using fixture = await startFixture();
    const { port } = fixture.server;
    for (const path of ["/console", "/console/", "/console/console.css", "/console/page/main.js"]) {
      expect([path, (await ask(port, path)).status]).toEqual([path, 404]);
    }
    fixture.server.update({ ...fixture.settings, console: true });
    expect((await ask(port, "/console/")).status).toBe(200);
    fixture.server.update(fixture.settings);
    expect((await ask(port, "/console/")).status).toBe(404);
  });

  it("are served without a token, may be framed by nobody, and reach nothing but their own agent", async () => {
    await using fixture = await startFixture(withConsole);
    const { port } = fixture.server;
    const page = await ask(port, "/console/?from=test");
    expect(page).toMatchObject({
      status: 200,
      headers: {
        "content-type": "text/html; charset=utf-8",
        "cache-control": "no-store",
        "x-content-type-options": "nosniff",
        "referrer-policy": "no-referrer",
        "cross-origin-resource-policy": "same-origin",
        "cross-origin-opener-policy": "same-origin",
      },
    });
    const policy = String(page.headers["content-security-policy"]).split("; ");
    expect(policy).toContain("default-src 'none'");
    expect(policy).toContain("frame-ancestors 'none'");
    expect(policy).toContain("script-src 'self'");
    expect(policy).toContain(`connect-src 'self' ws://127.0.0.1:${port} wss://127.0.0.1:${port}`);
    expect(policy.join()).not.toMatch(/unsafe|\*|data:|blob:/);
    expect(page.headers).not.toHaveProperty("access-control-allow-origin");
    expect((await ask(port, "/console")).headers.location).toBe("/console/");
    expect((await ask(port, "/console/fonts/be-vietnam-pro-vietnamese-400-normal.woff2")).headers["content-type"]).toBe("font/woff2");
    expect(await ask(port, "/console/", "HEAD")).toMatchObject({ status: 200, body: "" });
    expect((await ask(port, "/console/", "POST")).status).toBe(405);
    expect(await rawRequest(port, "GET /console/ HTTP/1.1\r\nHost: evil.example\r\n\r\n")).toContain("403");
  });

  it.each([
    "/console/../package.json",
    "/console/..%2f..%2fpackage.json",
    "/console/page/../server/server.js",
    "/console/page/%2e%2e/agent.js",
    "/console/page/..js",
    "/console/page//etc/passwd.js",
    "/console/server/server.js",
    "/console/constructor/main.js",
    "/console/__proto__/main.js",
    "/console/page/main.ts",
    "/console/page/main.js.map",
    "/console/page/main.js%00.css",
    "/console/nothing.html",
    "/console/page/",
    "/console/%",
    "/consoles",
    "/console.html",
  ])("hold nothing at %s", async (path) => {
    await using fixture = await startFixture(withConsole);
    expect((await ask(fixture.server.port, path)).status).toBe(404);
  });

  it("are all that the page's modules import, and need no Node", async () => {
    await using fixture = await startFixture(withConsole);
    const seen = new Map<string, string>();
    const visit = async (path: string): Promise<void> => {
      if (seen.has(path)) return;
      const { status, headers, body } = await ask(fixture.server.port, path);
      expect([path, status, headers["content-type"]]).toEqual([path, 200, "text/javascript; charset=utf-8"]);
      seen.set(path, body);
      for (const [, name = ""] of body.matchAll(/^\s*(?:import|export)\s[^;]*?from\s+"([^"]+)"|^\s*import\s+"([^"]+)"/gm)) {
        expect(name, path).toMatch(/^\.{1,2}\/.+\.js$/);
        await visit(new URL(name, `http://here${path}`).pathname);
      }
      for (const [, name = ""] of body.matchAll(/\bimport\("(\.[^"]+)"\)/g)) await visit(new URL(name, `http://here${path}`).pathname);
    };
    await visit("/console/page/main.js");
    expect([...seen.keys()]).toEqual(expect.arrayContaining(["/console/client/index.js", "/console/languages/vi/index.js"]));
    expect([...seen.values()].join("\n")).not.toMatch(/\brequire\(|\bprocess\.|\bBuffer\b|innerHTML|localStorage|sessionStorage/);
  });

  it("show the very code that a scanner's test expects", async () => {
    await using fixture = await startFixture(withConsole);
    expect((await ask(fixture.server.port, "/console/test-code.svg")).body.trim()).toBe(renderSVG(TEST_CODE, { border: 4 }));
  });

  it("are in the package: the folder of those that are not compiled is listed", () => {
    const { files } = JSON.parse(readFileSync("package.json", "utf8")) as { files: string[] };
    expect(files).toContain("src/console/static");
    expect(existsSync("src/console/static/index.html")).toBe(true);
  });
});

describe("the console's origin", () => {
  const origins = (port: number): string[] => [`http://127.0.0.1:${port}`, `http://localhost:${port}`, `http://[::1]:${port}`];

  it("gets a socket where the console is on, and a technician's token opens it", async () => {
    await using off = await startFixture({ settings: { tokens } });
    for (const origin of origins(off.server.port)) await expect(off.open({ origin })).rejects.toThrow("403");
    await using fixture = await startFixture(withConsole);
    for (const origin of origins(fixture.server.port)) {
      const { hello } = await fixture.connect({ token: TECHNICIAN_TOKEN }, { origin });
      expect(hello.result?.role).toBe("technician");
    }
  });

  it("is nobody by itself: no token, a kiosk's, a simulator's or a wrong one open nothing", async () => {
    await using fixture = await startFixture({ ...withConsole, simulatorTokens: ["spend-me"] });
    const [origin] = origins(fixture.server.port);
    for (const token of [undefined, KIOSK_TOKEN, "spend-me", "guess"]) {
      const { hello, client } = await fixture.connect(token === undefined ? {} : { token }, { origin });
      expect([token, kindOf(hello)]).toEqual([token, "unauthorized"]);
      expect((await client.closed).code).toBe(1008);
    }
    // The one-time token was not spent there.
    expect((await fixture.connect({ token: "spend-me" })).hello.result?.role).toBe("simulator");
  });

  it("is nobody by itself where it is also listed as a kiosk's", async () => {
    const port = await freePort();
    await using fixture = await startFixture({ settings: { ...withConsole.settings, port, origins: [`http://127.0.0.1:${port}`] } });
    expect(kindOf((await fixture.connect({}, { origin: `http://127.0.0.1:${port}` })).hello)).toBe("unauthorized");
  });

  it("is exact: a hostile page gets no socket, with a technician's token neither", async () => {
    await using fixture = await startFixture(withConsole);
    const { port } = fixture.server;
    for (const origin of [
      "https://evil.example",
      `http://evil.example:${port}`,
      `http://127.0.0.1:${port}.evil.example`,
      `https://127.0.0.1:${port}`,
      "http://127.0.0.1",
      `http://127.0.0.1:${port + 1}`,
      "null",
    ]) {
      await expect(fixture.open({ origin }), origin).rejects.toThrow("403");
    }
    // The listed page is what it was.
    expect((await fixture.connect({}, { origin: ORIGIN })).hello.result?.role).toBe("kiosk");
  });

  it("whoever tries wrong tokens there is not listened to for a while", async () => {
    await using fixture = await startFixture(withConsole);
    const [origin] = origins(fixture.server.port);
    const kinds: unknown[] = [];
    for (let guess = 0; guess < 12; guess++) kinds.push(kindOf((await fixture.connect({ token: `guess-${guess}` }, { origin })).hello));
    expect(kinds.slice(0, 10)).toEqual(Array.from({ length: 10 }, () => "unauthorized"));
    expect(kinds.at(-1)).toBe("rate_limited");
    expect(JSON.stringify(fixture.log.lines)).not.toContain("guess-");
  });

  it("loses its connections when the console is switched off", async () => {
    await using fixture = await startFixture(withConsole);
    const [origin] = origins(fixture.server.port);
    const { client } = await fixture.connect({ token: TECHNICIAN_TOKEN }, { origin });
    const tool = await fixture.connect({ token: TECHNICIAN_TOKEN }, { origin: undefined });
    fixture.server.update({ ...fixture.settings, console: false });
    expect(await client.closed).toMatchObject({ code: 1008 });
    expect((await tool.client.request("devices.list", {})).result).toBeDefined();
  });

  it("tells the station whose call comes from the console, and keeps such a session to it", async () => {
    const seen: unknown[] = [];
    const station = fakeStation({
      "agent.maintenance": ({ on }, { caller }) => {
        seen.push(caller.console);
        return { maintenance: on };
      },
    });
    await using fixture = await startFixture({ ...withConsole, station });
    const [origin] = origins(fixture.server.port);
    const page = await fixture.connect({ token: TECHNICIAN_TOKEN }, { origin });
    await page.client.request("agent.maintenance", { on: true });
    const tool = await fixture.connect({ token: TECHNICIAN_TOKEN }, { origin: undefined });
    await tool.client.request("agent.maintenance", { on: true });
    expect(seen).toEqual([true, undefined]);
    const resume = String(page.hello.result?.session);
    const other = await fixture.connect({ token: TECHNICIAN_TOKEN, resume }, { origin: undefined });
    expect(other.hello.result?.resumed).toBe(false);
  });
});

async function freePort(): Promise<number> {
  await using fixture = await startFixture();
  return fixture.server.port;
}
