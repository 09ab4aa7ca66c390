import { chmod, chown, mkdtemp, readFile, rename, rm, stat, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { manualClock } from "../kernel/clock.js";
import { silentLog } from "../kernel/log.js";
import { changeTokens } from "./change-tokens.js";
import { liveTokens, readTokenFile, type StoredToken } from "./token-file.js";

let folder: string;
let file: string;
const root = process.getuid?.() === 0;
const clock = manualClock();
const token = (name: string, more: Partial<StoredToken> = {}): StoredToken => ({
  name,
  role: "technician",
  sha256: Buffer.from(name.padEnd(32, "-")).toString("hex"),
  created: "2026-11-01T00:00:00.000Z",
  ...more,
});

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "stationd-tokens-"));
  file = join(folder, "tokens.toml");
});
afterEach(() => rm(folder, { recursive: true }));

it("a file is written whole, for root and the agent's group alone, and read as it was written", async () => {
  expect(readTokenFile(file)).toEqual([]);
  const tokens = [token("anna"), token("bert", { role: "kiosk", expires: "2027-01-01T00:00:00.000Z" })];
  await changeTokens(file, () => tokens);
  expect(readTokenFile(file)).toEqual(tokens);
  expect((await stat(file)).mode & 0o777).toBe(root ? 0o640 : 0o600);
  await changeTokens(file, (known) => known.filter(({ name }) => name !== "anna"));
  expect(readTokenFile(file).map(({ name }) => name)).toEqual(["bert"]);
});

it("two changes never overlap, and one that fails changes nothing", async () => {
  await changeTokens(file, () => [token("anna")]);
  await writeFile(`${file}.new`, "");
  await expect(changeTokens(file, () => [])).rejects.toMatchObject({ kind: "busy", hint: expect.stringContaining(`rm ${file}.new`) });
  await rm(`${file}.new`);
  const fails = (): never => {
    throw new RangeError("no");
  };
  await expect(changeTokens(file, fails)).rejects.toThrow("no");
  await changeTokens(file, (known) => [...known, token("bert")]);
  expect(readTokenFile(file)).toHaveLength(2);
});

it("a file that others can write or read, a link, and what is no token file are not believed", async () => {
  await changeTokens(file, () => [token("anna")]);
  for (const mode of [0o660, 0o642, 0o644, 0o666]) {
    await chmod(file, mode);
    expect(() => readTokenFile(file), mode.toString(8)).toThrow(/is open to others/);
  }
  await chmod(file, 0o640);
  await symlink(file, join(folder, "link"));
  expect(() => readTokenFile(join(folder, "link"))).toThrow(/is a link/);
  expect(() => readTokenFile(folder)).toThrow(/is no file/);
  const good = await readFile(file, "utf8");
  for (const text of [
    good.replace("technician", "simulator"),
    good.replace("technician", "root"),
    good.replace(/[0-9a-f]{64}/, "0"),
    good.replace("anna", "an na"),
    `${good}more = 1\n`,
    "[[",
    "__proto__ = 1",
    "\u0000",
  ]) {
    await writeFile(file, text);
    expect(() => readTokenFile(file), text).toThrow(/is no token file/);
  }
  await writeFile(file, " ".repeat(300_000));
  expect(() => readTokenFile(file)).toThrow(/is too large/);
});

if (!root) console.warn("SKIPPED: a token file of another user needs root to be made");
it.skipIf(!root)("a file of another user is not believed", async () => {
  await changeTokens(file, () => [token("anna")]);
  await chown(file, 65_534, 65_534);
  expect(() => readTokenFile(file)).toThrow(/belongs to the user 65534/);
});

it("a running agent sees each change at the next use, and times that are over; a file that is not believed opens no door", async () => {
  const heard: unknown[] = [];
  const live = liveTokens({ file, clock, log: silentLog, changed: (came, gone) => heard.push([came, gone]) });
  const names = (): string[] => live.tokens().map(({ name }) => name);
  expect(names()).toEqual([]);
  await changeTokens(file, () => [token("anna"), token("bert", { expires: new Date(clock.now() + 60_000).toISOString() })]);
  expect(names()).toEqual(["anna", "bert"]);
  await clock.advance(59_999);
  expect(names()).toEqual(["anna", "bert"]);
  await clock.advance(1);
  expect(names()).toEqual(["anna"]);
  await changeTokens(file, (known) => known.filter(({ name }) => name !== "bert"));
  expect(names()).toEqual(["anna"]);
  await chmod(file, 0o666);
  expect(names()).toEqual([]);
  await chmod(file, 0o600);
  expect(names()).toEqual(["anna"]);
  await rename(file, `${file}.old`);
  expect(names()).toEqual([]);
  expect(heard).toEqual([
    [["anna", "bert"], []],
    [[], ["bert"]],
    [[], ["anna"]],
    [["anna"], []],
    [[], ["anna"]],
  ]);
});
