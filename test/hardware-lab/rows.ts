/** Every row that a run must bring: what is done to which device. A run without one of them has failed. */
export const ROWS = {
  "printer-lp": ["prints", "pulled idle", "pulled in mid-print", "in another socket", "out of paper"],
  "printer-usb": ["prints", "pulled idle", "pulled in mid-print", "its process crashes in mid-print", "in another socket", "out of paper"],
  "scanner-hid": ["reads a code", "pulled idle", "pulled in mid-code", "in another socket"],
  "scanner-uhid": ["honeywell", "honeywell-early", "honeywell-remote", "jieli", "newland", "uncounted"],
  "scanner-acm": ["reads a code", "pulled idle", "pulled in mid-code", "in another socket"],
  "terminal-acm": ["takes a payment", "pulled idle", "pulled in mid-payment", "in another socket"],
  "terminal-ftdi": ["takes a payment", "pulled idle", "pulled in mid-payment", "in another socket"],
  reader: ["reads a card", "pulled idle", "pulled in mid-read", "in another socket", "pulled, pcscd stuck"],
  camera: ["live picture", "pulled idle", "pulled while looked at"],
  webcam: ["takes a picture", "pulled idle"],
  station: ["whole journey"],
} as const satisfies Readonly<Record<string, readonly string[]>>;
export type DeviceName = keyof typeof ROWS;
export type Action<D extends DeviceName = DeviceName> = (typeof ROWS)[D][number];

/** What has a row of its cycles: the devices with a cable of their own, and the station for its memory. */
export const CYCLED: readonly string[] = Object.keys(ROWS).filter((device) => device !== "scanner-uhid");

export interface Row {
  readonly device: string;
  readonly action: string;
  readonly ok: boolean;
  /** From the pull to the page's hearing of it; from the push to its hearing that the device works. */
  readonly goneMs?: number;
  readonly backMs?: number;
  readonly outcome: string;
}

/** A person at the station waits no longer than this for a device that was plugged in again. */
export const NOTICED_WITHIN_MS = 3_000;

export interface Wanted {
  /** These devices alone, with commas between them. */
  readonly only?: string | undefined;
  /** Pulled and pushed so often, and nothing else. */
  readonly cycles?: string | undefined;
}

export function wantedRows({ only, cycles }: Wanted): readonly { readonly device: string; readonly action: string }[] {
  return Object.entries(ROWS)
    .filter(([device]) => only === undefined || only.split(",").includes(device) || (cycles !== undefined && device === "station"))
    .flatMap(([device, actions]) => {
      if (cycles !== undefined) return CYCLED.includes(device) ? [{ device, action: `${cycles} cycles` }] : [];
      return actions.map((action) => ({ device, action }));
    });
}

/** What is wrong with a run, in sentences. */
export function faultsOf(rows: readonly Row[], wanted: ReturnType<typeof wantedRows>): string[] {
  const missing = wanted
    .filter(({ device, action }) => !rows.some((row) => row.device === device && row.action === action))
    .map(({ device, action }) => `${device}, ${action}: no row`);
  const failed = rows.filter((row) => !row.ok).map((row) => `${row.device}, ${row.action}: ${row.outcome}`);
  return [...missing, ...failed];
}

export function tableOf(rows: readonly Row[]): string {
  const ms = (value: number | undefined): string => (value === undefined ? "" : `${Math.round(value)} ms`);
  const cells = [
    ["device", "action", "gone", "back", "outcome"],
    ...rows.map((row) => [row.device, row.action, ms(row.goneMs), ms(row.backMs), `${row.ok ? "✓" : "✗"} ${row.outcome}`]),
  ];
  const widths = [0, 1, 2, 3].map((column) => Math.max(...cells.map((line) => line[column]?.length ?? 0)));
  return cells
    .map(
      (line) =>
        `${line
          .map((cell, column) => cell.padEnd(widths[column] ?? 0))
          .join("  ")
          .trimEnd()}\n`,
    )
    .join("");
}
