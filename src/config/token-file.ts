import { closeSync, constants, fstatSync, openSync, readFileSync, statSync } from "node:fs";
import { dirname } from "node:path";
import { parse } from "smol-toml";
import type { Clock } from "../kernel/clock.js";
import { DeviceError } from "../kernel/errors.js";
import type { Logger } from "../kernel/log.js";
import { z } from "../kernel/schema.js";
import { ROLES } from "../protocol/method.js";
import type { TokenConfig } from "./types.js";

export const TOKEN_NAME = /^[A-Za-z0-9][A-Za-z0-9._@-]{0,31}$/;

const StoredToken = z.strictObject({
  name: z.string().regex(TOKEN_NAME),
  role: z.enum(ROLES).exclude(["simulator"]),
  sha256: z.string().regex(/^[0-9a-f]{64}$/),
  created: z.iso.datetime(),
  expires: z.iso.datetime().optional(),
});
/** A person's or a program's token: its hash, never itself. A name stands twice while one is replaced by its successor. */
export type StoredToken = z.infer<typeof StoredToken>;

const TokenFile = z.strictObject({ tokens: z.array(StoredToken).max(256).default([]) });
const FILE_BYTES = 256 * 1024;

export const expired = ({ expires }: StoredToken, nowMs: number): boolean => expires !== undefined && Date.parse(expires) <= nowMs;

/**
 * The tokens of the file; none where there is no file. What others could have written or may read is not believed.
 * @throws DeviceError `invalid_params`
 */
export function readTokenFile(path: string): readonly StoredToken[] {
  let fd: number;
  try {
    fd = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  } catch (thrown) {
    const code = thrown instanceof Error && "code" in thrown ? thrown.code : undefined;
    if (code === "ENOENT") return [];
    if (code === "ELOOP") throw refusal(`${path} is a link`, "Put the file itself there");
    throw refusal(
      `${path} cannot be read`,
      "It must belong to root and the agent's group, with mode 0640; use it as root (sudo stationd token …)",
    );
  }
  try {
    const { mode, uid, size } = fstatSync(fd);
    if ((mode & constants.S_IFMT) !== constants.S_IFREG) throw refusal(`${path} is no file`, "Name a file in server.tokenFile");
    if ((mode & 0o027) !== 0)
      throw refusal(`${path} is open to others`, `chmod 0640 ${path}, then look whether its tokens are still yours`);
    if (![0, process.getuid?.(), statSync(dirname(path)).uid].includes(uid)) {
      throw refusal(`${path} belongs to the user ${uid}`, `chown root ${path}, after a look at what is in it`);
    }
    if (size > FILE_BYTES) throw refusal(`${path} is too large`, "Revoke tokens that nobody uses");
    const parsed = TokenFile.safeParse(tomlOf(readFileSync(fd, "utf8")));
    if (!parsed.success) throw refusal(`${path} is no token file`, "Move it aside and make new tokens with `stationd token add`");
    return parsed.data.tokens;
  } finally {
    closeSync(fd);
  }
}

function tomlOf(text: string): unknown {
  try {
    return parse(text, { maxDepth: 8, unsafeKeyBehaviour: "throw" });
  } catch {
    return undefined;
  }
}

const refusal = (message: string, hint: string): DeviceError => new DeviceError("invalid_params", { message, hint });

export interface LiveTokens {
  /** Those that are valid now. Costs a look at the file's times. */
  tokens(): readonly TokenConfig[];
}

export interface LiveTokensOptions {
  readonly file: string;
  readonly clock: Clock;
  readonly log: Logger;
  /** Names that came or went since the last look, but for the first look. */
  changed(came: readonly string[], gone: readonly string[]): void;
}

/** The file as it is at each use: what was revoked opens no door from that moment. A file that is not believed holds no token. */
export function liveTokens({ file, clock, log, changed }: LiveTokensOptions): LiveTokens {
  let stamp: string | undefined;
  let stored: readonly StoredToken[] = [];
  const look = (): void => {
    const now = stampOf(file);
    if (now === stamp) return;
    const before = stored;
    try {
      stored = readTokenFile(file);
    } catch (thrown) {
      stored = [];
      log.error("the token file is not used: see `stationd token list`", { path: file });
      if (!(thrown instanceof DeviceError)) log.error("the token file cannot be read", { path: file }, thrown);
    }
    const first = stamp === undefined;
    stamp = now;
    if (!first) changed(missing(stored, before), missing(before, stored));
  };
  return {
    tokens() {
      look();
      const now = clock.now();
      return stored.filter((token) => !expired(token, now));
    },
  };
}

function missing(among: readonly StoredToken[], others: readonly StoredToken[]): string[] {
  return among.filter(({ sha256 }) => !others.some((other) => other.sha256 === sha256)).map(({ name }) => name);
}

function stampOf(file: string): string {
  const found = statSync(file, { bigint: true, throwIfNoEntry: false });
  return found === undefined ? "none" : `${found.ino} ${found.size} ${found.mtimeNs} ${found.ctimeNs}`;
}
