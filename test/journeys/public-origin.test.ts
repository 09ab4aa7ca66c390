import { execFileSync } from "node:child_process";
import { once } from "node:events";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:https";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { startStation } from "../../src/testing.js";
import { chromiumHere, launch } from "./browser.js";

const POLICIES = "/etc/chromium/policies/managed";
const root = process.getuid?.() === 0;
const here = chromiumHere() && root;
if (!root) console.warn("SKIPPED: the managed browser policy, because writing it needs root");

/** A page as the portal's server would send it; it says what became of its socket in its title. */
const page = (socketUrl: string): string => `<!doctype html><title>waiting</title><script>
  const socket = new WebSocket(${JSON.stringify(socketUrl)}, "station.v1");
  socket.onopen = () => socket.send(JSON.stringify({ jsonrpc: "2.0", id: 1, method: "session.hello",
    params: { protocol: { major: 1, minor: 0 }, client: { name: "portal", version: "1" } } }));
  socket.onmessage = (event) => { document.title = "role " + JSON.parse(event.data).result.role; };
  socket.onerror = () => { document.title = "blocked"; };
</script>`;

/** Where the page is public to the browser and the agent on loopback: what a kiosk with the portal's own page has. */
describe.skipIf(!here)("a page from the public internet", () => {
  test("reaches the agent only where the managed policy lists it", async () => {
    const folder = await mkdtemp(join(tmpdir(), "stationd-portal-"));
    const policy = join(POLICIES, `stationd-test-${process.pid}.json`);
    const [key, certificate] = [join(folder, "key.pem"), join(folder, "certificate.pem")];
    const subject = ["-subj", "/CN=localhost", "-days", "2", "-addext", "subjectAltName=DNS:localhost"];
    execFileSync("openssl", ["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", key, "-out", certificate, ...subject], {
      stdio: "ignore",
    });
    let html = "";
    const portal = createServer({ key: await readFile(key), cert: await readFile(certificate) }, (_request, response) => {
      response.setHeader("content-type", "text/html; charset=utf-8");
      response.end(html);
    });
    await once(portal.listen(0, "127.0.0.1"), "listening");
    const { port } = portal.address() as AddressInfo;
    const origin = `https://localhost:${port}`;
    await using station = await startStation({ seed: 9, origins: [origin] });
    html = page(station.url);

    const visit = async (): Promise<string> => {
      const browser = await launch("--ignore-certificate-errors", `--ip-address-space-overrides=127.0.0.1:${port}=public`);
      try {
        const tab = await browser.newPage();
        await tab.goto(`${origin}/`);
        await tab.waitForFunction(() => document.title !== "waiting");
        return await tab.title();
      } finally {
        await browser.close();
      }
    };
    try {
      expect(await visit()).toBe("blocked");
      const shipped = JSON.parse(await readFile("systemd/chromium-policy.json", "utf8")) as Record<string, unknown>;
      expect(Object.keys(shipped)).toContain("LoopbackNetworkAllowedForUrls");
      // All of the shipped policy, but for the developer tools, by which this test looks in.
      await mkdir(POLICIES, { recursive: true });
      await writeFile(policy, JSON.stringify({ ...shipped, LoopbackNetworkAllowedForUrls: [origin], DeveloperToolsAvailability: 1 }));
      expect(await visit()).toBe("role kiosk");
    } finally {
      await rm(policy, { force: true });
      await rm(folder, { recursive: true, force: true });
      portal.close();
    }
  });
});
