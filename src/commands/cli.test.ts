import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { faultRow } from "../../test/support/fault.js";
import { EXIT_CODES, exitCodeOfJob, exitCodeOfKind, exitCodeTable } from "./exit-codes.js";
import { knob } from "./simulate.js";

const CLI = fileURLToPath(new URL("../cli.js", import.meta.url));
const ROOT = new URL("../../../", import.meta.url);
let folder = "";

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "stationd-cli-"));
});
afterAll(() => rm(folder, { recursive: true }));

function start(args: readonly string[]) {
  // Nothing of this machine's agents may be found.
  const env = { PATH: process.env.PATH, HOME: folder, XDG_RUNTIME_DIR: folder };
  const child = spawn(process.execPath, [CLI, ...args], { env, cwd: folder, stdio: ["pipe", "pipe", "pipe"] });
  child.stdin.end();
  const run = { child, out: "", note: "", ended: once(child, "close").then(([code]) => code as number | null) };
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    run.out += text;
  });
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    run.note += text;
  });
  return run;
}

async function stationd(...args: string[]) {
  const run = start(args);
  const code = await run.ended;
  return { code, out: run.out, note: run.note };
}

async function file(name: string, text: string): Promise<string> {
  await writeFile(join(folder, name), text);
  return name;
}

describe("help", () => {
  it("fits in 80 columns everywhere and ends with examples", async () => {
    const { out } = await stationd("--help");
    const commands = [...out.matchAll(/^ {2}([a-z][a-z-]*)\b.* {2}/gm)].flatMap(([, name]) =>
      name === undefined || name === "help" ? [] : [name],
    );
    expect(commands).toEqual([
      "run",
      "demo",
      "status",
      "devices",
      "watch",
      "test",
      "doctor",
      "detect",
      "print",
      "preview",
      "scan",
      "scan-document",
      "read-card",
      "card",
      "trust",
      "token",
      "audit",
      "pay",
      "payments",
      "snapshot",
      "camera",
      "cut",
      "jobs",
      "maintenance",
      "trace",
      "record",
      "replay",
      "logs",
      "support-bundle",
      "simulate",
      "config",
      "install",
      "uninstall",
      "completion",
      "version",
    ]);
    const nested: Readonly<Record<string, readonly string[]>> = {
      card: ["trace"],
      trust: ["list", "check", "import"],
      token: ["add", "rotate", "revoke", "list"],
      payments: ["list", "show", "reverse", "resolve", "reconcile", "export"],
      camera: ["stats"],
      jobs: ["list", "get"],
      config: ["check", "show", "reference"],
    };
    const pages = commands.flatMap((name) => (nested[name] ?? [""]).map((inner) => [name, inner].filter((word) => word !== "")));
    const texts = await Promise.all(pages.map(async (words) => (await stationd(...words, "--help")).out));
    for (const text of texts) expect(text).toContain("\nExamples:\n");
    for (const line of [out, ...texts].join("\n").split("\n")) expect([...line].length, line).toBeLessThanOrEqual(80);
  });
});

describe("exit codes", () => {
  it("are documented as they are", async () => {
    const unaligned = (table: string): string => table.replaceAll(/ *\| */g, "|").replaceAll(/-+/g, "-");
    expect(unaligned(await readFile(new URL("docs/operations.md", ROOT), "utf8"))).toContain(unaligned(exitCodeTable()));
  });

  it("tell how a job ended", () => {
    const paperOut = { kind: "paper_out", message: "", retryable: true, hint: "" } as const;
    expect(exitCodeOfJob({ state: "printed", final: true })).toBe(0);
    expect(exitCodeOfJob({ state: "sent", final: true })).toBe(0);
    expect(exitCodeOfJob({ state: "in_progress", final: false, reason: paperOut })).toBe(5);
    expect(exitCodeOfJob({ state: "unknown", final: true })).toBe(5);
    expect(exitCodeOfJob({ state: "failed", final: true })).toBe(1);
    expect(exitCodeOfJob({ state: "not_started", final: true, reason: paperOut })).toBe(4);
    expect(exitCodeOfKind("forbidden")).toBe(6);
    expect(exitCodeOfKind("from_the_future")).toBe(1);
    expect(exitCodeOfKind("constructor")).toBe(1);
    expect(new Set(Object.values(EXIT_CODES).map(({ code }) => code)).size).toBe(Object.keys(EXIT_CODES).length);
  });

  it("2: the command line is wrong", async () => {
    for (const args of [
      ["nope"],
      ["devices", "--nope"],
      ["run"],
      ["print"],
      ["scan", "--timeout", "x"],
      ["maintenance", "maybe"],
      ["simulate", "receipt-printer"],
      ["jobs", "list", "-n", "0"],
    ]) {
      const { code, out, note } = await stationd(...args);
      expect({ args, code, out }).toEqual({ args, code: 2, out: "" });
      expect(note).toContain("--help shows what is possible");
    }
  });

  it("3: no agent answers", async () => {
    const { code, note } = await stationd("devices");
    expect(code).toBe(3);
    expect(note).toMatch(/^stationd: the agent cannot be reached: .*\n {2}Start it .*\n$/);
    const told = await stationd("devices", "--socket", join(folder, "none.sock"), "--json");
    expect(told.code).toBe(3);
    expect(JSON.parse(told.out)).toMatchObject({ error: { kind: "connection_lost" } });
    expect(told.note).toBe("");
    expect((await stationd("devices", "--url", "ws://127.0.0.1:1/v1")).code).toBe(3);
  });

  it("1: a file that cannot be read or printed, in one sentence", async () => {
    expect(await stationd("print", "none.json")).toEqual({
      code: 1,
      out: "",
      note: "stationd: none.json: there is no such file or folder\n",
    });
    const { code, note } = await stationd("print", await file("broken.json", '{"blocks": ['));
    expect(code).toBe(1);
    expect(note).toContain("stationd: the document starts like JSON but is none\n");
    expect((await stationd("print", "-")).note).toContain("there is nothing to print");
  });
});

describe("version", () => {
  it("is that of the package", async () => {
    const { version } = JSON.parse(await readFile(new URL("package.json", ROOT), "utf8")) as { version: string };
    expect((await stationd("version")).out).toBe(`stationd ${version} (Node ${process.versions.node})\n`);
    expect(JSON.parse((await stationd("version", "--json")).out)).toEqual({ stationd: version, node: process.versions.node });
    expect((await stationd("--version")).out).toBe(`${version}\n`);
  });
});

describe("config", () => {
  const bad = '[server]\nprot = 1\nport = "x"\n';

  faultRow({
    device: "agent",
    fault: "A broken configuration at the start",
    sees: "no agent",
    does: "ends with code 78 and every problem with its line; systemd does not try again",
    back: "it is corrected",
  });
  it("78: lists every problem with its line", async () => {
    const name = await file("bad.toml", bad);
    const { code, out, note } = await stationd("config", "check", name);
    expect({ code, out }).toEqual({ code: 78, out: "" });
    expect(note).toBe(
      [
        'bad.toml:2:1: server.prot: unknown key; did you mean "port"?',
        "bad.toml:3:1: server.port: expected a whole number from 0 to 65535, got a string",
        "stationd: the configuration has 2 problems",
        "  Correct the lines that are named; `stationd config reference` explains every key",
        "",
      ].join("\n"),
    );
    const asJson = await stationd("config", "check", name, "--json");
    expect(asJson.code).toBe(78);
    expect(JSON.parse(asJson.out)).toMatchObject({
      error: { kind: "invalid_params", problems: [{ line: 2, path: "server.prot" }, { line: 3 }] },
    });
    expect((await stationd("run", "--config", name)).code).toBe(78);
    expect((await stationd("config", "check", "none.toml")).note).toContain("none.toml: there is no such file\n");
  });

  it("shows what the agent makes of a file", async () => {
    const name = await file("good.toml", '[agent]\nname = "desk"\n');
    expect(await stationd("config", "check", name)).toEqual({ code: 0, out: "good.toml: good, 0 devices, 0 enabled\n", note: "" });
    const { code, out } = await stationd("config", "show", name);
    expect(code).toBe(0);
    expect(out).toContain('name = "desk"\nmode = "production"');
    expect(JSON.parse((await stationd("config", "show", name, "--json")).out)).toMatchObject({
      agent: { name: "desk" },
      server: { port: 7870 },
    });
  });

  it("has its reference up to date in the documentation", async () => {
    const { out } = await stationd("config", "reference");
    expect(await readFile(new URL("docs/configuration.md", ROOT), "utf8")).toBe(out);
  });
});

describe("simulate", () => {
  it("lists the kinds with their knobs in 80 columns", async () => {
    const { code, out } = await stationd("simulate", "list");
    expect(code).toBe(0);
    expect(out).toContain("receipt-printer: ");
    for (const line of out.split("\n")) expect([...line].length).toBeLessThanOrEqual(80);
  });

  it("reads knobs as JSON or as text", () => {
    expect(knob("a=1", {})).toEqual({ a: 1 });
    expect(knob("b=x=y", { a: 1 })).toEqual({ a: 1, b: "x=y" });
    expect(knob("c=true", {})).toEqual({ c: true });
    expect(() => knob("=1", {})).toThrow("name=value");
  });

  it("answers as the real device until it is told to stop, and keeps the paper", async () => {
    const run = start(["simulate", "receipt-printer", "--listen", "tcp:127.0.0.1:0", "--paper", "paper.png", "--json"]);
    try {
      await until(run, () => run.out.includes("\n"));
      const { listening } = JSON.parse(run.out.split("\n")[0] ?? "") as { listening: string };
      const socket = connect(Number(listening.split(":")[2]), "127.0.0.1");
      // DLE EOT 1: printer status. Bit 1 and 4 are always set (ESC/POS command reference).
      socket.write(Uint8Array.of(0x10, 0x04, 0x01));
      const [answer] = (await once(socket, "data")) as [Buffer];
      expect((answer[0] ?? 0) & 0x93).toBe(0x12);
      socket.destroy();
      run.child.kill("SIGTERM");
      expect(await run.ended).toBe(0);
      expect([...(await readFile(join(folder, "paper.png"))).subarray(1, 4)]).toEqual([0x50, 0x4e, 0x47]);
    } finally {
      run.child.kill("SIGKILL");
    }
  });
});

/** Waits for output; fails when the program ends first. */
async function until(run: ReturnType<typeof start>, done: () => boolean): Promise<void> {
  while (!done()) {
    const ended = await Promise.race([once(run.child.stdout, "data").then(() => false), run.ended.then(() => true)]);
    if (ended && !done()) throw new Error(`it ended: ${run.note}`);
  }
}
