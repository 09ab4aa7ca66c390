import { fork } from "node:child_process";
import { fileURLToPath } from "node:url";
import { type Clock, systemClock } from "../kernel/clock.js";
import { raceSignal } from "../kernel/deadline.js";
import { DeviceError, fromErrorObject } from "../kernel/errors.js";
import type { Logger } from "../kernel/log.js";
import { childEnv } from "./env.js";
import type { FromChild, ToChild } from "./messages.js";
import { vitalsOf } from "./vitals.js";

export interface Heartbeat {
  readonly everyMs: number;
  /** Longer than the longest synchronous work of the child. */
  readonly deadAfterMs: number;
}

export interface ChildOptions {
  /** The module that calls `serveChild`: `new URL("./entry.js", import.meta.url)`. */
  readonly entry: URL;
  /** For logs and error messages. */
  readonly name: string;
  readonly log: Logger;
  /** For the idle stop and the back-off. */
  readonly clock: Clock;
  /** Ends the child when no call was under way for so long; the next call starts it again. */
  readonly idleStopMs?: number;
  readonly maxOldSpaceMb?: number;
  /** Of the whole process, because what a native library leaks is not in V8's heap: one that holds more is ended. */
  readonly maxMemoryMb?: number;
  /** In real time, because the child lives in it whatever clock the rest runs on. */
  readonly heartbeat?: Heartbeat;
  /** Added to the few variables that are passed on. */
  readonly env?: Readonly<Record<string, string>>;
}

export interface SupervisedChild {
  /**
   * Starts the child if need be and calls one of its methods. Arguments and result are structured-cloned.
   * @throws DeviceError `device_absent` when the child ended first; the signal's reason on abort, which also cancels
   * the work in the child; whatever DeviceError the method threw, else `internal`.
   */
  call(method: string, args: unknown, signal: AbortSignal): Promise<unknown>;
  /** The listener stays across restarts. */
  onEvent(listener: (name: string, value: unknown) => void): Disposable;
  /** Called at each end of the process, for whatever reason. */
  onExit(listener: () => void): Disposable;
  readonly pid: number | undefined;
  /** For good: later calls reject with `shutting_down`. Idempotent, never rejects. */
  stop(): Promise<void>;
}

// With these a stopped or spinning child is noticed after at most 1.6 s; each beat wakes two processes, so no more of them.
export const HEARTBEAT: Heartbeat = { everyMs: 400, deadAfterMs: 1_200 };
/** Enough for the largest scan that is taken, with room to work on it. */
const MAX_MEMORY_MB = 1_024;
const STOP_LIMIT_MS = 1_000;
/** Until the methods are registered only this counts: loading modules on a busy machine is one long synchronous piece of work. */
const START_LIMIT_MS = 30_000;
/** A child that dies younger than this died quickly; after the second such death in a row the next start waits. */
const QUICK_DEATH_MS = 10_000;
const BACK_OFF_MS = { first: 100, most: 5_000 };

interface Running {
  readonly pid: number | undefined;
  call(method: string, args: unknown, signal: AbortSignal): Promise<unknown>;
  stop(): Promise<void>;
}

interface PendingCall {
  resolve(value: unknown): void;
  reject(reason: unknown): void;
}

/** A child process that is started at its first call, watched by heartbeat, and started again by the first call after its end. */
export function superviseChild(options: ChildOptions): SupervisedChild {
  const { name, clock } = options;
  const log = options.log.with({ child: name });
  const eventListeners = new Set<(name: string, value: unknown) => void>();
  const exitListeners = new Set<() => void>();
  const stopping = new AbortController();
  let running: Running | undefined;
  let starting: Promise<Running> | undefined;
  let callsUnderWay = 0;
  let quickDeaths = 0;
  let idleTimer: Disposable | undefined;

  const start = async (): Promise<Running> => {
    const backOffMs = quickDeaths < 2 ? 0 : Math.min(BACK_OFF_MS.first * 2 ** (quickDeaths - 2), BACK_OFF_MS.most);
    if (backOffMs > 0) await clock.sleep(backOffMs, stopping.signal);
    const startedMs = clock.monotonicMs();
    const onEnd = (reason: string, deliberate: boolean): void => {
      running = undefined;
      const quick = clock.monotonicMs() - startedMs < QUICK_DEATH_MS;
      quickDeaths = quick && !deliberate ? quickDeaths + 1 : 0;
      if (!deliberate) log.warn("child ended", { reason });
      for (const listener of exitListeners) listener();
    };
    const onEvent = (event: string, value: unknown): void => {
      for (const listener of eventListeners) listener(event, value);
    };
    running = startChild(options, onEvent, onEnd);
    log.debug("child started", running.pid === undefined ? {} : { pid: running.pid });
    return running;
  };

  const current = async (): Promise<Running> => {
    if (running) return running;
    starting ??= start().finally(() => {
      starting = undefined;
    });
    return await starting;
  };

  const armIdleStop = (): void => {
    if (options.idleStopMs === undefined || callsUnderWay > 0) return;
    idleTimer = clock.timer(options.idleStopMs, () => running?.stop());
  };

  return {
    get pid() {
      return running?.pid;
    },
    async call(method, args, signal) {
      signal.throwIfAborted();
      stopping.signal.throwIfAborted();
      callsUnderWay++;
      idleTimer?.[Symbol.dispose]();
      try {
        const child = await raceSignal(current(), signal);
        return await child.call(method, args, signal);
      } finally {
        callsUnderWay--;
        armIdleStop();
      }
    },
    onEvent: (listener) => subscribe(eventListeners, listener),
    onExit: (listener) => subscribe(exitListeners, listener),
    async stop() {
      stopping.abort(new DeviceError("shutting_down", { message: `${name} is stopped` }));
      idleTimer?.[Symbol.dispose]();
      await starting?.catch(() => {});
      await running?.stop();
    },
  };
}

function subscribe<L>(listeners: Set<L>, listener: L): Disposable {
  listeners.add(listener);
  return { [Symbol.dispose]: () => void listeners.delete(listener) };
}

function startChild(
  options: ChildOptions,
  onEvent: (name: string, value: unknown) => void,
  onEnd: (reason: string, deliberate: boolean) => void,
): Running {
  const log = options.log.with({ child: options.name });
  const maxMemoryMb = options.maxMemoryMb ?? MAX_MEMORY_MB;
  const child = fork(fileURLToPath(options.entry), [], {
    serialization: "advanced",
    // No debugger port or loader of the parent's; nothing of the child's output reaches a terminal or a log.
    execArgv: options.maxOldSpaceMb === undefined ? [] : [`--max-old-space-size=${options.maxOldSpaceMb}`],
    stdio: ["ignore", "ignore", "ignore", "ipc"],
    env: childEnv(options.env),
  });
  const pending = new Map<number, PendingCall>();
  let nextId = 0;
  let ready = false;
  let ended: DeviceError | undefined;

  // A waiting call keeps the parent alive, like an open socket; an idle child does not.
  const holdParent = (hold: boolean): void => {
    if (hold) {
      child.ref();
      child.channel?.ref();
    } else {
      child.unref();
      child.channel?.unref();
    }
  };
  const settle = (id: number, finish: (call: PendingCall) => void): void => {
    const call = pending.get(id);
    if (!call) return;
    pending.delete(id);
    holdParent(pending.size > 0);
    finish(call);
  };
  const send = (message: ToChild): void => {
    if (child.connected) child.send(message, () => {});
  };

  /** Rejects what is under way at once: the process itself may take a while to go. */
  const end = (reason: string, deliberate = false): void => {
    if (ended) return;
    ended = new DeviceError("device_absent", {
      message: `the child process ${options.name} ended (${reason})`,
      hint: "It is started again by itself; if this repeats, see the log for the reason",
    });
    heart[Symbol.dispose]();
    onEnd(reason, deliberate);
    for (const id of [...pending.keys()]) settle(id, (call) => call.reject(ended));
    // SIGKILL ends a stopped process, too.
    child.kill("SIGKILL");
  };
  const heart = watchHeart(options.heartbeat ?? HEARTBEAT, {
    ready: () => ready,
    dead: () => end("heartbeat lost"),
    beat(unanswered) {
      const vitals = child.pid === undefined ? undefined : vitalsOf(child.pid);
      // No piece of work, however long, looks like that.
      if (unanswered && vitals?.stopped) return end("it was stopped");
      if (vitals && vitals.memoryMb > maxMemoryMb) return end(`it held ${vitals.memoryMb} MiB of memory, and ${maxMemoryMb} is the most`);
      send({ type: "ping" });
    },
  });

  child.on("message", (message: FromChild) => {
    if (ended) return;
    heart.beat();
    if (message.type === "ready") ready = true;
    else if (message.type === "result") settle(message.id, (call) => call.resolve(message.value));
    else if (message.type === "failure") settle(message.id, (call) => call.reject(fromErrorObject(message.error)));
    else if (message.type === "event") onEvent(message.name, message.value);
    else if (message.type === "fault")
      log.error("fault in child", {}, Object.assign(new Error("fault in child"), { stack: message.stack }));
  });
  const exited = new Promise<void>((resolve) => {
    child.once("exit", (code, signal) => {
      end(signal ?? `exit code ${code}`);
      resolve();
    });
    // Could not be started or not be signalled; without this listener that would end the parent.
    child.on("error", () => {
      end("could not be started");
      if (child.pid === undefined) resolve();
    });
  });
  holdParent(false);

  return {
    pid: child.pid,
    async stop() {
      end("stopped", true);
      child.ref();
      // A process inside a hung kernel call goes only when that returns; nobody waits for it for ever.
      await Promise.race([exited, systemClock().sleep(STOP_LIMIT_MS)]);
      child.unref();
    },
    call: (method, args, signal) =>
      new Promise((resolve, reject) => {
        if (ended) return reject(ended);
        const id = nextId++;
        const onAbort = (): void => {
          send({ type: "cancel", id });
          settle(id, (call) => call.reject(signal.reason));
        };
        const release = (): void => signal.removeEventListener("abort", onAbort);
        pending.set(id, {
          resolve: (value) => {
            release();
            resolve(value);
          },
          reject: (reason) => {
            release();
            reject(reason);
          },
        });
        signal.addEventListener("abort", onAbort, { once: true });
        holdParent(true);
        try {
          send({ type: "call", id, method, args });
        } catch (thrown) {
          // Arguments that cannot be cloned.
          settle(id, (call) => call.reject(thrown));
        }
      }),
  };
}

/**
 * Counts ticks rather than milliseconds: when the parent itself was held up, or the whole machine asleep, only one tick
 * passes, and between two ticks the parent always reads its channels.
 */
function watchHeart(
  { everyMs, deadAfterMs }: Heartbeat,
  watched: { ready(): boolean; beat(unanswered: boolean): void; dead(): void },
): Disposable & { beat(): void } {
  const clock = systemClock();
  let silentMs = 0;
  let timer = clock.timer(everyMs, tick);
  function tick(): void {
    if (silentMs >= (watched.ready() ? deadAfterMs : START_LIMIT_MS)) return watched.dead();
    const unanswered = silentMs > 0;
    silentMs += everyMs;
    timer = clock.timer(everyMs, tick);
    watched.beat(unanswered);
  }
  return {
    beat: () => {
      silentMs = 0;
    },
    [Symbol.dispose]: () => timer[Symbol.dispose](),
  };
}
