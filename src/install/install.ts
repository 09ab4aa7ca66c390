import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { chmod, cp, mkdir, readFile, rename, rm } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { DeviceError } from "../kernel/errors.js";
import { HOME, PLACES } from "./places.js";

export interface InstallOptions {
  /** The package's folder, with its `node_modules`. */
  readonly from: string;
  /** The Node that the agent will run on. */
  readonly node: string;
  /** `/`, or the folder of another root. */
  readonly root: string;
  /** Tells every step and does none. */
  readonly dryRun: boolean;
  /** Told each step before it is done, and what a step itself says. */
  say(line: string): void;
}

/** Does what the Debian package does, in its order and with its scripts. @throws DeviceError `unsupported` before anything is done */
export async function install(options: InstallOptions): Promise<void> {
  const { from, node, root } = options;
  refuseDebian(root);
  await refuseIncomplete(from);
  const { step, script } = steps(options);
  const home = join(root, HOME);
  const ownNode = join(home, "node", "bin", "node");

  await script("prerm", "upgrade");
  if (resolve(from) !== home) {
    await step(`copy ${from} to ${home}, with ${node}`, async () => {
      // Aside and then swapped: this very program may run from there.
      const fresh = `${home}.new`;
      await rm(fresh, { recursive: true, force: true });
      await cp(from, fresh, { recursive: true, verbatimSymlinks: true });
      await place(node, join(fresh, "node", "bin", "node"), 0o755);
      await rm(home, { recursive: true, force: true });
      await rename(fresh, home);
    });
  } else if (!existsSync(ownNode)) {
    await step(`copy ${node} to ${ownNode}`, () => place(node, ownNode, 0o755));
  }
  for (const { file, to, mode } of PLACES) {
    await step(`copy systemd/${file} to ${join(root, to)}`, () => place(join(from, "systemd", file), join(root, to), mode));
  }
  await script("postinst", "configure");
}

/** Takes away what `install` brought. Configuration, journal and user stay. @throws DeviceError `unsupported` before anything is done */
export async function uninstall(options: InstallOptions): Promise<void> {
  const { root } = options;
  refuseDebian(root);
  const { step, script } = steps(options);
  const home = join(root, HOME);
  const last = await readScript(options.from, "postrm");

  await script("prerm", "remove");
  for (const path of [...PLACES.map(({ to }) => join(root, to)), home]) {
    await step(`remove ${path}`, () => rm(path, { recursive: true, force: true }));
  }
  await runScript(options, last, "postrm", "remove");
}

function steps(options: InstallOptions) {
  return {
    async step(what: string, work: () => Promise<void>): Promise<void> {
      options.say(what);
      if (!options.dryRun) await work();
    },
    script: async (name: ScriptName, asked: string): Promise<void> => runScript(options, await readScript(options.from, name), name, asked),
  };
}

type ScriptName = "prerm" | "postinst" | "postrm";

const readScript = (from: string, name: ScriptName): Promise<string> => readFile(join(from, "systemd", "debian", name), "utf8");

/** One of the Debian package's own scripts. @throws DeviceError `internal` where one of its steps failed */
async function runScript({ root, dryRun, say }: InstallOptions, text: string, name: ScriptName, asked: string): Promise<void> {
  // deb-systemd-helper works for a package only.
  const names = { DPKG_MAINTSCRIPT_PACKAGE: "stationd", DPKG_MAINTSCRIPT_NAME: name };
  const env = { ...process.env, ...names, DPKG_ROOT: root === "/" ? "" : root, STATIOND_STEPS: dryRun ? "dry" : "print" };
  const { failed, stdout, stderr } = await new Promise<{ failed: boolean; stdout: string; stderr: string }>((done) => {
    execFile("sh", ["-c", text, name, asked], { env }, (error, out, err) => done({ failed: error !== null, stdout: out, stderr: err }));
  });
  for (const line of `${stdout}${stderr}`.split("\n").filter((said) => said !== "")) say(line);
  if (!failed) return;
  throw new DeviceError("internal", { message: `a step of ${name} failed`, hint: "Correct what the line above names, and run it again" });
}

async function place(from: string, to: string, mode: number): Promise<void> {
  await mkdir(dirname(to), { recursive: true });
  await cp(from, to, { force: true });
  await chmod(to, mode);
}

/** Two owners of the same files would take them from each other. */
function refuseDebian(root: string): void {
  if (!existsSync(join(root, "var/lib/dpkg/info/stationd.list"))) return;
  const hint = "apt install ./stationd_VERSION_amd64.deb brings it up to date, apt remove stationd takes it away";
  throw new DeviceError("unsupported", { message: "the Debian package stationd is installed here", hint });
}

async function refuseIncomplete(from: string): Promise<void> {
  if (existsSync(join(from, "tsconfig.json"))) {
    const hint = "npm run package:deb makes a Debian package of it; or unpack what npm pack makes";
    throw new DeviceError("unsupported", { message: `${from} is a development checkout`, hint });
  }
  const { dependencies = {} } = JSON.parse(await readFile(join(from, "package.json"), "utf8")) as { dependencies?: Record<string, string> };
  const missing = Object.keys(dependencies).filter((name) => !existsSync(join(from, "node_modules", name)));
  if (missing.length === 0) return;
  const hint = `cd ${from} && npm install --omit=dev --ignore-scripts`;
  throw new DeviceError("unsupported", { message: `${from} is without its dependencies (${missing[0]})`, hint });
}
