import type { Finding } from "../doctor/finding.js";
import { systemClock } from "../kernel/clock.js";
import { type AddCommand, type JsonFlag, withExamples, withJson } from "./command.js";
import { type ConnectionFlags, withConnection, withStation } from "./connection.js";
import { EXIT_CODES, type ExitCode } from "./exit-codes.js";
import { json, plain, type Terminal } from "./terminal.js";

interface DoctorFlags extends JsonFlag, ConnectionFlags {
  readonly config: string;
  readonly user: string;
}

const SYSTEM_CONFIG = "/etc/stationd/stationd.toml";

/** Works with the agent dead or alive. */
export const addDoctor: AddCommand = (program, act) => {
  const command = program
    .command("doctor")
    .summary("what is wrong with this machine, and what mends it")
    .description(
      "Looks at everything that the agent needs, and says for each thing that is wrong why it matters and which command mends it. Changes nothing. Needs no agent; a running one is asked for each device's own self-test. Exit code 0: all is good, 4: warnings only, 78: the configuration does not load, 1: other failures.",
    )
    .option("-c, --config <file>", "configuration", SYSTEM_CONFIG)
    .option("--user <name>", "user that the agent runs as", "stationd");
  withExamples(withConnection(withJson(command)), [
    ["sudo stationd doctor", "everything; without sudo some things stay unseen"],
    ["stationd doctor --json | jq -r '.findings[].mend // empty'", "only what mends"],
  ]).action(
    act(async (terminal, flags: DoctorFlags) => {
      const [{ examine }, { openMachine }, { doctorText }] = await Promise.all([
        import("../doctor/index.js"),
        import("../doctor/machine.js"),
        import("./doctor-text.js"),
      ]);
      const machine = openMachine(systemClock().now);
      const findings = [...(await examine(machine, { configFile: flags.config, user: flags.user })), ...(await selfTests(terminal, flags))];
      terminal.out(flags.json ? json({ findings }) : doctorText(findings, terminal));
      return worst(findings);
    }),
  );
};

/** Each device's own self-test, by the agent. */
async function selfTests(terminal: Terminal, flags: DoctorFlags): Promise<readonly Finding[]> {
  const findings: Finding[] = [];
  try {
    await withStation({ ...terminal, note() {}, noteIsTty: false }, flags, async (client, signal) => {
      const { checks } = await client.call("diagnostics.run", {}, { signal });
      for (const { device, check, ok, note, hint } of checks) {
        findings.push({
          id: `self-test.${device}`,
          verdict: ok ? "ok" : "failure",
          finding: `${device}: ${check}${note === undefined ? "" : `: ${note}`}`,
          ...(ok || hint === undefined ? {} : { advice: hint }),
        });
      }
      return EXIT_CODES.ok.code;
    });
  } catch (thrown) {
    if (!(thrown instanceof Error && "kind" in thrown)) throw thrown;
    const lost = thrown.kind === "connection_lost";
    findings.push({
      id: "self-test",
      verdict: lost ? "skipped" : "warning",
      finding: lost ? "the devices' self-tests need the running agent" : `the devices' self-tests: ${plain(thrown.message)}`,
    });
  }
  return findings;
}

function worst(findings: readonly Finding[]): ExitCode {
  const failures = findings.filter(({ verdict }) => verdict === "failure");
  if (failures.some(({ id }) => id === "config.loads")) return EXIT_CODES.config.code;
  if (failures.length > 0) return EXIT_CODES.failed.code;
  return findings.some(({ verdict }) => verdict === "warning") ? EXIT_CODES.device.code : EXIT_CODES.ok.code;
}
