import { createHash } from "node:crypto";
import { lstat, readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { leaks } from "../support/canary.js";
import { inAFolder } from "./station-in-a-folder.js";

test("what the agent leaves on the disk is its owner's alone, and opens no door", { timeout: 90_000 }, async () => {
  const station = await inAFolder();
  try {
    const secret = (await station.stationd("token", "add", "anna")).out.trim();
    const technician = await station.connect({ token: secret });
    await technician.call("agent.maintenance", { on: true });
    await technician.call("jobs.list", {});
    const mint = station.agent.mintSimulatorToken();
    const planted = { token: secret.slice(4), session: technician.hello.session, simulator: mint };
    await station.agent.stop();

    const names = (await readdir(station.folder)).filter((name) => name !== "stationd.toml");
    expect(names).toEqual(
      expect.arrayContaining(["audit-agent-000001.jsonl", "audit-command-000001.jsonl", "journal.sqlite", "tokens.toml"]),
    );
    for (const name of names) {
      const path = join(station.folder, name);
      const { mode } = await lstat(path);
      // Root's token file is the agent's to read, by its group.
      expect([name, mode & (name === "tokens.toml" ? 0o027 : 0o077)]).toEqual([name, 0]);
      expect(leaks(await readFile(path), planted), name).toEqual([]);
    }
    // The search finds the hash, which is there.
    const hash = createHash("sha256").update(secret).digest("hex");
    expect(leaks(await readFile(join(station.folder, "tokens.toml")), { hash })).not.toEqual([]);
  } finally {
    await station.stop();
  }
});

test("whoever comes by the technicians' socket without a token takes no money back", async () => {
  const station = await inAFolder();
  try {
    const secret = (await station.stationd("token", "add", "anna")).out.trim();
    const [unnamed, anna] = [await station.connect({ socket: "technician" }), await station.connect({ token: secret })];
    const reversal = { job: "0".repeat(32), idempotencyKey: "security-00000001" };
    await expect(unnamed.call("paymentTerminal.reverse", reversal)).rejects.toMatchObject({ kind: "forbidden" });
    // Who is named gets further: there is no such payment.
    await expect(anna.call("paymentTerminal.reverse", reversal)).rejects.toMatchObject({ kind: "job_not_found" });
    const { out } = await station.stationd("audit", "--json");
    const { entries } = JSON.parse(out) as { entries: { who: string; what: string; outcome: string }[] };
    const reversals = entries.filter(({ what, outcome }) => what === "paymentTerminal.reverse" && outcome !== "begun");
    expect(reversals.map(({ who, outcome }) => [who, outcome])).toEqual([
      ["socket:technician", "forbidden"],
      ["token:anna", "job_not_found"],
    ]);
  } finally {
    await station.stop();
  }
});
