import { readFileSync } from "node:fs";

/** How a process is, seen from outside: it need not be able to say anything. */
export interface Vitals {
  /** In memory and swapped out. */
  readonly memoryMb: number;
  /** By a signal or a debugger. */
  readonly stopped: boolean;
}

/**
 * Not `statm`, which counts in pages, and they are not of one size on all machines. The kernel makes these lines of counters that it has:
 * nothing is waited for, and it costs some 30 µs. Undefined where there is no such file, or no longer.
 */
export function vitalsOf(pid: number): Vitals | undefined {
  let status: string;
  try {
    status = readFileSync(`/proc/${pid}/status`, "latin1");
  } catch {
    return undefined;
  }
  let kib = 0;
  for (const [, held] of status.matchAll(/^Vm(?:RSS|Swap):\s+(\d+) kB$/gm)) kib += Number(held);
  return { memoryMb: Math.round(kib / 1_024), stopped: /^State:\s+[Tt]/m.test(status) };
}
