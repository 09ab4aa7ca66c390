import { existsSync, readFileSync } from "node:fs";
import { expect, test } from "vitest";

test("each complaint has a test, which is there", () => {
  const lines = readFileSync("docs/complaints.md", "utf8")
    .split("\n")
    .filter((line) => line.startsWith("| "))
    .slice(2);
  expect(lines.length).toBeGreaterThan(30);
  for (const line of lines) {
    const [, file = "", title = ""] = /`([^`]+\.test\.ts)` "(.+)" \|$/.exec(line) ?? [];
    expect(existsSync(file), line).toBe(true);
    const text = readFileSync(file, "utf8");
    const at = text.indexOf(`"${title}`);
    expect(at, line).toBeGreaterThan(-1);
    // A title that begins a test, run everywhere or where its machine lets it, and is not set aside.
    expect(text.slice(0, at), line).toMatch(/\b(it|test)(\.(each|skipIf)\(([^;]|\n)*?\))?\(\s*$/);
  }
});
