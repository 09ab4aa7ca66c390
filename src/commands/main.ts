import { Command, CommanderError, Option } from "commander";
import { LANGUAGES, languageOf, speak } from "../languages/language.js";
import { packageVersion } from "../version.js";
import type { Act, AddCommand } from "./command.js";
import { EXIT_CODES, type ExitCode } from "./exit-codes.js";
import { reportFailure } from "./failure.js";
import { helpIn } from "./help-language.js";
import type { Streams, Terminal } from "./terminal.js";

/** In the order of the help. Each is loaded when it is named, and all of them only for a help or a completion. */
const COMMANDS: Readonly<Record<string, () => Promise<AddCommand>>> = {
  run: async () => (await import("./run.js")).addRun,
  demo: async () => (await import("./demo-command.js")).addDemo,
  status: async () => (await import("./status.js")).addStatus,
  devices: async () => (await import("./devices.js")).addDevices,
  watch: async () => (await import("./watch.js")).addWatch,
  test: async () => (await import("./test-device.js")).addTestDevice,
  doctor: async () => (await import("./doctor.js")).addDoctor,
  detect: async () => (await import("./detect.js")).addDetect,
  print: async () => (await import("./print.js")).addPrint,
  preview: async () => (await import("./preview.js")).addPreview,
  scan: async () => (await import("./scan.js")).addScan,
  "scan-document": async () => (await import("./scan-document.js")).addScanDocument,
  "read-card": async () => (await import("./read-card.js")).addReadCard,
  card: async () => (await import("./card.js")).addCard,
  trust: async () => (await import("./trust.js")).addTrust,
  token: async () => (await import("./token.js")).addToken,
  audit: async () => (await import("./audit.js")).addAudit,
  pay: async () => (await import("./pay.js")).addPay,
  payments: async () => (await import("./payments.js")).addPayments,
  snapshot: async () => (await import("./camera.js")).addSnapshot,
  camera: async () => (await import("./camera.js")).addCamera,
  cut: async () => (await import("./cut.js")).addCut,
  jobs: async () => (await import("./jobs.js")).addJobs,
  maintenance: async () => (await import("./maintenance.js")).addMaintenance,
  trace: async () => (await import("./trace.js")).addTrace,
  record: async () => (await import("./record.js")).addRecord,
  replay: async () => (await import("./replay.js")).addReplay,
  logs: async () => (await import("./logs.js")).addLogs,
  "support-bundle": async () => (await import("./support-bundle.js")).addSupportBundle,
  simulate: async () => (await import("./simulate.js")).addSimulate,
  config: async () => (await import("./config.js")).addConfig,
  install: async () => (await import("./install.js")).addInstall,
  uninstall: async () => (await import("./install.js")).addUninstall,
  completion: async () => (await import("./completion.js")).addCompletion,
  version: async () => (await import("./version.js")).addVersion,
};

/** The `stationd` command: `args` without node and script. Resolves with the exit code, never rejects. */
export async function main(args: readonly string[], streams: Streams): Promise<ExitCode> {
  const t = await speak(languageOf(args, streams.env));
  const terminal: Terminal = { ...streams, t };
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
    .addOption(new Option("--lang <language>", "language to speak; that of the environment unless told").choices(LANGUAGES))
    .configureOutput({
      writeOut: terminal.out,
      writeErr: terminal.note,
      getOutHelpWidth: () => terminal.columns,
      getErrHelpWidth: () => terminal.columns,
      getOutHasColors: () => false,
      getErrHasColors: () => false,
      outputError: (text, write) => write(t(text)),
    })
    .configureHelp({ showGlobalOptions: false, ...helpIn(t) })
    .showHelpAfterError(t`(--help shows what is possible)`)
    .exitOverride();
  for (const add of await commandsFor(args)) add(program, act);

  try {
    await program.parseAsync(args, { from: "user" });
    return code;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT_CODES.ok.code : EXIT_CODES.usage.code;
    return reportFailure(error, terminal, args.includes("--json"));
  }
}

/** The named one alone; `completion` and whatever names none need them all. */
function commandsFor([name = ""]: readonly string[]): Promise<AddCommand[]> {
  const named = name !== "completion" && Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined;
  return Promise.all((named ? [named] : Object.values(COMMANDS)).map((load) => load()));
}
