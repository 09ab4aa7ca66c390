import { type AddCommand, type JsonFlag, withExamples, withJson } from "./command.js";
import { type ConnectionFlags, withConnection, withStation } from "./connection.js";
import { EXIT_CODES } from "./exit-codes.js";
import { json, plain } from "./terminal.js";

export const addCut: AddCommand = (program, act) => {
  const command = program
    .command("cut")
    .summary("feed and cut the paper")
    .description("Feeds and cuts the paper of a printer.")
    .option("-d, --device <id>", "which printer, where there are several");
  withExamples(withConnection(withJson(command)), [["stationd cut", "after loading a new roll"]]).action(
    act(async (terminal, flags: ConnectionFlags & JsonFlag & { device?: string }) =>
      withStation(terminal, flags, async (client, signal) => {
        const result = await client.call("printer.cut", flags.device === undefined ? {} : { device: flags.device }, { signal });
        terminal.out(flags.json ? json(result) : terminal.t`${plain(result.device)}: cut\n`);
        return EXIT_CODES.ok.code;
      }),
    ),
  );
};
