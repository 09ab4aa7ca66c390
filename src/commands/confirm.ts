import { createInterface } from "node:readline/promises";
import { DeviceError } from "../kernel/errors.js";
import type { Terminal } from "./terminal.js";

/**
 * Asks before money moves. `yes`: the caller has said so on the command line.
 * @throws DeviceError `canceled` where the answer is not yes, or nobody is there to ask
 */
export async function confirm(terminal: Terminal, question: string, yes: true | undefined): Promise<void> {
  if (yes) return;
  if (!process.stdin.isTTY || !terminal.noteIsTty) {
    throw new DeviceError("canceled", { message: "nobody is there to confirm", hint: "Add --yes where a program calls this" });
  }
  const asking = createInterface({ input: process.stdin, output: process.stderr });
  try {
    const answer = await asking.question(`${question} [y/N] `);
    if (!/^y(es)?$/i.test(answer.trim()))
      throw new DeviceError("canceled", { message: "not confirmed; nothing was done", hint: "Answer y to go on" });
  } finally {
    asking.close();
  }
}
