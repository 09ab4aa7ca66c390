import { randomUUID } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { StationClient } from "../../src/client/node.js";
import { systemClock } from "../../src/kernel/clock.js";
import type { PaymentJob } from "../../src/protocol/payment-terminal.js";
import type { Bank, Kind, Misfortune } from "./bank.js";
import { type CuttableWire, cuttableWire } from "./cuttable-wire.js";
import { drawMisfortune, drawSecondBlow, drawsOf, type SecondBlow } from "./misfortunes.js";
import { type Station, startStation } from "./station.js";
import { chargesOf, judge, netOf, type Verdict } from "./verdict.js";

/** One terminal, its wire, its agent and the agent's folder: run after run, so that each finds what the ones before left. */
export interface Lane {
  run(run: number): Promise<Row>;
  /** Holds journal and terminal against each other once more, and ends the day. */
  endDay(): Promise<readonly string[]>;
  close(): Promise<void>;
}

export interface Row extends Verdict {
  readonly run: number;
  readonly group: string;
  readonly kind: Kind;
  /** To read what happened. */
  readonly told: string;
  readonly blind: string | undefined;
}

export interface LanePlan {
  readonly seed: number;
  readonly factor: number;
  readonly startedAt: number;
}

const NEXT_VND = 1_000;
const NEXT_TRIES = 3;
const NEXT_PAUSE_MS = 3_000;
/** Reversals, of all runs; and those that are struck again while the agent finds out. */
const REVERSALS = 0.25;
const STRUCK_TWICE = 0.3;
/** Of the agent's time: nine minutes of waiting, several times over. In ours a slow machine needs some more. */
const PATIENCE_MS = 900_000;
const LEAST_PATIENCE_MS = 90_000;

const real = systemClock();

export async function openLane(bank: Bank, { seed, factor, startedAt }: LanePlan): Promise<Lane> {
  const folder = mkdtempSync(join(tmpdir(), "stationd-torture-pay-"));
  const wire: CuttableWire = await cuttableWire(bank.port);
  const plan = { stateDir: join(folder, "state"), devices: bank.devices(wire.port), factor, startedAt };
  const patience = Math.max(PATIENCE_MS / factor, LEAST_PATIENCE_MS);
  let station: Station | undefined;
  let alive = false;
  /** Since the last end of day. */
  let incomparable = false;

  const start = async (point: string): Promise<Station> => {
    const started = (await startStation(plan, point)) ?? (await startStation(plan, "never"));
    if (!started) throw new Error("the agent does not start");
    alive = true;
    const dead = (): void => {
      if (station === started) alive = false;
    };
    void started.gone.then(dead);
    // Nobody speaks to one that has been killed, though its end is known only a moment later.
    const { kill } = started;
    started.kill = () => {
      dead();
      kill();
    };
    station = started;
    return started;
  };
  const renew = async (point: string): Promise<Station> => {
    await station?.end();
    return await start(point);
  };

  /** Asks until it is so, or the agent is gone. */
  const until = async <T>(of: Station, ask: () => Promise<T | undefined>, what: string): Promise<T | undefined> => {
    const giveUpAt = real.monotonicMs() + patience;
    while (alive && station === of) {
      const found = await ask();
      if (found !== undefined) return found;
      if (real.monotonicMs() > giveUpAt) throw new Error(what);
      await real.sleep(15);
    }
    return undefined;
  };
  /** A page that left comes back to ask. */
  const withPage = async (of: Station): Promise<Station> => {
    if (of.page.state === "closed" && alive) await of.newPage().catch(() => {});
    return of;
  };
  const jobOf = async (client: StationClient, idempotencyKey: string): Promise<PaymentJob | "none" | undefined> => {
    try {
      const job = await client.call("jobs.get", { idempotencyKey });
      return job.kind === "payment" ? job : undefined;
    } catch (thrown) {
      return (thrown as { kind?: string }).kind === "job_not_found" ? "none" : undefined;
    }
  };
  const ended = async (client: StationClient, key: string): Promise<PaymentJob | "none" | undefined> => {
    const job = await jobOf(client, key);
    return job === "none" || job?.final ? job : undefined;
  };
  /** As a technician sees it, whoever asked. */
  const overFor = async (of: Station, key: string): Promise<true | undefined> => {
    const { jobs } = await of.technician.call("jobs.list", { limit: 20 }).catch(() => ({ jobs: [] }));
    return jobs.some((job) => job.idempotencyKey === key && job.final) || undefined;
  };
  const ready = (of: Station): Promise<unknown> =>
    until(
      of,
      async () => {
        const { devices } = await of.page.call("devices.list", {});
        return devices[0]?.state === "ready" || undefined;
      },
      "the terminal did not get ready",
    );

  const pay = (of: Station, idempotencyKey: string, amountVnd: number, signal?: AbortSignal): Promise<PaymentJob> =>
    of.page.call("paymentTerminal.pay", { amountVnd, reference: "TORTURE", idempotencyKey, timeoutMs: 300_000 }, signal ? { signal } : {});
  const reverse = (of: Station, idempotencyKey: string, job: string, signal?: AbortSignal): Promise<PaymentJob> =>
    of.technician.call("paymentTerminal.reverse", { job, idempotencyKey, timeoutMs: 300_000 }, signal ? { signal } : {});
  const booked = (amountVnd: number) => bank.ledger().filter((entry) => entry.amountVnd === amountVnd);

  /** A journal that has just failed says so once more, until it has taken what it refused. */
  const again = async (ask: () => Promise<PaymentJob>): Promise<PaymentJob> => {
    for (let tries = 1; ; tries++) {
      try {
        return await ask();
      } catch (thrown) {
        if ((thrown as { kind?: string }).kind !== "journal_unavailable" || tries === NEXT_TRIES) throw thrown;
        await real.sleep(NEXT_PAUSE_MS / factor);
      }
    }
  };

  /** Whoever comes next can pay. What a busy machine made too slow is begun again, as a cardholder would. */
  const next = async (): Promise<string | undefined> => {
    for (let tries = 1; ; tries++) {
      const of = station as Station;
      await ready(of);
      const before = netOf(booked(NEXT_VND));
      const job = await pay(of, randomUUID(), NEXT_VND);
      const paid = netOf(booked(NEXT_VND)) - before;
      if (job.state === "approved" && paid === NEXT_VND) return undefined;
      const nothing = ["not_started", "not_charged", "reversed"].includes(job.state) && paid === 0;
      await real.sleep(NEXT_PAUSE_MS / factor);
      if (!nothing || tries === NEXT_TRIES) {
        return `the next payment ended ${job.state} with ${paid} booked: ${job.reason?.message ?? ""}`;
      }
    }
  };

  /** From the blow to the order's end, whatever it takes: a dead agent is started again, and the second blow meets it there. */
  const endure = async (
    order: { readonly key: string; readonly client: (of: Station) => StationClient },
    begun: Promise<unknown>,
    second: SecondBlow | undefined,
  ): Promise<PaymentJob | undefined> => {
    let of = station as Station;
    if (second) {
      let over = false;
      const unsettled = until(
        of,
        async () => {
          const job = await jobOf(order.client(of), order.key);
          return over || (job !== "none" && (job?.state === "unknown" || job?.state === "resolving")) || undefined;
        },
        "nothing came of the order",
      ).catch(() => {});
      await Promise.race([begun, of.gone, unsettled]);
      over = true;
      of.kill();
      await of.gone;
    } else await Promise.race([begun, of.gone]);
    wire.join();
    await bank.recover();
    if (second) {
      of = await renew(second.point);
      await second.strike({ bank, wire });
    }
    using killing = second?.killAfterMs === undefined ? undefined : real.timer(second.killAfterMs / factor, of.kill);
    void killing;
    for (;;) {
      if (!alive) of = await renew("never");
      const job = await until(of, async () => ended(order.client(await withPage(of)), order.key), `order ${order.key} did not end`);
      if (job === undefined) continue;
      return job === "none" ? undefined : job;
    }
  };

  const struck = async (run: number): Promise<Row> => {
    const draw = drawsOf(seed, run);
    const kind: Kind = draw.chance(REVERSALS) ? "reversal" : "sale";
    const first = drawMisfortune(bank, draw, kind);
    const second = draw.chance(STRUCK_TWICE) ? drawSecondBlow(bank, draw) : undefined;
    const blind = first.blind ?? second?.blind;
    const misfortune: Misfortune = { ...first, ...(blind ? { blind } : {}) };
    const amountVnd = 10_000 + run;
    const wrong: string[] = [];
    let of = alive ? (station as Station) : await renew("never");
    if (misfortune.prepare) {
      await misfortune.prepare();
      wrong.push(...[await next()].filter((problem) => problem !== undefined));
    }
    await ready(of);
    const before = bank.ledger().length;
    const key = randomUUID();
    const saleKey = kind === "sale" ? key : randomUUID();
    const paid = kind === "reversal" ? await pay(of, saleKey, amountVnd) : undefined;

    const stop = new AbortController();
    await misfortune.strike({ bank, wire, plant: of.plant, kill: of.kill, leave: () => of.page.close(), cancel: () => stop.abort() });
    // A page that stops waiting is told how the order stands by then; one that left, or whose agent died, is told nothing: it goes on.
    const outlived = () => until(of, () => overFor(of, key), "the order did not end").catch(() => {});
    const begun = (paid ? reverse(of, key, paid.job, stop.signal) : pay(of, key, amountVnd, stop.signal)).then(
      ({ final }) => (final ? undefined : outlived()),
      ({ kind: why }: { kind?: string }) => (why === "connection_lost" ? outlived() : undefined),
    );
    const job = await endure({ key, client: (at) => (paid ? at.technician : at.page) }, begun, second);
    wire.join();
    await bank.recover();
    of = alive ? (station as Station) : await renew("never");
    await withPage(of);
    await of.plant("never");
    // The same key never charges again, and whoever comes next can pay.
    if (job) await again(() => (paid ? reverse(of, key, paid.job) : pay(of, key, amountVnd)));
    wrong.push(...[await next()].filter((problem) => problem !== undefined));
    const original = paid ? await jobOf(of.page, saleKey) : undefined;
    // Whatever was booked meanwhile is this order's, of whatever amount.
    const bookings = bank
      .ledger()
      .slice(before)
      .filter((entry) => entry.amountVnd !== NEXT_VND);
    const verdict = judge({ kind, misfortune, amountVnd, job, bookings, original: original === "none" ? undefined : original });
    // A terminal that forgot its history has forgotten its totals, too, however this order ended.
    if (verdict.end === "manual_review" || blind) incomparable = true;
    const blow = `${misfortune.group} ${misfortune.detail}${second ? `, ${second.detail}` : ""}`;
    return {
      ...verdict,
      wrong: [...verdict.wrong, ...wrong],
      run,
      kind,
      group: misfortune.group,
      blind: misfortune.blind,
      told: `run ${run} (${bank.name}, ${kind}: ${blow}): said ${verdict.end}, charged ${chargesOf(bookings)} times, net ${netOf(bookings)}${job?.reason ? `; ${job.reason.message}` : ""}`,
    };
  };

  await start("never");
  const first = await next();
  if (first) throw new Error(first);

  return {
    run: struck,
    async endDay() {
      const of = alive ? (station as Station) : await renew("never");
      await ready(of);
      const counted = await of.technician.call("paymentTerminal.reconcile", { close: true }).catch((thrown: { kind?: string }) => {
        if (thrown.kind !== "unsupported") throw thrown;
      });
      if (!counted) return [];
      const { agree, journal, terminal, open } = counted;
      const comparable = !incomparable;
      incomparable = false;
      const unsettled = open.filter(({ state }) => state !== "manual_review").map(({ job, state }) => `payment ${job} is still ${state}`);
      const differ = `${bank.name}, end of day: the journal has ${JSON.stringify(journal)}, the terminal ${JSON.stringify(terminal)}`;
      return agree || !comparable ? unsettled : [...unsettled, differ];
    },
    async close() {
      await station?.end();
      await wire.close();
      await bank.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
