import { Argument } from "commander";
import { type AddCommand, type JsonFlag, withExamples, withJson } from "./command.js";
import { type ConnectionFlags, withConnection, withStation } from "./connection.js";
import { EXIT_CODES } from "./exit-codes.js";
import { json } from "./terminal.js";

export const addMaintenance: AddCommand = (program, act) => {
  const command = program
    .command("maintenance")
    .summary("take the station out of service, or back")
    .description("Takes the station out of service, or back. Refused while a citizen is at the station.")
    .addArgument(new Argument("<on|off>").choices(["on", "off"]));
  withExamples(withConnection(withJson(command)), [
    ["stationd maintenance on", "the page shows “out of service”"],
    ["stationd maintenance off", "back to work"],
  ]).action(
    act(async (terminal, wanted: string, flags: ConnectionFlags & JsonFlag) =>
      withStation(terminal, flags, async (client, signal) => {
        const { t } = terminal;
        const result = await client.call("agent.maintenance", { on: wanted === "on" }, { signal });
        terminal.out(
          flags.json ? json(result) : result.maintenance ? t`The station is out of service.\n` : t`The station is in service.\n`,
        );
        return EXIT_CODES.ok.code;
      }),
    ),
  );
};
