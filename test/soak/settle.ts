import type { StationClient } from "../../src/client/node.js";
import { systemClock } from "../../src/kernel/clock.js";
import type { Job } from "../../src/protocol/jobs.js";
import type { Kind } from "../torture/bank.js";
import { judge, netOf } from "../torture/verdict.js";
import type { Scene } from "./scene.js";

/** A job that a page has begun, and what it should have done. */
export type Begun =
  | { readonly kind: "print"; readonly key: string; readonly number: number }
  | { readonly kind: "card"; readonly key: string; readonly device: "terminal" | "terminal-lan"; readonly amountVnd: number }
  | { readonly kind: "transfer"; readonly key: string; readonly amountVnd: number };

/** Finds out how jobs ended, whoever asked for them, and holds that against paper, ledger and bank. */
export interface Settler {
  /** @param excuses what may have touched it. @returns what is wrong */
  settle(job: Begun, excuses: () => readonly string[]): Promise<readonly string[]>;
  /** Once more everything, when all is over. */
  audit(): readonly string[];
  readonly counts: { readonly reviewed: number; readonly unsure: number };
}

/** A lost payment is known after the terminal's own patience; a code can be paid for 45 s. */
const KNOWN_WITHIN_MS = 120_000;
const ASK_MS = 250;
const clock = systemClock();
const ANY_END = ["none", "not_started", "approved", "declined", "cancelled", "not_charged", "expired", "reversed"] as const;
const QUIET_END = ["approved", "declined", "cancelled", "not_charged"] as const;

export function createSettler(scene: Scene, clients: { readonly desk: StationClient; readonly technician: StationClient }): Settler {
  const ended: { readonly job: Begun; readonly end: Job | undefined }[] = [];
  const counts = { reviewed: 0, unsure: 0 };
  const endOf = async (key: string): Promise<Job | undefined | "open"> => {
    const giveUpAt = clock.monotonicMs() + KNOWN_WITHIN_MS;
    while (clock.monotonicMs() < giveUpAt) {
      const found = await clients.desk.call("jobs.get", { idempotencyKey: key }).catch(({ kind }: { kind?: string }) => kind);
      if (found === "job_not_found") return undefined;
      if (typeof found === "object" && found.final) return found;
      await clock.sleep(ASK_MS);
    }
    return "open";
  };
  const bookings = ({ device, amountVnd }: Begun & { kind: "card" }) =>
    scene.terminals[device].ledger().filter((entry) => entry.amountVnd === amountVnd);

  const paperOf = (number: number, end: Job | undefined): string | undefined => {
    const copies = scene.tray.copies(number);
    const right = end?.state === "printed" ? copies === 1 : end?.state === "unknown" ? copies <= 1 : copies === 0;
    return right ? undefined : `the receipt is ${end?.state ?? "not known"}, and ${copies} are on paper`;
  };
  const transferOf = (amountVnd: number, end: Job | undefined): string | undefined => {
    const paid = scene.bank.transfers(amountVnd);
    if (end?.state === "manual_review") return paid === 0 ? "a transfer that nobody made is under review" : undefined;
    const right = end?.state === "approved" ? paid === 1 : paid === 0;
    return right ? undefined : `the transfer is ${end?.state ?? "not known"}, and was made ${paid} times`;
  };
  const wrongOf = (job: Begun, end: Job | undefined, excused: boolean): readonly string[] => {
    if (job.kind === "print") return [paperOf(job.number, end)].filter((one) => one !== undefined);
    if (job.kind === "transfer") return [transferOf(job.amountVnd, end)].filter((one) => one !== undefined);
    const kind: Kind = "sale";
    const misfortune = { ends: excused ? ANY_END : QUIET_END, ...(excused ? { blind: "faults" } : {}) };
    const payment = end?.kind === "payment" ? end : undefined;
    return judge({ kind, misfortune, amountVnd: job.amountVnd, job: payment, bookings: bookings(job) }).wrong;
  };

  /** A technician looks into the terminal's journal, so that the next can pay. */
  const review = async (job: Begun & { kind: "card" }, end: Job): Promise<void> => {
    counts.reviewed += 1;
    const outcome = netOf(bookings(job)) === 0 ? "not_charged" : "approved";
    await clients.technician.call("paymentTerminal.resolve", { job: end.job, outcome, evidence: "soak" }).catch(() => {});
  };

  return {
    counts,
    async settle(job, excuses) {
      const end = await endOf(job.key);
      if (end === "open") return [`${job.kind} ${job.key} did not end in ${KNOWN_WITHIN_MS / 1_000} s`];
      const excused = excuses().length > 0;
      const wrong = [...wrongOf(job, end, excused)];
      if (end?.state === "unknown") {
        counts.unsure += 1;
        if (!excused) wrong.push("nobody can tell, and nothing was wrong");
      }
      if (job.kind === "print" && end && end.state !== "printed" && !excused) wrong.push(`the receipt ended ${end.state}: ${reason(end)}`);
      const { kind = "internal", hint } = end?.reason ?? { kind: undefined, hint: "-" };
      if (end?.reason && (kind === "internal" || hint === "")) wrong.push(`${job.kind} ended ${end.state}, because of ${reason(end)}`);
      if (job.kind === "card" && end?.state === "manual_review") await review(job, end);
      else ended.push({ job, end });
      return wrong;
    },
    audit: () => ended.flatMap(({ job, end }) => wrongOf(job, end, true).map((problem) => `at the end ${job.kind} ${job.key}: ${problem}`)),
  };
}

const reason = (job: Job): string => (job.reason ? `${job.reason.kind} (${job.reason.message})` : "no reason");
