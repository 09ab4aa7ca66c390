import { InvalidArgumentError } from "commander";
import { evidenceOf, shownPayment } from "../devices/payment-job.js";
import { systemClock } from "../kernel/clock.js";
import { type AddCommand, type JsonFlag, withExamples, withJson } from "./command.js";
import { EXIT_CODES } from "./exit-codes.js";
import { json } from "./terminal.js";

interface Flags extends JsonFlag {
  readonly from?: Date;
  readonly to?: Date;
  readonly config: string;
  readonly stateDir?: string;
}

type Row = ReturnType<typeof rowOf>;
type Column = keyof Row;

const SYSTEM_CONFIG = "/etc/stationd/stationd.toml";
const COLUMNS = [
  "job",
  "device",
  "amount_vnd",
  "reference",
  "state",
  "reverses",
  "created_at",
  "updated_at",
  "receipt_number",
  "trace_number",
  "terminal_id",
  "card_name",
  "card_last_four",
  "approved_at",
  "transfers",
  "ruled_outcome",
  "ruled_evidence",
  "ruled_by",
] as const satisfies readonly Column[];

/** Reads the journal itself, so that the books can be closed whether the agent lives or not. */
export const addPaymentsExport: AddCommand = (payments, act) => {
  const command = payments
    .command("export")
    .summary("payments of a time, for the books")
    .description(
      "Writes payments, oldest first, as CSV. Reads the journal itself, with the agent running or not, and changes nothing in it.",
    )
    .option("--csv", "as CSV, which is the default")
    .option("--from <date>", "from the beginning of this day, YYYY-MM-DD", day)
    .option("--to <date>", "to the end of this day, YYYY-MM-DD", day)
    .option("-c, --config <file>", "configuration that names the folder", SYSTEM_CONFIG)
    .option("--state-dir <folder>", "the agent's state folder itself");
  withExamples(withJson(command), [["stationd payments export --from 2026-11-01 --to 2026-11-30 > november.csv", "one month"]]).action(
    act(async (terminal, flags: Flags) => {
      const { readPayments } = await import("../journal/snapshot.js");
      const before = flags.to ? new Date(flags.to.getFullYear(), flags.to.getMonth(), flags.to.getDate() + 1) : undefined;
      const time = { from: flags.from?.getTime() ?? 0, before: before?.getTime() ?? Number.MAX_SAFE_INTEGER };
      const rows: Row[] = [];
      for await (const records of readPayments(await folderOf(flags), time, systemClock())) rows.push(...records.map(rowOf));
      terminal.out(flags.json ? json({ payments: rows }) : csvOf(rows));
      return EXIT_CODES.ok.code;
    }),
  );
};

async function folderOf({ stateDir, config }: Flags): Promise<string> {
  if (stateDir !== undefined) return stateDir;
  const { loadConfig } = await import("../config/load.js");
  return (await loadConfig(config)).agent.stateDir;
}

/** What the wire shows of a payment, and how a technician settled it: nothing else of the record leaves. */
function rowOf(record: Parameters<typeof shownPayment>[0]) {
  const { job, device, amountVnd, reference, state, reverses, receipt, transfers } = shownPayment(record, undefined, false);
  const { ruled } = evidenceOf(record);
  return {
    job,
    device,
    amount_vnd: amountVnd,
    reference,
    state,
    reverses,
    created_at: new Date(record.createdAt).toISOString(),
    updated_at: new Date(record.updatedAt).toISOString(),
    receipt_number: receipt?.receiptNumber,
    trace_number: receipt?.traceNumber,
    terminal_id: receipt?.terminalId,
    card_name: receipt?.cardName,
    card_last_four: receipt?.cardLastFour,
    approved_at: receipt?.approvedAt,
    transfers: transfers?.map((transfer) => `${transfer.transactionId}:${transfer.amountVnd}`).join(" "),
    ruled_outcome: ruled?.outcome,
    ruled_evidence: ruled?.evidence,
    ruled_by: ruled?.by,
  };
}

/** RFC 4180, with a header. */
function csvOf(rows: readonly Row[]): string {
  const lines = [COLUMNS, ...rows.map((row) => COLUMNS.map((column) => row[column]))];
  return lines.map((cells) => `${cells.map(csvCell).join(",")}\r\n`).join("");
}

/** Exported for its test. */
export function csvCell(value: string | number | undefined): string {
  if (typeof value !== "string") return value === undefined ? "" : String(value);
  // A spreadsheet takes a text that begins so for a formula; with the apostrophe it is text.
  const text = /^[=+\-@\t\r]/.test(value) ? `'${value}` : value;
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

/** The beginning of a day where the station stands. */
function day(text: string): Date {
  const [, year, month, date] = /^(\d{4})-(\d{2})-(\d{2})$/.exec(text) ?? [];
  const parsed = new Date(Number(year), Number(month) - 1, Number(date));
  // 31 April would be 1 May.
  if (parsed.getMonth() !== Number(month) - 1) throw new InvalidArgumentError("expected a day such as 2026-11-23");
  return parsed;
}
