import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

const run = promisify(execFile);
let folder: string;

/** The package as a stranger gets it: packed, and installed into an empty folder. */
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "stationd-packed-"));
  await run("npm", ["pack", "--ignore-scripts", "--pack-destination", folder, "--loglevel=error"], { maxBuffer: 64 * 1024 * 1024 });
  const [tarball] = await readdir(folder);
  await writeFile(join(folder, "package.json"), '{ "name": "stranger", "private": true, "type": "module" }');
  const quiet = ["--no-audit", "--no-fund", "--prefer-offline", "--loglevel=error"];
  await run("npm", ["install", `./${tarball}`, ...quiet], { cwd: folder, maxBuffer: 64 * 1024 * 1024 });
}, 300_000);
afterAll(() => rm(folder, { recursive: true, force: true }));

/** Names of all installed packages, however deep. */
async function installed(): Promise<string[]> {
  const { stdout } = await run("npm", ["ls", "--all", "--parseable"], { cwd: folder, maxBuffer: 64 * 1024 * 1024 });
  return stdout.split("\n").map((path) => path.split("node_modules/").at(-1) ?? "");
}

describe("the packed tarball in an empty folder", () => {
  test("brings no abandoned package along", async () => {
    const names = await installed();
    expect(names).toContain("escpos");
    for (const name of ["request", "tough-cookie", "form-data"]) expect(names).not.toContain(name);
    // Also not on the disk, whatever npm says of it.
    const found = await readdir(join(folder, "node_modules"), { recursive: true });
    expect(
      found.filter((path) => /(^|\/)node_modules\/(request|tough-cookie|form-data)$|^(request|tough-cookie|form-data)$/.test(path)),
    ).toEqual([]);
  });

  test("holds no tests, maps or sources of them", async () => {
    const files = await readdir(join(folder, "node_modules", "stationd"), { recursive: true });
    expect(files.filter((path) => !path.startsWith("node_modules") && /\.test\.|\.map$/.test(path))).toEqual([]);
    for (const wanted of ["LICENSE", "README.md", "dist/bundle/stationd.js", "systemd/stationd.service", "examples/kiosk/index.html"]) {
      expect(files).toContain(wanted);
    }
  });

  test("serves ten lines of a stranger's test", async () => {
    await writeFile(
      join(folder, "ten-lines.js"),
      `import { startStation } from "stationd/testing";
import { messagesVi } from "stationd/protocol";
import { defineDriver } from "stationd/drivers";
import { startAgent } from "stationd";
const station = await startStation({ seed: 1 });
const client = await station.connect();
const waiting = client.call("barcodeScanner.scan", {}, { onProgress: () => void station.act("scanner", "scan", { text: "HS-1" }) });
const document = { blocks: [{ type: "text", text: (await waiting).text }] };
const job = await client.call("printer.print", { document, idempotencyKey: "ten-lines-1" });
console.log(job.state, job.confirmation, typeof messagesVi, typeof defineDriver, typeof startAgent);
await station.stop();`,
    );
    const { stdout } = await run(process.execPath, ["ten-lines.js"], { cwd: folder });
    expect(stdout).toBe("printed confirmed object function function\n");
  });

  test("runs the demo", async () => {
    const state = join(folder, "state");
    const demo = spawn(join(folder, "node_modules", ".bin", "stationd"), ["demo", "--port", "0", "--page-port", "0"], {
      cwd: folder,
      env: { ...process.env, XDG_STATE_HOME: state },
      stdio: ["ignore", "pipe", "inherit"],
    });
    let said = "";
    while (!/Page\s+(\S+)/.test(said)) said += String((await once(demo.stdout, "data"))[0]);
    const url = /Page\s+(\S+)/.exec(said)?.[1] ?? "";
    const page = await fetch(url);
    expect(page.status).toBe(200);
    for (const path of ["stationd/client/index.js", "main.js", "station.json"]) expect((await fetch(url + path)).status, path).toBe(200);
    const console = /Console\s+(\S+)/.exec(said)?.[1] ?? "";
    for (const path of ["", "console.css", "page/main.js", "client/index.js", "technician/figures.js"]) {
      expect((await fetch(console + path)).status, path).toBe(200);
    }
    demo.kill("SIGINT");
    expect(await once(demo, "exit")).toEqual([0, null]);
  });
});
