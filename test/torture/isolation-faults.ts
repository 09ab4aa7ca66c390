import WebSocket from "ws";
import { systemClock } from "../../src/kernel/clock.js";

/** What a native library has done to its process in the field. */
export const FAULTS = ["segfault", "stop", "loop", "leak"] as const;
export type Fault = (typeof FAULTS)[number];

/** A fault that strikes at once when it is told to. */
export interface Armed {
  strike(): void;
  /** Also where it never struck. */
  close(): void;
}

/** What the process is made to do through its debugger, for which the product needs no door of its own. */
const MISDEEDS: Readonly<Partial<Record<Fault, string>>> = {
  loop: "for (;;);",
  // As a native library does it: outside V8's heap, 800 MB a second, while the heart beats.
  leak: "globalThis.kept = []; setInterval(() => kept.push(Buffer.alloc(16_777_216, 1)), 20); 0",
};
/** Where Node opens its debugger on SIGUSR1: the same for every process of the machine, so there is one at a time. */
const INSPECTOR = "127.0.0.1:9229";
const TRIES = 600;
const clock = systemClock();

export async function arm(pid: number, fault: Fault): Promise<Armed> {
  const misdeed = MISDEEDS[fault];
  if (misdeed === undefined) return { strike: () => void process.kill(pid, fault === "segfault" ? "SIGSEGV" : "SIGSTOP"), close() {} };
  const socket = await inspectorOf(pid);
  return {
    strike: () => socket.send(JSON.stringify({ id: 2, method: "Runtime.evaluate", params: { expression: misdeed } })),
    close: () => socket.terminate(),
  };
}

/** Waits while another process has the port. */
async function inspectorOf(pid: number): Promise<WebSocket> {
  for (let tries = 0; tries < TRIES; tries++) {
    process.kill(pid, "SIGUSR1");
    await clock.sleep(50);
    const socket = await attach();
    if (!socket) continue;
    if ((await evaluate(socket, "process.pid")) === pid) return socket;
    socket.terminate();
  }
  throw new Error(`no debugger of process ${pid}: another process has ${INSPECTOR}`);
}

async function attach(): Promise<WebSocket | undefined> {
  try {
    const [target] = (await (await fetch(`http://${INSPECTOR}/json/list`)).json()) as { webSocketDebuggerUrl?: string }[];
    if (!target?.webSocketDebuggerUrl) return undefined;
    const socket = new WebSocket(target.webSocketDebuggerUrl);
    return await new Promise((resolve) => {
      socket.on("error", () => resolve(undefined));
      socket.once("open", () => resolve(socket));
    });
  } catch {
    return undefined;
  }
}

function evaluate(socket: WebSocket, expression: string): Promise<unknown> {
  return new Promise((resolve) => {
    socket.once("message", (answer) => {
      const { result } = JSON.parse(String(answer)) as { result?: { result?: { value?: unknown } } };
      resolve(result?.result?.value);
    });
    socket.once("close", () => resolve(undefined));
    socket.send(JSON.stringify({ id: 1, method: "Runtime.evaluate", params: { expression, returnByValue: true } }));
  });
}
