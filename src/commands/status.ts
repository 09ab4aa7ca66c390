import { type AddCommand, type JsonFlag, withExamples, withJson } from "./command.js";
import { type ConnectionFlags, withConnection, withStation } from "./connection.js";
import { EXIT_CODES } from "./exit-codes.js";
import { json, plain } from "./terminal.js";

export const addStatus: AddCommand = (program, act) => {
  const command = program
    .command("status")
    .summary("whether the station is fit for service")
    .description("Shows the agent and its devices. Exit code 4 unless every enabled device is ready or busy.");
  withExamples(withConnection(withJson(command)), [["stationd status || echo 'call a technician'", "for scripts and monitoring"]]).action(
    act(async (terminal, flags: ConnectionFlags & JsonFlag) => {
      const { age, deviceTable } = await import("./device-table.js");
      return withStation(terminal, flags, async (client, signal) => {
        const [agent, { devices }] = await Promise.all([
          client.call("agent.describe", {}, { signal }),
          client.call("devices.list", {}, { signal }),
        ]);
        if (flags.json) terminal.out(json({ agent, devices }));
        else {
          const { t } = terminal;
          const service = agent.maintenance ? t`OUT OF SERVICE (maintenance)` : t`in service`;
          const up = age(agent.uptimeMs, t);
          terminal.out(t`${plain(agent.name)}: ${service}, ${t(agent.mode)} mode, stationd ${agent.version}, up ${up}\n\n`);
          terminal.out(deviceTable(devices, Date.now(), terminal));
        }
        const fit = !agent.maintenance && devices.every(({ state }) => state === "ready" || state === "busy" || state === "disabled");
        return fit ? EXIT_CODES.ok.code : EXIT_CODES.device.code;
      });
    }),
  );
};
