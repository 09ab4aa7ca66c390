import { ConfigError, describeProblems } from "../config/config-error.js";
import { commandHint } from "./command-hint.js";
import { EXIT_CODES, type ExitCode, exitCodeOfKind } from "./exit-codes.js";
import { json, plain, type Terminal } from "./terminal.js";

/** Says what went wrong, one sentence and what to do about it, never a stack, and tells the exit code. */
export function reportFailure(error: unknown, terminal: Terminal, asJson: boolean): ExitCode {
  const { kind, message, hint, device } = describeFailure(error);
  if (asJson) {
    const problems = error instanceof ConfigError ? { problems: error.problems } : {};
    terminal.out(json({ error: { kind, message, hint, ...(device === undefined ? {} : { device }), ...problems } }));
  } else {
    const { t } = terminal;
    if (error instanceof ConfigError) terminal.note(`${describeProblems(error, t)}\n`);
    terminal.note(`stationd: ${device === undefined ? "" : `${device}: `}${plain(t(message))}\n`);
    if (hint !== "") terminal.note(`  ${plain(commandHint(hint, t))}\n`);
  }
  if (error instanceof ConfigError) return EXIT_CODES.config.code;
  // Without a device it is a port or a socket that is taken.
  return kind === "busy" && device === undefined ? EXIT_CODES.failed.code : exitCodeOfKind(kind);
}

interface Failure {
  readonly kind: string;
  readonly message: string;
  readonly hint: string;
  readonly device: string | undefined;
}

/** DeviceError and the client's StationError look alike; system errors have a code; all else is a fault of our own. */
function describeFailure(error: unknown): Failure {
  if (error instanceof Error && "kind" in error && "hint" in error) {
    const { kind, message, hint } = error as Error & { kind: unknown; hint: unknown };
    const device = "device" in error && typeof error.device === "string" ? error.device : undefined;
    return { kind: String(kind), message, hint: String(hint), device };
  }
  if (error instanceof Error && "code" in error && "syscall" in error) {
    const path = "path" in error && typeof error.path === "string" ? error.path : "";
    const reason = SYSTEM_REASONS[String(error.code)] ?? String(error.code);
    return { kind: "invalid_params", message: path === "" ? reason : `${path}: ${reason}`, hint: "", device: undefined };
  }
  const name = error instanceof Error ? error.name : typeof error;
  return { kind: "internal", message: `unexpected fault (${name})`, hint: "Please report this with the command line", device: undefined };
}

const SYSTEM_REASONS: Readonly<Record<string, string>> = {
  ENOENT: "there is no such file or folder",
  EACCES: "this user may not do that",
  EISDIR: "this is a folder, not a file",
  ENOTDIR: "a part of the path is no folder",
  ENOSPC: "the disk is full",
  EROFS: "the disk is read-only",
  EADDRINUSE: "the address is already in use",
};
