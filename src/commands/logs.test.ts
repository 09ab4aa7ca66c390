import { expect, test } from "vitest";
import { ago } from "./logs.js";
import { LONGEST_LINE, linesOf, logText, readLogLine, wanted } from "./logs-lines.js";

const own = {
  level: "warn",
  pid: 7,
  time: 1_795_474_800_000,
  device: "receipt",
  state: "attention",
  kind: "paper_out",
  msg: "device changed",
};
const inJournal = JSON.stringify({ __REALTIME_TIMESTAMP: "1795474800123000", PRIORITY: "6", MESSAGE: JSON.stringify(own) });
const style = { colour: false, columns: undefined };

test("a line of the agent is the same from the journal and from a file, and one line for people", () => {
  const line = readLogLine(inJournal);
  expect(line).toEqual(readLogLine(JSON.stringify(own)));
  expect(line).toMatchObject({ level: "warn", event: "device changed", device: "receipt", own: true });
  expect(logText(line as NonNullable<typeof line>, style)).toMatch(
    /^2026-11-2\d \d\d:\d\d:00 WARN {2}receipt: device changed state=attention kind=paper_out\n$/,
  );
});

test("what others wrote is shown too: systemd, a dying Node, bytes that are no text; an empty line is none", () => {
  const of = (MESSAGE: unknown, PRIORITY = "3") => readLogLine(JSON.stringify({ MESSAGE, PRIORITY, __REALTIME_TIMESTAMP: "1" }));
  expect(of("stationd.service: Failed with result 'core-dump'.")).toMatchObject({ level: "error", own: false });
  expect(of([104, 105, 255], "4")).toMatchObject({ level: "warn", event: "hi\ufffd" });
  expect(readLogLine("FATAL ERROR: heap out of memory")).toMatchObject({ event: "FATAL ERROR: heap out of memory", own: false });
  expect(readLogLine("  ")).toBeUndefined();
});

test("hostile lines neither steer the terminal nor end the program", () => {
  const lines = [
    JSON.stringify({ ...own, msg: "\u001b[2Jgone\r\n", state: "\u0007" }),
    JSON.stringify({ ...own, time: 1e300 }),
    JSON.stringify({ MESSAGE: [1e9, -1], __REALTIME_TIMESTAMP: "x".repeat(99) }),
    '{"level":"info","msg":{"a":1}}',
    "[".repeat(10_000),
    "null",
    `{"MESSAGE":"${"y".repeat(LONGEST_LINE)}"}`,
  ];
  for (const text of lines) {
    const line = readLogLine(text);
    const shown = line === undefined ? "" : logText(line, { colour: false, columns: 80 });
    // biome-ignore lint/suspicious/noControlCharactersInRegex: that there are none is what is tested
    expect(shown).not.toMatch(/[\u0000-\u0009\u000b-\u001f]/);
    for (const part of shown.split("\n")) expect([...part].length).toBeLessThanOrEqual(80);
  }
});

test("filters by device, level and time; a dying Node belongs to every device", () => {
  const line = readLogLine(inJournal) as NonNullable<ReturnType<typeof readLogLine>>;
  expect(wanted(line, {})).toBe(true);
  expect(wanted(line, { device: "receipt", level: "warn", since: 1_795_474_800_000 })).toBe(true);
  expect(wanted(line, { device: "scanner" })).toBe(false);
  expect(wanted(line, { level: "error" })).toBe(false);
  expect(wanted(line, { since: 1_795_474_800_001 })).toBe(false);
  const dying = readLogLine(JSON.stringify({ MESSAGE: "Aborted", PRIORITY: "2", __REALTIME_TIMESTAMP: "1" })) as typeof line;
  expect(wanted(dying, { device: "scanner" })).toBe(true);
  expect([ago("90s"), ago("10m"), ago("3d")]).toEqual([90_000, 600_000, 259_200_000]);
  for (const wrong of ["10", "m", "-1m", "1y", "1.5h"]) expect(() => ago(wrong), wrong).toThrow("such as");
});

test("lines come whole from any pieces, and one without an end takes no memory without end", async () => {
  async function* pieces(): AsyncGenerator<Uint8Array> {
    yield* [Buffer.from("a\nđ").subarray(0, 3), Buffer.from("đ").subarray(1), Buffer.from("\n")];
    for (let index = 0; index < 40; index++) yield Buffer.alloc(LONGEST_LINE, "z");
    yield Buffer.from("\nlast");
  }
  const lines: string[] = [];
  for await (const line of linesOf(pieces())) lines.push(line);
  expect(lines).toHaveLength(4);
  expect([lines[0], lines[1], lines[3]]).toEqual(["a", "đ", "last"]);
  expect(lines[2]?.length).toBeLessThanOrEqual(3 * LONGEST_LINE);
  expect(readLogLine(lines[2] ?? "")?.event).toContain("left out");
});
