import type { Progress } from "../client/exports.js";
import { plain, type Terminal } from "./terminal.js";

const REWIND = "\r\u001b[K";

/** Progress on one line of a terminal that overwrites itself; nothing in a pipe. */
export function progressLine(terminal: Terminal): { show(progress: Progress): void; say(text: string): void; clear(): void } {
  if (!terminal.noteIsTty) return { show() {}, say() {}, clear() {} };
  const say = (text: string): void => terminal.note(`${REWIND}${text}`);
  return {
    say,
    show: ({ stage, fraction }) => {
      const share = fraction === undefined ? "" : ` ${Math.round(fraction * 100)} %`;
      say(`${terminal.t(plain(stage).replaceAll("_", " "))}${share}`);
    },
    clear: () => terminal.note(REWIND),
  };
}
