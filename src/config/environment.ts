import { readFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";

/** What a config's defaults and user names depend on besides its text. */
export interface ConfigEnvironment {
  /** Where the journal lives unless the file says otherwise. */
  readonly stateDir: string;
  /** Where the Unix sockets live unless the file says otherwise; undefined: there are none. */
  readonly runtimeDir: string | undefined;
  /** The uid of a user of this machine. */
  uidOf(name: string): number | undefined;
}

/**
 * Under systemd its own folders ($STATE_DIRECTORY, $RUNTIME_DIRECTORY; a list, of which the first counts),
 * else those of the XDG base directory specification.
 */
export function processEnvironment(env: Readonly<Record<string, string | undefined>> = process.env): ConfigEnvironment {
  const folder = (name: string): string | undefined => env[name]?.split(":")[0] || undefined;
  const stateHome = folder("XDG_STATE_HOME") ?? join(env.HOME || homedir(), ".local", "state");
  const runtimeHome = folder("XDG_RUNTIME_DIR");
  return {
    stateDir: folder("STATE_DIRECTORY") ?? join(stateHome, "stationd"),
    runtimeDir: folder("RUNTIME_DIRECTORY") ?? (runtimeHome === undefined ? undefined : join(runtimeHome, "stationd")),
    uidOf,
  };
}

function uidOf(name: string): number | undefined {
  let users: string;
  try {
    users = readFileSync("/etc/passwd", "utf8");
  } catch {
    return undefined;
  }
  const fields = users
    .split("\n")
    .map((line) => line.split(":"))
    .find(([user]) => user === name);
  return fields && /^[0-9]+$/.test(fields[2] ?? "") ? Number(fields[2]) : undefined;
}
