import { randomUUID } from "node:crypto";
import type { StationClient } from "../client/exports.js";
import { DeviceError } from "../kernel/errors.js";
import type { PaymentJob } from "../protocol/payment-terminal.js";
import { type AddCommand, type JsonFlag, withExamples, withJson } from "./command.js";
import { confirm } from "./confirm.js";
import { type ConnectionFlags, withConnection, withStation } from "./connection.js";
import { EXIT_CODES, exitCodeOfJob } from "./exit-codes.js";
import { describePayment } from "./payment-text.js";
import { addPaymentsExport } from "./payments-export.js";
import { type Cell, formatTable } from "./table.js";
import { json, plain, type Terminal } from "./terminal.js";

interface Flags extends ConnectionFlags, JsonFlag {
  readonly device?: string;
  readonly open?: true;
  readonly yes?: true;
  readonly key?: string;
  readonly evidence?: string;
  readonly close?: true;
}

const OUTCOMES = ["approved", "not_charged", "reversed"] as const;

export const addPayments: AddCommand = (program, act) => {
  const payments = program
    .command("payments")
    .summary("payments and how they ended")
    .description("Payments, and what a technician does with them.");

  const list = payments
    .command("list")
    .summary("the latest payments")
    .description("Lists payments, newest first.")
    .option("--open", "only those that have not ended");
  withExamples(withConnection(withJson(list)), [["stationd payments list --open", "what is still unknown"]]).action(
    act(async (terminal, flags: Flags) =>
      withStation(terminal, flags, async (client, signal) => {
        const found = (await all(client, signal)).filter((job) => !flags.open || !job.final || job.state === "manual_review");
        terminal.out(flags.json ? json({ payments: found }) : paymentTable(found, terminal));
        return EXIT_CODES.ok.code;
      }),
    ),
  );

  const show = payments
    .command("show")
    .summary("one payment")
    .description("Tells how one payment stands.")
    .argument("<job>", "its name, or its key");
  withExamples(withConnection(withJson(show)), [["stationd payments show 9a1f6b3c", "the first letters of its name suffice"]]).action(
    act(async (terminal, name: string, flags: Flags) =>
      withStation(terminal, flags, async (client, signal) => {
        const job = await one(client, name, signal);
        terminal.out(flags.json ? json(job) : describePayment(job, terminal.t));
        return exitCodeOfJob(job);
      }),
    ),
  );

  const reverse = payments
    .command("reverse")
    .summary("take an approved payment back")
    .description("Takes an approved payment back, after asking. Needs a technician's own token: --url and --token-file.")
    .argument("<job>", "its name, or its key")
    .option("-k, --key <key>", "idempotency key; a new one unless told")
    .option("-y, --yes", "do not ask");
  withExamples(withConnection(withJson(reverse)), [
    ["stationd payments reverse 9a1f6b3c --url … --token-file …", "give the money back"],
  ]).action(
    act(async (terminal, name: string, flags: Flags) =>
      withStation(terminal, flags, async (client, signal) => {
        const { job, amountVnd, reference } = await one(client, name, signal);
        await confirm(terminal, terminal.t`Give ${amountVnd} VND (${plain(reference)}) back?`, flags.yes);
        const back = await client.call("paymentTerminal.reverse", { job, idempotencyKey: flags.key ?? `cli-${randomUUID()}` }, { signal });
        terminal.out(flags.json ? json(back) : describePayment(back, terminal.t));
        return exitCodeOfJob(back);
      }),
    ),
  );

  const resolve = payments
    .command("resolve")
    .summary("settle a payment under manual review")
    .description("Says how a payment really ended, as read from the terminal's own journal. Needs a technician's own token.")
    .argument("<job>", "its name, or its key")
    .argument("<outcome>", OUTCOMES.join(", "))
    .requiredOption("-e, --evidence <code>", "receipt or journal number it was read from")
    .option("-y, --yes", "do not ask");
  withExamples(withConnection(withJson(resolve)), [
    ["stationd payments resolve 9a1f6b3c not_charged -e journal-17 --url …", "the terminal has no such sale"],
  ]).action(
    act(async (terminal, name: string, outcome: string, flags: Flags) =>
      withStation(terminal, flags, async (client, signal) => {
        const settled = OUTCOMES.find((known) => known === outcome);
        if (!settled) throw new DeviceError("invalid_params", { message: `the outcome is one of ${OUTCOMES.join(", ")}`, hint: "" });
        const { job, amountVnd } = await one(client, name, signal);
        await confirm(terminal, terminal.t`Settle the payment of ${amountVnd} VND as ${settled}?`, flags.yes);
        const result = await client.call("paymentTerminal.resolve", { job, outcome: settled, evidence: flags.evidence ?? "" }, { signal });
        terminal.out(flags.json ? json(result) : describePayment(result, terminal.t));
        return exitCodeOfJob(result);
      }),
    ),
  );

  const reconcile = payments
    .command("reconcile")
    .summary("compare the journal with the terminal")
    .description("The journal against the terminal's totals. --close is the end of day. Exit code 1 where they differ.")
    .option("-d, --device <id>", "which terminal, where there are several")
    .option("--close", "begin a new day");
  withExamples(withConnection(withJson(reconcile)), [["stationd payments reconcile --close", "the end of day"]]).action(
    act(async (terminal, flags: Flags) =>
      withStation(terminal, flags, async (client, signal) => {
        const asked = { ...(flags.device === undefined ? {} : { device: flags.device }), close: flags.close === true };
        const found = await client.call("paymentTerminal.reconcile", asked, { signal });
        const { t } = terminal;
        const { journal, terminal: counted, agree } = found;
        if (flags.json) terminal.out(json(found));
        else {
          terminal.out(t`journal   ${journal.count} payments, ${journal.sumVnd} VND\n`);
          terminal.out(t`terminal  ${counted.count} payments, ${counted.sumVnd} VND\n`);
          terminal.out(agree ? t`✓ they agree\n` : t`✗ they DIFFER: compare receipt by receipt\n`);
          if (found.open.length > 0) terminal.out(`\n${t`Look at these:`}\n${paymentTable(found.open, terminal)}`);
        }
        return agree ? EXIT_CODES.ok.code : EXIT_CODES.failed.code;
      }),
    ),
  );

  addPaymentsExport(payments, act);
};

async function all(client: StationClient, signal: AbortSignal): Promise<PaymentJob[]> {
  const { jobs } = await client.call("jobs.list", { limit: 200 }, { signal });
  return jobs.filter((job) => job.kind === "payment");
}

/** @throws DeviceError `job_not_found`, or `invalid_params` where several begin so */
async function one(client: StationClient, name: string, signal: AbortSignal): Promise<PaymentJob> {
  const found = (await all(client, signal)).filter(({ job, idempotencyKey }) => job.startsWith(name) || idempotencyKey === name);
  if (found.length > 1) throw new DeviceError("invalid_params", { message: "several payments begin so", hint: "Give more of the name" });
  const [payment] = found;
  if (!payment) throw new DeviceError("job_not_found", { message: "no payment has this name", hint: "See stationd payments list" });
  return payment;
}

function paymentTable(jobs: readonly PaymentJob[], terminal: Terminal): string {
  const { t } = terminal;
  if (jobs.length === 0) return t`There are no such payments.\n`;
  const rows = jobs.map((job): Cell[] => [
    { text: job.job.slice(0, 8) },
    { text: new Date(job.createdAt).toISOString().slice(5, 16).replace("T", " ") },
    { text: plain(job.device) },
    { text: String(job.amountVnd) },
    {
      text: job.reverses === undefined ? t(job.state) : t`reversal ${t(job.state)}`,
      colour: job.state === "manual_review" ? "red" : job.final ? undefined : "yellow",
    },
    { text: plain(job.reference) },
  ]);
  return formatTable(["JOB", "CREATED", "DEVICE", "VND", "STATE", "REFERENCE"], rows, terminal);
}
