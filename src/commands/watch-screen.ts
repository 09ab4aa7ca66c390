import { age, STATE_COLOURS } from "./device-table.js";
import { type Colour, paint, plain } from "./terminal.js";
import type { Dashboard, WatchedDevice } from "./watch-state.js";

export interface ScreenSize {
  readonly columns: number;
  readonly rows: number;
}

/** Two lines and a blank one above the devices, a blank one and one below. */
const FRAME_LINES = 6;
const LINES_PER_DEVICE = 2;

/** The dashboard as lines that fit the screen: never more than `rows`, none longer than `columns`. */
export function screenLines(dashboard: Dashboard, now: number, { columns, rows }: ScreenSize, colour: boolean): string[] {
  const { devices } = dashboard;
  const room = Math.max(1, Math.floor((rows - FRAME_LINES) / LINES_PER_DEVICE));
  // What needs somebody must not be below the edge of the screen.
  const shown = devices.length <= room ? devices : [...devices].sort((a, b) => urgency(a) - urgency(b)).slice(0, room - 1);
  const name = Math.min(16, Math.max(6, ...shown.map(({ snapshot }) => snapshot.id.length)));
  const lines = [
    ...headLines(dashboard, now, columns, colour),
    "",
    clipped(
      `${"DEVICE".padEnd(name)}  ${"STATE".padEnd(9)}  ${"FOR".padEnd(6)}  ${"DOING".padEnd(24)}  ${"WAIT".padStart(4)}  ${"/MIN".padStart(6)}`,
      columns,
    ),
    ...shown.flatMap((device) => deviceLines(device, now, name, columns, colour)),
    ...(shown.length < devices.length ? [`… ${devices.length - shown.length} more: a higher window shows them`] : []),
    ...(devices.length === 0 ? ["This station has no devices."] : []),
    "",
    "Ctrl-C ends.",
  ];
  return lines.slice(0, rows);
}

/** As it is on a screen; each line is cut and painted as a whole, so that no colour is cut in two. */
function headLines(
  { name, version, mode, maintenance, startedAt, figures }: Dashboard,
  now: number,
  columns: number,
  colour: boolean,
): string[] {
  const service = maintenance ? "OUT OF SERVICE (maintenance)" : "in service";
  const first = `${plain(name)}: ${service}, ${mode} mode, stationd ${version}, up ${age(now - startedAt)}`;
  const told = figures
    ? [
        figures.sessions === undefined ? "" : `sessions ${figures.sessions}`,
        figures.residentBytes === undefined ? "" : `memory ${Math.round(figures.residentBytes / 1e6)} MB`,
        figures.loopDelayMs === undefined ? "" : `event loop ${figures.loopDelayMs.toFixed(0)} ms (p99)`,
      ].filter((part) => part !== "")
    : ["no metrics: they need a technician's socket or token"];
  return [
    paint(clipped(first, columns), maintenance ? "yellow" : undefined, colour),
    paint(clipped(told.join(", "), columns), "grey", colour),
  ];
}

function deviceLines(
  { snapshot, lastError, perMinute }: WatchedDevice,
  now: number,
  name: number,
  columns: number,
  colour: boolean,
): string[] {
  const { id, state, since, queue, claim } = snapshot;
  const doing = queue.running ?? (claim ? `claimed by ${plain(claim.client)}` : "");
  const rate = perMinute === undefined ? "" : perMinute.toFixed(perMinute < 10 ? 1 : 0);
  const before = `${cut(plain(id), name).padEnd(name)}  `;
  const after = `  ${age(now - since).padEnd(6)}  ${cut(doing, 24).padEnd(24)}  ${String(queue.length || "").padStart(4)}  ${rate.padStart(6)}`;
  const first = clipped(before + state.padEnd(9) + after, columns);
  const painted =
    first.slice(0, before.length) +
    paint(first.slice(before.length, before.length + 9), STATE_COLOURS[state], colour) +
    first.slice(before.length + 9);
  if (!lastError) return [painted, ""];
  const current = snapshot.reason !== undefined;
  const when = current ? "" : `${age(now - lastError.at)} ago: `;
  const tint: Colour = current ? "yellow" : "grey";
  return [painted, paint(clipped(`  ${when}${plain(lastError.message)}. ${plain(lastError.hint)}.`, columns), tint, colour)];
}

const URGENT: readonly string[] = ["faulted", "absent", "attention", "opening"];

function urgency({ snapshot }: WatchedDevice): number {
  const at = URGENT.indexOf(snapshot.state);
  return at < 0 ? URGENT.length : at;
}

const clipped = (text: string, columns: number): string => cut(text, columns).trimEnd();

function cut(text: string, columns: number): string {
  const letters = [...text];
  return letters.length <= columns ? text : `${letters.slice(0, Math.max(0, columns - 1)).join("")}…`;
}

/** Another screen beside the one where the shell is, without a cursor; and back. */
export const ENTER_SCREEN = "\u001b[?1049h\u001b[?25l";
export const LEAVE_SCREEN = "\u001b[?25h\u001b[?1049l";

/** Draws over what is there: nothing flickers, and what is left of longer lines is cleared. */
export function drawn(lines: readonly string[]): string {
  return `\u001b[H${lines.map((line) => `${line}\u001b[K`).join("\r\n")}\u001b[J`;
}
