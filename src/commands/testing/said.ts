import type { ExitCode } from "../exit-codes.js";
import { main } from "../main.js";

/** The command in this process, in a pipe of 80 columns, with this environment: what it said, and how it ended. */
export async function said(
  env: Readonly<Record<string, string>>,
  ...args: readonly string[]
): Promise<{ readonly code: ExitCode; readonly out: string; readonly note: string }> {
  const heard = { out: "", note: "" };
  const code = await main(args, {
    out(text) {
      heard.out += text;
    },
    note(text) {
      heard.note += text;
    },
    outIsTty: false,
    noteIsTty: false,
    colour: false,
    columns: 80,
    env,
  });
  return { code, ...heard };
}
