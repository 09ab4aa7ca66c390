import { expect, it } from "vitest";
import { runSimulator } from "../run.js";

it("runs by itself, for any program that speaks to network scanners", async () => {
  const ending = new AbortController();
  let tell = (_address: string): void => {};
  const listening = new Promise<string>((resolve) => {
    tell = resolve;
  });
  const options = { pageMs: 0, resolutions: [75], sheets: [{}, {}] };
  const running = runSimulator({ kind: "document-scanner", wire: "tcp:127.0.0.1:0", options, signal: ending.signal, onListening: tell });
  try {
    const base = `http://127.0.0.1:${(await listening).split(":").at(-1)}/eSCL`;
    expect(await (await fetch(`${base}/ScannerCapabilities`)).text()).toContain("ScannerCapabilities>");
    const made = await fetch(`${base}/ScanJobs`, {
      method: "POST",
      body: "<ScanSettings><InputSource>Feeder</InputSource></ScanSettings>",
    });
    const location = made.headers.get("location") ?? "";
    const page = await fetch(`${location}/NextDocument`);
    expect([page.status, page.headers.get("content-type")]).toEqual([200, "image/jpeg"]);
    expect(new Uint8Array(await page.arrayBuffer()).subarray(0, 3)).toEqual(Uint8Array.of(0xff, 0xd8, 0xff));
    expect((await fetch(location, { method: "DELETE" })).status).toBe(200);
  } finally {
    ending.abort();
    await running;
  }
});
