import { packageVersion } from "../version.js";
import { type AddCommand, type JsonFlag, withExamples, withJson } from "./command.js";
import { EXIT_CODES } from "./exit-codes.js";
import { json } from "./terminal.js";

export const addVersion: AddCommand = (program, act) => {
  const command = program.command("version").summary("version of stationd").description("Prints the versions of stationd and of Node.");
  withExamples(withJson(command), [["stationd version --json", "for inventories"]]).action(
    act(async (terminal, flags: JsonFlag) => {
      const versions = { stationd: packageVersion(), node: process.version.slice(1) };
      terminal.out(flags.json ? json(versions) : `stationd ${versions.stationd} (Node ${versions.node})\n`);
      return EXIT_CODES.ok.code;
    }),
  );
};
