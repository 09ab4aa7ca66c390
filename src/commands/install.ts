import { resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { DeviceError } from "../kernel/errors.js";
import { type AddCommand, withExamples } from "./command.js";
import { EXIT_CODES } from "./exit-codes.js";

interface Flags {
  readonly root: string;
  readonly dryRun?: true;
}

export const addInstall: AddCommand = (program, act) => {
  const command = program
    .command("install")
    .summary("install the agent as a service (root)")
    .description("Installs this package as a service, as the Debian package does: user, groups, devices, unit, sample configuration.")
    .option("--root <dir>", "install into this root instead of the running system", "/")
    .option("--dry-run", "tell every step and do none");
  withExamples(command, [
    ["stationd install --dry-run", "what would be done"],
    ["sudo stationd install", "do it; again after unpacking a newer version"],
  ]).action(
    act(async (terminal, flags: Flags) => {
      const { install } = await import("../install/install.js");
      await install({ ...settings(flags), say: (line) => terminal.out(`${line}\n`) });
      return EXIT_CODES.ok.code;
    }),
  );
};

export const addUninstall: AddCommand = (program, act) => {
  const command = program
    .command("uninstall")
    .summary("take the service away; the journal stays (root)")
    .description("Takes away what install brought. Configuration, certificates, user and journal stay where they are.")
    .option("--root <dir>", "the root that it was installed into", "/")
    .option("--dry-run", "tell every step and do none");
  withExamples(command, [["sudo stationd uninstall", "stop the agent and remove it"]]).action(
    act(async (terminal, flags: Flags) => {
      const { uninstall } = await import("../install/install.js");
      await uninstall({ ...settings(flags), say: (line) => terminal.out(`${line}\n`) });
      return EXIT_CODES.ok.code;
    }),
  );
};

/** @throws DeviceError `unsupported` where this cannot work here */
function settings({ root, dryRun }: Flags) {
  if (!dryRun && process.getuid?.() !== 0) {
    throw new DeviceError("unsupported", {
      message: "only root can do this",
      hint: "sudo stationd …, or --dry-run to see what would be done",
    });
  }
  const from = fileURLToPath(new URL("../../../", import.meta.url)).replace(/\/$/, "");
  return { from, node: process.execPath, root: resolve(root), dryRun: dryRun === true };
}
