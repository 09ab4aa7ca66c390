import { InvalidArgumentError } from "commander";
import type { Job } from "../protocol/jobs.js";
import { type AddCommand, type JsonFlag, withExamples, withJson } from "./command.js";
import { type ConnectionFlags, type SocketRole, withConnection, withStation } from "./connection.js";
import { EXIT_CODES, type ExitCode, exitCodeOfJob } from "./exit-codes.js";
import { describePayment } from "./payment-text.js";
import { describeJob } from "./print.js";
import { formatTable, type TableOptions } from "./table.js";
import { json, plain } from "./terminal.js";

export const addJobs: AddCommand = (program, act) => {
  const jobs = program
    .command("jobs")
    .summary("print jobs and payments, and how they ended")
    .description("Print jobs and payments, and how they ended.");

  const list = jobs
    .command("list")
    .summary("the latest jobs")
    .description("Lists jobs, newest first. The technician's socket shows those of all callers.")
    .option("--open", "only those that have not ended")
    .option("-n, --limit <count>", "how many at most", count, 20);
  withExamples(withConnection(withJson(list)), [["stationd jobs list --open", "what is still under way or unknown"]]).action(
    act(async (terminal, flags: ConnectionFlags & JsonFlag & { open?: true; limit: number }) =>
      withStation(terminal, flags, async (client, signal) => {
        const found = await client.call("jobs.list", { limit: flags.limit, ...(flags.open && { open: true }) }, { signal });
        terminal.out(flags.json ? json(found) : jobTable(found.jobs, terminal));
        return EXIT_CODES.ok.code;
      }),
    ),
  );

  const get = jobs
    .command("get")
    .summary("one job, by its key")
    .description("Tells how a job stands. The exit code tells the same as that of print.")
    .argument("<key>", "idempotency key it was asked for with");
  withExamples(withConnection(withJson(get)), [["stationd jobs get dossier-000123", "did it come out?"]]).action(
    act(async (terminal, key: string, flags: ConnectionFlags & JsonFlag) => {
      const ask = (first: SocketRole): Promise<ExitCode> =>
        withStation(terminal, { ...flags, first }, async (client, signal) => {
          const job = await client.call("jobs.get", { idempotencyKey: key }, { signal });
          terminal.out(flags.json ? json(job) : job.kind === "payment" ? describePayment(job, terminal.t) : describeJob(job, terminal.t));
          return exitCodeOfJob(job);
        });
      // A key is its caller's: print and pay ask as a local service, a technician's tests as a technician.
      return await ask("service").catch((thrown: unknown) => {
        if (thrown instanceof Error && "kind" in thrown && thrown.kind === "job_not_found") return ask("technician");
        throw thrown;
      });
    }),
  );
};

export function jobTable(jobs: readonly Job[], options: TableOptions): string {
  const { t } = options;
  if (jobs.length === 0) return t`There are no such jobs.\n`;
  const rows = jobs.map((job) => {
    const bad = job.final && (job.state === "failed" || job.state === "unknown" || job.state === "manual_review");
    return [
      { text: new Date(job.createdAt).toISOString().slice(0, 19).replace("T", " ") },
      { text: plain(job.device) },
      { text: t(job.state), colour: bad ? ("red" as const) : job.final ? undefined : ("yellow" as const) },
      { text: plain(job.idempotencyKey) },
    ];
  });
  return formatTable(["CREATED (UTC)", "DEVICE", "STATE", "KEY"], rows, options);
}

function count(text: string): number {
  if (!/^[0-9]{1,3}$/.test(text) || Number(text) < 1 || Number(text) > 200)
    throw new InvalidArgumentError("expected a number from 1 to 200");
  return Number(text);
}
