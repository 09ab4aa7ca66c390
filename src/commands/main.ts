import { Command, CommanderError } from "commander";
import { packageVersion } from "../version.js";
import { addAudit } from "./audit.js";
import { addCamera, addSnapshot } from "./camera.js";
import { addCard } from "./card.js";
import type { Act, AddCommand } from "./command.js";
import { addCompletion } from "./completion.js";
import { addConfig } from "./config.js";
import { addCut } from "./cut.js";
import { addDemo } from "./demo-command.js";
import { addDetect } from "./detect.js";
import { addDevices } from "./devices.js";
import { addDoctor } from "./doctor.js";
import { EXIT_CODES, type ExitCode } from "./exit-codes.js";
import { reportFailure } from "./failure.js";
import { addInstall, addUninstall } from "./install.js";
import { addJobs } from "./jobs.js";
import { addLogs } from "./logs.js";
import { addMaintenance } from "./maintenance.js";
import { addPay } from "./pay.js";
import { addPayments } from "./payments.js";
import { addPreview } from "./preview.js";
import { addPrint } from "./print.js";
import { addReadCard } from "./read-card.js";
import { addRecord } from "./record.js";
import { addReplay } from "./replay.js";
import { addRun } from "./run.js";
import { addScan } from "./scan.js";
import { addScanDocument } from "./scan-document.js";
import { addSimulate } from "./simulate.js";
import { addStatus } from "./status.js";
import { addSupportBundle } from "./support-bundle.js";
import type { Terminal } from "./terminal.js";
import { addTestDevice } from "./test-device.js";
import { addToken } from "./token.js";
import { addTrace } from "./trace.js";
import { addTrust } from "./trust.js";
import { addVersion } from "./version.js";
import { addWatch } from "./watch.js";

const COMMANDS: readonly AddCommand[] = [
  addRun,
  addDemo,
  addStatus,
  addDevices,
  addWatch,
  addTestDevice,
  addDoctor,
  addDetect,
  addPrint,
  addPreview,
  addScan,
  addScanDocument,
  addReadCard,
  addCard,
  addTrust,
  addToken,
  addAudit,
  addPay,
  addPayments,
  addSnapshot,
  addCamera,
  addCut,
  addJobs,
  addMaintenance,
  addTrace,
  addRecord,
  addReplay,
  addLogs,
  addSupportBundle,
  addSimulate,
  addConfig,
  addInstall,
  addUninstall,
  addCompletion,
  addVersion,
];

/** The `stationd` command: `args` without node and script. Resolves with the exit code, never rejects. */
export async function main(args: readonly string[], terminal: Terminal): Promise<ExitCode> {
  let code: ExitCode = EXIT_CODES.ok.code;
  const act: Act =
    (work) =>
    async (...given) => {
      code = await work(terminal, ...given);
    };
  const program = new Command("stationd")
    .description("Device agent of a public-service kiosk.")
    .version(packageVersion(), "-V, --version", "print the version")
    .helpOption("-h, --help", "print help")
    .helpCommand("help [command]", "print help of a command")
    .configureOutput({
      writeOut: terminal.out,
      writeErr: terminal.note,
      getOutHelpWidth: () => terminal.columns,
      getErrHelpWidth: () => terminal.columns,
      getOutHasColors: () => false,
      getErrHasColors: () => false,
    })
    .configureHelp({ showGlobalOptions: false })
    .showHelpAfterError("(--help shows what is possible)")
    .exitOverride();
  for (const add of COMMANDS) add(program, act);

  try {
    await program.parseAsync(args, { from: "user" });
    return code;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT_CODES.ok.code : EXIT_CODES.usage.code;
    return reportFailure(error, terminal, args.includes("--json"));
  }
}
