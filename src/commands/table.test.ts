import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { english } from "../languages/translate.js";
import type { DeviceSnapshot } from "../protocol/devices.js";
import { age, deviceLine, deviceTable } from "./device-table.js";
import { deviceWatch } from "./device-watch.js";
import { formatTable, wrap } from "./table.js";

const now = 1_700_000_100_000;
const black = { columns: 80, colour: false, t: english };

function device(id: string, more: Partial<DeviceSnapshot> = {}): DeviceSnapshot {
  return { id, class: "printer", driver: "escpos", state: "ready", since: now - 5_000, queue: { length: 0 }, ...more };
}

const paperOut: Partial<DeviceSnapshot> = {
  state: "attention",
  reason: { kind: "paper_out", message: "paper out", retryable: true, hint: "Load paper and close the cover" },
};

describe("formatTable", () => {
  it("aligns columns, cuts the wide ones and wraps the last", () => {
    const rows = [[{ text: "a".repeat(30) }, { text: "x" }, { text: "one two three four" }]];
    const table = formatTable(["A", "B", "NOTE"], rows, { columns: 40, colour: false, t: english });
    expect(table.split("\n")).toEqual(["A            B  NOTE", `${"a".repeat(10)}…  x  one two three four`, ""]);
  });

  it("never writes a line that is too long, whatever is in it", () => {
    const text = fc.oneof(fc.string({ unit: "grapheme", maxLength: 120 }), fc.constant("x".repeat(200)));
    fc.assert(
      fc.property(fc.array(fc.tuple(text, text, text, text), { maxLength: 5 }), fc.integer({ min: 24, max: 80 }), (rows, columns) => {
        const cells = rows.map((row) => row.map((cell) => ({ text: cell.replaceAll(/\s/g, " ") })));
        for (const line of formatTable(["ONE", "TWO", "THREE", "FOUR"], cells, { columns, colour: false, t: english }).split("\n")) {
          expect([...line].length).toBeLessThanOrEqual(columns);
        }
      }),
      { numRuns: 200 },
    );
  });

  it("colours only when told", () => {
    const rows = [[{ text: "a", colour: "red" as const }, { text: "b" }]];
    expect(formatTable(["A", "B"], rows, black)).not.toContain("\u001b");
    expect(formatTable(["A", "B"], rows, { columns: 80, colour: true, t: english })).toContain("\u001b[31ma\u001b[0m");
  });

  it("wraps at words and breaks what is longer than a line", () => {
    expect(wrap("one two three", 7)).toEqual(["one two", "three"]);
    expect(wrap("abcdefgh ij", 3)).toEqual(["abc", "def", "gh", "ij"]);
    expect(wrap("abcdef", 3)).toEqual(["abc", "def"]);
    expect(wrap("", 3)).toEqual([""]);
  });
});

describe("deviceTable", () => {
  it("shows state, age and what to do in 80 columns", () => {
    const table = deviceTable(
      [
        device("receipt", paperOut),
        device("label", { identity: { vendor: "EPSON", model: "TM-T88VI" }, warnings: ["paper_near_end"] }),
        device("a-scanner-with-quite-a-long-name", {
          class: "barcodeScanner",
          driver: "serial-scanner",
          simulated: true,
          since: now - 7_200_000,
        }),
        device("slip", { queue: { length: 2, running: "printer.print" }, claim: { client: "kiosk 1.0", until: now } }),
      ],
      now,
      black,
    );
    expect(table.split("\n")).toEqual([
      "DEVICE                  CLASS           STATE      FOR  NOTE",
      "receipt                 printer         attention  5 s  paper out. Load paper",
      "                                                        and close the cover.",
      "label                   printer         ready      5 s  paper near end. EPSON",
      "                                                        TM-T88VI",
      "a-scanner-with-quite-…  barcodeScanner  ready      2 h  [simulated]",
      "                                                        serial-scanner",
      "slip                    printer         ready      5 s  printer.print is",
      "                                                        running. 2 waiting.",
      "                                                        Claimed by kiosk 1.0.",
      "                                                        escpos",
      "",
    ]);
    for (const line of table.split("\n")) expect([...line].length).toBeLessThanOrEqual(80);
    expect(deviceTable([], now, black)).toBe("This station has no devices.\n");
  });

  it("lets nothing from a device steer the terminal", () => {
    const evil = device("receipt", { identity: { model: "\u001b]0;owned\u0007\u009b2J\nx" } });
    expect(deviceTable([evil], now, black)).not.toMatch(/[^\P{Cc}\n]/u);
    expect(deviceLine(evil, now, english)).toBe("2023-11-14T22:15:00.000Z receipt ready  ]0;owned 2J x");
  });

  it.each([
    [-5, "0 s"],
    [59_999, "59 s"],
    [60_000, "1 min"],
    [3_600_000, "1 h"],
    [172_800_000, "2 d"],
  ])("tells %i ms as %s", (ms, text) => expect(age(ms, english)).toBe(text));
});

describe("deviceWatch", () => {
  const state = { kind: "state", topic: "devices", state: [device("a"), device("b")], resynced: false } as const;
  const event = { kind: "event", topic: "devices", data: device("b", paperOut), seq: 1, time: now, coalesced: 0 } as const;

  it("draws the whole table anew on a screen", () => {
    const render = deviceWatch("screen", () => now, black);
    expect(render(state)).toBe(`\u001b[H\u001b[2J\u001b[3J${deviceTable(state.state, now, black)}\nCtrl-C ends.\n`);
    expect(render(event)).toContain(deviceTable([device("a"), device("b", paperOut)], now, black));
    expect(render({ ...event, data: device("c") })).toContain("\nc ");
  });

  it("writes one line per change in a pipe", () => {
    const render = deviceWatch("lines", () => now, black);
    expect(render(state).split("\n")).toHaveLength(3);
    expect(render(event)).toBe("2023-11-14T22:15:00.000Z b attention paper out. Load paper and close the cover.\n");
  });

  it("writes one JSON object per change for programs", () => {
    const render = deviceWatch("json", () => now, black);
    expect(render(event)).toBe(`${JSON.stringify(event.data)}\n`);
  });
});
