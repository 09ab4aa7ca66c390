import { mkdir, readdir, rm, writeFile } from "node:fs/promises";
import { delimiter, join } from "node:path";
import type { Clock } from "../kernel/clock.js";
import { DeviceError } from "../kernel/errors.js";
import type { Connect } from "../kernel/link.js";
import type { ProgramLink } from "../kernel/program.js";
import { makePrivateFolder, takeFile } from "./private-folder.js";
import type { LinkSettings } from "./settings.js";
import { findProgram, runSupervised } from "./supervised-program.js";

export type SaneSettings = Extract<LinkSettings, { kind: "sane" }>;

/** Scanners through SANE: its program scanimage, in a folder and with a configuration of its own. */
export function sane(settings: SaneSettings, clock: Clock): Connect<ProgramLink> {
  return async (signal) => {
    signal.throwIfAborted();
    const command = findProgram("scanimage", "sane-utils");
    findProgram("setpriv", "util-linux");
    const root = await makePrivateFolder();
    const [folder, config] = [join(root, "pages"), join(root, "sane.d")];
    let closing: Promise<void> | undefined;
    const closed = new AbortController();
    let running: Promise<unknown> | undefined;
    const gone = (): DeviceError => new DeviceError("device_absent", { message: "scanimage: closed" });

    const link: ProgramLink = {
      description: "scanimage",
      device: settings.device,
      folder,
      async run(args, output, caller) {
        if (closing) throw gone();
        caller.throwIfAborted();
        if (running) throw new DeviceError("busy", { message: "scanimage is still running" });
        const program = { command, args, folder, env: { SANE_CONFIG_DIR: configPath(config), LC_ALL: "C" } };
        const run = (async () => {
          const end = await runSupervised(program, output, { signal: caller, hurry: closed.signal, clock });
          // Half a page that nobody will take.
          if (end.stopped) await empty(folder);
          return end;
        })();
        running = run.catch(() => {});
        try {
          return await run;
        } finally {
          running = undefined;
        }
      },
      take: (name, mostBytes) => (closing ? Promise.reject(gone()) : takeFile(folder, name, mostBytes)),
      close() {
        closing ??= (async () => {
          closed.abort(gone());
          await running;
          await rm(root, { recursive: true, force: true });
        })();
        return closing;
      },
    };
    try {
      await mkdir(folder, { mode: 0o700 });
      await writeConfig(config, settings);
      signal.throwIfAborted();
      return link;
    } catch (thrown) {
      await link.close();
      if (signal.aborted || thrown instanceof DeviceError) throw thrown;
      throw new DeviceError("device_fault", { message: "the configuration of SANE cannot be written", cause: thrown });
    }
  };
}

async function empty(folder: string): Promise<void> {
  for (const name of await readdir(folder)) await rm(join(folder, name), { recursive: true, force: true });
}

/** Ours comes first; the backends' own files are found where the system has them (sane-dll(5): an empty last part). */
function configPath(config: string): string {
  return [config, process.env.SANE_CONFIG_DIR ?? ""].join(delimiter);
}

/**
 * Only the wanted backends: looking with all of them takes seconds. The empty dll.d keeps the system's out, which would
 * bring back what packages have put there.
 */
async function writeConfig(config: string, { backends, network }: SaneSettings): Promise<void> {
  await mkdir(config, { mode: 0o700 });
  const wanted = network.length > 0 && !backends.includes("airscan") ? [...backends, "airscan"] : backends;
  if (wanted.length > 0) {
    await mkdir(join(config, "dll.d"), { mode: 0o700 });
    await writeFile(join(config, "dll.conf"), `${wanted.join("\n")}\n`, { mode: 0o600 });
  }
  if (network.length > 0) {
    // `href` holds no line end and no blank, whatever was written in the settings.
    const devices = network.map(({ name, url }) => `"${name}" = ${new URL(url).href}, eSCL`);
    const told = ["[devices]", ...devices, "[options]", "discovery = disable", "ws-discovery = off", ""].join("\n");
    await writeFile(join(config, "airscan.conf"), told, { mode: 0o600 });
  }
}
