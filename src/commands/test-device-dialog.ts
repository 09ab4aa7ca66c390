import { createInterface } from "node:readline";
import type { StationClient } from "../client/exports.js";
import { DeviceError } from "../kernel/errors.js";
import type { Terminal } from "./terminal.js";

/** Asks a person; true for yes. @throws DeviceError `canceled` where nobody is there, the input ends, or the signal aborts */
export type Ask = (question: string) => Promise<boolean>;

export function asker(terminal: Terminal, signal: AbortSignal): Ask {
  return (question) => {
    if (!process.stdin.isTTY || !terminal.noteIsTty) {
      return Promise.reject(
        new DeviceError("canceled", { message: "nobody is there to answer", hint: "Add --yes where a program calls this" }),
      );
    }
    terminal.note(`${question} [y/n] `);
    // Not as a terminal: Ctrl-C stays a signal, and the line is edited by the kernel.
    const lines = createInterface({ input: process.stdin, terminal: false });
    return new Promise<boolean>((resolve, reject) => {
      const gone = (): void => reject(new DeviceError("canceled", { message: "stopped; the question was not answered", hint: "" }));
      lines.on("line", (line) => {
        if (/^\s*y(es)?\s*$/i.test(line)) resolve(true);
        else if (/^\s*no?\s*$/i.test(line)) resolve(false);
        else terminal.note(terminal.t`Please answer y or n: `);
      });
      lines.once("close", gone);
      signal.addEventListener("abort", gone, { once: true });
      if (signal.aborted) gone();
    }).finally(() => lines.close());
  };
}

const LEAVING = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

/**
 * Does `work` in maintenance mode, and switches it off again whatever happens: Ctrl-C (also a second one), a lost ssh
 * connection, a failure. Where it was on already it stays on.
 * @throws DeviceError `canceled` where the person does not agree; StationError `busy` while a citizen is there
 */
export async function inMaintenance<T>(
  client: StationClient,
  terminal: Terminal,
  agree: () => Promise<boolean>,
  outer: AbortSignal,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const { maintenance } = await client.call("agent.describe", {}, { signal: outer });
  if (maintenance) {
    terminal.note(terminal.t`The station was out of service before this test and stays so: stationd maintenance off\n`);
    return await work(outer);
  }
  if (!(await agree())) throw new DeviceError("canceled", { message: "not confirmed; nothing was done", hint: "Answer y to go on" });
  const left = new AbortController();
  const leave = (): void => left.abort(new DeviceError("canceled"));
  // Ctrl-C would close the connection, and with it the way to switch maintenance off and to give money back: here it only asks to stop.
  const closing = process.rawListeners("SIGINT") as (() => void)[];
  for (const listener of closing) process.removeListener("SIGINT", listener);
  for (const name of LEAVING) process.on(name, leave);
  let on = false;
  try {
    // Once it may have been heard, it has to be taken back.
    on = true;
    await client.call("agent.maintenance", { on: true }, { signal: outer }).catch((error: unknown) => {
      on = !(error instanceof Error && "kind" in error && ["busy", "forbidden"].includes(String(error.kind)));
      throw error;
    });
    return await work(AbortSignal.any([outer, left.signal]));
  } finally {
    if (on) await backInService(client, terminal);
    for (const name of LEAVING) process.removeListener(name, leave);
    for (const listener of closing) process.on("SIGINT", listener);
  }
}

async function backInService(client: StationClient, terminal: Terminal): Promise<void> {
  try {
    await client.call("agent.maintenance", { on: false });
  } catch {
    terminal.note(terminal.t`stationd: the station may still be OUT OF SERVICE: nobody could tell the agent\n`);
    terminal.note(terminal.t`  Now do: stationd maintenance off\n`);
  }
}

/** A terminal that may have been hung up: what is said into the void must not end the program. */
export function mutedByHangup(terminal: Terminal): Terminal & Disposable {
  let gone = false;
  const onHangup = (): void => {
    gone = true;
  };
  process.on("SIGHUP", onHangup);
  return {
    ...terminal,
    out: (text) => (gone ? undefined : terminal.out(text)),
    note: (text) => (gone ? undefined : terminal.note(text)),
    [Symbol.dispose]: () => void process.removeListener("SIGHUP", onHangup),
  };
}
