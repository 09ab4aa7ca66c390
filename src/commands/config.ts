import { type AddCommand, type JsonFlag, withExamples, withJson } from "./command.js";
import { EXIT_CODES } from "./exit-codes.js";
import { json } from "./terminal.js";

const SYSTEM_CONFIG = "/etc/stationd/stationd.toml";

export const addConfig: AddCommand = (program, act) => {
  const config = program
    .command("config")
    .summary("check and show a configuration")
    .description("Checks and shows configurations. Needs no agent.");

  const check = config
    .command("check")
    .summary("find every mistake in a file")
    .description("Reads a configuration and lists every problem with its line. Exit code 78 where there are any.")
    .argument("[file]", "configuration (TOML)", SYSTEM_CONFIG);
  withExamples(withJson(check), [["stationd config check && systemctl reload stationd", "before every reload"]]).action(
    act(async (terminal, file: string, flags: JsonFlag) => {
      const { loadConfig } = await import("../config/load.js");
      const { devices } = await loadConfig(file);
      const enabled = devices.filter((device) => device.enabled).length;
      const { t } = terminal;
      const words = devices.length === 1 ? t`1 device` : t`${devices.length} devices`;
      terminal.out(
        flags.json ? json({ ok: true, file, devices: devices.map(({ id }) => id) }) : t`${file}: good, ${words}, ${enabled} enabled\n`,
      );
      return EXIT_CODES.ok.code;
    }),
  );

  const show = config
    .command("show")
    .summary("what the agent makes of a file")
    .description("Prints the configuration with every default filled in and without secrets.")
    .argument("[file]", "configuration (TOML)", SYSTEM_CONFIG);
  withExamples(withJson(show), [["stationd config show station.toml", "as TOML"]]).action(
    act(async (terminal, file: string, flags: JsonFlag) => {
      const [{ loadConfig }, { effectiveConfig, showConfig }] = await Promise.all([
        import("../config/load.js"),
        import("../config/show.js"),
      ]);
      const loaded = await loadConfig(file);
      terminal.out(flags.json ? json(effectiveConfig(loaded)) : showConfig(loaded));
      return EXIT_CODES.ok.code;
    }),
  );

  const reference = config
    .command("reference")
    .summary("every key that a file may have")
    .description("Prints the reference of every key, as Markdown: docs/configuration.md.");
  withExamples(reference, [["stationd config reference > docs/configuration.md", "bring the reference up to date"]]).action(
    act(async (terminal) => {
      const { configReference } = await import("../config/reference.js");
      terminal.out(configReference());
      return EXIT_CODES.ok.code;
    }),
  );
};
