import type { KeyboardLayout } from "./layout.js";
import { type ReadOutcome, type ReportReader, withoutSuffix } from "./reader.js";

/** A scanner types a key every few milliseconds. */
const SILENCE_MS = 100;

const ENTER_KEYS: ReadonlySet<number> = new Set([0x28, 0x58]);
/** Up to here are no keys but errors such as too many keys at once (HID Usage Tables §10). */
const LAST_ERROR = 0x03;
const CONTROL = 0x11;
const SHIFT = 0x22;
/** A key with Alt or the GUI key types a letter by its number, or on another layout: which, cannot be told. */
const ALT_OR_GUI = 0xcc;
const UNKNOWN = "\ufffd";

/** US layout: usages 0x04 to 0x38, without and with shift; blanks stand for keys that type nothing. */
const PLAIN = "abcdefghijklmnopqrstuvwxyz1234567890\r  \t -=[]\\\\;'`,./";
const SHIFTED = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ!@#$%^&*()\r  \t _+{}||:"~<>?';
const FIRST_KEY = 0x04;
const SPACE_KEY = 0x2c;
/** Usages 0x54 to 0x63 of the number pad. */
const PAD = "/*-+\r1234567890.";
const FIRST_PAD_KEY = 0x54;

/** Undefined where the key types nothing. */
function characterOf(key: number, modifiers: number): string | undefined {
  if ((modifiers & ALT_OR_GUI) !== 0) return UNKNOWN;
  if (key === SPACE_KEY) return " ";
  const row = (modifiers & SHIFT) !== 0 ? SHIFTED : PLAIN;
  const typed = row[key - FIRST_KEY] ?? PAD[key - FIRST_PAD_KEY];
  if (typed === undefined || typed === " ") return undefined;
  // Control characters such as GS (1D) come as control and a letter or `]`.
  if ((modifiers & CONTROL) !== 0)
    return /^[a-z@[\\\]^_]$/i.test(typed) ? String.fromCharCode(typed.toUpperCase().charCodeAt(0) & 0x1f) : UNKNOWN;
  return typed;
}

/**
 * Codes of a scanner that types. What it typed can only be guessed: keys have no diacritics, and the scanner's idea of the
 * host's layout is unknown. So every code is `lossy`.
 */
export function createKeyboardReader(layout: KeyboardLayout, numbered: boolean, maxCodeBytes: number): ReportReader {
  let text = "";
  let waiting = false;
  let held: ReadonlySet<number> = new Set();

  const finish = (): readonly ReadOutcome[] => {
    const typed = text;
    text = "";
    waiting = false;
    const whole = new TextEncoder().encode(typed);
    if (whole.length > maxCodeBytes) return [{ type: "dropped", reason: "code_too_long" }];
    const bytes = withoutSuffix(whole);
    if (bytes.length === 0) return [];
    return [{ type: "code", code: { bytes, text: new TextDecoder().decode(bytes), encoding: "lossy" } }];
  };

  return {
    get waitMs() {
      return waiting ? SILENCE_MS : undefined;
    },
    push(report) {
      if (numbered && report[0] !== layout.reportId) return [];
      const body = numbered ? report.subarray(1) : report;
      const { at, count } = layout.keys;
      if (body.length < at + count) return [{ type: "dropped", reason: "bad_report" }];
      const modifiers = body[layout.modifiersAt] ?? 0;
      const down = [...body.subarray(at, at + count)].filter((key) => key > LAST_ERROR);
      const fresh = [...new Set(down)].filter((key) => !held.has(key));
      held = new Set(down);
      const outcomes: ReadOutcome[] = [];
      for (const key of fresh) {
        if (ENTER_KEYS.has(key)) outcomes.push(...finish());
        else {
          // One more than the limit is enough to know.
          if (text.length <= maxCodeBytes) text += characterOf(key, modifiers) ?? "";
          waiting = true;
        }
      }
      return outcomes;
    },
    flush: finish,
  };
}
