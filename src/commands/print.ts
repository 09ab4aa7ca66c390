import { randomUUID } from "node:crypto";
import type { Translate } from "../languages/translate.js";
import type { PrintJob } from "../protocol/jobs.js";
import { type AddCommand, type JsonFlag, withExamples, withJson } from "./command.js";
import { commandHint } from "./command-hint.js";
import { type ConnectionFlags, withConnection, withStation } from "./connection.js";
import { EXIT_CODES, type ExitCode, exitCodeOfJob, exitCodeOfKind } from "./exit-codes.js";
import { readText } from "./input.js";
import { progressLine } from "./progress-line.js";
import { json, plain, type Terminal } from "./terminal.js";

interface PrintFlags extends ConnectionFlags, JsonFlag {
  readonly device?: string;
  readonly key?: string;
  readonly reprint?: true;
  readonly wait?: true;
}

export const addPrint: AddCommand = (program, act) => {
  const command = program
    .command("print")
    .summary("print a document or plain text")
    .description(
      "Prints a file: a JSON document as for printer.print, or plain text. With the same --key the same document is printed once, however often this is run.",
    )
    .argument("<file>", "JSON document or text; - reads from the pipe")
    .option("-d, --device <id>", "which printer, where there are several")
    .option("-k, --key <key>", "idempotency key; a new one unless told")
    .option("--reprint", "mark the paper BẢN IN LẠI")
    .option("--wait", "stay until the job has ended, over restarts of the agent");
  withExamples(withConnection(withJson(command)), [
    ["stationd print slip.json --key dossier-000123", "at most once, whatever happens"],
    ["echo 'Xin chào' | stationd print -", "plain text"],
  ]).action(
    act(async (terminal, file: string, flags: PrintFlags) => {
      const { documentFrom } = await import("./text-document.js");
      const idempotencyKey = flags.key ?? `cli-${randomUUID()}`;
      const request = {
        document: documentFrom(await readText(file)),
        idempotencyKey,
        ...(flags.device === undefined ? {} : { device: flags.device }),
        ...(flags.reprint && { reprint: true }),
      };
      return withStation(terminal, { ...flags, first: "service", staysConnected: true }, async (client, signal) => {
        const progress = progressLine(terminal);
        let job: PrintJob;
        try {
          const asking = { signal, onProgress: progress.show };
          job = flags.wait ? await client.jobs.print(request, asking) : await client.call("printer.print", request, asking);
        } catch (error) {
          progress.clear();
          if (isLost(error)) return lostJob(idempotencyKey, terminal, flags.json === true);
          throw error;
        }
        progress.clear();
        terminal.out(flags.json ? json(job) : describeJob(job, terminal.t));
        return exitCodeOfJob(job);
      });
    }),
  );
};

function isLost(error: unknown): boolean {
  return error instanceof Error && "kind" in error && exitCodeOfKind(String(error.kind)) === EXIT_CODES.unreachable.code;
}

/** The connection went away after the request was sent: the job may well be on paper. */
function lostJob(key: string, terminal: Terminal, asJson: boolean): ExitCode {
  if (asJson) terminal.out(json({ idempotencyKey: key, state: "unknown", final: false }));
  else {
    terminal.note(terminal.t`stationd: the agent went away; nobody can tell yet whether it was printed\n`);
    terminal.note(terminal.t`  Ask with: stationd jobs get ${key}\n`);
  }
  return EXIT_CODES.unknownOutcome.code;
}

/** One job in words, ready for the terminal. */
export function describeJob({ state, final, confirmation, device, idempotencyKey, reason, simulated }: PrintJob, t: Translate): string {
  const printed = { confirmed: t`printed, and the printer confirmed it`, inferred: t`printed, by the printer's status` } as const;
  const words: Readonly<Record<PrintJob["state"], string>> = {
    queued: t`is waiting for the printer`,
    in_progress: t`is being printed`,
    printed: confirmation ? printed[confirmation] : t`printed`,
    sent: t`sent; this printer's link cannot tell more`,
    failed: t`not whole on paper, and will not be`,
    unknown: final ? t`unknown: look at the paper` : t`not known yet`,
    not_started: t`not started; nothing was printed`,
  };
  const lines = [`${plain(device)}: ${words[state]}${simulated ? ` ${t`[simulated]`}` : ""}`];
  if (reason) lines.push(`  ${plain(t(reason.message))}. ${plain(commandHint(reason.hint, t))}.`);
  lines.push(t`  key ${plain(idempotencyKey)}`);
  return `${lines.join("\n")}\n`;
}
