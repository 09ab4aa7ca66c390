import { type AddCommand, type JsonFlag, withExamples, withJson } from "./command.js";
import { EXIT_CODES } from "./exit-codes.js";

interface ReplayFlags extends JsonFlag {
  readonly listen?: string;
  readonly pty?: string;
}

export const addReplay: AddCommand = (program, act) => {
  const command = program
    .command("replay")
    .summary("be a device that was recorded")
    .description(
      "Plays a recording back as the device that was recorded, for an agent whose configuration names this address. Says where the agent does something else than it did then. Needs no agent itself.",
    )
    .argument("<file>", "made by stationd record")
    .option("-l, --listen <address>", "tcp:HOST:PORT; port 0 takes a free one (tcp:127.0.0.1:0 unless told)")
    .option("--pty <path>", "serial line (pseudo-terminal, needs socat) at this path");
  withExamples(withJson(command), [
    ["stationd replay receipt.ndjson --listen tcp:127.0.0.1:9100", "a network printer as it was"],
    ["stationd replay scanner.ndjson --pty /tmp/scanner", "a serial scanner as it was"],
  ]).action(
    act(async (terminal, file: string, { listen, pty, json }: ReplayFlags) => {
      if (listen !== undefined && pty !== undefined) return command.error("error: one of --listen and --pty, not both");
      const { runReplay } = await import("./replay-device.js");
      const diverged = await runReplay(terminal, {
        file,
        wire: pty === undefined ? (listen ?? "tcp:127.0.0.1:0") : `pty:${pty}`,
        json: json === true,
      });
      return diverged ? EXIT_CODES.failed.code : EXIT_CODES.ok.code;
    }),
  );
};
