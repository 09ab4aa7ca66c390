import { systemClock } from "../kernel/clock.js";
import { type AddCommand, type JsonFlag, withExamples, withJson } from "./command.js";
import { EXIT_CODES } from "./exit-codes.js";
import { wrap } from "./table.js";
import { json, plain } from "./terminal.js";

/** Works with the agent dead or alive. */
export const addDetect: AddCommand = (program, act) => {
  const command = program
    .command("detect")
    .summary("what is plugged in, as configuration")
    .description(
      "Looks for printers, scanners, card readers and cameras, and prints a table of the configuration for each. Needs no agent. Network printers and terminals cannot be found: their addresses are known to who installed them.",
    );
  withExamples(withJson(command), [
    ["stationd detect", "look, and choose"],
    ["stationd detect | sudo tee -a /etc/stationd/stationd.toml", "take all of it"],
  ]).action(
    act(async (terminal, flags: JsonFlag) => {
      const [{ detect }, { toJson, toToml }, { openMachine }] = await Promise.all([
        import("../detect/index.js"),
        import("../detect/found.js"),
        import("../doctor/machine.js"),
      ]);
      if (terminal.noteIsTty) terminal.note(terminal.t`Looking; document scanners take some seconds …\n`);
      const { found, notes } = await detect(openMachine(systemClock().now));
      if (flags.json) {
        terminal.out(json({ found: found.map(toJson), notes }));
        return EXIT_CODES.ok.code;
      }
      terminal.out(found.length === 0 ? "" : `${toToml(found)}`);
      for (const text of [...notes, ...(found.length === 0 ? [NOTHING] : [])]) {
        terminal.note(`${wrap(plain(terminal.t(text)), terminal.columns).join("\n")}\n`);
      }
      return EXIT_CODES.ok.code;
    }),
  );
};

const NOTHING = "Nothing was found that a driver is there for. Is it plugged in and switched on? `lsusb` shows what the machine sees.";
