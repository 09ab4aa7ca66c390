import { readdir, readFile } from "node:fs/promises";
import { expect, test } from "vitest";
import { HOME, KEPT, PLACES } from "../../src/install/places.js";

test("every file of systemd/ has its place, and the README tells each", async () => {
  const files = (await readdir("systemd", { withFileTypes: true })).filter((entry) => entry.isFile() && entry.name !== "README.md");
  const all = [...PLACES, ...KEPT];
  expect(all.map(({ file }) => file).sort()).toEqual(files.map(({ name }) => name).sort());
  const rows = [...(await readFile("systemd/README.md", "utf8")).matchAll(/^\| `([^`]+)` +\| `(\/[^`]+)` +\| (.*?) +\|$/gm)];
  expect(rows.map(([, file, to, what]) => ({ file, to, what }))).toEqual(all.map(({ file, to, what }) => ({ file, to, what })));
});

test("postinst makes what people edit, and nothing else", async () => {
  const script = await readFile("systemd/debian/postinst", "utf8");
  const kept = [...script.matchAll(/^ +keep (\d+) \S+ (\S+) (\S+)$/gm)].map(([, mode, file, to]) => ({
    mode: Number.parseInt(mode ?? "", 8),
    file,
    to,
  }));
  expect(kept).toEqual(KEPT.map(({ mode, file, to }) => ({ mode, file, to })));
  const command = await readFile("systemd/stationd", "utf8");
  const unit = await readFile("systemd/stationd.service", "utf8");
  const node = `${HOME}/node/bin/node ${HOME}/dist/bundle/stationd.js`;
  expect(command).toContain(`exec ${node} "$@"`);
  expect(unit).toContain(`ExecStart=${node} run`);
});

test("the Node that is packaged is pinned: an exact version and its checksum", async () => {
  const pin = JSON.parse(await readFile("systemd/debian/node.json", "utf8")) as Record<string, string>;
  expect(pin.version).toMatch(/^24\.\d+\.\d+$/);
  expect(Buffer.from(/^sha512-(.+)$/.exec(pin.integrity ?? "")?.[1] ?? "", "base64")).toHaveLength(64);
});
