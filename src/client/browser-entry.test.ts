import { existsSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { expect, it } from "vitest";

/** The browser's entry with everything that it imports at run time, as compiled. */
function modulesFrom(entry: URL, seen = new Map<string, string>()): ReadonlyMap<string, string> {
  if (seen.has(entry.href)) return seen;
  const source = readFileSync(entry, "utf8");
  seen.set(entry.href, source);
  for (const [, name = ""] of source.matchAll(/^\s*(?:import|export)\s[^;]*?from\s+"([^"]+)"|^\s*import\s+"([^"]+)"/gm)) {
    expect(name, `${fileURLToPath(entry)} imports by relative path only`).toMatch(/^\.{1,2}\/.+\.js$/);
    modulesFrom(new URL(name, entry), seen);
  }
  return seen;
}

const modules = modulesFrom(new URL("./index.js", import.meta.url));

it("runs from a static folder: relative imports, no schema, no Node", () => {
  const paths = [...modules.keys()].map((href) => href.replace(/^.*\/src\//, ""));
  const foreign = paths.filter((path) => !path.startsWith("client/"));
  expect(foreign.sort()).toEqual(["protocol/binary-frame.js", "protocol/messages.vi.js", "protocol/version.js"]);
  expect(paths).not.toContain("client/node.js");
  expect([...modules.values()].join("\n")).not.toMatch(/\bimport\(|\brequire\(|\bprocess\.|\bBuffer\b/);
  expect(existsSync(new URL("./index.d.ts", import.meta.url))).toBe(true);
});

it("is under 15 kB gzipped, unminified", () => {
  expect(gzipSync([...modules.values()].join("\n")).length).toBeLessThan(15_000);
});
