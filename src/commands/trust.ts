import type { TrustFolder } from "../trust/folder.js";
import { type AddCommand, type JsonFlag, withExamples, withJson } from "./command.js";
import { EXIT_CODES } from "./exit-codes.js";
import { type Cell, formatTable } from "./table.js";
import { json, plain, type Terminal } from "./terminal.js";

interface TrustFlags extends JsonFlag {
  readonly config: string;
  readonly dir?: string;
}

const SYSTEM_CONFIG = "/etc/stationd/stationd.toml";

/** Works on the folder itself, with or without an agent, which notices changes by itself. */
export const addTrust: AddCommand = (program, act) => {
  const trust = program
    .command("trust")
    .summary("issuers of ID cards that are trusted")
    .description("Looks after the folder of CSCA certificates, ICAO master lists and CRLs. Needs no agent; a running one notices changes.");
  const withFolder = (command: ReturnType<typeof trust.command>): typeof command =>
    withJson(command)
      .option("-c, --config <file>", "configuration that names the folder (agent.trustDir)", SYSTEM_CONFIG)
      .option("--dir <folder>", "the folder itself");

  const list = trust
    .command("list")
    .summary("what is in the folder")
    .description("Lists every certificate and revocation list of the folder.");
  withExamples(withFolder(list), [["stationd trust list", "whom this station trusts"]]).action(
    act(async (terminal, flags: TrustFlags) => {
      const [{ store, problems }, { describeTrust }] = await Promise.all([load(flags), import("../trust/describe.js")]);
      const rows = describeTrust(store, Date.now());
      if (flags.json) terminal.out(json({ entries: rows, problems }));
      else
        terminal.out(
          rows.length === 0
            ? terminal.t`Nobody is trusted: import a CSCA certificate with \`stationd trust import\`.\n`
            : table(rows, terminal),
        );
      return EXIT_CODES.ok.code;
    }),
  );

  const check = trust
    .command("check")
    .summary("find what is wrong in the folder")
    .description("Names every file that cannot be used and every revocation list that is out of date. Exit code 1 where there are any.");
  withExamples(withFolder(check), [["stationd trust check", "before the citizens come"]]).action(
    act(async (terminal, flags: TrustFlags) => {
      const [{ store, problems }, { describeTrust }] = await Promise.all([load(flags), import("../trust/describe.js")]);
      // Master lists go on naming authorities that have expired: only a list of revocations must be fresh.
      const stale = describeTrust(store, Date.now()).filter(({ kind, expired }) => kind === "crl" && expired);
      const sound = problems.length === 0 && stale.length === 0;
      if (flags.json) terminal.out(json({ ok: sound, problems, expired: stale }));
      else {
        const { t } = terminal;
        for (const { file, reason, hint } of problems) terminal.out(`✗ ${plain(file)}: ${plain(t(reason))}\n  ${plain(t(hint))}\n`);
        for (const { subject, notAfter } of stale) {
          terminal.out(t`! CRL of ${plain(subject)}\n`);
          terminal.out(t`  out of date since ${(notAfter ?? "").slice(0, 10)}: import a newer one\n`);
        }
        if (sound) terminal.out(t`✓ ${store.authorities.length} authorities, ${store.revocationLists.length} revocation lists\n`);
      }
      return sound ? EXIT_CODES.ok.code : EXIT_CODES.failed.code;
    }),
  );

  const add = trust
    .command("import")
    .summary("trust an issuer")
    .description("Checks a file (certificate, master list or CRL; PEM or DER) and copies it into the folder.")
    .argument("<file>", "what the issuer publishes");
  withExamples(withFolder(add), [["stationd trust import csca-vietnam.cer", "trust this authority from now on"]]).action(
    act(async (terminal, file: string, flags: TrustFlags) => {
      const { importTrustFile } = await import("../trust/folder.js");
      const imported = await importTrustFile(await folderOf(flags), file);
      if (flags.json) terminal.out(json(imported));
      else {
        const { t } = terminal;
        terminal.out(t`${imported.file}: ${imported.authorities} authorities, ${imported.revocationLists} revocation lists\n`);
        for (const { reason, hint } of imported.problems) terminal.note(t`left out: ${plain(t(reason))}. ${plain(t(hint))}.\n`);
      }
      return EXIT_CODES.ok.code;
    }),
  );
};

async function folderOf({ dir, config }: TrustFlags): Promise<string> {
  if (dir !== undefined) return dir;
  const { loadConfig } = await import("../config/load.js");
  return (await loadConfig(config)).agent.trustDir;
}

async function load(flags: TrustFlags): Promise<TrustFolder> {
  const { loadTrustFolder } = await import("../trust/folder.js");
  return await loadTrustFolder(await folderOf(flags));
}

function table(rows: readonly import("../trust/describe.js").TrustRow[], terminal: Terminal): string {
  const cells = rows.map(({ kind, subject, key, notAfter, sha256, expired }): Cell[] => [
    { text: kind },
    { text: key ?? "" },
    { text: (notAfter ?? "").slice(0, 10), colour: expired ? "red" : undefined },
    { text: sha256.slice(0, 8) },
    { text: plain(subject) },
  ]);
  return formatTable(["KIND", "KEY", "UNTIL", "SHA-256", "SUBJECT"], cells, terminal);
}
