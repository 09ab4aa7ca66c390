import { createHash } from "node:crypto";
import { InvalidArgumentError, Option } from "commander";
import type { AuditLog } from "../audit/log.js";
import type { StoredToken } from "../config/token-file.js";
import type { StationConfig } from "../config/types.js";
import { DeviceError } from "../kernel/errors.js";
import { systemRandom } from "../kernel/random.js";
import { type AddCommand, type JsonFlag, withExamples, withJson } from "./command.js";
import { EXIT_CODES } from "./exit-codes.js";
import { type Cell, formatTable } from "./table.js";
import { json, type Terminal } from "./terminal.js";

interface TokenFlags extends JsonFlag {
  readonly config: string;
}
interface AddFlags extends TokenFlags {
  readonly role: "technician" | "kiosk";
  readonly expires?: number;
}

const SYSTEM_CONFIG = "/etc/stationd/stationd.toml";
const DAY_MS = 24 * 3_600_000;
const TOKENS = 256;

/** Works on the file itself, with or without an agent, which notices changes by itself. */
export const addToken: AddCommand = (program, act) => {
  const token = program
    .command("token")
    .summary("personal tokens: make, replace, revoke, list")
    .description("Looks after the tokens by which technicians and programs are known. Needs no agent; a running one notices at once.");
  const withConfig = (command: ReturnType<typeof token.command>): typeof command =>
    withJson(command).option("-c, --config <file>", "configuration that names the file (server.tokenFile)", SYSTEM_CONFIG);

  const add = token
    .command("add")
    .summary("a token for a person or a program")
    .description("Makes a token and prints it. It is shown this once: only its hash is kept.")
    .argument("<name>", "who it is for: in the audit log, and as owner of jobs")
    .addOption(new Option("--role <role>", "what its holder may do").choices(["technician", "kiosk"]).default("technician"))
    .option("--expires <time>", "valid so long: 90d, 12h", span);
  withExamples(withConfig(add), [
    ["sudo stationd token add anna --expires 90d > anna.token", "for stationd … --url … --token-file anna.token"],
  ]).action(
    act(async (terminal, name: string, flags: AddFlags) => {
      const change = await changing(flags);
      const made = await newToken(name, flags.role, flags.expires);
      await change("token.added", name, (tokens, config) => {
        if (tokens.some((one) => one.name === name) || config.server.tokens.some((one) => one.name === name)) {
          throw refusal(`${name} has a token`, `Replace it: stationd token rotate ${name}`);
        }
        if (tokens.length >= TOKENS) throw refusal(`there are ${TOKENS} tokens`, "Revoke those that nobody uses: stationd token list");
        return [...tokens, made.stored];
      });
      return show(terminal, flags, made);
    }),
  );

  const rotate = token
    .command("rotate")
    .summary("a new token; the old one goes on for a while")
    .description("Makes a successor of the same name and role, and prints it. The old one stays valid for the time of grace.")
    .argument("<name>", "whose")
    .option("--grace <time>", "the old one is valid so much longer: 7d, 12h", span, DAY_MS)
    .option("--expires <time>", "the new one is valid so long: 90d", span);
  withExamples(withConfig(rotate), [["sudo stationd token rotate anna --grace 7d", "both are valid for a week"]]).action(
    act(async (terminal, name: string, flags: TokenFlags & { readonly grace: number; readonly expires?: number }) => {
      const change = await changing(flags);
      const made = await newToken(name, "technician", flags.expires);
      let { stored } = made;
      await change("token.rotated", name, (tokens) => {
        const old = tokens.filter((one) => one.name === name);
        const [first] = old;
        if (first === undefined) throw nobody(name);
        stored = { ...stored, role: first.role };
        const until = Date.now() + flags.grace;
        const ending = (one: StoredToken): StoredToken =>
          one.expires !== undefined && Date.parse(one.expires) <= until ? one : { ...one, expires: new Date(until).toISOString() };
        // At most two of a name: a third, older one has had its time.
        const latest = old.toSorted((a, b) => Date.parse(a.created) - Date.parse(b.created)).at(-1);
        return [...tokens.filter((one) => one.name !== name), ...(latest ? [ending(latest)] : []), stored];
      });
      return show(terminal, flags, { ...made, stored });
    }),
  );

  const revoke = token
    .command("revoke")
    .summary("end a token")
    .description("Ends every token of this name. A running agent closes the sessions that were opened with one.")
    .argument("<name>", "whose");
  withExamples(withConfig(revoke), [["sudo stationd token revoke anna", "Anna has left, or lost it"]]).action(
    act(async (terminal, name: string, flags: TokenFlags) => {
      const change = await changing(flags);
      await change("token.revoked", name, (tokens, config) => {
        const left = tokens.filter((one) => one.name !== name);
        if (left.length < tokens.length) return left;
        if (!config.server.tokens.some((one) => one.name === name)) throw nobody(name);
        throw refusal(
          `${name} is in the configuration`,
          `Take its [[server.tokens]] out of ${flags.config}, then: systemctl reload stationd`,
        );
      });
      terminal.out(
        flags.json ? json({ revoked: name }) : terminal.t`${name} is revoked; a running agent has closed its sessions within a second.\n`,
      );
      return EXIT_CODES.ok.code;
    }),
  );

  const list = token
    .command("list")
    .summary("who has one")
    .description("Lists the tokens of the file and of the configuration: names, never secrets. Last use is what the audit log knows.");
  withExamples(withConfig(list), [["sudo stationd token list", "who may come in, and who did"]]).action(
    act(async (terminal, flags: TokenFlags) => {
      const [{ readTokenFile, expired }, { readAudit }] = await Promise.all([
        import("../config/token-file.js"),
        import("../audit/read.js"),
      ]);
      const config = await load(flags);
      const { entries } = await readAudit(config.agent.stateDir).catch(() => ({ entries: [] }));
      const lastUsed = new Map(entries.filter(({ what }) => what === "auth.entered").map(({ who, at }) => [who, at]));
      const row = ({ name, role, ...more }: Pick<StoredToken, "name" | "role"> & Partial<StoredToken>, source: string) => {
        const { created, expires } = more;
        const used = lastUsed.get(`token:${name}`);
        const over = expires !== undefined && expired({ expires } as StoredToken, Date.now());
        return { name, role, source, created, expires, expired: over, lastUsed: used };
      };
      const rows = [
        ...readTokenFile(config.server.tokenFile).map((one) => row(one, "file")),
        ...config.server.tokens.flatMap((one) => (one.role === "simulator" ? [] : [row({ name: one.name, role: one.role }, "config")])),
      ];
      if (flags.json) terminal.out(json({ tokens: rows }));
      else terminal.out(rows.length === 0 ? terminal.t`Nobody has a token: stationd token add NAME\n` : table(rows, terminal));
      return EXIT_CODES.ok.code;
    }),
  );
};

type Change = (
  what: string,
  name: string,
  change: (tokens: readonly StoredToken[], config: StationConfig) => readonly StoredToken[],
) => Promise<void>;

/** What was not written down is not done. */
async function changing(flags: TokenFlags): Promise<Change> {
  const [{ changeTokens }, { openAudit }, { systemClock }, { silentLog }, config] = await Promise.all([
    import("../config/change-tokens.js"),
    import("../audit/log.js"),
    import("../kernel/clock.js"),
    import("../kernel/log.js"),
    load(flags),
  ]);
  return async (what, name, change) => {
    await changeTokens(config.server.tokenFile, (tokens) => {
      const changed = change(tokens, config);
      // Under the lock of the token file: this chain has one writer at a time.
      const audit = openAudit({ folder: config.agent.stateDir, writer: "command", clock: systemClock(), log: silentLog });
      writeDown(audit, what, name, config.agent.stateDir);
      return changed;
    });
  };
}

function writeDown(audit: AuditLog, what: string, name: string, folder: string): void {
  // Who called sudo; root may say what it likes, but root may also write the log.
  const uid = process.getuid?.() === 0 && /^\d{1,9}$/.test(process.env.SUDO_UID ?? "") ? Number(process.env.SUDO_UID) : process.getuid?.();
  const number = audit.record({ who: "command", uid, what, detail: name, outcome: "ok" });
  void audit.close();
  if (number !== undefined) return;
  throw new DeviceError("journal_unavailable", {
    message: `the audit log in ${folder} cannot be written, so nothing was changed`,
    hint: "Run this as root (sudo stationd token …), and look whether the disk is full (df)",
  });
}

async function load({ config }: TokenFlags): Promise<StationConfig> {
  const { loadConfig } = await import("../config/load.js");
  return await loadConfig(config);
}

interface Made {
  /** 256 random bits. The prefix lets programs that look for secrets in files find one. */
  readonly secret: string;
  readonly stored: StoredToken;
}

async function newToken(name: string, role: StoredToken["role"], validMs: number | undefined): Promise<Made> {
  const { TOKEN_NAME } = await import("../config/token-file.js");
  if (!TOKEN_NAME.test(name)) {
    throw refusal("this is no name for a token", "Use at most 32 letters, digits and . _ @ -, and begin with a letter or digit");
  }
  const secret = `stn_${Buffer.from(systemRandom.bytes(32)).toString("base64url")}`;
  const sha256 = createHash("sha256").update(secret).digest("hex");
  const now = Date.now();
  const expires = validMs === undefined ? {} : { expires: new Date(now + validMs).toISOString() };
  return { secret, stored: { name, role, sha256, created: new Date(now).toISOString(), ...expires } };
}

/** The secret alone on the standard output, so that it can go into a file. */
function show(terminal: Terminal, { json: asJson }: JsonFlag, { secret, stored: { name, role, expires } }: Made) {
  if (asJson) terminal.out(json({ name, role, ...(expires === undefined ? {} : { expires }), token: secret }));
  else {
    const { t } = terminal;
    terminal.out(`${secret}\n`);
    const valid = expires ? t`${role}, until ${expires.slice(0, 16)}Z` : role;
    terminal.note(t`This is ${name}'s token (${valid}). It is not shown again: only its hash is kept.\n`);
  }
  return EXIT_CODES.ok.code;
}

const refusal = (message: string, hint: string): DeviceError => new DeviceError("invalid_params", { message, hint });
const nobody = (name: string): DeviceError => refusal(`nobody called ${name} has a token`, "See who has: stationd token list");

/** `90d`, `12h` in milliseconds. */
export function span(text: string): number {
  const [, count, unit] = /^([1-9]\d{0,4})([dhm])$/.exec(text) ?? [];
  if (count === undefined) throw new InvalidArgumentError("expected a time such as 90d, 12h or 30m");
  return Number(count) * (unit === "d" ? DAY_MS : unit === "h" ? 3_600_000 : 60_000);
}

interface Row {
  readonly name: string;
  readonly role: string;
  readonly source: string;
  readonly expires?: string | undefined;
  readonly expired: boolean;
  readonly lastUsed?: string | undefined;
}

function table(rows: readonly Row[], terminal: Terminal): string {
  const { t } = terminal;
  const day = (instant: string | undefined): string => (instant === undefined ? "" : instant.slice(0, 16).replace("T", " "));
  const cells = rows.map(({ name, role, source, expires, expired, lastUsed }): Cell[] => [
    { text: name },
    { text: role },
    { text: source },
    { text: expires === undefined ? t`never` : day(expires), colour: expired ? "red" : undefined },
    { text: lastUsed === undefined ? t`not in the audit log` : day(lastUsed) },
  ]);
  return formatTable(["NAME", "ROLE", "FROM", "EXPIRES (UTC)", "LAST USED (UTC)"], cells, terminal);
}
