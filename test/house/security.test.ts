import { existsSync, readFileSync } from "node:fs";
import { expect, test } from "vitest";

/** `` `file` › `title` `` in docs/security.md. */
const NAMED = /`([\w./-]+\.ts)` › `([^`]+)`/g;

const namedIn = (text: string): { file: string; title: string }[] =>
  [...text.matchAll(NAMED)].map(([, file = "", title = ""]) => ({ file, title }));

/** Does a test of the file bear the title? As it stands in the source, whatever calls it. */
function hasTest(file: string, title: string): boolean {
  if (!existsSync(file)) return false;
  const source = readFileSync(file, "utf8");
  const quoted = title.replaceAll(/[.*+?^${}()|[\]\\]/g, "\\$&");
  return new RegExp(`^\\s*(?:(?:test|it)\\b[^\\n]*\\(|\\]\\)\\(|[^\\n"]*\\]\\)\\()["\`]${quoted}["\`]`, "m").test(source);
}

test("every threat in docs/security.md names what stops it and a test that exists", () => {
  const text = readFileSync("docs/security.md", "utf8");
  const named = namedIn(text);
  expect(named.length).toBeGreaterThan(40);
  expect(named.filter(({ file, title }) => !hasTest(file, title))).toEqual([]);
  // No row of a table without a test.
  const rows = text.split("\n").filter((line) => /^\|(?! what stops| ---)/.test(line));
  expect(rows.filter((row) => namedIn(row).length !== 1)).toEqual([]);
  expect(hasTest("test/house/security.test.ts", "no such title")).toBe(false);
  expect(hasTest("test/house/none.test.ts", "every threat")).toBe(false);
});
