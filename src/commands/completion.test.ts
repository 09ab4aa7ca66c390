import { execFile } from "node:child_process";
import { chmod, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, test } from "vitest";

const CLI = fileURLToPath(new URL("../cli.js", import.meta.url));
const run = promisify(execFile);
let folder: string;
let env: NodeJS.ProcessEnv;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "stationd-completion-"));
  // Nothing of this machine's agents may be found.
  env = { PATH: `${folder}:${process.env.PATH}`, HOME: folder, XDG_RUNTIME_DIR: folder };
  const script = (await run(process.execPath, [CLI, "completion", "bash"], { env })).stdout;
  await writeFile(join(folder, "completion.bash"), script);
  // Stands for the command where a script asks it for names; everything else is an error.
  await writeFile(join(folder, "stationd"), '#!/bin/sh\n[ "$*" = "completion devices" ] && printf "receipt\\nreader-1\\n"\n');
  await chmod(join(folder, "stationd"), 0o755);
  await writeFile(join(folder, "slip.json"), "{}");
});
afterAll(() => rm(folder, { recursive: true }));

/** What bash offers for the line as it stands, its last word being completed. */
async function offered(...words: string[]): Promise<string[]> {
  const script = `source completion.bash
complete -p stationd | grep -q -- "-F _stationd" || exit 9
COMP_WORDS=(stationd ${words.map((word) => `'${word}'`).join(" ")})
COMP_CWORD=${words.length}
_stationd
printf '%s\\n' "\${COMPREPLY[@]}"`;
  const { stdout, stderr } = await run("bash", ["--norc", "-c", script], { env, cwd: folder });
  expect(stderr).toBe("");
  return stdout.split("\n").filter((line) => line !== "");
}

test("bash: commands, their children, options, choices, devices and files", async () => {
  expect(await offered("pri")).toEqual(["print"]);
  expect(await offered("")).toContain("support-bundle");
  expect(await offered("jobs", "")).toEqual(["list", "get"]);
  expect(await offered("maintenance", "o")).toEqual(["on", "off"]);
  expect(await offered("logs", "--le")).toEqual(["--level"]);
  expect(await offered("logs", "--level", "")).toEqual(["debug", "info", "warn", "error"]);
  expect(await offered("logs", "--level", "warn", "--device", "re")).toEqual(["receipt", "reader-1"]);
  expect(await offered("test", "")).toEqual(["receipt", "reader-1"]);
  expect(await offered("print", "sl")).toEqual(["slip.json"]);
  expect(await offered("print", "--device", "scan", "sl")).toEqual(["slip.json"]);
  expect(await offered("scan", "--timeout", "")).toEqual([]);
});

test("devices: quick and silent where there is neither agent nor configuration", async () => {
  expect(await run(process.execPath, [CLI, "completion", "devices"], { env })).toEqual({ stdout: "", stderr: "" });
});

test("zsh and fish: the scripts are made of the same commands", async () => {
  for (const shell of ["zsh", "fish"]) {
    const { stdout } = await run(process.execPath, [CLI, "completion", shell], { env });
    for (const word of ["support-bundle", "level", "stationd completion devices"]) expect(stdout).toContain(word);
  }
});
