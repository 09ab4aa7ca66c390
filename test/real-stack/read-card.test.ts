import { type ChildProcess, spawn } from "node:child_process";
import { createHash, randomUUID } from "node:crypto";
import { once } from "node:events";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type ChipCard, chipCard } from "../../simulators/chip-card/index.js";
import { connectTcp } from "../../simulators/serve.js";
import { connectStation, type StationClient } from "../../src/client/node.js";
import { systemClock } from "../../src/kernel/clock.js";
import { seededRandom } from "../../src/kernel/random.js";
import { faultRow } from "../support/fault.js";
import { openPcscd, type PcscdRig, realPcscStack } from "./pcscd.js";

const stack = await realPcscStack();
const COMMAND = fileURLToPath(new URL("../../bundle/stationd.js", import.meta.url));

/** The real command, the real agent, the real pcscd: only the plastic is simulated. */
describe.skipIf(!stack)("stationd read-card through pcscd", () => {
  let rig: PcscdRig;
  let card: ChipCard;
  let plugged: { close(): Promise<void> };
  let folder: string;
  let agent: ChildProcess;
  let page: StationClient;
  const token = randomUUID();

  const act = async (action: string, params: Record<string, unknown> = {}): Promise<void> => {
    const known = card.actions[action];
    await known?.act(known.params.parse(params));
  };

  beforeAll(async () => {
    rig = await openPcscd();
    folder = await mkdtemp(join(tmpdir(), "stationd-card-"));
    card = chipCard.create(chipCard.options.parse({}), { clock: systemClock(), random: seededRandom(11), changed() {} });
    plugged = connectTcp(card, { host: "127.0.0.1", port: rig.ports[0] });
    await mkdir(join(folder, "trust"));
    for (const [name, bytes] of card.trustFiles()) await writeFile(join(folder, "trust", name), bytes);
    const config = join(folder, "stationd.toml");
    await writeFile(
      config,
      `[agent]
stateDir = "${folder}"
[server]
port = 0
serviceSocket = "${folder}/service.sock"
technicianSocket = "${folder}/technician.sock"
[[server.tokens]]
name = "test"
role = "kiosk"
sha256 = "${createHash("sha256").update(token).digest("hex")}"
[devices.id-reader]
driver = "pcsc"
link = { kind = "pcsc", reader = "${rig.readers[0]}" }
`,
    );
    agent = spawn(process.execPath, [COMMAND, "run", "--config", config], { stdio: ["ignore", "pipe", "pipe"] });
    agent.stdout?.resume();
    agent.stderr?.resume();
    page = await connectStation({ url: `ws+unix:${folder}/service.sock:/v1`, client: { name: "test", version: "1" } });
    await until("ready");
  });
  afterAll(async () => {
    page?.close();
    agent?.kill();
    if (agent) await once(agent, "exit");
    await plugged?.close();
    await card?.close();
    await rig?.[Symbol.asyncDispose]();
    await rm(folder, { recursive: true, force: true });
  });

  const until = async (wanted: string): Promise<void> => {
    for (;;) {
      const { state } = await page.call("devices.get", { device: "id-reader" });
      if (wanted === "away" ? state === "absent" || state === "faulted" : state === wanted) return;
      await systemClock().sleep(10);
    }
  };
  const stationd = async (...args: string[]): Promise<{ code: number | null; out: string; note: string }> => {
    const child = spawn(process.execPath, [COMMAND, ...args, "--socket", join(folder, "technician.sock")], {
      stdio: ["ignore", "pipe", "pipe"],
    });
    let out = "";
    let note = "";
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      out += text;
    });
    child.stderr.setEncoding("utf8").on("data", (text: string) => {
      note += text;
    });
    const [code] = (await once(child, "close")) as [number | null];
    return { code, out, note };
  };

  it("opens the chip by PACE, proves it genuine, and has it sign a challenge", async () => {
    await act("insert", { person: "A" });
    const { code, out, note } = await stationd(
      "read-card",
      "--can",
      card.holder().idNumber.slice(-6),
      "--challenge",
      "0011223344556677",
      "--portrait",
      join(folder, "face.jpg"),
      "--json",
    );
    expect(note).toBe("");
    expect(code).toBe(0);
    const reading = JSON.parse(out);
    expect(reading).toMatchObject({
      access: { protocol: "pace", cipher: "aes-128" },
      details: { idNumber: card.holder().idNumber },
      mrz: { checkDigits: true },
      missing: [],
      unreadable: [],
      apdus: 16,
      verdicts: { signature: "valid", hashes: "match", issuer: "trusted", chip: "genuine", activeAuthentication: "genuine" },
    });
    expect((await readFile(join(folder, "face.jpg"))).subarray(0, 3).toString("hex")).toBe("ffd8ff");
  });

  it("says so in words, and lists the APDUs without what is in them", async () => {
    const can = card.holder().idNumber.slice(-6);
    const read = await stationd("read-card", "--can", can);
    expect(read.out).toContain("✓ the chip is genuine");
    const trace = await stationd("card", "trace", "--can", can);
    expect(trace.out.trim().split("\n")).toHaveLength(15);
    expect(trace.out).toContain("READ BINARY");
    expect(trace.out + trace.note).not.toContain(card.holder().idNumber);
  });

  it("tells every page when a card comes and goes", async () => {
    const told: boolean[] = [];
    await page.subscribe(["chipReader"], (update) => update.kind === "event" && told.push(update.data.present));
    await act("lift");
    await page.call("chipReader.waitForRemoval", {});
    await act("insert", { person: "B" });
    await page.call("chipReader.waitForCard", {});
    await act("lift");
    await page.call("chipReader.waitForRemoval", {});
    expect(told).toEqual([false, true, false]);
  });

  it("lifts in mid-read are card_removed, and the next card reads cleanly", async () => {
    await act("card", { delayMs: 60_000 });
    const reading = page.call(
      "chipReader.readCard",
      { access: { idNumber: card.holder().idNumber } },
      { onProgress: ({ stage }) => void (stage === "access" && act("lift")) },
    );
    await act("insert", { person: "A" });
    await expect(reading).rejects.toMatchObject({ kind: "card_removed" });
    // A swap between two looks of pcscd is one that it never sees.
    await page.call("chipReader.waitForRemoval", {});
    await act("card", { delayMs: 0 });
    await act("insert", { person: "B" });
    const next = await page.call("chipReader.readCard", { access: { idNumber: card.holder().idNumber } });
    expect(next).toMatchObject({ details: { idNumber: card.holder().idNumber }, verdicts: { qr: "same", chip: "genuine" } });
  });

  faultRow({
    device: "reader",
    fault: "pcscd is killed or crashes in mid-read",
    sees: "`device_absent`",
    does: "says it at once, with pcscd in the hint, and reads when it is back",
    back: "systemd has started pcscd",
    bounds: ["tryAgain"],
  });
  it("pcscd killed in mid-read: a clear error at once, and a read that works when it is back", async () => {
    await act("card", { delayMs: 60_000 });
    const killed = new Promise<void>((resolve) => {
      const reading = page.call(
        "chipReader.readCard",
        { access: { idNumber: card.holder().idNumber } },
        { onProgress: ({ stage }) => void (stage === "access" && rig.kill().then(resolve)) },
      );
      reading.catch(() => {});
      failure = reading.then(
        () => undefined,
        (error: { kind: string; hint: string }) => error,
      );
    });
    await killed;
    expect(await failure).toMatchObject({ kind: "device_absent", hint: expect.stringContaining("pcscd") });
    await until("away");
    await act("lift");
    await act("card", { delayMs: 0 });
    await rig.start();
    await until("ready");
    await act("insert", { person: "A" });
    const reading = await page.call("chipReader.readCard", { access: { idNumber: card.holder().idNumber } });
    expect(reading).toMatchObject({ verdicts: { chip: "genuine" } });
  });
  let failure: Promise<unknown>;
});
