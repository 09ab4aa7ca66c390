import type { Translate } from "../languages/translate.js";
import { commandHint } from "./command-hint.js";
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
/** Columns of a state and of an age, in every language. */
const STATE = 10;
const AGE = 7;

/** The dashboard as lines that fit the screen: never more than `rows`, none longer than `columns`. */
export function screenLines(dashboard: Dashboard, now: number, { columns, rows }: ScreenSize, colour: boolean, t: Translate): string[] {
  const { devices } = dashboard;
  const room = Math.max(1, Math.floor((rows - FRAME_LINES) / LINES_PER_DEVICE));
  // What needs somebody must not be below the edge of the screen.
  const shown = devices.length <= room ? devices : [...devices].sort((a, b) => urgency(a) - urgency(b)).slice(0, room - 1);
  const name = Math.min(16, Math.max(6, ...shown.map(({ snapshot }) => snapshot.id.length)));
  const lines = [
    ...headLines(dashboard, now, columns, colour, t),
    "",
    clipped(
      `${cut(t`DEVICE`, name).padEnd(name)}  ${t`STATE`.padEnd(STATE)}  ${t`FOR`.padEnd(AGE)}  ${t`DOING`.padEnd(24)}  ${t`WAIT`.padStart(4)}  ${t`/MIN`.padStart(6)}`,
      columns,
    ),
    ...shown.flatMap((device) => deviceLines(device, now, name, columns, colour, t)),
    ...(shown.length < devices.length ? [t`… ${devices.length - shown.length} more: a higher window shows them`] : []),
    ...(devices.length === 0 ? [t`This station has no devices.`] : []),
    "",
    t`Ctrl-C ends.`,
  ];
  return lines.slice(0, rows);
}

/** As it is on a screen; each line is cut and painted as a whole, so that no colour is cut in two. */
function headLines(
  { name, version, mode, maintenance, startedAt, figures }: Dashboard,
  now: number,
  columns: number,
  colour: boolean,
  t: Translate,
): string[] {
  const service = maintenance ? t`OUT OF SERVICE (maintenance)` : t`in service`;
  const first = t`${plain(name)}: ${service}, ${t(mode)} mode, stationd ${version}, up ${age(now - startedAt, t)}`;
  const told = figures
    ? [
        figures.sessions === undefined ? "" : t`sessions ${figures.sessions}`,
        figures.residentBytes === undefined ? "" : t`memory ${Math.round(figures.residentBytes / 1e6)} MB`,
        figures.loopDelayMs === undefined ? "" : t`event loop ${figures.loopDelayMs.toFixed(0)} ms (p99)`,
      ].filter((part) => part !== "")
    : [t`no metrics: they need a technician's socket or token`];
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
  t: Translate,
): string[] {
  const { id, state, since, queue, claim } = snapshot;
  const doing = queue.running ?? (claim ? t`claimed by ${plain(claim.client)}` : "");
  const rate = perMinute === undefined ? "" : perMinute.toFixed(perMinute < 10 ? 1 : 0);
  const before = `${cut(plain(id), name).padEnd(name)}  `;
  const after = `  ${age(now - since, t).padEnd(AGE)}  ${cut(doing, 24).padEnd(24)}  ${String(queue.length || "").padStart(4)}  ${rate.padStart(6)}`;
  const first = clipped(before + t(state).padEnd(STATE) + after, columns);
  const painted =
    first.slice(0, before.length) +
    paint(first.slice(before.length, before.length + STATE), STATE_COLOURS[state], colour) +
    first.slice(before.length + STATE);
  if (!lastError) return [painted, ""];
  const current = snapshot.reason !== undefined;
  const when = current ? "" : t`${age(now - lastError.at, t)} ago: `;
  const tint: Colour = current ? "yellow" : "grey";
  return [
    painted,
    paint(clipped(`  ${when}${plain(t(lastError.message))}. ${plain(commandHint(lastError.hint, t))}.`, columns), tint, colour),
  ];
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
