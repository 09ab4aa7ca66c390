import { readFile } from "node:fs/promises";
import { InvalidArgumentError } from "commander";
import type { AuditEntry } from "../audit/entry.js";
import type { Audit } from "../audit/read.js";
import { type AddCommand, type JsonFlag, withExamples, withJson } from "./command.js";
import { EXIT_CODES } from "./exit-codes.js";
import { type Cell, formatTable } from "./table.js";
import { json, plain, type Terminal } from "./terminal.js";
import { span } from "./token.js";

interface AuditFlags extends JsonFlag {
  readonly since?: number;
  readonly verify?: true;
  readonly head?: string;
  readonly config: string;
  readonly stateDir?: string;
}

const SYSTEM_CONFIG = "/etc/stationd/stationd.toml";

/** Reads the files themselves: what was done is told whether the agent lives or not. */
export const addAudit: AddCommand = (program, act) => {
  const command = program
    .command("audit")
    .summary("what technicians did, and who failed to come in")
    .description("Shows the audit log, oldest first. Reads the files themselves, with the agent running or not, and changes nothing.")
    .option("--since <time>", "only the last 7d, 12h, or from a day on: 2026-11-23", since)
    .option("--verify", "only tell whether something was changed, cut out or put in")
    .option("--head <hash>", "with --verify: a hash that was written down earlier must still be there", hash)
    .option("-c, --config <file>", "configuration that names the folder", SYSTEM_CONFIG)
    .option("--state-dir <folder>", "the agent's state folder itself");
  withExamples(withJson(command), [
    ["sudo stationd audit --since 7d", "the last week"],
    ["sudo stationd audit --verify", "is the log as it was written?"],
  ]).action(
    act(async (terminal, flags: AuditFlags) => {
      const { t } = terminal;
      const { readAudit } = await import("../audit/read.js");
      const audit = await readAudit(await folderOf(flags), flags.since);
      const sound = audit.chains.every(({ problems }) => problems.length === 0) && (flags.head === undefined || audit.has(flags.head));
      const entries = flags.verify ? [] : audit.entries;
      if (flags.json) terminal.out(json({ ok: sound, chains: audit.chains, ...(flags.verify ? {} : { entries }) }));
      else {
        if (flags.verify) verdict(audit, flags.head, terminal);
        else terminal.out(entries.length === 0 ? t`Nothing was written down in this time.\n` : table(entries, await userNames(), terminal));
        if (!flags.verify && !sound) terminal.note(t`! The log is not as it was written: stationd audit --verify\n`);
      }
      return sound ? EXIT_CODES.ok.code : EXIT_CODES.failed.code;
    }),
  );
};

async function folderOf({ stateDir, config }: AuditFlags): Promise<string> {
  if (stateDir !== undefined) return stateDir;
  const { loadConfig } = await import("../config/load.js");
  return (await loadConfig(config)).agent.stateDir;
}

function verdict({ chains, has }: Audit, head: string | undefined, { out, t }: Terminal): void {
  if (chains.length === 0) out(t`There is no audit log yet.\n`);
  for (const { writer, first, last, head: newest, problems } of chains) {
    if (problems.length === 0) out(`${t`✓ ${writer}: entries ${first} to ${last} follow one from the other`}\n  ${newest}\n`);
    else out(t`✗ ${writer}: entries ${first} to ${last} do not follow one from the other\n`);
    for (const { file, line, problem } of problems.slice(0, 20)) out(`  ${file}:${line}: ${t(problem)}\n`);
    if (problems.length > 20) out(t`  and ${problems.length - 20} more\n`);
  }
  if (head !== undefined) out(has(head) ? t`✓ the hash that you named is in the log\n` : t`✗ the hash that you named is not in the log\n`);
  if (chains.length > 0) out(t`Write the hashes down elsewhere: --head HASH tells later whether the log was exchanged as a whole.\n`);
}

function table(entries: readonly AuditEntry[], users: ReadonlyMap<number, string>, terminal: Terminal): string {
  // Of what began and ended, the end is enough; what only began was cut off.
  const ended = new Set(entries.map(({ of }) => of));
  const rows = entries.filter(({ n, outcome }) => outcome !== "begun" || !ended.has(n));
  const cells = rows.map(({ at, who, uid, what, device, job, detail, outcome, more }): Cell[] => [
    { text: at.slice(0, 19).replace("T", " ") },
    { text: uid === undefined ? plain(who) : `${plain(who)} (${users.get(uid) ?? `uid ${uid}`})` },
    {
      text: plain(
        [what, device, detail, job, outcome === "ok" ? "" : `→ ${outcome}`, more ? terminal.t`(and ${more} more)` : ""]
          .filter(Boolean)
          .join(" "),
      ),
      colour: outcome === "ok" ? undefined : "yellow",
    },
  ]);
  return formatTable(["TIME (UTC)", "WHO", "WHAT"], cells, terminal);
}

async function userNames(): Promise<ReadonlyMap<number, string>> {
  const text = await readFile("/etc/passwd", "utf8").catch(() => "");
  return new Map(
    text
      .split("\n")
      .map((line) => line.split(":"))
      .map(([name = "", , uid]) => [Number(uid), plain(name)]),
  );
}

function since(text: string): number {
  const [, year, month, date] = /^(\d{4})-(\d{2})-(\d{2})$/.exec(text) ?? [];
  if (year !== undefined) return new Date(Number(year), Number(month) - 1, Number(date)).getTime();
  return Date.now() - span(text);
}

function hash(text: string): string {
  if (/^[0-9a-f]{64}$/.test(text)) return text;
  throw new InvalidArgumentError("expected 64 lower-case hexadecimal digits");
}
