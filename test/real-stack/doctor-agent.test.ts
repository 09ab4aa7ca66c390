import { execFile } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import type { Finding } from "../../src/doctor/finding.js";
import { startStation } from "../../src/testing.js";

const CLI = fileURLToPath(new URL("../../src/cli.js", import.meta.url));

test("with the agent alive the doctor asks each device, and tells what the device says", { timeout: 120_000 }, async () => {
  const folder = await mkdtemp(join(tmpdir(), "stationd-doctor-"));
  try {
    await using station = await startStation({ seed: 1 });
    const config = join(folder, "station.toml");
    await writeFile(config, `[server]\nport = ${new URL(station.url).port}\n`);
    await writeFile(join(folder, "token"), station.tokens.technician);
    const doctor = async (): Promise<Readonly<Record<string, Finding>>> => {
      const args = [CLI, "doctor", "--json", "--config", config, "--url", station.url, "--token-file", join(folder, "token")];
      // Without a unit on this machine there are failures: its exit code says so.
      const out = await new Promise<string>((resolve) => execFile(process.execPath, args, (_, stdout) => resolve(stdout)));
      return Object.fromEntries((JSON.parse(out) as { findings: readonly Finding[] }).findings.map((finding) => [finding.id, finding]));
    };
    const well = await doctor();
    expect(well["agent.port"]?.verdict).toBe("ok");
    for (const device of ["receipt", "scanner", "id-reader"]) expect(well[`self-test.${device}`]?.verdict, device).toBe("ok");
  } finally {
    await rm(folder, { recursive: true });
  }
});
