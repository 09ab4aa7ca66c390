import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { readAudit } from "../../src/audit/read.js";
import { loadConfig } from "../../src/config/load.js";
import { startStation } from "../../src/testing.js";
import { leaks } from "../support/canary.js";
import { inAFolder } from "./station-in-a-folder.js";

/** Nobody's: invented for this test. */
const planted = { name: "Nguyễn Thị Thuỳ Linh", apdu: "00A4040C07A0000002471001", key: "audit-key-31415926" };

test("a technician's actions are written down with who, what, device and outcome, and without what was in them", {
  timeout: 90_000,
}, async () => {
  const stateDir = await mkdtemp(join(tmpdir(), "stationd-audited-"));
  try {
    await using station = await startStation({ seed: 5, stateDir });
    const technician = await station.connect("technician");
    const page = await station.connect();
    await technician.call("devices.list", {});
    await technician.call("jobs.list", {});
    await page.call("devices.claim", { device: "receipt", ttlMs: 60_000 });
    await technician.call("devices.release", { device: "receipt", force: true });
    await page.call("session.endCitizen", {});
    await technician.call("agent.maintenance", { on: true });
    // Raw bytes, which nothing has to draw.
    const document = { blocks: [{ type: "raw" as const, base64: Buffer.from(planted.name).toString("base64") }] };
    await technician.call("printer.print", { device: "receipt", document, idempotencyKey: planted.key });
    await technician.call("chipReader.transmit", { device: "id-reader", apdus: [planted.apdu] }).catch(() => {});
    await technician.call("devices.reset", { device: "scanner" });
    await technician.call("devices.reset", { device: "none" }).catch(() => {});
    await technician.call("agent.maintenance", { on: false });
    await page.call("agent.maintenance", { on: true }).catch(() => {});

    // Nothing was closed: this is what a killed agent leaves.
    const { entries, chains } = await readAudit(stateDir);
    const who = "token:technician";
    const uid = process.getuid?.();
    expect(entries.filter(({ what }) => what !== "auth.entered")).toMatchObject([
      { who: "agent", what: "agent.started" },
      { who, uid, what: "devices.release", device: "receipt", detail: "force", outcome: "ok" },
      { who, what: "agent.maintenance", detail: "on", outcome: "ok" },
      { who, what: "printer.print", device: "receipt", outcome: "begun" },
      { who, what: "printer.print", device: "receipt", detail: "printed", outcome: "ok", job: expect.any(String) },
      { who, what: "chipReader.transmit", device: "id-reader", detail: "apdus:1", outcome: "begun" },
      { who, what: "chipReader.transmit", device: "id-reader", outcome: "card_absent" },
      { who, what: "devices.reset", device: "scanner", outcome: "ok" },
      { who, what: "devices.reset", device: "none", outcome: "unknown_device" },
      { who, what: "agent.maintenance", detail: "off", outcome: "ok" },
      { who: "token:kiosk", what: "agent.maintenance", outcome: "forbidden" },
    ]);
    expect(chains).toMatchObject([{ writer: "agent", problems: [] }]);
    const files = (await readdir(stateDir)).filter((name) => name.startsWith("audit-"));
    expect(files).not.toEqual([]);
    for (const name of files) {
      const bytes = await readFile(join(stateDir, name));
      expect(leaks(bytes, planted), name).toEqual([]);
      // The search would find what is there.
      expect(leaks(bytes, { there: "chipReader.transmit" })).not.toEqual([]);
    }
  } finally {
    await rm(stateDir, { recursive: true });
  }
});

test("whoever held a device is told that a technician took it, and nobody else is", async () => {
  await using station = await startStation({ seed: 6 });
  const [holder, bystander, technician] = [await station.connect(), await station.connect(), await station.connect("technician")];
  const heard: Record<"holder" | "bystander", unknown[]> = { holder: [], bystander: [] };
  const told = new Promise<void>((resolve) => {
    void holder.subscribe(["devices"], (update) => {
      if (update.kind === "event" && update.data.claimEnded) resolve(void heard.holder.push(update.data));
    });
  });
  await bystander.subscribe(["devices"], (update) => {
    if (update.kind === "event" && update.data.claimEnded) heard.bystander.push(update.data);
  });
  await holder.call("devices.claim", { device: "scanner", ttlMs: 60_000 });
  expect(await technician.call("devices.release", { device: "scanner", force: true })).toEqual({ device: "scanner", released: true });
  await told;
  expect(heard.holder).toMatchObject([{ id: "scanner", claimEnded: "by_technician" }]);
  expect(heard.holder[0]).not.toHaveProperty("claim");
  expect(await technician.call("devices.release", { device: "scanner", force: true })).toEqual({ device: "scanner", released: false });
  // Whoever gives its own back is told nothing.
  await holder.call("devices.claim", { device: "scanner", ttlMs: 60_000 });
  await holder.call("devices.release", { device: "scanner" });
  await Promise.all([bystander.call("devices.list", {}), holder.call("devices.list", {})]);
  expect([heard.holder.length, heard.bystander.length]).toEqual([1, 0]);
});

const perl = existsSync("/usr/bin/perl") && spawnSync("/usr/bin/perl", ["-e", "1"]).status === 0;
if (!perl) {
  if (process.env.STATIOND_REAL_STACK === "required") throw new RangeError("STATIOND_REAL_STACK=required, but there is no perl");
  console.warn("SKIPPED: who is at the far end of the technicians' socket, because perl is not installed");
}

test.skipIf(!perl)("who comes by the technicians' socket is known by the user that the kernel tells", async () => {
  const station = await inAFolder();
  try {
    const technician = await station.connect({ socket: "technician" });
    await technician.call("agent.maintenance", { on: true });
    const { entries } = await readAudit(station.folder);
    expect(entries.at(-1)).toMatchObject({ who: "socket:technician", uid: process.getuid?.(), what: "agent.maintenance" });
    // The socket was lent for a moment: it is not blocking now, and still ours.
    await Promise.all(Array.from({ length: 200 }, () => technician.call("devices.list", {})));
  } finally {
    await station.stop();
  }
});

test("stationd audit shows it in 80 columns with the agent dead, and --verify finds what was changed", async () => {
  const station = await inAFolder();
  try {
    const technician = await station.connect({ socket: "technician" });
    await technician.call("agent.maintenance", { on: true });
    await technician.call("diagnostics.run", {});
    await station.agent.reload(await loadConfig(join(station.folder, "stationd.toml")));
    await station.agent.stop();
    const { code, out } = await station.stationd("audit", "--since", "1d");
    expect(code).toBe(0);
    expect(out).toMatch(/socket:technician/);
    for (const text of ["agent.started", "agent.maintenance on", "diagnostics.run", "config.reloaded", "agent.stopped"])
      expect(out).toContain(text);
    expect(out).not.toContain("begun");
    for (const line of out.split("\n")) expect([...line].length, line).toBeLessThanOrEqual(80);
    expect((await station.stationd("audit", "--since", "1d", "--json")).code).toBe(0);

    const sound = await station.stationd("audit", "--verify");
    expect(sound).toMatchObject({ code: 0, out: expect.stringContaining("✓ agent: entries 1 to") });
    const head = /[0-9a-f]{64}/.exec(sound.out)?.[0] ?? "";
    expect((await station.stationd("audit", "--verify", "--head", head)).code).toBe(0);
    expect((await station.stationd("audit", "--verify", "--head", "0".repeat(64))).code).toBe(1);

    const file = join(station.folder, "audit-agent-000001.jsonl");
    await writeFile(file, (await readFile(file, "utf8")).replace('"detail":"on"', '"detail":"off"'));
    expect(await station.stationd("audit", "--verify")).toMatchObject({
      code: 1,
      out: expect.stringContaining("one of the two was changed"),
    });
    expect(await station.stationd("audit")).toMatchObject({ code: 1, note: expect.stringContaining("stationd audit --verify") });
    const gone = await station.stationd("audit", "--state-dir", join(station.folder, "none"));
    expect(gone).toMatchObject({ code: 1, note: expect.stringContaining("--state-dir") });
  } finally {
    await station.stop();
  }
});
