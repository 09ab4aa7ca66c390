import { type ChildProcess, fork, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, expect, test } from "vitest";
import { faultRow } from "../../test/support/fault.js";
import { seededRandom } from "../kernel/random.js";
import { journalFile } from "./folder.js";
import { openJournal } from "./open.js";

const CHILD = fileURLToPath(new URL("./faults.test.child.js", import.meta.url));
const KILLS = Number(process.env.STATIOND_JOURNAL_KILLS ?? 6);

let folder: string;
let child: ChildProcess | undefined;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "stationd-faults-"));
});
afterEach(async () => {
  if (child && child.exitCode === null && child.signalCode === null) {
    child.kill("SIGKILL");
    await once(child, "exit");
  }
  child = undefined;
  rmSync(folder, { recursive: true, force: true });
});

async function tell(process: ChildProcess, deed: string, id = ""): Promise<unknown> {
  process.send({ deed, id });
  const [answer] = (await once(process, "message")) as [{ value: unknown }];
  return answer.value;
}

faultRow({
  device: "agent",
  fault: "The agent is killed while it writes its journal",
  sees: "nothing of it",
  does: "finds whatever was acknowledged",
  bounds: ["restart"],
});
test(`SIGKILL at ${KILLS} random moments of writing: whatever was acknowledged is there`, async () => {
  const random = seededRandom(20_261_123);
  const acknowledged = new Map<string, string>();
  for (let run = 0; run < KILLS; run++) {
    const writer = spawn(process.execPath, [CHILD, "loop", folder, `${run}`], { stdio: ["ignore", "pipe", "inherit"] });
    child = writer;
    let linesLeft = 1 + Math.floor(random.fraction() * 60);
    for await (const line of createInterface({ input: writer.stdout })) {
      const [step, id] = line.split(" ");
      if (step && id) acknowledged.set(id, step === "begun" ? "queued" : step);
      if (--linesLeft === 0) writer.kill("SIGKILL");
    }
    if (writer.signalCode === null && writer.exitCode === null) await once(writer, "exit");
    expect(writer.signalCode).toBe("SIGKILL");

    const journal = openJournal(folder);
    const found = new Map((await journal.list({ limit: 1_000_000 })).map(({ id, step }) => [id, step]));
    await journal.close();
    // A step may have been committed and not yet told; it may not have been told and be missing.
    const lost = [...acknowledged].filter(([id, step]) => !(found.get(id) === step || found.get(id) === "sending"));
    expect(lost).toEqual([]);
  }
  expect(acknowledged.size).toBeGreaterThan(KILLS);
});

test("a file that may not grow: refused, and works again afterwards", async (context) => {
  if (spawnSync("prlimit", ["--version"]).status !== 0) return context.skip("no prlimit(1) here");
  const writer = fork(CHILD, ["obey", folder]);
  child = writer;
  expect(await tell(writer, "begin", "before")).toBe("done");
  const size = statSync(`${journalFile(folder)}-wal`).size;
  const limit = (bytes: string): void => {
    expect(spawnSync("prlimit", ["--pid", `${writer.pid}`, `--fsize=${bytes}:`]).status).toBe(0);
  };
  limit(`${size + 512}`);
  expect(await tell(writer, "begin", "starved")).toMatch(/^journal_unavailable: /);
  limit("unlimited");
  expect(await tell(writer, "begin", "after")).toBe("done");
  const found = (await tell(writer, "list")) as string[];
  expect(found.slice(0, 1)).toEqual(["after"]);
  expect(found).toContain("before");
});

test("a full disk: refused with a hint, and works again after some space was freed", async (context) => {
  const disk = join(folder, "disk");
  mkdirSync(disk);
  if (spawnSync("unshare", ["-m", "mount", "-t", "tmpfs", "tmpfs", disk]).status !== 0)
    return context.skip("may not mount a small disk here");
  const script = 'mount -t tmpfs -o size=512k tmpfs "$1" && exec "$2" "$3" obey "$1"';
  const writer = spawn("unshare", ["-m", "sh", "-c", script, "sh", disk, process.execPath, CHILD], {
    stdio: ["ignore", "inherit", "inherit", "ipc"],
  });
  child = writer;
  expect(await tell(writer, "begin", "before")).toBe("done");
  expect(await tell(writer, "fill")).toBe("full");
  const refusals = new Set<unknown>();
  for (let n = 0; n < 8; n++) refusals.add(await tell(writer, "begin", `starved-${n}`));
  expect([...refusals].filter((answer) => answer !== "done").length).toBeGreaterThan(0);
  for (const answer of refusals) expect(answer).toMatch(/^done$|^journal_unavailable: The disk that holds .* is full/);
  await tell(writer, "free");
  expect(await tell(writer, "begin", "after")).toBe("done");
  expect(await tell(writer, "list")).toEqual(expect.arrayContaining(["before", "after"]));
});
