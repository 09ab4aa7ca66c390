import { InvalidArgumentError, Option } from "commander";
import { type AddCommand, withExamples } from "./command.js";
import type { ExitCode } from "./exit-codes.js";

export const addDemo: AddCommand = (program, act) => {
  const command = program
    .command("demo")
    .summary("run the agent with simulators and the demo page")
    .description("Runs the agent in demo mode with every bundled simulator, and serves the demo page.")
    .option("--port <port>", "port of the agent", port)
    .option("--page-port <port>", "port of the demo page", port)
    .option("--open", "open the page in the default browser")
    .addOption(
      new Option("--payer <who>", "manual: the side panel holds the card and knows the PIN; auto: pays by itself")
        .choices(["manual", "auto"])
        .default("manual"),
    );
  withExamples(command, [
    ["stationd demo", "everything on its usual port"],
    ["stationd demo --port 0 --page-port 0", "on any free ports"],
  ]).action(
    act(async (_terminal, options: { port?: number; pagePort?: number; open?: true; payer: "manual" | "auto" }) => {
      const { demo } = await import("./demo.js");
      return (await demo(options)) as ExitCode;
    }),
  );
};

function port(text: string): number {
  if (!/^[0-9]{1,5}$/.test(text) || Number(text) > 65_535) throw new InvalidArgumentError("expected a port from 0 to 65535");
  return Number(text);
}
