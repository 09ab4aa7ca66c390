import { InvalidArgumentError, Option } from "commander";
import { type AddCommand, type JsonFlag, withExamples, withJson } from "./command.js";
import { EXIT_CODES } from "./exit-codes.js";
import { LOG_LEVELS, type LogLevel, linesOf, logText, readLogLine, wanted } from "./logs-lines.js";
import { journal, streamOf } from "./logs-source.js";

interface LogsFlags extends JsonFlag {
  readonly device?: string;
  /** Milliseconds. */
  readonly since?: number;
  readonly level?: LogLevel;
  readonly follow?: true;
  readonly file?: string;
  readonly unit: string;
}

/** Without --since the latest of the journal: what somebody who looks in at night wants first. */
const LATEST_LINES = 200;

export const addLogs: AddCommand = (program, act) => {
  const command = program
    .command("logs")
    .summary("what the agent did, for people")
    .description(
      "Prints the agent's log, oldest first: the latest 200 lines of systemd's journal unless told. Needs no agent. Lines that a dying Node or systemd wrote are among them.",
    )
    .option("-d, --device <id>", "only this device")
    .option("-s, --since <time>", "how far back: 90s, 10m, 2h, 3d", ago)
    .addOption(new Option("-l, --level <level>", "this severe or worse").choices(LOG_LEVELS))
    .option("-f, --follow", "stay and print what is added")
    .option("--file <file>", "instead of the journal; - reads the standard input")
    .option("--unit <unit>", "of systemd", "stationd");
  withExamples(withJson(command), [
    ["stationd logs --since 10m --level warn", "what went wrong just now"],
    ["stationd logs --device receipt --follow", "one device, live"],
    ["ssh kiosk journalctl -u stationd -o json | stationd logs --file -", "the log of another machine"],
  ]).action(
    act(async (terminal, { device, level, file, unit, follow, json, ...flags }: LogsFlags) => {
      const since = flags.since === undefined ? undefined : Date.now() - flags.since;
      const stop = new AbortController();
      const onInterrupt = (): void => stop.abort();
      process.once("SIGINT", onInterrupt);
      try {
        const source =
          file === undefined
            ? journal({ unit, since, follow: follow === true, latest: LATEST_LINES }, stop.signal)
            : streamOf(file, follow === true, stop.signal);
        const style = { colour: terminal.colour, columns: terminal.outIsTty ? terminal.columns : undefined };
        for await (const text of linesOf(source)) {
          const line = readLogLine(text);
          if (!line || !wanted(line, { device, level, since })) continue;
          terminal.out(json ? `${JSON.stringify(line)}\n` : logText(line, style));
        }
        return EXIT_CODES.ok.code;
      } finally {
        process.removeListener("SIGINT", onInterrupt);
      }
    }),
  );
};

const UNITS: Readonly<Record<string, number>> = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** `10m` in milliseconds. Exported for its test. */
export function ago(text: string): number {
  const [, count, unit] = /^(\d{1,6})([smhd])$/.exec(text) ?? [];
  if (count === undefined || unit === undefined) throw new InvalidArgumentError("expected a time such as 90s, 10m, 2h or 3d");
  return Number(count) * (UNITS[unit] ?? 0);
}
