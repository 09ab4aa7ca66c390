import { execFile, spawnSync } from "node:child_process";
import { cp, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { parseConfig } from "../../src/config/load.js";
import { drivers } from "../../src/drivers/index.js";

const run = promisify(execFile);
const UNITS = ["stationd.service", "stationd-pcscd.path", "stationd-pcscd.service"];
const present = spawnSync("systemd-analyze", ["--version"]).status === 0;
if (!present) {
  if (process.env.STATIOND_REAL_STACK === "required") throw new RangeError("STATIOND_REAL_STACK=required, but there is no systemd-analyze");
  console.warn("SKIPPED: what systemd says of the unit, because systemd-analyze is not installed");
}

describe.skipIf(!present)("systemd accepts what is shipped", () => {
  /** A root in which the paths that the unit names exist, as the package would lay them. */
  let root: string;
  beforeAll(async () => {
    root = await mkdtemp(join(tmpdir(), "stationd-root-"));
    await mkdir(join(root, "etc/systemd/system"), { recursive: true });
    for (const unit of UNITS) await cp(`systemd/${unit}`, join(root, "etc/systemd/system", unit));
    for (const program of ["usr/lib/stationd/node/bin/node", "bin/kill", "usr/bin/systemd-tmpfiles", "usr/bin/rm", "usr/bin/systemctl"]) {
      await mkdir(join(root, program, ".."), { recursive: true });
      await writeFile(join(root, program), "#!/bin/sh\n", { mode: 0o755 });
    }
  });
  afterAll(() => rm(root, { recursive: true, force: true }));

  test("the units: verify has nothing to say of them", async () => {
    const { stderr } = await run("systemd-analyze", ["verify", "--man=no", "--recursive-errors=no", `--root=${root}`, ...UNITS]);
    expect(stderr.split("\n").filter((line) => line.includes("stationd"))).toEqual([]);
  });

  test("the unit: its exposure is at most 2.0", async () => {
    const unit = join(root, "etc/systemd/system/stationd.service");
    const { stdout } = await run("systemd-analyze", ["security", "--offline=true", "--no-pager", unit]);
    const exposure = Number(/Overall exposure level for \S+: (\d+\.\d+)/.exec(stdout)?.[1]);
    expect(exposure).toBeLessThanOrEqual(2.0);
  });

  test("users and folders: parsed without complaint", async () => {
    const users = await run("systemd-sysusers", ["--dry-run", "--root", root, join(process.cwd(), "systemd/stationd.sysusers.conf")]);
    expect(users.stderr).not.toMatch(/rror|nvalid/);
    const folders = await run("systemd-tmpfiles", ["--create", "--dry-run", join(process.cwd(), "systemd/stationd.tmpfiles.conf")]).catch(
      (error) => error as { stderr: string },
    );
    // Debian 12's has no --dry-run and says only that.
    expect(folders.stderr.replace(/.*unrecognized option.*\n?/, "")).not.toMatch(/nvalid|Unknown|ignoring/i);
  });

  test("udev rules: each line is made of known keys", async () => {
    const rules = await readFile("systemd/70-stationd.rules", "utf8");
    const lines = rules
      .replaceAll("\\\n", "")
      .split("\n")
      .filter((line) => line.trim() && !line.startsWith("#"));
    expect(lines.length).toBeGreaterThan(3);
    const key =
      /^(ACTION|SUBSYSTEMS?|KERNELS?|DRIVERS?|TAG|NAME|SYMLINK|GROUP|MODE|GOTO|LABEL|ATTRS?\{[\w/]+\}|ENV\{\w+\}|TEST(\{\d+\})?|IMPORT\{\w+\}|RUN(\{\w+\})?|OPTIONS)$/;
    for (const line of lines) {
      for (const [, name, operator] of line.matchAll(/(?:^|,)\s*([A-Z]+(?:\{[^}]+\})?)\s*(==|!=|\+=|:=|=)\s*"/g)) {
        expect(name, line).toMatch(key);
        expect(operator).toBeDefined();
      }
      expect(line.replaceAll(/[A-Z]+(\{[^}]+\})?\s*(==|!=|\+=|:=|=)\s*"[^"]*"/g, "").replaceAll(/[,\s]/g, ""), line).toBe("");
    }
  });
});

test("the sample config is a config, and every file that the README installs is there", async () => {
  const config = parseConfig(await readFile("systemd/stationd.toml", "utf8"), "stationd.toml", drivers);
  expect(config.agent.mode).toBe("production");
  const readme = await readFile("systemd/README.md", "utf8");
  const shipped = await readdir("systemd");
  for (const [name] of readme.matchAll(/(?<![\w./-])[\w-]+(\.[\w-]+)*\.(service|conf|rules|toml|json)\b/g)) {
    if (/^(stationd|70-stationd|chromium-policy)/.test(name)) expect(shipped, name).toContain(name);
  }
});
