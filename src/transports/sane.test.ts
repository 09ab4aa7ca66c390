import { existsSync } from "node:fs";
import { chmod, mkdir, mkdtemp, readdir, rm, stat, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { systemClock } from "../kernel/clock.js";
import type { ProgramLink } from "../kernel/program.js";
import { makePrivateFolder } from "./private-folder.js";
import { sane } from "./sane.js";
import { LinkSettings } from "./settings.js";

let place: string;
const never = new AbortController().signal;
/** A scanimage that tells how it was called, and the files of its configuration. */
const SCANIMAGE = `#!${process.execPath}
const { readdirSync, readFileSync, existsSync, writeFileSync } = require("node:fs");
const [, ...args] = process.argv.slice(1);
const [ours] = process.env.SANE_CONFIG_DIR.split(":");
if (args[0] === "make") for (const name of args.slice(1)) writeFileSync(name, "a page");
if (args[0] === "hang") { writeFileSync("page1.pnm.part", "half"); console.log("up"); setInterval(() => {}, 1000); }
else {
  const files = Object.fromEntries(readdirSync(ours).map((name) => [name, name.endsWith(".conf") ? readFileSync(ours + "/" + name, "utf8") : readdirSync(ours + "/" + name)]));
  console.log(JSON.stringify({ args, files, path: process.env.SANE_CONFIG_DIR.slice(ours.length), locale: process.env.LC_ALL }));
}
`;

beforeEach(async () => {
  place = await mkdtemp(join(tmpdir(), "stationd-sane-"));
  await writeFile(join(place, "scanimage"), SCANIMAGE);
  await chmod(join(place, "scanimage"), 0o755);
  await mkdir(join(place, "run"));
  vi.stubEnv("PATH", `${place}:${process.env.PATH}`);
  vi.stubEnv("RUNTIME_DIRECTORY", join(place, "run"));
  vi.stubEnv("SANE_CONFIG_DIR", undefined);
});
afterEach(async () => {
  vi.unstubAllEnvs();
  await rm(place, { recursive: true });
});

const open = (settings: object = {}): Promise<ProgramLink> => {
  const parsed = LinkSettings.parse({ kind: "sane", ...settings });
  if (parsed.kind !== "sane") throw new RangeError("not sane");
  return sane(parsed, systemClock())(never);
};
const told = async (link: ProgramLink, ...args: string[]): Promise<{ files: object; path: string; locale: string }> => {
  const lines: string[] = [];
  await link.run(["tell", ...args], { stdout: (line) => lines.push(line) }, never);
  return JSON.parse(lines[0] ?? "null");
};

it("has a configuration of its own, before the system's, of the backends that are wanted", async () => {
  const all = await open();
  expect(await told(all)).toMatchObject({ files: {}, path: ":", locale: "C" });
  const some = await open({ backends: ["epson2", "test"], device: "test" });
  expect(some.device).toBe("test");
  expect((await told(some)).files).toEqual({ "dll.conf": "epson2\ntest\n", "dll.d": [] });
  vi.stubEnv("SANE_CONFIG_DIR", "/etc/scanners");
  const network = await open({ network: [{ name: "Phong 1", url: "http://10.0.0.9:8080/eSCL" }] });
  const { files, path } = await told(network);
  expect(path).toBe(":/etc/scanners");
  expect(files).toEqual({
    "airscan.conf": '[devices]\n"Phong 1" = http://10.0.0.9:8080/eSCL, eSCL\n[options]\ndiscovery = disable\nws-discovery = off\n',
    "dll.conf": "airscan\n",
    "dll.d": [],
  });
  await Promise.all([all, some, network].map((link) => link.close()));
  expect(await readdir(join(place, "run"))).toEqual([]);
});

it("keeps everything in a folder that nobody else can enter, and removes it", async () => {
  const link = await open();
  const root = dirname(link.folder);
  expect([(await stat(root)).mode & 0o777, (await stat(link.folder)).mode & 0o777]).toEqual([0o700, 0o700]);
  expect(dirname(root)).toBe(join(place, "run"));
  await link.run(["make", "page1.pnm", "page2.pnm"], {}, never);
  expect(Buffer.from(await link.take("page1.pnm", 6)).toString()).toBe("a page");
  await expect(link.take("page2.pnm", 5)).rejects.toMatchObject({ kind: "too_large" });
  expect(await readdir(link.folder)).toEqual([]);
  await expect(link.take("page1.pnm", 6)).rejects.toMatchObject({ kind: "device_fault" });
  await writeFile(join(place, "secret"), "secret");
  await symlink(join(place, "secret"), join(link.folder, "page3.pnm"));
  for (const name of ["page3.pnm", "../sane.d/dll.conf", ".", "..", "a/b", ""])
    await expect(link.take(name, 99)).rejects.toMatchObject({ kind: "device_fault" });
  expect(existsSync(join(place, "secret"))).toBe(true);
  expect(existsSync(root)).toBe(true);
  await link.run(["make", "page4.pnm"], {}, never);
  await link.close();
  await link.close();
  expect(existsSync(root)).toBe(false);
  await expect(link.run([], {}, never)).rejects.toMatchObject({ kind: "device_absent" });
  await expect(link.take("page4.pnm", 99)).rejects.toMatchObject({ kind: "device_absent" });
});

it("runs one at a time; what is stopped leaves nothing, and closing stops it", async () => {
  const link = await open();
  const stop = new AbortController();
  const first = link.run(["hang"], { stdout: () => stop.abort() }, stop.signal);
  await expect(link.run(["tell"], {}, never)).rejects.toMatchObject({ kind: "busy" });
  expect(await first).toMatchObject({ stopped: true });
  expect(await readdir(link.folder)).toEqual([]);
  let up = (): void => {};
  const hanging = new Promise<void>((resolve) => {
    up = resolve;
  });
  const second = link.run(["hang"], { stdout: up }, never);
  await hanging;
  await link.close();
  expect(await second).toMatchObject({ stopped: true });
});

it("removes what a dead agent left, and nothing else", async () => {
  const run = join(place, "run");
  const mine = await makePrivateFolder();
  // No process has such an id; and this one was not born then.
  const dead = ["stationd-4194999-77-abcDEF", `stationd-${process.pid}-1-abcDEF`];
  const others = ["stationd-4194999-77", "something", "stationd-4194999-77-abcDEF.txt"];
  for (const name of [...dead, ...others]) await mkdir(join(run, name, "pages"), { recursive: true });
  await writeFile(join(run, dead[0] ?? "", "pages", "page1.pnm"), "a page");
  await symlink(join(run, "something"), join(run, "stationd-4194999-78-abcDEF"));
  const next = await makePrivateFolder();
  expect((await readdir(run)).map((name) => join(run, name)).sort()).toEqual(
    [mine, next, ...[...others, "stationd-4194999-78-abcDEF"].map((name) => join(run, name))].sort(),
  );
});

it("without scanimage it says what to install", async () => {
  vi.stubEnv("PATH", "/nowhere");
  await expect(open()).rejects.toMatchObject({ kind: "device_absent", hint: "Install the package sane-utils" });
  expect(await readdir(join(place, "run"))).toEqual([]);
});
