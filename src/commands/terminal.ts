import type { Translate } from "../languages/translate.js";

/** Where a command speaks: results to one stream, words to people to the other. */
export interface Terminal {
  /** Results; nothing else, so that they can be piped. */
  out(text: string): void;
  /** Notes, progress and errors. */
  note(text: string): void;
  readonly outIsTty: boolean;
  readonly noteIsTty: boolean;
  /** Colours are for terminals, and NO_COLOR turns them off (no-color.org). */
  readonly colour: boolean;
  /** Never more than 80, so that lines survive serial consoles and tickets. */
  readonly columns: number;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** What people read goes through it; what programs read does not. */
  readonly t: Translate;
}

/** A terminal before its language is known. */
export type Streams = Omit<Terminal, "t">;

export function processTerminal(): Streams {
  for (const stream of [process.stdout, process.stderr]) {
    // `stationd devices | head` closes the pipe early: that is no error.
    stream.on("error", (error: NodeJS.ErrnoException) => {
      if (error.code !== "EPIPE") throw error;
    });
  }
  const { stdout, stderr, env } = process;
  return {
    out: (text) => void stdout.write(text),
    note: (text) => void stderr.write(text),
    outIsTty: stdout.isTTY === true,
    noteIsTty: stderr.isTTY === true,
    colour: stdout.isTTY === true && !env.NO_COLOR && env.TERM !== "dumb",
    columns: Math.min(80, stdout.columns || 80),
    env,
  };
}

const COLOURS = { red: 31, green: 32, yellow: 33, cyan: 36, grey: 90 } as const;
export type Colour = keyof typeof COLOURS;

export function paint(text: string, colour: Colour | undefined, enabled: boolean): string {
  return enabled && colour ? `\u001b[${COLOURS[colour]}m${text}\u001b[0m` : text;
}

/** Text from outside on one line, without anything that steers a terminal. */
export function plain(text: string): string {
  return text.normalize("NFC").replaceAll(/[\p{Cc}\u2028\u2029]+/gu, " ");
}

export function json(value: unknown): string {
  return `${JSON.stringify(value, undefined, 2)}\n`;
}
