import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { asDeviceError, DeviceError, errorObject } from "../kernel/errors.js";
import type { FromChild, ToChild } from "./messages.js";

export interface ChildContext {
  /** An event to the parent; events and results arrive in the order in which they were sent. */
  emit(name: string, value: unknown): void;
  /** Aborts when the caller no longer waits. */
  readonly signal: AbortSignal;
}

export type ChildMethods = Readonly<Record<string, (args: unknown, context: ChildContext) => Promise<unknown>>>;

/**
 * Serves the parent's calls until the parent goes away. Arguments, results and events are structured-cloned;
 * errors cross as error objects, and one that is not a DeviceError as `internal` without its message.
 */
export function serveChild(methods: ChildMethods): void {
  assert(process.send, "not started as a supervised child");
  standBack();
  const running = new Map<number, AbortController>();

  const send = (message: FromChild, sent: () => void = () => {}): void => {
    if (process.connected) process.send?.(message, undefined, undefined, sent);
  };

  const answer = async (id: number, name: string, args: unknown): Promise<void> => {
    const controller = new AbortController();
    running.set(id, controller);
    try {
      const method = Object.hasOwn(methods, name) ? methods[name] : undefined;
      assert(method, `no child method ${name}`);
      const context: ChildContext = { signal: controller.signal, emit: (event, value) => send({ type: "event", name: event, value }) };
      send({ type: "result", id, value: await method(args, context) });
    } catch (thrown) {
      if (!(thrown instanceof DeviceError) && !controller.signal.aborted) send({ type: "fault", stack: framesOf(thrown) });
      send({ type: "failure", id, error: errorObject(asDeviceError(thrown)) });
    } finally {
      running.delete(id);
    }
  };

  process.on("message", (message: ToChild) => {
    if (message.type === "ping") send({ type: "pong" });
    else if (message.type === "cancel") running.get(message.id)?.abort(new DeviceError("canceled"));
    else void answer(message.id, message.method, message.args);
  });
  // Ctrl-C and a closed terminal signal the whole process group, but when a child ends is the parent's decision.
  process.on("SIGINT", () => {});
  process.on("SIGHUP", () => {});
  // The channel closes with the parent, even with one that was killed. Not process.exit(): that runs the exit handlers
  // of native libraries and waits for blocked pool threads, and both can hang.
  process.on("disconnect", () => process.kill(process.pid, "SIGKILL"));
  process.on("uncaughtException", (fault) => send({ type: "fault", stack: framesOf(fault) }, () => process.exit(70)));
  send({ type: "ready" });
}

/** Where memory runs out before its parent looks, the kernel takes a child and not the agent (proc(5), oom_score_adj). */
function standBack(): void {
  try {
    writeFileSync("/proc/self/oom_score_adj", "500");
  } catch {
    // No Linux, or not allowed: then whoever holds most goes.
  }
}

/** Where a fault happened; its message stays here, for it may hold what passed through. */
function framesOf(fault: unknown): string {
  const stack = fault instanceof Error ? fault.stack : undefined;
  return (stack ?? "")
    .split("\n")
    .filter((line) => /^\s+at /.test(line))
    .join("\n");
}
