import { systemClock } from "../kernel/clock.js";
import { type AddCommand, type JsonFlag, withExamples, withJson } from "./command.js";
import { type ConnectionFlags, withConnection, withStation } from "./connection.js";
import { EXIT_CODES } from "./exit-codes.js";
import { plain, type Terminal } from "./terminal.js";
import type { Dashboard, WatchUpdate } from "./watch-state.js";

/** Ages and figures move on even where nothing happens. */
const EVERY_MS = 2_000;
/** Besides Ctrl-C: they, too, leave the terminal as it was. */
const LEAVING = ["SIGTERM", "SIGHUP"] as const;

export const addWatch: AddCommand = (program, act) => {
  const command = program
    .command("watch")
    .summary("everything at a glance, live")
    .description(
      "Shows the agent and every device live: state, what it is doing, who waits, how much it does, the last error and what to do. One line per change in a pipe.",
    );
  withExamples(withConnection(withJson(command)), [
    ["stationd watch", "until Ctrl-C"],
    ["stationd watch | tee night.log", "one line per change"],
    ["stationd watch --json | jq .data", "for programs"],
  ]).action(
    act(async (terminal, flags: ConnectionFlags & JsonFlag) => {
      const [{ createDashboard }, { figuresOf, metricsText }] = await Promise.all([
        import("./watch-state.js"),
        import("./watch-metrics.js"),
      ]);
      const clock = systemClock();
      return withStation(terminal, flags, async (client, interrupted) => {
        const ended = new AbortController();
        client.onState((state) => state === "closed" && ended.abort());
        const leave = (): void => ended.abort();
        for (const name of LEAVING) process.once(name, leave);
        const signal = AbortSignal.any([interrupted, ended.signal]);
        const { name, version, mode, maintenance, uptimeMs } = await client.call("agent.describe", {}, { signal });
        const dashboard = createDashboard({ name, version, mode, maintenance, startedAt: clock.now() - uptimeMs });
        const view = flags.json ? jsonView(terminal) : terminal.outIsTty ? await screenView(terminal, clock.now) : await lineView(terminal);
        try {
          const subscribed = await client.subscribe(
            ["devices", "jobs", "agent"],
            (update) => {
              dashboard.update(update);
              view.changed(update, clock.now(), dashboard.now());
            },
            { signal },
          );
          // Jobs that ended badly before anybody watched are what one comes for.
          const { jobs } = await client.call("jobs.list", { limit: 100 }, { signal });
          dashboard.update({ kind: "state", topic: "jobs", state: jobs, resynced: true });
          for (let asks = view.needsFigures; !signal.aborted; ) {
            if (asks) {
              const text = await metricsText(flags, terminal.env);
              asks = text !== undefined;
              dashboard.measured(clock.now(), text === undefined ? undefined : figuresOf(text));
            }
            view.ticked(dashboard.now());
            await clock.sleep(EVERY_MS, signal).catch(() => {});
          }
          subscribed.close();
        } catch (error) {
          if (!signal.aborted) throw error;
        } finally {
          view.close();
          for (const name of LEAVING) process.removeListener(name, leave);
        }
        return interrupted.aborted ? EXIT_CODES.ok.code : EXIT_CODES.unreachable.code;
      });
    }),
  );
};

interface View {
  readonly needsFigures: boolean;
  changed(update: WatchUpdate, now: number, dashboard: Dashboard): void;
  ticked(dashboard: Dashboard): void;
  close(): void;
}

const nothing = (): void => {};

function jsonView({ out }: Terminal): View {
  const changed = (update: WatchUpdate, now: number): void => {
    const { topic } = update;
    const several = update.kind === "event" ? [update.data] : Array.isArray(update.state) ? update.state : [update.state];
    const time = update.kind === "event" ? update.time : now;
    for (const data of several) out(`${JSON.stringify({ time, topic, data })}\n`);
  };
  return { needsFigures: false, changed, ticked: nothing, close: nothing };
}

async function lineView({ out, t }: Terminal): Promise<View> {
  const [{ deviceLine }, { commandHint }] = await Promise.all([import("./device-table.js"), import("./command-hint.js")]);
  const changed = (update: WatchUpdate, now: number): void => {
    const time = update.kind === "event" ? update.time : now;
    const at = new Date(time).toISOString();
    if (update.topic === "agent") {
      const { maintenance } = update.kind === "event" ? update.data : update.state;
      out(`${at} agent ${maintenance ? t`out of service` : t`in service`}\n`);
    } else if (update.topic === "devices") {
      for (const device of update.kind === "event" ? [update.data] : update.state) out(`${deviceLine(device, time, t)}\n`);
    } else {
      for (const { kind, job, device, state, reason } of update.kind === "event" ? [update.data] : update.state) {
        const why = reason ? ` ${plain(t(reason.message))}. ${plain(commandHint(reason.hint, t))}.` : "";
        out(`${at} ${plain(device)} ${kind} ${job.slice(0, 8)} ${t(state)}${why}\n`);
      }
    }
  };
  return { needsFigures: false, changed, ticked: nothing, close: nothing };
}

/** The whole screen, drawn anew at each change, each tick and each change of the window's size. */
async function screenView({ out, colour, t }: Terminal, now: () => number): Promise<View> {
  const { drawn, ENTER_SCREEN, LEAVE_SCREEN, screenLines } = await import("./watch-screen.js");
  let latest: Dashboard | undefined;
  const draw = (): void => {
    if (!latest) return;
    const { columns = 80, rows = 24 } = process.stdout;
    out(drawn(screenLines(latest, now(), { columns, rows }, colour, t)));
  };
  const show = (dashboard: Dashboard): void => {
    latest = dashboard;
    draw();
  };
  let open = true;
  const close = (): void => {
    if (open) out(LEAVE_SCREEN);
    open = false;
    process.stdout.removeListener("resize", draw);
    process.removeListener("exit", close);
  };
  process.stdout.on("resize", draw);
  // Whatever ends the program: the shell gets its screen and its cursor back.
  process.once("exit", close);
  out(ENTER_SCREEN);
  return { needsFigures: true, changed: (_update, _now, dashboard) => show(dashboard), ticked: show, close };
}
