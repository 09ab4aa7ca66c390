import type { StationClient, Update } from "../client/index.js";
import type { Translate } from "../languages/translate.js";
import type { Job } from "../protocol/jobs.js";
import type { PaymentJob } from "../protocol/payment-terminal.js";
import { createDashboard, type Dashboard } from "../technician/dashboard.js";
import type { AgentFigures } from "../technician/figures.js";
import { told } from "./words.js";

/** What is so now, of one connection after another. */
export interface StationView {
  readonly dashboard: Dashboard | undefined;
  readonly payments: readonly PaymentJob[];
  /** Why they are not known: the journal cannot be read. */
  readonly paymentsProblem: string | undefined;
  measured(now: number, figures: AgentFigures | undefined): void;
  /** Follows a connection; what was known before it counts no more. @throws StationError */
  follow(client: StationClient, now: number, signal: AbortSignal): Promise<void>;
}

export function stationView(t: Translate, changed: () => void): StationView {
  let board: ReturnType<typeof createDashboard> | undefined;
  let shown: Dashboard | undefined;
  let problem: string | undefined;
  const payments = new Map<string, PaymentJob>();

  const keep = (job: Job): void => {
    if (job.kind === "payment") payments.set(job.job, job);
  };
  const update = (news: Update<"devices" | "jobs" | "agent">): void => {
    board?.update(news);
    if (news.topic === "jobs") for (const job of news.kind === "state" ? news.state : [news.data]) keep(job);
    tell();
  };
  const tell = (): void => {
    shown = board?.now();
    changed();
  };

  return {
    get dashboard() {
      return shown;
    },
    get payments() {
      return [...payments.values()].sort((a, b) => b.createdAt - a.createdAt);
    },
    get paymentsProblem() {
      return problem;
    },
    measured(now, figures) {
      board?.measured(now, figures);
      tell();
    },
    async follow(client, now, signal) {
      const { name, version, mode, maintenance, uptimeMs } = await client.call("agent.describe", {}, { signal });
      board = createDashboard({ name, version, mode, maintenance, startedAt: now - uptimeMs });
      payments.clear();
      await client.subscribe(["devices", "jobs", "agent"], update, { signal });
      // Those under review have ended, and jobs that ended badly before anybody looked are what one comes for.
      try {
        const { jobs } = await client.call("jobs.list", { limit: 200 }, { signal });
        problem = undefined;
        update({ kind: "state", topic: "jobs", state: jobs, resynced: true });
      } catch (error) {
        problem = told(error, t);
        changed();
      }
    },
  };
}
