import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readdir, readlink, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { type ManualClock, manualClock } from "../kernel/clock.js";
import type { ProgramOutput } from "../kernel/program.js";
import { findProgram, runSupervised } from "./supervised-program.js";

let folder: string;
let clock: ManualClock;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "stationd-program-"));
  clock = manualClock();
});
afterEach(async () => {
  vi.unstubAllEnvs();
  await rm(folder, { recursive: true });
});

const never = new AbortController().signal;
const program = (code: string, ...args: string[]) => ({
  command: process.execPath,
  args: ["-e", code, "--", ...args],
  folder,
  env: { MINE: "1" },
});
const run = (code: string, output: ProgramOutput = {}, { signal = never, hurry = never } = {}, ...args: string[]) =>
  runSupervised(program(code, ...args), output, { signal, hurry, clock });

it("hands on arguments as they are, lines as they end, its standard input, and its code; of the environment next to nothing", async () => {
  vi.stubEnv("STATIOND_TEST_SECRET", "x");
  const [out, err]: [string[], string[]] = [[], []];
  const code = `
    console.log(JSON.stringify([process.argv.slice(1), process.env.MINE, process.env.STATIOND_TEST_SECRET ?? null, process.cwd()]));
    process.stderr.write("one\\rtwo\\r\\n" + "x".repeat(10_000) + "\\nlast");
    process.stdin.once("data", (said) => { console.log("heard " + said); process.exit(7); });`;
  const end = await run(
    code,
    { begun: (say) => say("yes"), stdout: (line) => out.push(line), stderr: (line) => err.push(line) },
    {},
    "a b",
    "; touch x #",
    "$(x)",
  );
  expect(end).toEqual({ code: 7, stopped: false });
  expect(JSON.parse(out[0] ?? "")).toEqual([["a b", "; touch x #", "$(x)"], "1", null, folder]);
  expect(out[1]).toBe("heard yes");
  expect(err).toEqual(["one", "two", "x".repeat(4_096), "last"]);
  expect(await readdir(folder)).toEqual([]);
});

it("has no standard input unless somebody speaks", async () => {
  expect(await run("process.stdin.resume().on('end', () => process.exit(3))")).toEqual({ code: 3, stopped: false });
});

it("a code is no success where it was stopped", async () => {
  const stop = new AbortController();
  const end = await run(
    "process.on('SIGINT', () => process.exit(0)); setInterval(() => {}, 1000); console.log('up')",
    { stdout: () => stop.abort() },
    { signal: stop.signal },
  );
  expect(end).toEqual({ code: 0, stopped: true });
});

it("asks twice, then kills it with what it has started", async () => {
  const stop = new AbortController();
  const heard: string[] = [];
  const started = `process.on("SIGINT", () => {}); setInterval(() => {}, 1000)`;
  const code = `
    require("node:child_process").spawn(process.execPath, ["-e", ${JSON.stringify(started)}], { stdio: "inherit" });
    process.on("SIGINT", () => console.log("asked")); setInterval(() => {}, 1000); console.log("up")`;
  let tell = (): void => {};
  const next = () => new Promise<void>((resolve) => (tell = resolve));
  let heardOne = next();
  const running = run(code, { stdout: (line) => [heard.push(line), tell()] }, { signal: stop.signal });
  await heardOne;
  heardOne = next();
  stop.abort();
  await heardOne;
  heardOne = next();
  await clock.advance(5_000);
  await heardOne;
  await clock.advance(2_000);
  // Nothing holds its output open any more.
  expect(await running).toEqual({ code: undefined, stopped: true });
  expect(heard).toEqual(["up", "asked", "asked"]);
});

it("whoever is in a hurry waits less, even where it was asked before", async () => {
  const [stop, hurry] = [new AbortController(), new AbortController()];
  const running = run(
    "process.on('SIGINT', () => {}); setInterval(() => {}, 1000); console.log('up')",
    { stdout: () => stop.abort() },
    { signal: stop.signal, hurry: hurry.signal },
  );
  while (!stop.signal.aborted) await new Promise((resolve) => setImmediate(resolve));
  hurry.abort();
  await clock.advance(1_500);
  expect(await running).toEqual({ code: undefined, stopped: true });
});

it("what cannot be started, or is not there, is absent", async () => {
  await expect(runSupervised({ ...program(""), folder: "/nowhere" }, {}, { signal: never, hurry: never, clock })).rejects.toMatchObject({
    kind: "device_absent",
  });
  expect(() => findProgram("no-such-program", "some-package")).toThrow(
    expect.objectContaining({ kind: "device_absent", hint: expect.stringContaining("some-package") }),
  );
  expect(findProgram("setpriv", "util-linux")).toMatch(/^\/.*\/setpriv$/);
});

it("does not outlive whoever started it, even where it hears no interrupt", async () => {
  const stubborn = "process.on('SIGINT', () => {}); setInterval(() => {}, 1000); console.log('up')";
  const agent = `
    import { runSupervised } from ${JSON.stringify(new URL("supervised-program.js", import.meta.url).href)};
    import { systemClock } from ${JSON.stringify(new URL("../kernel/clock.js", import.meta.url).href)};
    const never = new AbortController().signal;
    await runSupervised(${JSON.stringify(program(stubborn))}, { stdout: console.log }, { signal: never, hurry: never, clock: systemClock() });`;
  const parent = spawn(process.execPath, ["--input-type=module", "-e", agent], { stdio: ["ignore", "pipe", "inherit"] });
  await once(createInterface(parent.stdout), "line");
  expect((await working()).length).toBeGreaterThan(0);
  parent.kill("SIGKILL");
  while ((await working()).length > 0) await new Promise((resolve) => setTimeout(resolve, 50));
});

/** Processes that work in the test's folder. */
async function working(): Promise<string[]> {
  const ids = (await readdir("/proc")).filter((name) => /^\d+$/.test(name));
  const places = await Promise.all(ids.map((id) => readlink(`/proc/${id}/cwd`).catch(() => "")));
  return places.filter((place) => place === folder);
}
