import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type RunningDemo, startDemo } from "../../src/commands/demo.js";
import { faultRow } from "../support/fault.js";

/** The bundle, as it is installed. */
const STATIOND = fileURLToPath(new URL("../../bundle/stationd.js", import.meta.url));
let folder: string;
let demo: RunningDemo;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "stationd-command-"));
  demo = await startDemo({ port: 0, pagePort: 0, stateDir: join(folder, "demo") });
  while (!demo.agent.ready()) await new Promise((resolve) => setTimeout(resolve, 5));
});
afterAll(async () => {
  await demo.stop();
  await rm(folder, { recursive: true, force: true });
});

interface Said {
  readonly code: number;
  readonly out: string;
  readonly note: string;
}

/** The command as a technician types it; it finds the demo's socket in the user's state folder. */
function start(...args: string[]) {
  const child = spawn(process.execPath, [STATIOND, ...args], {
    env: { PATH: process.env.PATH, XDG_STATE_HOME: folder, XDG_RUNTIME_DIR: join(folder, "none") },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let [out, note] = ["", ""];
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    out += text;
  });
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    note += text;
  });
  const said = once(child, "close").then(([code]): Said => ({ code: Number(code), out, note }));
  return { child, said };
}
const socket = (): string[] => ["--socket", demo.technicianSocket ?? ""];
const service = (): string[] => ["--socket", (demo.technicianSocket ?? "").replace("technician", "service")];
const stationd = (...args: string[]): Promise<Said> => start(...args).said;
const json = ({ out }: Said): Record<string, unknown> => JSON.parse(out) as Record<string, unknown>;

test("devices: a table of 80 columns for people, JSON for programs", async () => {
  const table = await stationd("devices", ...socket());
  expect(table).toMatchObject({ code: 0 });
  expect(table.out).toMatch(/receipt\s+printer\s+ready/);
  for (const line of table.out.split("\n")) expect(line.length).toBeLessThanOrEqual(80);
  expect(json(await stationd("devices", "--json", ...socket()))).toMatchObject({
    devices: [
      { id: "receipt", simulated: true },
      { id: "scanner" },
      { id: "id-reader" },
      { id: "terminal" },
      { id: "vietqr", simulated: true },
      { id: "documents" },
      { id: "camera" },
    ],
  });
});

test("devices --watch shows a change and ends with Ctrl-C", async () => {
  const { child, said } = start("devices", "--watch", ...socket());
  let shown = "";
  child.stdout.on("data", (text: string) => {
    shown += text;
  });
  while (!shown.includes("ready")) await once(child.stdout, "data");
  await demo.agent.simulation?.act("receipt", "openCover", {});
  while (!/cover/i.test(shown)) await once(child.stdout, "data");
  await demo.agent.simulation?.act("receipt", "closeCover", {});
  child.kill("SIGINT");
  expect((await said).code).toBe(0);
});

test("print and preview: plain text on paper, once per key", async () => {
  const file = join(folder, "slip.txt");
  await writeFile(file, "PHIẾU HẸN\nHS-2026-000123\n");
  expect(await stationd("print", file, "--wait", "--key", "command-0001", ...service())).toMatchObject({ code: 0 });
  const before = demo.agent.simulation?.get("receipt")?.state().receipts;
  expect(json(await stationd("print", file, "--wait", "--key", "command-0001", "--json", ...service()))).toMatchObject({
    state: "printed",
  });
  expect(demo.agent.simulation?.get("receipt")?.state().receipts).toBe(before);
  expect(json(await stationd("jobs", "get", "command-0001", "--json", ...service()))).toMatchObject({ state: "printed" });
  const png = join(folder, "preview.png");
  expect(await stationd("preview", file, "-o", png, ...service())).toMatchObject({ code: 0 });
  expect((await readFile(png)).subarray(1, 4).toString()).toBe("PNG");
});

test("print: an outcome that is not paper has an exit code of its own and says what to do", async () => {
  const file = join(folder, "slip.txt");
  await writeFile(file, "x\n");
  await demo.agent.simulation?.act("receipt", "paperOut", {});
  const said = await stationd("print", file, "--wait", ...service());
  await demo.agent.simulation?.act("receipt", "refill", {});
  expect(said.code).toBe(4);
  expect(said.out + said.note).toMatch(/Load paper/);
});

test("scan waits for a code and prints it alone, for pipes", async () => {
  const { said } = start("scan", "--timeout", "20", ...service());
  let ended = false;
  void said.then(() => {
    ended = true;
  });
  // Codes that nobody waits for are dropped, so it is shown until somebody does.
  while (!ended) {
    await demo.agent.simulation?.act("scanner", "scan", { text: "HS-2026-000123" });
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  expect(await said).toMatchObject({ code: 0, out: "HS-2026-000123\n" });
});

test("no agent: one sentence, a hint, and code 3", async () => {
  const said = await stationd("devices", "--socket", join(folder, "nobody.sock"));
  expect(said.code).toBe(3);
  expect(said.out).toBe("");
  expect(said.note).not.toMatch(/\bat .*:\d+:\d+/);
});

faultRow({
  device: "agent",
  fault: "Another program has its port",
  sees: "no agent",
  does: "ends with one sentence that names the port",
  bounds: ["restart"],
});
test("run: a busy port is one clear sentence", async () => {
  const config = join(folder, "busy.toml");
  await writeFile(config, `[agent]\nstateDir = "${join(folder, "busy")}"\n[server]\nport = ${demo.agent.port}\n`);
  const said = await stationd("run", "--config", config);
  expect(said.code).not.toBe(0);
  expect(said.note).toContain(String(demo.agent.port));
  expect(said.note).not.toMatch(/\bat .*:\d+:\d+/);
});

test("run: a driver from outside the package is one like any other, its errors too", async () => {
  const config = join(folder, "outside.toml");
  const module = fileURLToPath(new URL("../../src/drivers/_template/driver.js", import.meta.url));
  const text = (drivers: string): string => `[agent]
stateDir = "${join(folder, "outside")}"
logLevel = "silent"
drivers = [${JSON.stringify(drivers)}]
[server]
port = 0
technicianSocket = "${join(folder, "o.sock")}"
serviceSocket = false
[devices.outside]
driver = "template"
link = { kind = "tcp", host = "127.0.0.1", port = 9 }
`;
  await writeFile(config, text(module));
  expect(await stationd("config", "check", config)).toMatchObject({ code: 0 });
  const { child, said } = start("run", "--config", config);
  for (;;) {
    const answer = await stationd("devices", "--json", "--socket", join(folder, "o.sock"));
    if (!answer.out.includes('"absent"')) continue;
    expect(json(answer)).toMatchObject({ devices: [{ driver: "template", reason: { kind: "device_absent" } }] });
    break;
  }
  child.kill("SIGTERM");
  expect((await said).code).toBe(0);
  await writeFile(config, text(join(folder, "nothing.js")));
  const refused = await stationd("config", "check", config);
  expect(refused.code).toBe(78);
  expect(refused.out + refused.note).toContain("agent.drivers[0]");
});

test("run: SIGHUP takes a new config over, keeps the old one where the new one has problems, and SIGTERM stops cleanly", async () => {
  const config = join(folder, "run.toml");
  const device = (name: string, port: number): string =>
    `[devices.${name}]\ndriver = "escpos"\nlink = { kind = "tcp", host = "127.0.0.1", port = ${port} }\n`;
  const head = `[agent]\nstateDir = "${join(folder, "run")}"\nlogLevel = "silent"\n[server]\nport = 0\ntechnicianSocket = "${join(folder, "t.sock")}"\nserviceSocket = "${join(folder, "s.sock")}"\n`;
  await writeFile(config, head + device("one", 9));
  const { child, said } = start("run", "--config", config);
  const ids = async (): Promise<string[]> => {
    const answer = await stationd("devices", "--json", "--socket", join(folder, "t.sock"));
    return answer.code === 0 || answer.code === 4 ? (json(answer).devices as { id: string }[]).map(({ id }) => id) : [];
  };
  while ((await ids()).length === 0);
  await writeFile(config, head + device("one", 9) + device("two", 9));
  child.kill("SIGHUP");
  while ((await ids()).length !== 2);
  await writeFile(config, `${head}[devices.three]\ndriver = "escops"\n`);
  let noted = "";
  child.stderr.on("data", (text: string) => {
    noted += text;
  });
  child.kill("SIGHUP");
  while (!/did you mean/i.test(noted)) await once(child.stderr, "data");
  expect(await ids()).toEqual(["one", "two"]);
  child.kill("SIGTERM");
  expect((await said).code).toBe(0);
});
