import { expect, it } from "vitest";
import { CYCLED, faultsOf, ROWS, type Row, tableOf, wantedRows } from "./rows.js";

const all: readonly Row[] = wantedRows({}).map((row) => ({ ...row, ok: true, outcome: "well" }));

it("is content with every row, and with nothing less", () => {
  expect(faultsOf(all, wantedRows({}))).toEqual([]);
  expect(all).toHaveLength(Object.values(ROWS).flat().length);
  for (const left of all)
    expect(
      faultsOf(
        all.filter((row) => row !== left),
        wantedRows({}),
      ),
    ).toEqual([`${left.device}, ${left.action}: no row`]);
});

it("names what went wrong", () => {
  const rows = all.map((row, index) => (index === 3 ? { ...row, ok: false, outcome: "two receipts" } : row));
  expect(faultsOf(rows, wantedRows({}))).toEqual([`${rows[3]?.device}, ${rows[3]?.action}: two receipts`]);
});

it("wants the rows of the devices that were asked for, or their cycles", () => {
  expect(wantedRows({ only: "camera,station" }).map(({ device }) => device)).toEqual(["camera", "camera", "camera", "station"]);
  expect(wantedRows({ cycles: "100" })).toEqual(CYCLED.map((device) => ({ device, action: "100 cycles" })));
});

it("stands in columns", () => {
  expect(tableOf([{ device: "reader", action: "pulled idle", ok: true, goneMs: 12.4, backMs: 1_234, outcome: "reads again" }])).toBe(
    ["device  action       gone   back     outcome", "reader  pulled idle  12 ms  1234 ms  ✓ reads again", ""].join("\n"),
  );
});
