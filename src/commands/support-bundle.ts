import { writeFile } from "node:fs/promises";
import type { StationClient } from "../client/exports.js";
import { DeviceError } from "../kernel/errors.js";
import type { Job } from "../protocol/jobs.js";
import { type AddCommand, type JsonFlag, withExamples, withJson } from "./command.js";
import { type ConnectionFlags, withConnection, withStation } from "./connection.js";
import { EXIT_CODES } from "./exit-codes.js";
import { wrap } from "./table.js";
import { json, plain, type Terminal } from "./terminal.js";

interface BundleFlags extends ConnectionFlags, JsonFlag {
  readonly config: string;
  readonly logFile?: string;
}

const SYSTEM_CONFIG = "/etc/stationd/stationd.toml";
const LOG_BYTES = 8 * 1024 * 1024;
const LOG_LINES = 50_000;

export const addSupportBundle: AddCommand = (program, act) => {
  const command = program
    .command("support-bundle")
    .summary("all that support needs, in one file")
    .description(
      "Packs configuration, versions, udev's view, devices, jobs, metrics and the log into one file: no secret, and nothing of any citizen. Works with the agent dead, too, and then says less.",
    )
    .argument("[file]", "where to (.tar.gz); a name with the time of day unless told")
    .option("-c, --config <file>", "configuration of the agent", SYSTEM_CONFIG)
    .option("--log-file <file>", "the agent's log as a file, instead of the journal");
  withExamples(withConnection(withJson(command)), [
    ["sudo stationd support-bundle", "in this folder; send the file to support"],
    ["tar xzOf stationd-support-*.tar.gz contents.json", "what is in it, and what could not be had"],
  ]).action(
    act(async (terminal, file: string | undefined, flags: BundleFlags) => {
      const now = Date.now();
      const target =
        file ?? `stationd-support-${new Date(now).toISOString().slice(0, 16).replaceAll(/[-:]/g, "").replace("T", "-")}.tar.gz`;
      const { tarGz } = await import("./support-bundle-tar.js");
      const { files, contents } = await collect(terminal, flags, now);
      const bytes = tarGz(
        files.map(([name, text]) => ({ name: `stationd-support/${name}`, content: Buffer.from(text) })),
        now,
      );
      try {
        // Never over another file, nor through a link that somebody laid there; for nobody else to read.
        await writeFile(target, bytes, { flag: "wx", mode: 0o600 });
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
        throw new DeviceError("invalid_params", { message: `${target}: there already is such a file`, hint: "Give another name" });
      }
      const missing = contents.filter(({ problem }) => problem !== undefined);
      if (flags.json) terminal.out(json({ file: target, bytes: bytes.length, contents }));
      else {
        const { t } = terminal;
        const said = t`${target}: ${Math.ceil(bytes.length / 1_000)} kB, ${files.length} files, no secrets, nothing of citizens`;
        terminal.out(`${wrap(plain(said), terminal.columns).join("\n")}\n`);
        for (const { name, problem } of missing) {
          terminal.out(`  ${wrap(plain(t`without ${name}: ${t(problem ?? "")}`), terminal.columns - 2).join("\n  ")}\n`);
        }
      }
      return EXIT_CODES.ok.code;
    }),
  );
};

interface Part {
  readonly name: string;
  /** Why it is not there. */
  readonly problem?: string;
}

/** Every part stands alone: what cannot be had is named, and the others are there all the same. */
async function collect(
  terminal: Terminal,
  flags: BundleFlags,
  now: number,
): Promise<{ files: readonly (readonly [name: string, text: string])[]; contents: readonly Part[] }> {
  const parts = await import("./support-bundle-parts.js");
  const { metricsText } = await import("./watch-metrics.js");
  const files: [string, string][] = [];
  const contents: Part[] = [];
  const add = async (name: string, work: () => Promise<string | undefined> | string): Promise<void> => {
    if (terminal.noteIsTty) terminal.note(`\r\u001b[K${name}`);
    try {
      const text = await work();
      if (text === undefined) return void contents.push({ name, problem: "it is not to be had here" });
      files.push([name, text]);
      contents.push({ name });
    } catch (error) {
      contents.push({ name, problem: problemOf(error) });
    }
  };

  let config: Awaited<ReturnType<typeof parts.configText>>["config"];
  await add("config.toml", async () => {
    const read = await parts.configText(flags.config);
    config = read.config;
    return read.text;
  });
  await add("versions.json", parts.versionsText);
  await add("packages.txt", parts.packagesText);
  await add("kernel.txt", () => parts.kernelText(config?.agent.stateDir));
  await add("udev.txt", () => parts.udevText(config));
  await add("service.txt", parts.serviceText);
  await add("agent.json", () =>
    fromAgent(terminal, flags, async (client, signal) => json(await client.call("agent.describe", {}, { signal }))),
  );
  await add("devices.json", () => fromAgent(terminal, flags, devicesText));
  await add("jobs.json", () => fromAgent(terminal, flags, jobsText));
  await add("metrics.txt", () => metricsText(flags, terminal.env));
  await add("log.jsonl", async () => {
    const { journal, streamOf } = await import("./logs-source.js");
    const { signal } = new AbortController();
    const query = { unit: "stationd", since: undefined, follow: false, latest: LOG_LINES };
    return parts.logText(flags.logFile === undefined ? journal(query, signal) : streamOf(flags.logFile, false, signal), LOG_BYTES);
  });
  await add("doctor.json", () => parts.doctorText(flags.config));
  if (terminal.noteIsTty) terminal.note("\r\u001b[K");
  files.push(["contents.json", json({ madeAt: new Date(now).toISOString(), contents })]);
  return { files, contents };
}

/** Messages of the closed list name no citizen; of all other faults only the kind is told. */
function problemOf(error: unknown): string {
  if (error instanceof Error && "kind" in error && "hint" in error) return `${error.message}. ${String(error.hint)}`;
  if (error instanceof Error && "code" in error) return `system error ${String(error.code)}`;
  return "unexpected fault";
}

async function fromAgent(
  terminal: Terminal,
  flags: BundleFlags,
  work: (client: StationClient, signal: AbortSignal) => Promise<string>,
): Promise<string> {
  let text = "";
  // Its notes would stand in the middle of the progress.
  await withStation({ ...terminal, note() {}, noteIsTty: false }, flags, async (client, signal) => {
    text = await work(client, signal);
    return EXIT_CODES.ok.code;
  });
  return text;
}

async function devicesText(client: StationClient, signal: AbortSignal): Promise<string> {
  const { devices } = await client.call("devices.list", {}, { signal });
  const each = devices.map(async (device) => ({
    ...device,
    // Who holds it is a name that a page gave itself.
    claim: device.claim && { until: device.claim.until },
    capabilities: await client.call("devices.capabilities", { device: device.id }, { signal }).then(
      ({ capabilities }) => capabilities,
      () => undefined,
    ),
  }));
  return json(await Promise.all(each));
}

/** How jobs ended. What a page chose (keys, references) and what was paid stays here. */
async function jobsText(client: StationClient, signal: AbortSignal): Promise<string> {
  const { jobs } = await client.call("jobs.list", { limit: 200 }, { signal });
  return json(jobs.map(jobFacts));
}

function jobFacts(job: Job): Record<string, unknown> {
  const { kind, device, state, final, createdAt, updatedAt, simulated, reason } = job;
  const how = kind === "print" ? { confirmation: job.confirmation, reprint: job.reprint } : { reversal: job.reverses !== undefined };
  return {
    ...{ kind, job: job.job, device, state, final, createdAt, updatedAt, simulated },
    ...how,
    reason: reason && { kind: reason.kind, message: reason.message, hint: reason.hint },
  };
}
