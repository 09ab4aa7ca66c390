import { type AddCommand, type JsonFlag, withExamples, withJson } from "./command.js";
import { type ConnectionFlags, withConnection, withStation } from "./connection.js";
import { EXIT_CODES } from "./exit-codes.js";
import { json } from "./terminal.js";

export const addDevices: AddCommand = (program, act) => {
  const command = program
    .command("devices")
    .summary("the devices and how they are")
    .description("Shows the devices of the station and how they are.")
    .option("-w, --watch", "stay and show every change");
  withExamples(withConnection(withJson(command)), [
    ["stationd devices", "a table"],
    ["stationd devices --watch", "live, until Ctrl-C"],
    ["stationd devices --json | jq '.devices[] | select(.state != \"ready\")'", "what is not ready"],
  ]).action(
    act(async (terminal, flags: ConnectionFlags & JsonFlag & { watch?: true }) => {
      const { deviceTable } = await import("./device-table.js");
      return withStation(terminal, flags, async (client, signal) => {
        if (flags.watch) {
          const { deviceWatch } = await import("./device-watch.js");
          const style = flags.json ? "json" : terminal.outIsTty ? "screen" : "lines";
          const render = deviceWatch(style, () => Date.now(), terminal);
          const lost = new AbortController();
          client.onState((state) => state === "closed" && lost.abort());
          for await (const update of client.events(["devices"], { signal: AbortSignal.any([signal, lost.signal]) }))
            terminal.out(render(update));
          return signal.aborted ? EXIT_CODES.ok.code : EXIT_CODES.unreachable.code;
        }
        const { devices } = await client.call("devices.list", {}, { signal });
        terminal.out(flags.json ? json({ devices }) : deviceTable(devices, Date.now(), terminal));
        return EXIT_CODES.ok.code;
      });
    }),
  );
};
